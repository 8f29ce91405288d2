//! The quirks of a running environment.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use super::client_documents::ClientDocuments;
use super::selection::{Cimd, ForeignKey, KeysEndpoint, MetadataForm, Quirks};
use super::{metadata, token};
use crate::behavior::{AUTHORIZATION_LIFETIME, Behavior, Regular};
use crate::claims::AccessTokenClaims;
use crate::metadata::{AuthorizationServerMetadata, OpenidConfiguration};
use crate::oauth::scope::Scopes;
use crate::state::records::RegisteredClient;
use crate::token_request::ACCESS_TOKEN_LIFETIME;
use crate::urls::Urls;

/// The current quirks, and the state that goes with them.
#[derive(Default)]
pub(crate) struct Switchboard {
    quirks: watch::Sender<Quirks>,
    key_requests: watch::Sender<u64>,
    issuer_turn: Turn,
    metadata_turn: Turn,
    client_documents: ClientDocuments,
}

impl Switchboard {
    pub(crate) fn set(&self, quirks: Quirks) {
        self.issuer_turn.reset();
        self.metadata_turn.reset();
        self.client_documents.clear();
        self.quirks.send_replace(quirks);
    }

    pub(crate) fn current(&self) -> Quirks {
        self.quirks.borrow().clone()
    }

    pub(crate) fn key_requests(&self) -> u64 {
        *self.key_requests.borrow()
    }

    pub(crate) async fn until_key_requests(&self, count: u64) {
        let mut counted = self.key_requests.subscribe();
        let _ = counted.wait_for(|requests| *requests >= count).await;
    }
}

impl Behavior for Switchboard {
    fn access_token(&self, claims: AccessTokenClaims, urls: &Urls) -> impl Serialize {
        token::apply(&self.current(), || self.issuer_turn.take(), &claims, urls)
    }

    fn resource_metadata(
        &self,
        metadata: AuthorizationServerMetadata,
        urls: &Urls,
    ) -> impl Serialize {
        let quirks = self.current();
        let is_old_form = match quirks.metadata {
            MetadataForm::Current => false,
            MetadataForm::BeforeMigration => true,
            MetadataForm::Alternating => !self.metadata_turn.take(),
        };
        metadata::apply(&quirks, is_old_form, &metadata, urls)
    }

    fn openid_configuration(&self, configuration: OpenidConfiguration) -> impl Serialize {
        metadata::apply_to_configuration(&self.current(), &configuration)
    }

    fn key_set(&self, keys: Vec<Value>) -> Vec<Value> {
        let foreign = self.current().foreign_keys.into_iter().map(ForeignKey::jwk);
        foreign.chain(keys).collect()
    }

    /// Counts the request, and waits while responses are held.
    async fn keys_response(&self) -> Option<Response> {
        self.key_requests.send_modify(|requests| *requests += 1);
        let mut changes = self.quirks.subscribe();
        // Fails only when the sender is dropped, which is `self`.
        let released = changes.wait_for(|quirks| quirks.keys != KeysEndpoint::Held).await;
        released.ok()?.keys.response()
    }

    fn registration_response(&self) -> Option<Response> {
        metadata::registration_response(self.quirks.borrow().registration)
    }

    fn token_lifetime(&self) -> i64 {
        self.quirks.borrow().token_lifetime.unwrap_or(ACCESS_TOKEN_LIFETIME)
    }

    fn code_lifetime(&self) -> i64 {
        self.quirks.borrow().code_lifetime.unwrap_or(AUTHORIZATION_LIFETIME)
    }

    fn permitted(&self, granted: &Scopes, of_the_resource: &Scopes) -> Scopes {
        match &self.quirks.borrow().permissions {
            None => granted.clone(),
            Some(permissions) => granted.retain(|name| {
                !of_the_resource.contains(name) || permissions.iter().any(|held| held == name)
            }),
        }
    }

    fn is_refused(&self, client_id: &str) -> bool {
        self.quirks.borrow().refused_clients.contains(client_id)
    }

    fn accepts_client_urls(&self) -> bool {
        self.quirks.borrow().cimd == Cimd::On
    }

    async fn client_at(&self, client_id: &str, now: i64) -> Result<RegisteredClient, String> {
        if !self.accepts_client_urls() {
            return Regular.client_at(client_id, now).await;
        }
        let allow_loopback = self.quirks.borrow().cimd_allow_loopback;
        let client = self.client_documents.client(client_id, allow_loopback, now).await;
        client.map_err(|problem| problem.to_string())
    }
}

/// Alternates between two options.
#[derive(Default)]
struct Turn {
    is_second: AtomicBool,
}

impl Turn {
    /// Whether the second option is next; then it is the first one's turn again.
    fn take(&self) -> bool {
        self.is_second.fetch_not(Ordering::Relaxed)
    }

    fn reset(&self) {
        self.is_second.store(false, Ordering::Relaxed);
    }
}
