//! Who may do what, decided in one place.
//!
//! [`authorize_read`] and [`authorize_write`] are total and pure, and nothing else makes a permit. A
//! permit is a type for what it allows: a [`ReadPermit`] to look, a [`WritePermit`] to change. Without
//! one, no transition of a [`Todo`](crate::Todo) and no method of the storage port can be called.
//!
//! ```
//! use todo_domain::{
//!     Caller, Permission, Permissions, ReadAction, ReadPermit, Sharing, Subject, authorize_read,
//! };
//!
//! fn list(permit: &ReadPermit) {}
//!
//! let subject = Subject::try_from("usr_1").unwrap();
//! let permissions = Permissions::from_iter([Permission::Read]);
//! let caller = Caller { subject: &subject, organization: None, permissions };
//! let permit = authorize_read(Sharing::Everyone, caller, ReadAction::List).unwrap();
//! list(&permit);
//! ```
//!
//! A permit to write is not one to read, and the other way round:
//!
//! ```compile_fail,E0308
//! use todo_domain::{
//!     Caller, Permission, Permissions, ReadPermit, Sharing, Subject, WriteAction, authorize_write,
//! };
//!
//! fn list(permit: &ReadPermit) {}
//!
//! let subject = Subject::try_from("usr_1").unwrap();
//! let permissions = Permissions::from_iter([Permission::Write]);
//! let caller = Caller { subject: &subject, organization: None, permissions };
//! let permit = authorize_write(Sharing::Everyone, caller, WriteAction::Create).unwrap();
//! list(&permit);
//! ```

use thiserror::Error;

use crate::author::Author;
use crate::caller_id::CallerId;
use crate::identity::{ClientId, Organization, Subject};
use crate::permission::{Permission, Permissions};
use crate::quota::Quota;
use crate::workspace::{NoOrganization, Sharing, WorkspaceId};

/// An action that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadAction {
    List,
    Get,
    ListChanges,
}

impl ReadAction {
    pub const ALL: [Self; 3] = [Self::List, Self::Get, Self::ListChanges];

    /// The permission that the action requires.
    pub const fn permission(self) -> Permission {
        match self {
            Self::List | Self::Get | Self::ListChanges => Permission::Read,
        }
    }
}

/// An action that adds, changes or removes todos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WriteAction {
    Create,
    Update,
    Delete,
    /// Several of the above.
    Change,
    /// Taking a change back.
    Undo,
}

impl WriteAction {
    pub const ALL: [Self; 5] = [Self::Create, Self::Update, Self::Delete, Self::Change, Self::Undo];

    /// The permission that the action requires.
    pub const fn permission(self) -> Permission {
        match self {
            Self::Create | Self::Update | Self::Delete | Self::Change | Self::Undo => {
                Permission::Write
            }
        }
    }
}

/// What the policy needs to know about the caller.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    pub subject: &'a Subject,
    pub organization: Option<&'a Organization>,
    pub permissions: Permissions,
}

/// Why the policy denies an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Denied {
    /// The caller lacks a permission, which another access token may grant.
    #[error("the permission `{required}` is missing")]
    MissingPermission { required: Permission, granted: Permissions },
    /// The caller has no workspace. No permission changes that.
    #[error(transparent)]
    NoWorkspace(#[from] NoOrganization),
}

/// Proof that the policy allows the holder to read the todos of one workspace.
///
/// Others can use one, but nothing except the policy makes one:
///
/// ```
/// use todo_domain::{ReadPermit, WorkspaceId};
/// fn workspace(permit: ReadPermit) -> WorkspaceId { permit.workspace().clone() }
/// ```
///
/// ```compile_fail,E0451
/// use todo_domain::{ReadPermit, WorkspaceId};
/// fn permit(workspace: WorkspaceId) -> ReadPermit { ReadPermit { workspace } }
/// ```
#[derive(Debug)]
pub struct ReadPermit {
    workspace: WorkspaceId,
}

impl ReadPermit {
    pub fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }
}

