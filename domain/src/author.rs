//! Who has written something.

use crate::identity::{ClientId, Organization, Subject};

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub subject: Subject,
    pub organization: Option<Organization>,
    /// The client that acted for the subject, if the credential named it.
    pub client: Option<ClientId>,
}

impl Author {
    /// The operator of the server: the author of imports, and of what was stored before changes were remembered.
    pub fn operator() -> Self {
        Self { subject: Subject::operator(), organization: None, client: None }
    }
}
