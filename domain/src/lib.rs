//! What a todo is, who may do what with it, and where it is kept apart from other people's.
//!
//! Everything here is a pure function of its arguments: no I/O, no clock, no randomness, no wire
//! format. Instants and ids arrive as arguments, so the same call always gives the same answer.
//!
//! * [`Todo`] is the aggregate. Its fields are private, its transitions are methods.
//! * Value types ([`Title`], [`Description`], [`TodoId`], ..) are parsed once at the edge; what
//!   holds one never checks again.
//! * [`policy::authorize`] is the only author of a [`Permit`], and every transition asks for one: a
//!   change by someone who never asked the policy does not compile. Queries are keyed by a
//!   workspace, which a use case gets from its permit.
//!
//! To add a field to a todo: give it a type that parses, add it to [`Todo`], [`TodoRecord`] and
//! [`Edit`], and let the compiler lead through the adapters.

mod identity;
mod instant;
mod permission;
pub mod policy;
mod text;
mod todo;
mod todo_id;
mod version;
mod visible;
mod workspace;

pub use identity::{ClientId, IdempotencyKey, IdentifierError, Organization, Subject};
pub use instant::{Instant, InstantError};
pub use permission::{Permission, Permissions};
pub use policy::{Action, Denied, Identity, Permit};
pub use text::{Description, DescriptionError, Title, TitleError};
pub use todo::{Completion, Edit, RestoreError, Todo, TodoRecord};
pub use todo_id::{TodoId, TodoIdError};
pub use version::{Version, VersionError};
pub use workspace::{Sharing, SharingError, UnknownSharing, WorkspaceId};
