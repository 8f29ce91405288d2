//! Where a test may make the environment deviate from a regular one.

use axum::response::Response;
use serde::Serialize;
use serde_json::Value;

use crate::claims::AccessTokenClaims;
use crate::metadata::{AuthorizationServerMetadata, OpenidConfiguration};
use crate::oauth::scope::Scopes;
use crate::state::records::RegisteredClient;
use crate::token_request::ACCESS_TOKEN_LIFETIME;
use crate::urls::Urls;

/// Seconds that an authorization code is valid, and that a person has for a decision.
pub(crate) const AUTHORIZATION_LIFETIME: i64 = 600;

/// The defaults are those of a [`Regular`] environment. The only other implementation is in `quirks`.
pub(crate) trait Behavior: Default + Send + Sync {
    fn access_token(&self, claims: AccessTokenClaims, _: &Urls) -> impl Serialize {
        claims
    }

    fn resource_metadata(&self, metadata: AuthorizationServerMetadata, _: &Urls) -> impl Serialize {
        metadata
    }

    fn openid_configuration(&self, configuration: OpenidConfiguration) -> impl Serialize {
        configuration
    }

    fn key_set(&self, keys: Vec<Value>) -> Vec<Value> {
        keys
    }

    /// What the key set endpoint returns instead of the key set.
    fn keys_response(&self) -> impl Future<Output = Option<Response>> + Send {
        std::future::ready(None)
    }

    /// What the registration endpoint returns instead of registering a client.
    fn registration_response(&self) -> Option<Response> {
        None
    }

    /// Seconds that a token of the token endpoint is valid.
    fn token_lifetime(&self) -> i64 {
        ACCESS_TOKEN_LIFETIME
    }

    fn code_lifetime(&self) -> i64 {
        AUTHORIZATION_LIFETIME
    }

    /// The part of `granted` that the user may have at this moment.
    fn permitted(&self, granted: &Scopes, _of_the_resource: &Scopes) -> Scopes {
        granted.clone()
    }

    /// Whether a client is unknown although it is registered.
    fn is_refused(&self, _client_id: &str) -> bool {
        false
    }

    /// Whether the URL of a client metadata document is a client id.
    fn accepts_client_urls(&self) -> bool {
        false
    }

    /// The client whose metadata document is at `client_id`, or why there is none.
    fn client_at(
        &self,
        _client_id: &str,
        _now: i64,
    ) -> impl Future<Output = Result<RegisteredClient, String>> + Send {
        std::future::ready(Err("this environment does not accept URLs as client ids".to_owned()))
    }
}

#[derive(Default)]
pub(crate) struct Regular;

impl Behavior for Regular {}
