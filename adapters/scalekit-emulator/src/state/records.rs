//! What outlives the process: clients, and the logins that their refresh tokens stand for.

use serde::{Deserialize, Serialize};
use url::Url;

use super::fingerprint::Fingerprint;
use crate::oauth::{redirect_uri::RedirectUri, scope::Scopes};

/// Inspector and some editors register anew on each connection: the oldest have to go.
pub(crate) const MOST_CLIENTS: usize = 500;
const MOST_LOGINS: usize = 1000;

/// A client of this environment (RFC 7591), or one that its own metadata document describes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RegisteredClient {
    pub(crate) client_id: String,
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    /// Present for a confidential client.
    pub(crate) secret: Option<Fingerprint>,
    /// Unix seconds.
    pub(crate) registered_at: i64,
}

impl RegisteredClient {
    pub(crate) fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.client_id)
    }

    /// The host that vouches for a client whose id is the URL of its metadata document. Of such a
    /// client this is all that is certain: anybody can write any name into a document.
    pub(crate) fn host(&self) -> Option<String> {
        let id = Url::parse(&self.client_id).ok()?;
        id.host_str().map(ToOwned::to_owned)
    }
}

/// What a person has allowed a client, and in which session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) subject: String,
    pub(crate) organization: Option<String>,
    pub(crate) scopes: Scopes,
    pub(crate) session: String,
}

/// A grant that lasts for as long as its refresh token is used (RFC 6749 section 6).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) refresh_token: Fingerprint,
    pub(crate) grant: Grant,
    /// Unix seconds.
    pub(crate) expires_at: i64,
}

/// Everything that is kept, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Records {
    clients: Vec<RegisteredClient>,
    logins: Vec<Login>,
}

impl Records {
    pub(crate) fn client(&self, client_id: &str) -> Option<&RegisteredClient> {
        self.clients.iter().find(|client| client.client_id == client_id)
    }

    /// Adds a client; beyond [`MOST_CLIENTS`] the oldest one goes, and its logins with it.
    pub(crate) fn add_client(&mut self, client: RegisteredClient) {
        self.clients.push(client);
        for dropped in drop_oldest(&mut self.clients, MOST_CLIENTS) {
            self.logins.retain(|login| login.grant.client_id != dropped.client_id);
        }
    }

    /// The login of a refresh token that has not expired and belongs to the client.
    pub(crate) fn login(
        &self,
        refresh_token: &Fingerprint,
        client_id: &str,
        now: i64,
    ) -> Option<&Login> {
        self.logins.iter().find(|login| {
            login.refresh_token == *refresh_token
                && login.grant.client_id == client_id
                && now < login.expires_at
        })
    }

    /// Adds a login and forgets those that have expired.
    pub(crate) fn add_login(&mut self, login: Login, now: i64) {
        self.logins.retain(|held| now < held.expires_at);
        self.logins.push(login);
        drop_oldest(&mut self.logins, MOST_LOGINS);
    }

    pub(crate) fn remove_login(&mut self, refresh_token: &Fingerprint, client_id: &str) {
        self.logins.retain(|login| {
            login.refresh_token != *refresh_token || login.grant.client_id != client_id
        });
    }
}

fn drop_oldest<T>(kept: &mut Vec<T>, most: usize) -> Vec<T> {
    kept.drain(..kept.len().saturating_sub(most)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(client_id: &str) -> RegisteredClient {
        RegisteredClient {
            client_id: client_id.to_owned(),
            name: None,
            redirect_uris: Vec::new(),
            secret: None,
            registered_at: 0,
        }
    }

    fn login(client_id: &str) -> Login {
        let grant = Grant {
            client_id: client_id.to_owned(),
            subject: "usr_1".to_owned(),
            organization: None,
            scopes: Scopes::of_the_resource(),
            session: "ses_1".to_owned(),
        };
        Login { refresh_token: Fingerprint::of(client_id), grant, expires_at: 1 }
    }

    #[test]
    fn a_client_that_has_to_go_takes_its_own_logins_with_it() {
        let mut records = Records::default();
        let described = "https://client.example/id";
        records.add_client(client("oldest"));
        for client_id in ["oldest", "newer", described] {
            records.add_login(login(client_id), 0);
        }

        for _ in 0..MOST_CLIENTS {
            records.add_client(client("newer"));
        }

        let left = |id: &str| records.login(&Fingerprint::of(id), id, 0).is_some();
        assert!(records.client("oldest").is_none());
        assert_eq!(["oldest", "newer", described].map(left), [false, true, true]);
    }
}
