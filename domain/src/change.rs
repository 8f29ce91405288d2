//! What is remembered of each write, and how to take it back.

use thiserror::Error;

use crate::author::Author;
use crate::due::Due;
use crate::identity::Subject;
use crate::instant::Instant;
use crate::label::Labels;
use crate::policy::WritePermit;
use crate::priority::Priority;
use crate::text::{Description, Title};
use crate::todo::{Completion, RestoreError, Todo, TodoRecord};
use crate::todo_id::TodoId;
use crate::version::Version;
use crate::workspace::WorkspaceId;

/// The place of a change in the history of its workspace: 1 for the first. The order of numbers is the order
/// in which changes became durable, whatever clocks say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeNumber(i64);

impl ChangeNumber {
    /// Before the first change.
    pub const ZERO: Self = Self(0);

    /// `None` for a number that no change has.
    pub const fn new(number: i64) -> Option<Self> {
        if number >= 0 { Some(Self(number)) } else { None }
    }

    pub const fn as_i64(self) -> i64 {
        self.0
    }

    #[must_use]
    pub const fn plus(self, changes: i64) -> Self {
        Self(self.0.saturating_add(changes))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeAction {
    Created,
    Updated,
    Deleted,
    /// Created again as it was before it was deleted.
    Restored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one of created, updated, deleted, restored")]
pub struct UnknownChangeAction;

impl ChangeAction {
    pub const ALL: [Self; 4] = [Self::Created, Self::Updated, Self::Deleted, Self::Restored];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
        }
    }

    /// The number that stores keep.
    pub const fn code(self) -> i64 {
        match self {
            Self::Created => 1,
            Self::Updated => 2,
            Self::Deleted => 3,
            Self::Restored => 4,
        }
    }

    /// The inverse of [`ChangeAction::code`].
    pub fn from_code(code: i64) -> Result<Self, UnknownChangeAction> {
        Self::ALL.into_iter().find(|it| it.code() == code).ok_or(UnknownChangeAction)
    }
}

impl TryFrom<&str> for ChangeAction {
    type Error = UnknownChangeAction;

    fn try_from(name: &str) -> Result<Self, UnknownChangeAction> {
        Self::ALL.into_iter().find(|it| it.name() == name).ok_or(UnknownChangeAction)
    }
}

/// Some of what a todo says. A field that is `None` is not among it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    pub title: Option<Title>,
    pub description: Option<Description>,
    pub completion: Option<Completion>,
    pub due: Option<Option<Due>>,
    pub priority: Option<Priority>,
    pub labels: Option<Labels>,
}

impl Fields {
    /// All of a todo.
    pub fn of(record: &TodoRecord) -> Self {
        let TodoRecord {
            id: _,
            workspace: _,
            title,
            description,
            completion,
            due,
            priority,
            labels,
            created_at: _,
            created_by: _,
            updated_at: _,
            updated_by: _,
            version: _,
        } = record;
        Self {
            title: Some(title.clone()),
            description: Some(description.clone()),
            completion: Some(*completion),
            due: Some(due.clone()),
            priority: Some(*priority),
            labels: Some(labels.clone()),
        }
    }

    /// Those in which `of` differs from `other`, as they are in `of`.
    fn differing(of: &TodoRecord, other: &TodoRecord) -> Self {
        fn field<T: PartialEq + Clone>(of: &T, other: &T) -> Option<T> {
            (of != other).then(|| of.clone())
        }
        Self {
            title: field(&of.title, &other.title),
            description: field(&of.description, &other.description),
            completion: field(&of.completion, &other.completion),
            due: field(&of.due, &other.due),
            priority: field(&of.priority, &other.priority),
            labels: field(&of.labels, &other.labels),
        }
    }

    /// Whether a todo has all of these values. When it was marked done does not matter, only whether it is.
    fn are_in(&self, record: &TodoRecord) -> bool {
        let Self { title, description, completion, due, priority, labels } = self;
        title.as_ref().is_none_or(|it| *it == record.title)
            && description.as_ref().is_none_or(|it| *it == record.description)
            && completion.is_none_or(|it| it.is_done() == record.completion.is_done())
            && due.as_ref().is_none_or(|it| *it == record.due)
            && priority.is_none_or(|it| it == record.priority)
            && labels.as_ref().is_none_or(|it| *it == record.labels)
    }

