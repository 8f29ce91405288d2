//! What outlives the process: clients, and the logins of their refresh tokens.

use serde::{Deserialize, Serialize};
use url::Url;

use super::fingerprint::Fingerprint;
use super::refresh_token::{RefreshToken, StoredRefreshToken};
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::scope::Scopes;

/// Inspector and some editors register again for each connection, so clients that were never used are
/// dropped, and then the oldest.
pub(crate) const MOST_CLIENTS: usize = 500;
const MOST_LOGINS: usize = 1000;
/// In characters.
const LONGEST_NAME: usize = 100;

/// A registered client (RFC 7591), or one with a metadata document of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RegisteredClient {
    pub(crate) client_id: String,
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    /// Present for a confidential client.
    pub(crate) secret: Option<Fingerprint>,
    /// Unix seconds.
    pub(crate) registered_at: i64,
    /// Whether it has had a token.
    #[serde(default)]
    pub(crate) is_used: bool,
}

impl RegisteredClient {
    pub(crate) fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.client_id)
    }

    /// The host of a client id that is the URL of a metadata document. It is all that is certain of such
    /// a client: its document may hold any name.
    pub(crate) fn host(&self) -> Option<String> {
        let id = Url::parse(&self.client_id).ok()?;
        id.host_str().map(ToOwned::to_owned)
    }
}

/// What a person has granted to a client, and in which session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) subject: String,
    pub(crate) organization: Option<String>,
    pub(crate) scopes: Scopes,
    pub(crate) session: String,
}

/// A grant with a refresh token (RFC 6749 section 6).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Login {
    #[serde(flatten)]
    pub(crate) refresh_token: StoredRefreshToken,
    /// The code that it was exchanged for. Absent from files of versions that did not keep it.
    pub(crate) code: Option<Fingerprint>,
    pub(crate) grant: Grant,
    /// Unix seconds.
    pub(crate) expires_at: i64,
}

/// Oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Records {
    clients: Vec<RegisteredClient>,
    logins: Vec<Login>,
}

impl Records {
    pub(crate) fn client(&self, client_id: &str) -> Option<&RegisteredClient> {
        self.clients.iter().find(|client| client.client_id == client_id)
    }

    /// Adds a client. Beyond [`MOST_CLIENTS`] the oldest one that was never used is dropped, or the oldest
    /// one together with its logins if all were used.
    pub(crate) fn add_client(&mut self, client: RegisteredClient) {
        if self.clients.len() >= MOST_CLIENTS {
            let unused = self.clients.iter().position(|held| !self.is_used(held));
            let dropped = self.clients.remove(unused.unwrap_or_default());
            self.logins.retain(|login| login.grant.client_id != dropped.client_id);
        }
        self.clients.push(client);
    }

    /// Remembers that a client has had a token.
    pub(crate) fn mark_used(&mut self, client_id: &str) {
        let mut clients = self.clients.iter_mut();
        if let Some(client) = clients.find(|client| client.client_id == client_id) {
            client.is_used = true;
        }
    }

    /// A client with a login was used, even if the file of an older version does not say so.
    fn is_used(&self, client: &RegisteredClient) -> bool {
        client.is_used || self.logins.iter().any(|it| it.grant.client_id == client.client_id)
    }

    /// The login of the client that a refresh token comes from, unless it has expired. The token may be an
    /// old one.
    pub(crate) fn login(&self, token: &RefreshToken, client_id: &str, now: i64) -> Option<&Login> {
        let has_token = |login: &&Login| login.has(token, client_id);
        self.logins.iter().find(has_token).filter(|login| now < login.expires_at)
    }

    /// Adds a login and drops those that have expired.
    pub(crate) fn add_login(&mut self, login: Login, now: i64) {
        self.logins.retain(|held| now < held.expires_at);
        self.logins.push(login);
        self.logins.drain(..self.logins.len().saturating_sub(MOST_LOGINS));
    }

    /// Removes the login of the client that a refresh token comes from, current or old.
    pub(crate) fn remove_login(&mut self, token: &RefreshToken, client_id: &str) {
        self.logins.retain(|login| !login.has(token, client_id));
    }

    /// Removes the login that an authorization code was exchanged for.
    pub(crate) fn remove_login_from(&mut self, code: &Fingerprint) {
        self.logins.retain(|login| login.code.as_ref() != Some(code));
    }

    pub(crate) fn has_login_from(&self, code: &Fingerprint) -> bool {
        self.logins.iter().any(|login| login.code.as_ref() == Some(code))
    }
}

impl Login {
    fn has(&self, token: &RefreshToken, client_id: &str) -> bool {
        self.refresh_token.is_of_the_family_of(token) && self.grant.client_id == client_id
    }
}

/// A client's name for itself, shortened to one line of a page.
pub(crate) fn presentable_name(name: &str) -> Option<String> {
    let ends_a_line = |character| matches!(character, '\u{2028}' | '\u{2029}');
    let printable = name.chars().filter(|it| !it.is_control() && !ends_a_line(*it));
    let printable: String = printable.take(LONGEST_NAME).collect();
    let name = printable.trim();
    (!name.is_empty()).then(|| name.to_owned())
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
            is_used: false,
        }
    }

    fn login(client_id: &str) -> Login {
        let grant = Grant {
            client_id: client_id.to_owned(),
            subject: "usr_1".to_owned(),
            organization: None,
            scopes: Scopes::parse("notes:read"),
            session: "ses_1".to_owned(),
        };
        let refresh_token = RefreshToken::parse(client_id).store();
        Login { refresh_token, code: None, grant, expires_at: 1 }
    }

    #[test]
    fn a_name_is_one_line_of_at_most_100_characters() {
        assert_eq!(presentable_name(" A\u{2028}B\u{85}\n\tC "), Some("ABC".to_owned()));
        assert_eq!(presentable_name(" \u{2029}\n"), None);
        assert_eq!(presentable_name(&"é".repeat(101)), Some("é".repeat(100)));
    }

    #[test]
    fn a_dropped_client_loses_its_own_logins_only() {
        let mut records = Records::default();
        let unregistered = "https://client.example/id";
        records.add_client(client("oldest"));
        for client_id in ["oldest", "newer", unregistered] {
            records.add_login(login(client_id), 0);
        }

        for _ in 0..MOST_CLIENTS {
            records.add_client(RegisteredClient { is_used: true, ..client("newer") });
        }

        let is_kept = |id: &str| records.login(&RefreshToken::parse(id), id, 0).is_some();
        assert!(records.client("oldest").is_none());
        assert_eq!(["oldest", "newer", unregistered].map(is_kept), [false, true, true]);
    }
}
