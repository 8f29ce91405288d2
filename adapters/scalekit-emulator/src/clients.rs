//! The client that a client id identifies.

use crate::behavior::Behavior as _;
use crate::environment::Environment;
use crate::state::records::RegisteredClient;

/// Why a client id identifies no client, for the person in front of the browser.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnknownClient {
    #[error(
        "No client with the id {client_id} is registered here (unable to retrieve client by id). \
         The application remembers another environment, or an identity that was deleted."
    )]
    NotRegistered { client_id: String },
    #[error(
        "The client id {client_id} leads to no client (invalid_client_metadata_url): {problem}."
    )]
    Document { client_id: String, problem: String },
}

impl UnknownClient {
    pub(crate) fn what_to_do(&self) -> &'static str {
        match self {
            Self::NotRegistered { .. } => {
                "Clear what your application has stored for this server, and connect again."
            }
            Self::Document { .. } => {
                "If your application does not own this URL, clear what it has stored for this server \
                 and connect again. Otherwise report this to its developers."
            }
        }
    }
}

impl Environment {
    /// The client that requests the authorization of a person.
    pub(crate) async fn authorizing_client(
        &self,
        client_id: &str,
    ) -> Result<RegisteredClient, UnknownClient> {
        if !is_url(client_id) || self.behavior.is_refused(client_id) {
            return self
                .registered(client_id)
                .ok_or_else(|| UnknownClient::NotRegistered { client_id: client_id.to_owned() });
        }
        let client = self.behavior.client_at(client_id, self.now()).await;
        client.map_err(|problem| {
            tracing::debug!(client_id, problem, "client metadata document rejected");
            UnknownClient::Document { client_id: client_id.to_owned(), problem }
        })
    }

    /// The client that calls an endpoint.
    ///
    /// One whose id is a URL is accepted without its document: it is a public client, which
    /// authenticates with nothing, and its code or refresh token was issued after the document had
    /// been checked.
    pub(crate) fn calling_client(&self, client_id: &str) -> Option<RegisteredClient> {
        let is_accepted_url = is_url(client_id) && self.behavior.accepts_client_urls();
        if is_accepted_url && !self.behavior.is_refused(client_id) {
            return Some(RegisteredClient {
                client_id: client_id.to_owned(),
                name: None,
                redirect_uris: Vec::new(),
                secret: None,
                registered_at: self.now(),
                is_used: true,
            });
        }
        self.registered(client_id)
    }

    fn registered(&self, client_id: &str) -> Option<RegisteredClient> {
        if self.behavior.is_refused(client_id) {
            return None;
        }
        self.ledger.records().client(client_id).cloned()
    }
}

fn is_url(client_id: &str) -> bool {
    let scheme = client_id.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}