    /// Whether one of them is among others, whatever the values.
    fn overlap(&self, other: &Self) -> bool {
        let Self { title, description, completion, due, priority, labels } = self;
        (title.is_some() && other.title.is_some())
            || (description.is_some() && other.description.is_some())
            || (completion.is_some() && other.completion.is_some())
            || (due.is_some() && other.due.is_some())
            || (priority.is_some() && other.priority.is_some())
            || (labels.is_some() && other.labels.is_some())
    }

    /// Of its texts, as UTF-8.
    fn bytes(&self) -> u64 {
        let Self { title, description, completion: _, due: _, priority: _, labels } = self;
        let description = description.as_ref().and_then(Description::as_deref).unwrap_or_default();
        let labels = labels.as_ref().map_or(0, Labels::bytes);
        (title.as_ref().map_or(0, |it| it.as_str().len()) + description.len() + labels) as u64
    }
}

/// What a deleted todo had beside its [`Fields`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub created_at: Instant,
    pub created_by: Subject,
    pub updated_at: Instant,
    pub updated_by: Subject,
}

/// What one write did to one todo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub at: Instant,
    pub by: Author,
    pub todo: TodoId,
    /// The title after the change; of a deleted todo, the last one.
    pub title: Title,
    /// The version after the change; of a deleted todo, the last one.
    pub version: Version,
    pub kind: ChangeKind,
}

/// What a change did, with what is needed to take it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// All fields.
    Created(Fields),
    /// The same fields, as they were before and after.
    Updated { from: Fields, to: Fields },
    /// All fields.
    Deleted { from: Fields, origin: Origin },
    /// All fields.
    Restored(Fields),
}

/// A change in the history of its workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub number: ChangeNumber,
    pub change: Change,
    /// The first change of those that were made by the same call, if it could have made several.
    pub batch: Option<ChangeNumber>,
    /// The change that this one takes back.
    pub undoes: Option<ChangeNumber>,
    /// The change that takes this one back.
    pub undone_by: Option<ChangeNumber>,
}

/// What takes a change back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reversal {
    Save { before: Todo, after: Todo },
    Remove(Todo),
    Restore(Todo),
}

/// Why a change cannot be taken back: the todo is another by now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReversalError {
    #[error("a field that the change touched has another value by now")]
    Changed(Todo),
    #[error("the todo was deleted")]
    Deleted,
    /// What is remembered of it cannot be a todo.
    #[error(transparent)]
    Damaged(#[from] RestoreError),
}

impl Change {
    /// What a change costs beside its texts, in bytes of a quota.
    const BYTES: u64 = 64;

    pub fn created(permit: &WritePermit, todo: &Todo) -> Self {
        let kind = ChangeKind::Created(Fields::of(todo.record()));
        Self::of(permit.author(), todo, todo.updated_at(), kind)
    }

    /// A todo that was there before changes were remembered, or that is imported.
    pub fn baseline(todo: &Todo, at: Instant) -> Self {
        Self::of(Author::operator(), todo, at, ChangeKind::Created(Fields::of(todo.record())))
    }

    pub fn updated(permit: &WritePermit, before: &Todo, after: &Todo) -> Self {
        let (from, to) = (before.record(), after.record());
        let kind = ChangeKind::Updated {
            from: Fields::differing(from, to),
            to: Fields::differing(to, from),
        };
        Self::of(permit.author(), after, after.updated_at(), kind)
    }

    pub fn deleted(permit: &WritePermit, todo: &Todo, at: Instant) -> Self {
        let TodoRecord { created_at, created_by, updated_at, updated_by, .. } = todo.record();
        let origin = Origin {
            created_at: *created_at,
            created_by: created_by.clone(),
            updated_at: *updated_at,
            updated_by: updated_by.clone(),
        };
        let kind = ChangeKind::Deleted { from: Fields::of(todo.record()), origin };
        Self::of(permit.author(), todo, at, kind)
    }

    pub fn restored(permit: &WritePermit, todo: &Todo, at: Instant) -> Self {
        let kind = ChangeKind::Restored(Fields::of(todo.record()));
        Self::of(permit.author(), todo, at, kind)
    }

    fn of(by: Author, todo: &Todo, at: Instant, kind: ChangeKind) -> Self {
        let (title, version) = (todo.title().clone(), todo.version());
        Self { at, by, todo: todo.id(), title, version, kind }
    }

