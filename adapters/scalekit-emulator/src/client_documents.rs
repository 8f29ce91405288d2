//! Clients that describe themselves: their documents, fetched and remembered for a moment.

mod fetch;
mod public_address;

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use self::fetch::FetchProblem;
use crate::{
    oauth::{
        client_id_url::{ClientIdUrl, ClientIdUrlProblem},
        client_metadata_document::{ClientMetadataDocument, DocumentProblem},
    },
    state::records::RegisteredClient,
};

/// Seconds for which a good document is not fetched again. A bad one is not remembered at all.
const FRESH: i64 = 60;
const MOST: usize = 100;

/// The documents of this minute.
#[derive(Default)]
pub(crate) struct ClientDocuments {
    fresh: Mutex<VecDeque<Fetched>>,
}

struct Fetched {
    client: RegisteredClient,
    expires_at: i64,
}

/// Why a URL is no client here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientDocumentProblem {
    #[error("this environment does not take URLs as client ids")]
    Off,
    #[error(transparent)]
    Url(#[from] ClientIdUrlProblem),
    #[error(transparent)]
    Fetch(#[from] FetchProblem),
    #[error(transparent)]
    Document(#[from] DocumentProblem),
}

impl ClientDocuments {
    /// The client whose document is at `client_id`. `allow_loopback` admits this machine.
    pub(crate) async fn client(
        &self,
        client_id: &str,
        allow_loopback: bool,
        now: i64,
    ) -> Result<RegisteredClient, ClientDocumentProblem> {
        let url = ClientIdUrl::parse(client_id, allow_loopback)?;
        if let Some(client) = self.fresh_client(&url, now) {
            return Ok(client);
        }
        let document = fetch::document(url.as_url(), allow_loopback).await?;
        let document = ClientMetadataDocument::parse(&document, &url)?;
        let client = RegisteredClient {
            client_id: url.as_str().to_owned(),
            name: document.name,
            redirect_uris: document.redirect_uris,
            secret: None,
            registered_at: now,
        };
        self.remember(client.clone(), now);
        Ok(client)
    }

    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    fn fresh_client(&self, url: &ClientIdUrl, now: i64) -> Option<RegisteredClient> {
        let fresh = self.lock();
        let is_it =
            |held: &&Fetched| held.client.client_id == url.as_str() && now < held.expires_at;
        fresh.iter().find(is_it).map(|held| held.client.clone())
    }

    fn remember(&self, client: RegisteredClient, now: i64) {
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
