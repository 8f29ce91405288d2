mod tally;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use protected_mcp::{AuthenticationError, Authenticator, Caller, Clock};

use crate::budget::{Budget, Overloaded};
use crate::claims::{Accepted, Rules};
use crate::environment::ScalekitEnvironment;
use crate::invalid_token::VerificationError;
use crate::key_set::PublishedKey;
use crate::keys::{FoundKey, ScalekitKeys};
use crate::statistics::TokenStatistics;
use crate::token_cache::{TokenCache, TokenDigest};
use crate::unverified_token::{BearerToken, UnverifiedToken};
use tally::Tally;

/// Verifies access tokens of a Scalekit environment.
///
/// The checks, in order: size and form, algorithm, critical extensions, key, signature, and then the
/// claims one by one; last, whether the client may call at all. The first that fails is reported.
///
/// An accepted token is cached, and accepted again without these checks while they would give the
/// same result. The others together get a quarter of one core; what exceeds that waits, or is told to come
/// back. A clone shares keys, cache and that time.
#[derive(Clone)]
pub struct ScalekitTokenVerifier {
    rules: Rules,
    keys: ScalekitKeys,
    clock: Arc<dyn Clock>,
    cache: Arc<TokenCache>,
    budget: Budget,
    tally: Arc<Tally>,
}

impl ScalekitTokenVerifier {
    /// Accepts tokens that `environment` issues for its resource, signed with one of `keys`.
    pub fn new(
        environment: Arc<ScalekitEnvironment>,
        keys: ScalekitKeys,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let cache = Arc::default();
        let (rules, budget) = (Rules::new(environment), Budget::new());
        Self { rules, keys, clock, cache, budget, tally: Arc::default() }
    }

    /// Passes further claims on to the caller, under [`Caller::claim`], such as `zoneinfo` or `roles`.
    /// They are signed but otherwise unchecked; one that is missing or `null` is left out. The names
    /// replace those of an earlier call.
    #[must_use]
    pub fn keep_claims(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let kept_claims = names.into_iter().map(Into::into).collect();
        self.with_rules(|rules| Rules { kept_claims, ..rules })
    }

    /// Rejects tokens that were issued (`iat`) so long ago, and those that do not tell when. `None`, the
    /// default, accepts a token until it expires.
    #[must_use]
    pub fn max_token_age(self, max_age: Option<Duration>) -> Self {
        self.with_rules(|rules| Rules { max_age, ..rules })
    }

    /// Lets only the clients with these ids call (`client_id`, else `azp`). A token that names no client is
    /// of none of them. `None`, the default, lets all call.
    #[must_use]
    pub fn allowed_clients(self, ids: Option<Vec<String>>) -> Self {
        let allowed_clients = ids.map(|ids| Arc::new(ids.into_iter().collect()));
        self.with_rules(|rules| Rules { allowed_clients, ..rules })
    }

    /// How many accepted tokens are cached, about; 10,000 by default. A token of Scalekit, of some 1,100
    /// bytes, takes 480 bytes of memory once it is cached; one of 2 KiB or more counts as several.
    #[must_use]
    pub fn cached_tokens(self, count: NonZeroUsize) -> Self {
        Self { cache: Arc::new(TokenCache::with_capacity(count)), ..self }
    }

    fn with_rules(self, change: impl FnOnce(Rules) -> Rules) -> Self {
        // What a verifier has cached follows from its rules.
        Self { rules: change(self.rules), cache: Arc::new(self.cache.emptied()), ..self }
    }

    /// Like [`Authenticator::authenticate`], with the error of this crate.
    pub async fn verify_token(
        &self,
        unverified_token: &str,
    ) -> Result<Arc<Caller>, VerificationError> {
        let token = BearerToken::new(unverified_token);
        let token = token.map(|token| (TokenDigest::of(token.as_str()), token));
        if let Ok((digest, _)) = &token
            && let Some(accepted) = self.cached(*digest)
        {
            self.tally.cached();
            return permitted(accepted);
        }
        let verified = match token {
            Ok((digest, token)) => self.verify(token, digest).await,
            Err(reason) => Err(reason.into()),
        };
        self.tally.verified(&verified);
        verified
    }

    async fn verify(
        &self,
        token: BearerToken<'_>,
        digest: TokenDigest,
    ) -> Result<Arc<Caller>, VerificationError> {
        let unverified = UnverifiedToken::parse(token)?;
        let FoundKey { key, generation } = self.keys.find(unverified.unverified_key_id()).await?;
        if unverified.has_signature_of_length(&key) {
            let admitted = self.admit(&unverified, &key).await;
            // A client may have sent the same token several times at once.
            if let Some(accepted) = self.cached(digest) {
                return permitted(accepted);
            }
            admitted?;
        }
        let payload = unverified.check_signature(&key)?;
        let accepted = self.rules.apply(&payload, self.clock.now(), key.revocation())?;
        self.cache.insert(digest, generation, accepted.clone());
        let (organization, subject) = (accepted.caller.organization(), accepted.caller.subject());
        self.budget.verified(self.budget.owner(organization.map(AsRef::as_ref), subject));
        permitted(accepted)
    }

    /// What became of the tokens so far.
    pub fn statistics(&self) -> TokenStatistics {
        let (waiting, budget_used) = self.budget.usage();
        TokenStatistics {
            cache_hits: self.tally.cache_hits(),
            verifications: self.tally.verifications(),
            waiting,
            budget_used,
        }
    }

    fn cached(&self, digest: TokenDigest) -> Option<Accepted> {
        self.cache.get(digest, self.keys.generation(), self.clock.now())
    }

    /// Returns when the signature may be checked.
    ///
    /// Claims are not looked at before that: a token whose claims and signature are both wrong is rejected
    /// for its signature, and an expired one is not rejected as such before it is known to be one.
    async fn admit(
        &self,
        unverified: &UnverifiedToken<'_>,
        key: &PublishedKey,
    ) -> Result<(), VerificationError> {
        let owner = || {
            let owner = unverified.unverified_owner();
            self.budget.owner(owner.organization(), owner.subject())
        };
        let admitted = self.budget.admit(unverified.cost(key), owner).await;
        admitted.map_err(|Overloaded| VerificationError::Overloaded)
    }
}

/// The caller of a valid token, if its client may call at all.
fn permitted(accepted: Accepted) -> Result<Arc<Caller>, VerificationError> {
    let Accepted { caller, lifetime: _, is_client_allowed } = accepted;
    if is_client_allowed {
        Ok(caller)
    } else {
        Err(VerificationError::ClientNotAllowed(caller.client().cloned()))
    }
}

#[async_trait]
impl Authenticator for ScalekitTokenVerifier {
    async fn authenticate(
        &self,
        unverified_token: &str,
    ) -> Result<Arc<Caller>, AuthenticationError> {
        Ok(self.verify_token(unverified_token).await?)
    }
}

#[cfg(test)]
mod tests;
