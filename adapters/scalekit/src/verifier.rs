use std::sync::Arc;

use async_trait::async_trait;
use todo_application::ports::{Clock, Principal, TokenVerifier, VerificationError};

use crate::claims::SignedClaims;
use crate::unverified_token::UnverifiedToken;
use crate::{ScalekitEnvironment, ScalekitKeys, VerifiedToken};

/// Verifies access tokens of a Scalekit environment.
///
/// The checks, in order: size and form, algorithm, critical extensions, key, signature, and then
/// the claims one by one. The first that fails is the answer.
#[derive(Clone)]
pub struct ScalekitTokenVerifier {
    environment: Arc<ScalekitEnvironment>,
    keys: ScalekitKeys,
    clock: Arc<dyn Clock>,
}

impl ScalekitTokenVerifier {
    /// A verifier of tokens that `environment` issues for its resource, signed with one of `keys`.
    pub fn new(
        environment: Arc<ScalekitEnvironment>,
        keys: ScalekitKeys,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { environment, keys, clock }
    }

    /// What [`TokenVerifier::verify`] does, with everything that is known about the token.
    pub async fn verify_token(
        &self,
        unverified_token: &str,
    ) -> Result<VerifiedToken, VerificationError> {
        let unverified = UnverifiedToken::parse(unverified_token)?;
        let key = self.keys.find(unverified.unverified_key_id.as_deref()).await?;
        key.check(unverified.signing_input, unverified.signature)?;
        let claims_text = unverified.claims_text()?;
        let signed_claims = SignedClaims::parse(&claims_text)?;
        Ok(signed_claims.check(&self.environment, self.clock.now())?)
    }
}

#[async_trait]
impl TokenVerifier for ScalekitTokenVerifier {
    async fn verify(
        &self,
        unverified_token: &str,
    ) -> Result<Arc<dyn Principal>, VerificationError> {
        Ok(Arc::new(self.verify_token(unverified_token).await?))
    }
}

#[cfg(test)]
mod tests;
