//! What a todo is and who may do what with it.
//!
//! Everything here is a pure function of its arguments: no I/O, no clock, no randomness, no wire
//! format. Instants and ids arrive as arguments, so the same call always gives the same result.
//!
//! * [`Todo`] is the aggregate. Its fields are private, its transitions are methods.
//! * Value types ([`Title`], [`Description`], [`TodoId`], ..) are parsed once, at the edge. Code that
//!   holds one never checks it again.
//! * The policy alone makes a [`ReadPermit`] or a [`WritePermit`]: see [`authorize_read`] and
//!   [`authorize_write`]. Every transition takes a permit, and so does every query and every write of a
//!   store: code without a permit does not compile.
//!
//! To add a field to a todo: give it a type that parses, add it to [`TodoRecord`] and to [`Edit`], and
//! follow the compiler through the other crates.

mod author;
mod caller_id;
mod change;
mod day;
mod due;
mod due_filter;
mod identity;
mod instant;
mod label;
mod line;
mod now;
mod order;
mod permission;
mod policy;
mod priority;
mod query;
mod quota;
mod term;
mod text;
mod time_zone;
mod todo;
mod todo_id;
mod version;
mod visible;
mod words;
mod workspace;

pub use author::Author;
pub use caller_id::CallerId;
pub use change::{
    Change, ChangeAction, ChangeKind, ChangeNumber, Fields, Origin, Recorded, Reversal,
    ReversalError, UnknownChangeAction,
};
pub use day::{Day, DayError, OtherWeekday, Weekday, WeekdayError};
pub use due::{
    Due, DueError, DueKey, LocalTime, OutOfRange, RequestedDue, RestoreDueError, UnresolvedDue,
    WrittenDue,
};
pub use due_filter::{DueCondition, DueFilter, UnknownDueFilter};
pub use identity::{ClientId, IdempotencyKey, IdentifierError, Organization, Subject};
pub use instant::{Instant, InstantError, Rfc3339};
pub use label::{Label, LabelError, LabelKey, Labels, LabelsEdit, LabelsError, TooManyLabels};
pub use now::Now;
pub use order::{Order, Place, Sort, UnknownSort};
pub use permission::{Permission, Permissions};
pub use policy::{
    Caller, Denied, OperatorPermit, ReadAction, ReadPermit, WriteAction, WritePermit,
    authorize_read, authorize_write,
};
pub use priority::{Priority, UnknownPriority};
pub use query::{Query, QueryError};
pub use quota::{Quota, QuotaExceeded};
pub use term::{Term, TermChange, TermRange};
pub use text::{Description, DescriptionError, Title, TitleError};
pub use time_zone::{TimeZone, UnknownTimeZone};
pub use todo::{
    Completion, Draft, Edit, EditError, OtherWorkspace, RestoreError, Todo, TodoRecord,
};
pub use todo_id::{TodoId, TodoIdError};
pub use version::{Version, VersionError};
pub use visible::is_ignorable;
pub use words::ComparableText;
pub use workspace::{NoOrganization, Sharing, UnknownSharing, WorkspaceId};
