//! The aggregate.

use thiserror::Error;

use crate::identity::Subject;
use crate::instant::Instant;
use crate::policy::{Action, Permit};
use crate::text::{Description, Title};
use crate::todo_id::TodoId;
use crate::version::Version;
use crate::workspace::WorkspaceId;

/// Whether a todo is done, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// Still to be done.
    Open,
    /// Done.
    Done {
        /// When it was marked done, the last time it was.
        at: Instant,
    },
}

impl Completion {
    /// Whether it is [`Completion::Done`].
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
/// It is made by [`Todo::create`], changed by [`Todo::edit`] and read back from a store by
/// [`Todo::restore`]; in every state `created_at <= updated_at`, and a done todo was done in
/// between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Todo(TodoRecord);

/// Every field of a todo, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TodoRecord {
    /// Its name.
    pub id: TodoId,
    /// Where it lives.
    pub workspace: WorkspaceId,
    /// What is to be done.
    pub title: Title,
    /// More about it.
    pub description: Description,
    /// Whether it is done.
    pub completion: Completion,
    /// When it was made.
    pub created_at: Instant,
    /// Who made it.
    pub created_by: Subject,
    /// When it last changed.
    pub updated_at: Instant,
    /// Who last changed it.
    pub updated_by: Subject,
    /// How often it has changed.
    pub version: Version,
}

/// What to change about a todo. What is `None` stays as it is; the default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// A new title.
    pub title: Option<Title>,
    /// A new description; [`Description::NONE`] clears it.
    pub description: Option<Description>,
    /// Mark it done (`true`) or open again (`false`).
    pub completed: Option<bool>,
}

/// What a store handed back is not a todo that this program can have written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// It changed before it was made.
    #[error("it was last changed before it was made")]
    UpdatedBeforeCreated,
    /// It was done before it was made, or after its last change.
    #[error("it was done outside its own lifetime")]
    DoneOutsideLifetime,
}

impl Todo {
    /// Makes an open todo in the workspace of the permit.
    pub fn create(
        permit: &Permit,
        id: TodoId,
        title: Title,
        description: Description,
        at: Instant,
    ) -> Self {
        debug_assert_eq!(permit.action(), Action::Create, "a permit for something else");
        Self(TodoRecord {
            id,
            workspace: permit.workspace().clone(),
            title,
            description,
            completion: Completion::Open,
            created_at: at,
            created_by: permit.subject().clone(),
            updated_at: at,
            updated_by: permit.subject().clone(),
            version: Version::FIRST,
        })
    }

    /// Reads a todo back, checking what [`Todo::create`] and [`Todo::edit`] keep true.
    pub fn restore(record: TodoRecord) -> Result<Self, RestoreError> {
        if record.updated_at < record.created_at {
            return Err(RestoreError::UpdatedBeforeCreated);
        }
        match record.completion.at() {
            Some(at) if !(record.created_at..=record.updated_at).contains(&at) => {
                Err(RestoreError::DoneOutsideLifetime)
            }
            _ => Ok(Self(record)),
        }
    }

    /// Changes what `edit` names, and says whether anything is different now.
    ///
    /// A change that changes nothing (the same title, done again) leaves version, instants and
    /// author alone. One edit is one new version, however many fields it touches.
    pub fn edit(&mut self, permit: &Permit, edit: Edit, at: Instant) -> bool {
        debug_assert_eq!(permit.action(), Action::Update, "a permit for something else");
        debug_assert_eq!(permit.workspace(), self.workspace(), "a permit for another workspace");
        let todo = &mut self.0;
        // A clock that was set back must not make a todo older than it is.
        let at = at.max(todo.updated_at);
        let renamed = replace(&mut todo.title, edit.title);
        let described = replace(&mut todo.description, edit.description);
        let completion = edit
            .completed
            .filter(|done| *done != todo.completion.is_done())
            .map(|done| if done { Completion::Done { at } } else { Completion::Open });
        let completed = replace(&mut todo.completion, completion);

        let changed = renamed || described || completed;
        if changed {
            todo.version = todo.version.next();
            todo.updated_at = at;
            todo.updated_by = permit.subject().clone();
        }
        changed
    }

    /// Every field, for a store to write.
    pub fn record(&self) -> &TodoRecord {
        &self.0
    }

    /// Its name.
    pub fn id(&self) -> TodoId {
        self.0.id
    }

    /// Where it lives.
    pub fn workspace(&self) -> &WorkspaceId {
        &self.0.workspace
    }

    /// What is to be done.
    pub fn title(&self) -> &Title {
        &self.0.title
    }

    /// More about it.
    pub fn description(&self) -> &Description {
        &self.0.description
    }

    /// Whether it is done.
    pub fn completion(&self) -> Completion {
        self.0.completion
    }

    /// When it was made.
    pub fn created_at(&self) -> Instant {
        self.0.created_at
    }

    /// When it last changed.
    pub fn updated_at(&self) -> Instant {
        self.0.updated_at
    }

    /// How often it has changed.
    pub fn version(&self) -> Version {
        self.0.version
    }
}

/// Puts `new` in place of `old` if it is there and different.
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