/// Proof that the policy allows the subject to change the todos of one workspace.
///
/// It also allows a use case to load the todo that it is about to change, and no other.
/// Others can use one, but nothing except the policy makes one:
///
/// ```
/// use todo_domain::{CallerId, WorkspaceId, WritePermit};
/// fn parts(permit: WritePermit) -> (WorkspaceId, CallerId) {
///     (permit.workspace().clone(), permit.caller().clone())
/// }
/// ```
///
/// ```compile_fail,E0451
/// use todo_domain::{CallerId, Quota, WorkspaceId, WritePermit};
/// fn permit(workspace: WorkspaceId, caller: CallerId) -> WritePermit {
///     WritePermit { workspace, caller, client: None, quota: Quota::OFF, remembers: false }
/// }
/// ```
#[derive(Debug)]
pub struct WritePermit {
    workspace: WorkspaceId,
    caller: CallerId,
    client: Option<ClientId>,
    quota: Quota,
    remembers: bool,
}

impl WritePermit {
    pub fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }

    /// Who writes with this permit.
    pub fn caller(&self) -> &CallerId {
        &self.caller
    }

    /// The same permit, for a workspace that may hold no more than this.
    #[must_use]
    pub fn within(self, quota: Quota) -> Self {
        Self { quota, ..self }
    }

    /// What the workspace may hold after a write.
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// The subject that writes with this permit.
    pub fn subject(&self) -> &Subject {
        self.caller.subject()
    }

    /// The same permit, for a subject that acts through this client.
    #[must_use]
    pub fn through(self, client: Option<&ClientId>) -> Self {
        Self { client: client.cloned(), ..self }
    }

    /// The same permit, for writes that are remembered as [changes](crate::Change), or for ones that are not.
    #[must_use]
    pub fn remembering(self, remembers: bool) -> Self {
        Self { remembers, ..self }
    }

    /// Whether what is written with this permit is remembered as changes.
    pub fn remembers(&self) -> bool {
        self.remembers
    }

    /// Who makes the changes that are remembered.
    pub fn author(&self) -> Author {
        Author {
            subject: self.caller.subject().clone(),
            organization: self.caller.organization().cloned(),
            client: self.client.clone(),
        }
    }
}

/// Proof that the operator of the server acts: on all todos of all workspaces at once, to export or
/// import them.
///
/// It comes from no principal, so no request can obtain one. The linter (`disallowed-methods`) lets
/// only the commands of `bootstrap` call its constructor, and a permit for a workspace does not replace
/// it:
///
/// ```
/// use todo_domain::OperatorPermit;
/// fn export(permit: &OperatorPermit) {}
/// fn run(permit: &OperatorPermit) { export(permit) }
/// ```
///
/// ```compile_fail,E0308
/// use todo_domain::{OperatorPermit, WritePermit};
/// fn export(permit: &OperatorPermit) {}
/// fn run(permit: &WritePermit) { export(permit) }
/// ```
#[derive(Debug)]
pub struct OperatorPermit {
    _private: (),
}

impl OperatorPermit {
    /// For commands that an operator runs on the machine, beside the server.
    pub fn for_the_operator() -> Self {
        Self { _private: () }
    }
}

/// Decides whether `caller` may do `action` where todos are shared as `sharing` says.
///
/// A todo of another workspace is no concern of the policy: a query that is keyed by the permit's
/// workspace does not find it, so hidden and missing are the same.
pub fn authorize_read(
    sharing: Sharing,
    caller: Caller<'_>,
    action: ReadAction,
) -> Result<ReadPermit, Denied> {
    authorize(sharing, caller, action.permission()).map(|workspace| ReadPermit { workspace })
}

/// As [`authorize_read`], for an action that writes.
pub fn authorize_write(
    sharing: Sharing,
    caller: Caller<'_>,
    action: WriteAction,
) -> Result<WritePermit, Denied> {
    authorize(sharing, caller, action.permission()).map(|workspace| WritePermit {
        workspace,
        caller: CallerId::new(caller.subject, caller.organization),
        client: None,
        quota: Quota::OFF,
        remembers: false,
    })
}

fn authorize(
    sharing: Sharing,
    caller: Caller<'_>,
    required: Permission,
) -> Result<WorkspaceId, Denied> {
    // The workspace comes first: no permission helps a caller without one, who must not be sent to
    // get one.
    let workspace = sharing.workspace(caller.subject, caller.organization)?;
    if caller.permissions.contains(required) {
        Ok(workspace)
    } else {
        Err(Denied::MissingPermission { required, granted: caller.permissions })
    }
}
