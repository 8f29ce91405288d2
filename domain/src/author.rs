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
    /// Whoever runs the server: imports and what was there before changes were remembered.
    pub fn operator() -> Self {
        Self { subject: Subject::operator(), organization: None, client: None }
    }
}