    pub fn action(&self) -> ChangeAction {
        match self.kind {
            ChangeKind::Created(_) => ChangeAction::Created,
            ChangeKind::Updated { .. } => ChangeAction::Updated,
            ChangeKind::Deleted { .. } => ChangeAction::Deleted,
            ChangeKind::Restored(_) => ChangeAction::Restored,
        }
    }

    pub fn is_deletion(&self) -> bool {
        self.action() == ChangeAction::Deleted
    }

    /// Whether it touches a field of the same todo that another change touches.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.todo == other.todo && self.touched().overlap(other.touched())
    }

    fn touched(&self) -> &Fields {
        match &self.kind {
            ChangeKind::Created(fields)
            | ChangeKind::Restored(fields)
            | ChangeKind::Updated { from: _, to: fields }
            | ChangeKind::Deleted { from: fields, origin: _ } => fields,
        }
    }

    /// What it counts in a [quota](crate::Quota) as long as it is remembered.
    pub fn bytes(&self) -> u64 {
        Self::BYTES
            + match &self.kind {
                ChangeKind::Created(fields) | ChangeKind::Restored(fields) => fields.bytes(),
                ChangeKind::Updated { from, to } => from.bytes() + to.bytes(),
                ChangeKind::Deleted { from, origin: _ } => from.bytes(),
            }
    }

    /// What takes this change back, exactly the fields that it touched, when the todo is `current` by now.
    ///
    /// A restored todo has the id, the instants and the values of before, and a higher version.
    pub fn reversal(
        &self,
        permit: &WritePermit,
        current: Option<&Todo>,
        at: Instant,
    ) -> Result<Reversal, ReversalError> {
        let unless = |current: &Todo, fields: &Fields| {
            let changed = || ReversalError::Changed(current.clone());
            if fields.are_in(current.record()) { Ok(()) } else { Err(changed()) }
        };
        match (&self.kind, current) {
            (ChangeKind::Deleted { .. }, Some(current)) => {
                Err(ReversalError::Changed(current.clone()))
            }
            (ChangeKind::Deleted { from, origin }, None) => {
                Ok(Reversal::Restore(self.restore(permit.workspace(), from, origin)?))
            }
            (_, None) => Err(ReversalError::Deleted),
            (ChangeKind::Created(fields) | ChangeKind::Restored(fields), Some(current)) => {
                unless(current, fields)?;
                Ok(Reversal::Remove(current.clone()))
            }
            (ChangeKind::Updated { from, to }, Some(current)) => {
                unless(current, to)?;
                let after = with_fields(current, permit, from.clone(), at)?;
                Ok(Reversal::Save { before: current.clone(), after })
            }
        }
    }

    /// A deleted todo as it was. A field that is missing is as in a new todo.
    fn restore(
        &self,
        workspace: &WorkspaceId,
        from: &Fields,
        origin: &Origin,
    ) -> Result<Todo, RestoreError> {
        let Fields { title: _, description, completion, due, priority, labels } = from.clone();
        let Origin { created_at, created_by, updated_at, updated_by } = origin.clone();
        Todo::restore(TodoRecord {
            id: self.todo,
            workspace: workspace.clone(),
            title: self.title.clone(),
            description: description.unwrap_or_default(),
            completion: completion.unwrap_or(Completion::Open),
            due: due.flatten(),
            priority: priority.unwrap_or_default(),
            labels: labels.unwrap_or_default(),
            created_at,
            created_by,
            updated_at,
            updated_by,
            version: self.version.next(),
        })
    }
}

/// A todo with these fields, as its next version.
fn with_fields(
    todo: &Todo,
    permit: &WritePermit,
    fields: Fields,
    at: Instant,
) -> Result<Todo, RestoreError> {
    let Fields { title, description, completion, due, priority, labels } = fields;
    let record = todo.record().clone();
    Todo::restore(TodoRecord {
        title: title.unwrap_or(record.title),
        description: description.unwrap_or(record.description),
        completion: completion.unwrap_or(record.completion),
        due: due.unwrap_or(record.due),
        priority: priority.unwrap_or(record.priority),
        labels: labels.unwrap_or(record.labels),
        // A clock that was set back must not make the last change earlier than the one before it.
        updated_at: at.max(record.updated_at),
        updated_by: permit.subject().clone(),
        version: record.version.next(),
        ..record
    })
}
