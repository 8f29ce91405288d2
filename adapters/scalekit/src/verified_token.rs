use todo_application::domain::{ClientId, Instant, Organization, Permissions, Subject};
use todo_application::ports::Principal;

use crate::lifetime::Lifetime;

/// Whom a token speaks for, and what it allows until when. Only [`ScalekitTokenVerifier`] makes
/// one.
///
/// It holds nothing of the token itself, so it may be logged and kept.
///
/// [`ScalekitTokenVerifier`]: crate::ScalekitTokenVerifier
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    pub(crate) subject: Subject,
    pub(crate) organization: Option<Organization>,
    pub(crate) client: Option<ClientId>,
    pub(crate) permissions: Permissions,
    pub(crate) lifetime: Lifetime,
}

impl Principal for VerifiedToken {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn organization(&self) -> Option<&Organization> {
        self.organization.as_ref()
    }

    fn client(&self) -> Option<&ClientId> {
        self.client.as_ref()
    }

    fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// RFC 7519 §4.1.4.
    fn expires_at(&self) -> Instant {
        self.lifetime.expires_at()
    }
}
