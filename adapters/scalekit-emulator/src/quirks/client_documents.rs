//! Clients whose id is the URL of their metadata document, fetched and cached for a moment
//! (draft-ietf-oauth-client-id-metadata-document).

mod client_id_url;
mod document;
mod fetch;
mod public_address;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use client_id_url::{ClientIdUrl, ClientIdUrlProblem};
use document::{ClientMetadataDocument, DocumentProblem};
use fetch::FetchProblem;

use crate::state::records::RegisteredClient;

/// Seconds that a valid document is cached. An invalid one is not cached.
const FRESH: i64 = 60;
const MOST: usize = 100;

#[derive(Default)]
pub(super) struct ClientDocuments {
    fresh: Mutex<VecDeque<Fetched>>,
}

struct Fetched {
    client: RegisteredClient,
    expires_at: i64,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ClientDocumentProblem {
    #[error(transparent)]
    Url(#[from] ClientIdUrlProblem),
    #[error(transparent)]
    Fetch(#[from] FetchProblem),
    #[error(transparent)]
    Document(#[from] DocumentProblem),
}

impl ClientDocuments {
    /// The client whose document is at `client_id`. `allow_loopback` permits this machine.
    pub(super) async fn client(
        &self,
        client_id: &str,
        allow_loopback: bool,
        now: i64,
    ) -> Result<RegisteredClient, ClientDocumentProblem> {
        let url = ClientIdUrl::parse(client_id, allow_loopback)?;
        if let Some(client) = self.cached(&url, now) {
            return Ok(client);
        }
        let document = fetch::fetch(url.as_url(), allow_loopback).await?;
        let document = ClientMetadataDocument::parse(&document, &url)?;
        let client = RegisteredClient {
            client_id: url.as_str().to_owned(),
            name: document.name,
            redirect_uris: document.redirect_uris,
            secret: None,
            registered_at: now,
            is_used: true,
        };
        self.insert(client.clone(), now);
        Ok(client)
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn cached(&self, url: &ClientIdUrl, now: i64) -> Option<RegisteredClient> {
        let fresh = self.lock();
        let is_cached =
            |held: &&Fetched| held.client.client_id == url.as_str() && now < held.expires_at;
        fresh.iter().find(is_cached).map(|held| held.client.clone())
    }

    fn insert(&self, client: RegisteredClient, now: i64) {
        let mut fresh = self.lock();
        fresh.retain(|held| now < held.expires_at && held.client.client_id != client.client_id);
        if fresh.len() >= MOST {
            fresh.pop_front();
        }
        fresh.push_back(Fetched { client, expires_at: now.saturating_add(FRESH) });
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Fetched>> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
