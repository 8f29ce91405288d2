//! Writes that are made together.

use thiserror::Error;
use todo_domain::{
    Change, ChangeNumber, IdempotencyKey, Instant, QuotaExceeded, Todo, TodoId, Version,
    WritePermit,
};

use super::creation::{Creation, CreationRequest};
use super::head::Refusal;
use super::storage_error::StorageError;

/// Writes to one workspace, of which all are made or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteSet {
    pub writes: Vec<PlannedWrite>,
    /// When they are made.
    pub at: Instant,
    /// Whether their changes are a batch, however many they are.
    pub is_batch: bool,
    /// The call that makes them, if it is to be remembered.
    pub call: Option<CallRequest>,
    /// Whether the answer is all that is wanted, and nothing is to be written.
    pub is_trial: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedWrite {
    pub write: TodoWrite,
    /// The change that it takes back.
    pub undoes: Option<ChangeNumber>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TodoWrite {
    /// As [`insert`](super::TodoRepository::insert) or [`insert_once`](super::TodoRepository::insert_once).
    Insert { todo: Todo, request: Option<CreationRequest> },
    /// As [`save`](super::TodoRepository::save).
    Save { before: Todo, after: Todo },
    /// As [`remove`](super::TodoRepository::remove).
    Remove(Todo),
    /// Adds a todo that was deleted: its id is of then.
    Restore(Todo),
}

impl TodoWrite {
    /// What is remembered of it.
    pub fn change(&self, permit: &WritePermit, at: Instant) -> Change {
        match self {
            Self::Insert { todo, .. } => Change::created(permit, todo),
            Self::Save { before, after } => Change::updated(permit, before, after),
            Self::Remove(todo) => Change::deleted(permit, todo, at),
            Self::Restore(todo) => Change::restored(permit, todo, at),
        }
    }

    /// The versions of the todo before and after it, where it exists.
    pub fn versions(&self) -> [Option<Version>; 2] {
        match self {
            Self::Insert { todo, .. } | Self::Restore(todo) => [None, Some(todo.version())],
            Self::Save { before, after } => [Some(before.version()), Some(after.version())],
            Self::Remove(todo) => [Some(todo.version()), None],
        }
    }

    /// The todo that it is about.
    pub fn todo(&self) -> &Todo {
        match self {
            Self::Insert { todo, .. } | Self::Remove(todo) | Self::Restore(todo) => todo,
            Self::Save { after, .. } => after,
        }
    }
}

impl WriteSet {
    /// Fails with the first write that is to another workspace than the permit's. Whatever makes the writes asks
    /// this first.
    pub fn check(&self, permit: &WritePermit) -> Result<(), WriteSetError> {
        let is_foreign = |it: &PlannedWrite| it.write.todo().check(permit).is_err();
        match self.writes.iter().position(is_foreign) {
            None => Ok(()),
            Some(place) => Err(WriteSetError::Refused { place, refusal: WriteRefusal::Stale }),
        }
    }
}

/// A call with a key, as [`CreationRequest`] for a single todo. Both have one namespace of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRequest {
    pub key: IdempotencyKey,
    pub fingerprint: u64,
    /// The first instant at which the request is no longer remembered.
    pub forget_at: Instant,
    /// What came of it, for the caller of the port to read.
    pub outcome: String,
}

impl CallRequest {
    /// What a store keeps of the outcome, whose first change has this number.
    pub fn stored(&self, first: ChangeNumber) -> String {
        format!("{}\n{}", first.as_i64(), self.outcome)
    }
}

/// What is remembered of a call with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierCall {
    pub fingerprint: u64,
    pub at: Instant,
    pub made: Made,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    Todo(TodoId),
    /// As [`CallRequest::outcome`] says, beginning with this change.
    Changes {
        first: ChangeNumber,
        outcome: String,
    },
}

impl Made {
    /// What a store has kept: of a call that made changes, [`CallRequest::stored`], otherwise the todo.
    pub fn restore(todo: TodoId, stored: Option<&str>) -> Self {
        match stored.and_then(|stored| stored.split_once('\n')) {
            None => Self::Todo(todo),
            Some((first, outcome)) => {
                let first = first.parse().ok().and_then(ChangeNumber::new).unwrap_or_default();
                Self::Changes { first, outcome: outcome.to_owned() }
            }
        }
    }

    /// The todo that was created; of several changes, an id of no todo.
    pub fn todo(&self) -> TodoId {
        match self {
            Self::Todo(todo) => *todo,
            Self::Changes { .. } => TodoId::from_bytes([0; 16]),
        }
    }
}

impl From<EarlierCall> for Creation {
    fn from(EarlierCall { fingerprint, at, made }: EarlierCall) -> Self {
        Self { todo: made.todo(), at, fingerprint }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// The number of the first of their changes, which follow each other.
    Now(ChangeNumber),
    /// An earlier call with the key has made its writes. Nothing was written.
    Earlier(EarlierCall),
}

/// Why none of the writes was made.
#[derive(Debug, Error)]
pub enum WriteSetError {
    /// Because of the write at this place.
    #[error("the write at place {place} was refused")]
    Refused { place: usize, refusal: WriteRefusal },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteRefusal {
    /// The stored todo has another version than expected, or none; or one that is to be restored exists.
    Stale,
    /// See [`InsertError::Duplicate`](super::InsertError::Duplicate).
    Duplicate,
    /// See [`InsertError::Behind`](super::InsertError::Behind).
    Behind(TodoId),
    QuotaExceeded(QuotaExceeded),
    /// The key of an insertion was used before.
    Earlier(EarlierCall),
}

impl From<Refusal> for WriteRefusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Behind(last) => Self::Behind(last),
            Refusal::QuotaExceeded(exceeded) => Self::QuotaExceeded(exceeded),
        }
    }
}
