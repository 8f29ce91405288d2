//! Who a client id names.

use crate::{
    client_documents::ClientDocumentProblem,
    environment::Environment,
    oauth::client_id_url::ClientIdUrl,
    quirks::{Cimd, Quirks},
    state::records::RegisteredClient,
};

/// Why a client id names nobody, in words for the person in front of the browser.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnknownClient {
    #[error(
        "No client with the id {client_id} is registered here (unable to retrieve client by id). \
         Your application remembers another environment, or an identity that was deleted: clear \
         what it has stored for this server and connect again."
    )]
    NotRegistered { client_id: String },
    #[error(
        "The client id {client_id} leads to no client (invalid_client_metadata_url): {problem}. \
         If your application does not own this URL, clear what it has stored for this server and \
         connect again."
    )]
    Document { client_id: String, problem: ClientDocumentProblem },
}

impl Environment {
    /// The client that asks a person for access.
    pub(crate) async fn client_that_asks(
        &self,
        client_id: &str,
    ) -> Result<RegisteredClient, UnknownClient> {
        let quirks = self.quirks.current();
        let is_url = ClientIdUrl::is_meant_by(client_id);
        if !is_url || quirks.refused_clients.contains(client_id) {
            return self
                .registered(&quirks, client_id)
                .ok_or_else(|| UnknownClient::NotRegistered { client_id: client_id.to_owned() });
        }
        let client = match quirks.cimd {
            Cimd::Off => Err(ClientDocumentProblem::Off),
            Cimd::On => {
                let allow_loopback = quirks.cimd_allow_loopback;
                self.client_documents.client(client_id, allow_loopback, self.now()).await
            }
        };
        client.map_err(|problem| {
            tracing::debug!(client_id, error = ?problem, "refused a client id metadata document");
            UnknownClient::Document { client_id: client_id.to_owned(), problem }
        })
    }

    /// The client that calls an endpoint.
    ///
    /// One that is a URL is taken at its word. It is a public client, which names itself and proves
    /// nothing, and the code or refresh token that it shows was issued after its document had been
    /// checked.
    pub(crate) fn client_that_calls(&self, client_id: &str) -> Option<RegisteredClient> {
        let quirks = self.quirks.current();
        let is_url = ClientIdUrl::is_meant_by(client_id);
        if quirks.cimd == Cimd::On && is_url && !quirks.refused_clients.contains(client_id) {
            return Some(RegisteredClient {
                client_id: client_id.to_owned(),
                name: None,
                redirect_uris: Vec::new(),
                secret: None,
                registered_at: self.now(),
            });
        }
        self.registered(&quirks, client_id)
    }

    fn registered(&self, quirks: &Quirks, client_id: &str) -> Option<RegisteredClient> {
        let records = self.ledger.records();
        let client = records.client(client_id);
        client.filter(|_| !quirks.refused_clients.contains(client_id)).cloned()
    }
}
