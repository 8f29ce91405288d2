//! Several changes that are asked for together, and what came of them.

use todo_domain::{
    Edit, IdempotencyKey, QuotaExceeded, Todo, TodoId, TodoRecord, TooManyLabels, Version,
};

use super::create::NewTodo;
use super::effect::Effects;
use crate::change_id::ChangeId;

/// The most changes of one call.
pub const MAX_CHANGES: usize = 50;

/// One of several changes that are asked for together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedChange {
    Create(NewTodo),
    Update { id: TodoId, edit: Edit, expected: Option<Version> },
    Delete { id: TodoId, expected: Option<Version> },
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManyChanges {
    /// At most [`MAX_CHANGES`].
    pub changes: Vec<RequestedChange>,
    /// If one of them fails, none is made.
    pub all_or_nothing: bool,
    /// None is made, whatever the answer.
    pub dry_run: bool,
    /// Makes the call safe to retry.
    pub key: Option<IdempotencyKey>,
}

/// What came of each change, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesMade {
    pub outcomes: Vec<Outcome>,
    /// What takes all of them back; `None` if nothing was changed, or if changes are not remembered.
    pub batch: Option<ChangeId>,
    /// What was written, in the order of the writes.
    pub effects: Effects,
}

impl ChangesMade {
    /// Nothing was written.
    pub(super) fn none(outcomes: Vec<Outcome>) -> Self {
        Self { outcomes, batch: None, effects: Effects::default() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As it was created, by this call or by an earlier one with the same key.
    Created(TodoRecord),
    /// `None` if it is gone: the call is the repetition of an earlier one.
    Updated(TodoId, Option<Todo>),
    Deleted(TodoId),
    Failed(ChangeFailure),
    /// It was not made because another one failed.
    Skipped,
}

/// Why one of several changes was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeFailure {
    NotFound(TodoId),
    /// The todo has another version than expected. This is its current state.
    Conflict(Todo),
    TooManyLabels(TooManyLabels),
    QuotaExceeded(QuotaExceeded),
    /// The caller has used the idempotency key for another todo within the last 24 hours.
    KeyReused,
}
