use std::sync::Arc;

use async_trait::async_trait;
use todo_application::ports::{Clock, Principal, TokenVerifier, VerificationError};

use crate::claims::SignedClaims;
use crate::keys::FoundKey;
use crate::token_cache::{TokenCache, TokenDigest};
use crate::unverified_token::{self, UnverifiedToken};
use crate::{ScalekitEnvironment, ScalekitKeys, VerifiedToken};

/// Verifies access tokens of a Scalekit environment.
///
/// The checks, in order: size and form, algorithm, critical extensions, key, signature, and then
/// the claims one by one. The first that fails is the answer.
///
/// A token that was accepted is remembered, and accepted again without these checks while they
/// would end the same way. Cloning gives another handle to the same keys and memory.
#[derive(Clone)]
pub struct ScalekitTokenVerifier {
    environment: Arc<ScalekitEnvironment>,
    keys: ScalekitKeys,
    clock: Arc<dyn Clock>,
    cache: Arc<TokenCache>,
}

impl ScalekitTokenVerifier {
    /// A verifier of tokens that `environment` issues for its resource, signed with one of `keys`.
    pub fn new(
        environment: Arc<ScalekitEnvironment>,
        keys: ScalekitKeys,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { environment, keys, clock, cache: Arc::new(TokenCache::new()) }
    }

    /// What [`TokenVerifier::verify`] does, with everything that is known about the token.
    pub async fn verify_token(
        &self,
        unverified_token: &str,
    ) -> Result<Arc<VerifiedToken>, VerificationError> {
        unverified_token::check_size(unverified_token)?;
        let digest = TokenDigest::of(unverified_token);
        if let Some(verified) = self.cache.recall(digest, self.keys.generation(), self.clock.now())
        {
            return Ok(verified);
        }
        let unverified = UnverifiedToken::parse(unverified_token)?;
        let FoundKey { key, generation } =
            self.keys.find(unverified.unverified_key_id.as_deref()).await?;
        key.check(unverified.signing_input, unverified.signature)?;
        let claims_text = unverified.claims_text()?;
        let signed_claims = SignedClaims::parse(&claims_text)?;
        let verified = Arc::new(signed_claims.check(&self.environment, self.clock.now())?);
        self.cache.remember(digest, generation, Arc::clone(&verified));
        Ok(verified)
    }
}

#[async_trait]
impl TokenVerifier for ScalekitTokenVerifier {
    async fn verify(
        &self,
        unverified_token: &str,
    ) -> Result<Arc<dyn Principal>, VerificationError> {
        Ok(self.verify_token(unverified_token).await?)
    }
}

#[cfg(test)]
mod tests;
