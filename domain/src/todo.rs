//! The aggregate.

use std::sync::Arc;

use thiserror::Error;

use crate::due::Due;
use crate::identity::Subject;
use crate::instant::Instant;
use crate::label::{Label, Labels, LabelsEdit, TooManyLabels};
use crate::policy::WritePermit;
use crate::priority::Priority;
use crate::text::{Description, Title};
use crate::todo_id::TodoId;
use crate::version::Version;
use crate::workspace::WorkspaceId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    Open,
    /// Done, and marked so at this instant, the last time it was.
    Done {
        at: Instant,
    },
}

impl Completion {
    pub fn is_done(self) -> bool {
        self.at().is_some()
    }

    /// When it was marked done.
    pub fn at(self) -> Option<Instant> {
        match self {
            Self::Open => None,
            Self::Done { at } => Some(at),
        }
    }
}

/// Something to do.
///
/// [`Todo::create`] makes one, [`Todo::edit`] changes it, [`Todo::restore`] reads it back from a
/// store. In every state `created_at <= updated_at`, and a done todo was marked done in between.
///
/// There is no transition for deletion: it depends on no state but the version, which the store
/// compares, and it is allowed by the [`WritePermit`] that the store takes for it.
///
/// Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Todo(Arc<TodoRecord>);

/// Every field of a todo, as a store keeps it.
///
/// Code that stores, shows, exports or fingerprints todos destructures the record and names every
/// field, so that the compiler points at all of it when a field is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TodoRecord {
    pub id: TodoId,
    pub workspace: WorkspaceId,
    pub title: Title,
    pub description: Description,
    pub completion: Completion,
    pub due: Option<Due>,
    pub priority: Priority,
    pub labels: Labels,
    pub created_at: Instant,
    pub created_by: Subject,
    pub updated_at: Instant,
    pub updated_by: Subject,
    pub version: Version,
}

impl TodoRecord {
    /// Title, description and labels, by which it is searched.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let description = self.description.as_deref().into_iter();
        let labels = self.labels.iter().map(Label::as_str);
        [self.title.as_str()].into_iter().chain(description).chain(labels)
    }

    /// About how many bytes it takes in memory.
    pub fn memory(&self) -> u64 {
        /// Beside the texts, of a label and of a todo.
        const LABEL: u64 = 48;
        const TODO: u64 = 300;
        TODO + self.bytes() + LABEL * self.labels.iter().len() as u64
    }

    /// The bytes of its texts, as UTF-8: title, description, and labels, with a line break between two.
    pub fn bytes(&self) -> u64 {
        let Self {
            id: _,
            workspace: _,
            title,
            description,
            completion: _,
            due: _,
            priority: _,
            labels,
            created_at: _,
            created_by: _,
            updated_at: _,
            updated_by: _,
            version: _,
        } = self;
        let description = description.as_deref().unwrap_or_default();
        (title.as_str().len() + description.len() + labels.bytes()) as u64
    }
}

/// What a new todo is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub title: Title,
    pub description: Description,
    pub due: Option<Due>,
    pub priority: Priority,
    pub labels: Labels,
}

/// Only a title.
impl From<Title> for Draft {
    fn from(title: Title) -> Self {
        Self {
            title,
            description: Description::NONE,
            due: None,
            priority: Priority::default(),
            labels: Labels::NONE,
        }
    }
}

/// What to change about a todo. `None` leaves a field as it is; the default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    pub title: Option<Title>,
    /// [`Description::NONE`] clears it.
    pub description: Option<Description>,
    /// `true` marks the todo done, `false` opens it again.
    pub completed: Option<bool>,
    /// `Some(None)` clears it.
    pub due: Option<Option<Due>>,
    pub priority: Option<Priority>,
    pub labels: Option<LabelsEdit>,
}

/// Why an edit changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EditError {
    #[error(transparent)]
    OtherWorkspace(#[from] OtherWorkspace),
    #[error(transparent)]
    TooManyLabels(#[from] TooManyLabels),
}

/// The todo is in another workspace than the permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the todo is in another workspace than the permit")]
pub struct OtherWorkspace;

/// Why a stored record cannot be a todo that this program has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RestoreError {
    #[error("it was last changed before it was created")]
    UpdatedBeforeCreated,
    /// It was marked done before it was created, or after its last change.
    #[error("it was marked done outside its own lifetime")]
    DoneOutsideLifetime,
}

impl Todo {
    /// Makes an open todo in the workspace of the permit.
    ///
    /// It takes a permit to write:
    ///
    /// ```
    /// # use todo_domain::{Draft, Instant, Todo, TodoId, WritePermit};
    /// fn create(permit: &WritePermit, id: TodoId, draft: Draft, at: Instant) -> Todo {
    ///     Todo::create(permit, id, draft, at)
    /// }
    /// ```
    ///
    /// A permit to read is none:
    ///
    /// ```compile_fail,E0308
    /// # use todo_domain::{Draft, Instant, ReadPermit, Todo, TodoId};
    /// fn create(permit: &ReadPermit, id: TodoId, draft: Draft, at: Instant) -> Todo {
    ///     Todo::create(permit, id, draft, at)
    /// }
    /// ```
    pub fn create(permit: &WritePermit, id: TodoId, draft: Draft, at: Instant) -> Self {
        let Draft { title, description, due, priority, labels } = draft;
        Self::of(TodoRecord {
            id,
            workspace: permit.workspace().clone(),
            title,
            description,
            completion: Completion::Open,
            due,
            priority,
            labels,
            created_at: at,
            created_by: permit.subject().clone(),
            updated_at: at,
            updated_by: permit.subject().clone(),
            version: Version::FIRST,
        })
    }

