use std::sync::Arc;

use async_trait::async_trait;
use protected_mcp::{AuthenticationError, Authenticator, Caller, Clock};

use crate::claims::{self, SignedClaims};
use crate::environment::ScalekitEnvironment;
use crate::invalid_token::VerificationError;
use crate::keys::{FoundKey, ScalekitKeys};
use crate::token_cache::{TokenCache, TokenDigest};
use crate::unverified_token::{BearerToken, UnverifiedToken};

/// Verifies access tokens of a Scalekit environment.
///
/// The checks, in order: size and form, algorithm, critical extensions, key, signature, and then the
/// claims one by one. The first that fails is reported.
///
/// An accepted token is cached, and accepted again without these checks while they would give the
/// same result. A clone shares keys and cache.
#[derive(Clone)]
pub struct ScalekitTokenVerifier {
    environment: Arc<ScalekitEnvironment>,
    keys: ScalekitKeys,
    clock: Arc<dyn Clock>,
    kept_claims: Arc<[String]>,
    cache: Arc<TokenCache>,
}

impl ScalekitTokenVerifier {
    /// Accepts tokens that `environment` issues for its resource, signed with one of `keys`.
    pub fn new(
        environment: Arc<ScalekitEnvironment>,
        keys: ScalekitKeys,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let cache = Arc::new(TokenCache::new());
        Self { environment, keys, clock, kept_claims: Arc::default(), cache }
    }

    /// Passes further claims on to the caller, under [`Caller::claim`], such as `zoneinfo` or `roles`.
    /// They are signed but otherwise unchecked; one that is missing or `null` is left out. The names
    /// replace those of an earlier call.
    #[must_use]
    pub fn keep_claims(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let kept_claims = names.into_iter().map(Into::into).collect();
        // What another verifier has cached holds other claims.
        Self { kept_claims, cache: Arc::new(TokenCache::new()), ..self }
    }

    /// Like [`Authenticator::authenticate`], with the error of this crate.
    pub async fn verify_token(
        &self,
        unverified_token: &str,
    ) -> Result<Arc<Caller>, VerificationError> {
        let token = BearerToken::new(unverified_token)?;
        let digest = TokenDigest::of(token.as_str());
        if let Some(caller) = self.cache.get(digest, self.keys.generation(), self.clock.now()) {
            return Ok(caller);
        }
        let unverified = UnverifiedToken::parse(token)?;
        let FoundKey { key, generation } = self.keys.find(unverified.unverified_key_id()).await?;
        let payload = unverified.check_signature(&key)?;
        let kept = claims::kept(&payload, &self.kept_claims);
        let accepted =
            SignedClaims::parse(&payload)?.check(&self.environment, self.clock.now(), kept)?;
        let caller = Arc::clone(&accepted.caller);
        self.cache.insert(digest, generation, accepted);
        Ok(caller)
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
