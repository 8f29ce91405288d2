use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use super::{Revocation, Scopes};

/// Who calls, according to the claims of a verified access token. The token itself cannot be restored
/// from it, so it may be kept; its claims may be personal data.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    subject: Arc<str>,
    organization: Option<Arc<str>>,
    client: Option<Arc<str>>,
    scopes: Scopes,
    expires_at: SystemTime,
    revocation: Option<Revocation>,
    claims: BTreeMap<String, Value>,
}

impl Caller {
    /// A caller without organization, client and scopes. Only an
    /// [`Authenticator`](super::Authenticator) that has verified a token should make one.
    pub fn new(subject: impl Into<Arc<str>>, expires_at: SystemTime) -> Self {
        Self {
            subject: subject.into(),
            organization: None,
            client: None,
            scopes: Scopes::default(),
            expires_at,
            revocation: None,
            claims: BTreeMap::new(),
        }
    }

    #[must_use]
    pub fn with_organization(self, organization: impl Into<Arc<str>>) -> Self {
        Self { organization: Some(organization.into()), ..self }
    }

    #[must_use]
    pub fn with_client(self, client: impl Into<Arc<str>>) -> Self {
        Self { client: Some(client.into()), ..self }
    }

    #[must_use]
    pub fn with_scopes(self, scopes: Scopes) -> Self {
        Self { scopes, ..self }
    }

    /// Lets what is open for this caller end before the token expires, such as when the key that signed it
    /// is withdrawn.
    #[must_use]
    pub fn with_revocation(self, revocation: Revocation) -> Self {
        Self { revocation: Some(revocation), ..self }
    }

    /// Keeps a further claim of the token, such as `zoneinfo` or `roles`, for tools that need it.
    #[must_use]
    pub fn with_claim(mut self, name: impl Into<String>, value: Value) -> Self {
        self.claims.insert(name.into(), value);
        self
    }

    /// A person or a machine: the `sub` claim.
    pub fn subject(&self) -> &Arc<str> {
        &self.subject
    }

    /// The organization that the subject acts for, if any.
    pub fn organization(&self) -> Option<&Arc<str>> {
        self.organization.as_ref()
    }

    /// The OAuth client that acts for the subject, if the token names it.
    pub fn client(&self) -> Option<&Arc<str>> {
        self.client.as_ref()
    }

    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The first instant at which the token is no longer valid (RFC 7519 section 4.1.4).
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// Whether the caller is revoked before that. `None` if that cannot happen.
    pub(crate) fn revocation(&self) -> Option<&Revocation> {
        self.revocation.as_ref()
    }

    /// A further claim that the authenticator was asked to keep.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }
}
