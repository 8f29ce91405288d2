//! Who the emulator says people are.

/// The one person of the local environment. Stable, because todos belong to it.
pub const LOCAL_USER: &str = "usr_70412586931045387";

/// The organization of [`LOCAL_USER`]. Stable, because todos belong to it.
pub const LOCAL_ORGANIZATION: &str = "org_70412586914268162";

/// The id that the MCP server has in the local environment, when nothing else is asked for.
pub const LOCAL_RESOURCE_ID: &str = "res_70412587064811530";

/// The client that tokens name which no registered client asked for.
pub const LOCAL_CLIENT: &str = "m2m_70412587198996491";

/// The name and the address that `userinfo` gives for [`LOCAL_USER`].
pub(crate) const LOCAL_USER_NAME: &str = "Local Developer";
pub(crate) const LOCAL_USER_EMAIL: &str = "developer@localhost";

/// What an access token is to say.
///
/// A request whose `subject` is its `client_id` is one of a machine: its token has neither roles nor
/// a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// `sub`.
    pub subject: String,
    /// `oid`; absent from the token when `None`.
    pub organization: Option<String>,
    /// `client_id`.
    pub client_id: String,
    /// `scope` and `scopes`, in this order.
    pub scopes: Vec<String>,
    /// Seconds from now to `exp`. Negative for a token that has already expired.
    pub expires_in: i64,
}

impl TokenRequest {
    pub(crate) fn is_for_a_machine(&self) -> bool {
        self.subject == self.client_id
    }
}

impl Default for TokenRequest {
    fn default() -> Self {
        Self {
            subject: LOCAL_USER.to_owned(),
            organization: Some(LOCAL_ORGANIZATION.to_owned()),
            client_id: LOCAL_CLIENT.to_owned(),
            scopes: vec!["todo:read".to_owned(), "todo:write".to_owned()],
            expires_in: crate::claims::ACCESS_TOKEN_LIFETIME,
        }
    }
}