    fn of(record: TodoRecord) -> Self {
        Self(Arc::new(record))
    }

    /// The same todo, created with another id.
    #[must_use]
    pub fn with_new_id(self, id: TodoId) -> Self {
        Self::of(TodoRecord { id, ..self.into_record() })
    }

    /// Reads a todo back, checking the invariants that [`Todo::create`] and [`Todo::edit`] maintain.
    pub fn restore(record: TodoRecord) -> Result<Self, RestoreError> {
        let TodoRecord {
            id: _,
            workspace: _,
            title: _,
            description: _,
            completion,
            due: _,
            priority: _,
            labels: _,
            created_at,
            created_by: _,
            updated_at,
            updated_by: _,
            version: _,
        } = &record;
        if updated_at < created_at {
            return Err(RestoreError::UpdatedBeforeCreated);
        }
        match completion.at() {
            Some(at) if !(*created_at..=*updated_at).contains(&at) => {
                Err(RestoreError::DoneOutsideLifetime)
            }
            _ => Ok(Self::of(record)),
        }
    }

    /// Fails if the permit is for another workspace. Whatever writes a todo asks this first.
    pub fn check(&self, permit: &WritePermit) -> Result<(), OtherWorkspace> {
        if permit.workspace() == self.workspace() { Ok(()) } else { Err(OtherWorkspace) }
    }

    /// Changes the fields that `edit` names, and returns whether anything is different now.
    ///
    /// A change that changes nothing (the same title, done again) leaves version, instants and
    /// author alone. One edit is one new version, however many fields it touches.
    ///
    /// Fails, and changes nothing, if the permit is for another workspace or if the todo would have too
    /// many labels.
    pub fn edit(
        &mut self,
        permit: &WritePermit,
        edit: Edit,
        at: Instant,
    ) -> Result<bool, EditError> {
        self.check(permit)?;
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
            updated_at,
            updated_by,
            version,
        } = Arc::make_mut(&mut self.0);
        let Edit {
            title: new_title,
            description: new_description,
            completed,
            due: new_due,
            priority: new_priority,
            labels: labels_edit,
        } = edit;
        let new_labels = labels_edit.map(|edit| labels.edited(edit)).transpose()?;
        // A clock that was set back must not make the last change earlier than the one before it.
        let at = at.max(*updated_at);
        let new_completion = completed
            .filter(|done| *done != completion.is_done())
            .map(|done| if done { Completion::Done { at } } else { Completion::Open });

        let replaced = [
            replace(title, new_title),
            replace(description, new_description),
            replace(completion, new_completion),
            replace(due, new_due),
            replace(priority, new_priority),
            replace(labels, new_labels),
        ];
        let changed = replaced.contains(&true);
        if changed {
            *version = version.next();
            *updated_at = at;
            *updated_by = permit.subject().clone();
        }
        Ok(changed)
    }

    /// The bytes of its texts; see [`TodoRecord::bytes`].
    pub fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    /// The id, if it counts in the order of creation: it is of version 7, as all that are minted here,
    /// and its time is not more than [`TodoId::MAX_AHEAD_MILLIS`] after the creation of the todo.
    ///
    /// An imported todo may have any id. One that is far ahead must not decide on all later ones.
    pub fn minted_id(&self) -> Option<TodoId> {
        let limit = self.0.created_at.as_unix_millis().saturating_add(TodoId::MAX_AHEAD_MILLIS);
        self.0.id.unix_millis().filter(|millis| *millis <= limit).map(|_| self.0.id)
    }

    pub fn record(&self) -> &TodoRecord {
        &self.0
    }

    pub fn into_record(self) -> TodoRecord {
        Arc::unwrap_or_clone(self.0)
    }

    pub fn id(&self) -> TodoId {
        self.0.id
    }

    pub fn workspace(&self) -> &WorkspaceId {
        &self.0.workspace
    }

    pub fn title(&self) -> &Title {
        &self.0.title
    }

    pub fn description(&self) -> &Description {
        &self.0.description
    }

    pub fn completion(&self) -> Completion {
        self.0.completion
    }

    pub fn due(&self) -> Option<&Due> {
        self.0.due.as_ref()
    }

    pub fn priority(&self) -> Priority {
        self.0.priority
    }

    pub fn labels(&self) -> &Labels {
        &self.0.labels
    }

    pub fn created_at(&self) -> Instant {
        self.0.created_at
    }

    pub fn updated_at(&self) -> Instant {
        self.0.updated_at
    }

    pub fn version(&self) -> Version {
        self.0.version
    }
}

/// Replaces `old` with `new` if there is a new value and it is different.
fn replace<T: PartialEq>(old: &mut T, new: Option<T>) -> bool {
    match new {
        Some(new) if new != *old => {
            *old = new;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
