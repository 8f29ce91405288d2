//! Who may do what, decided in one place.
//!
//! [`authorize`] is total and pure, and the only author of a [`Permit`]. A permit says which action
//! is allowed, to whom and in which workspace. Transitions ask for one, and use cases take the
//! workspace of their queries from it.

use thiserror::Error;

use crate::identity::{Organization, Subject};
use crate::permission::{Permission, Permissions};
use crate::workspace::{Sharing, SharingError, WorkspaceId};

/// Something a principal can want to do with todos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// See the todos of a workspace.
    List,
    /// See one todo.
    Get,
    /// Add a todo.
    Create,
    /// Change a todo.
    Update,
    /// Remove a todo for good.
    Delete,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 5] = [Self::List, Self::Get, Self::Create, Self::Update, Self::Delete];

    /// The permission that the action needs.
    pub const fn permission(self) -> Permission {
        match self {
            Self::List | Self::Get => Permission::Read,
            Self::Create | Self::Update | Self::Delete => Permission::Write,
        }
    }
}

/// What the policy needs to know about who asks.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// Who acts.
    pub subject: &'a Subject,
    /// For which organization, if for one.
    pub organization: Option<&'a Organization>,
    /// What the token allows.
    pub permissions: Permissions,
}

/// Why something is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Denied {
    /// The token lacks a permission. Another token may have it.
    #[error("Insufficient permissions: `{required}` scope required.")]
    MissingPermission {
        /// What the action needs.
        required: Permission,
        /// What the token has.
        granted: Permissions,
    },
    /// Todos are shared by organization and the token names none. No scope helps.
    #[error(transparent)]
    NoWorkspace(#[from] SharingError),
}

/// Proof that the policy allowed an action: to whom and in which workspace.
#[derive(Debug)]
pub struct Permit {
    action: Action,
    workspace: WorkspaceId,
    subject: Subject,
}

impl Permit {
    /// What is allowed.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Where it is allowed: the workspace that every query must be keyed by.
    pub fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }

    /// Who was allowed.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// Decides whether `identity` may do `action` where todos are kept apart as `sharing` says.
///
/// A todo of another workspace is no concern of the policy: a query that is keyed by the permit's
/// workspace does not find it, which is what makes hidden and missing the same.
pub fn authorize(
    sharing: Sharing,
    identity: Identity<'_>,
    action: Action,
) -> Result<Permit, Denied> {
    // First what no other scope can mend, so that nobody is sent to fetch one in vain.
    let workspace = sharing.workspace(identity.subject, identity.organization)?;
    let required = action.permission();
    if !identity.permissions.contains(required) {
        return Err(Denied::MissingPermission { required, granted: identity.permissions });
    }
    Ok(Permit { action, workspace, subject: identity.subject.clone() })
}
