use todo_domain::{ClientId, Instant, Organization, Permissions, Subject};

/// Who is asking: the first argument of every use case.
///
/// Only a verified credential may implement it. Nothing about a caller is ever taken from what the
/// caller says of itself.
pub trait Principal: Send + Sync {
    /// Who acts: a person, or a machine.
    fn subject(&self) -> &Subject;
    /// The organization the subject acts for, if any.
    fn organization(&self) -> Option<&Organization>;
    /// The client that acts for the subject, if the credential names it.
    fn client(&self) -> Option<&ClientId>;
    /// What the credential allows.
    fn permissions(&self) -> Permissions;
    /// The first instant at which the credential is no longer good. What goes on for longer than a
    /// request ends then.
    fn expires_at(&self) -> Instant;
}
