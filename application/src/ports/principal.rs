use todo_domain::{ClientId, Instant, Organization, Permissions, Subject, TimeZone};

/// The caller of a use case: its first argument.
///
/// Must be implemented from a verified credential, never from what a request claims about its sender; or for
/// the operator of the server, by a command that only the operator can run.
pub trait Principal: Send + Sync {
    /// The person or machine that acts.
    fn subject(&self) -> &Subject;
    /// The organization that the subject acts for, if any.
    fn organization(&self) -> Option<&Organization>;
    /// The client that acts for the subject, if the credential names it.
    fn client(&self) -> Option<&ClientId>;
    /// What the credential grants.
    fn permissions(&self) -> Permissions;
    /// Where the subject lives, if the credential says so.
    fn time_zone(&self) -> Option<&TimeZone>;
    /// The first instant at which the credential is no longer valid. Whatever outlasts a request ends
    /// then.
    fn expires_at(&self) -> Instant;
}
