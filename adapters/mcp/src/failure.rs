//! The errors of use cases as failures of tools, resources and prompts: the one place that maps them.
//!
//! Every `match` is exhaustive without a `_` arm, so that a new error asks for a decision here.

use std::borrow::Cow;

use protected_mcp::Failure;
use todo_application::domain::{
    Denied, QuotaExceeded, Todo, TodoId, TodoIdError, TooManyLabels, UnresolvedDue,
};
use todo_application::{
    ChangeFailure, ChangeManyError, CreateError, CursorError, DeleteError, GetError,
    ListChangesError, ListError, StorageFailure, SuggestError, UndoError, UpdateError,
};

use crate::view::TodoView;

/// When to repeat a call that failed because something was unavailable, in seconds.
const RETRY_AFTER_SECONDS: u32 = 1;

/// The failure for the error of a use case.
pub(crate) trait IntoFailure {
    fn into_failure(self) -> Failure;
}

/// The failure for the error of a use case about one todo, whose id is repeated as the caller wrote it.
pub(crate) trait AboutTodo {
    fn about(self, todo_id: &str) -> Failure;
}

/// The failure for the error of a use case about one change, whose id is repeated as the caller wrote it.
pub(crate) trait AboutChange {
    fn about_change(self, change_id: &str) -> Failure;
}

impl IntoFailure for Denied {
    fn into_failure(self) -> Failure {
        match self {
            Self::MissingPermission { required, .. } => {
                Failure::insufficient_scope(required.scope())
            }
            Self::NoWorkspace(_) => no_workspace(),
        }
    }
}

/// No scope helps a caller without an organization where todos are shared by organization.
pub(crate) fn no_workspace() -> Failure {
    Failure::forbidden("Todos are shared by organization here, and this access token names none.")
}

impl IntoFailure for StorageFailure {
    fn into_failure(self) -> Failure {
        match &self {
            Self::Unavailable(_) => {
                tracing::error!(cause = self.causes(), "storage unavailable");
                Failure::unavailable(
                    // Whether a retry helps is not known: the cause may be a full disk or a file that
                    // was moved away.
                    "The todos cannot be reached at the moment. Try again once, in a second; before you \
                     repeat a change, look whether it was made. If that fails too, stop and tell the \
                     user: the operator of this server must act, and its log says what is wrong.",
                    RETRY_AFTER_SECONDS,
                )
            }
            Self::Inconsistent(_) => {
                tracing::error!(cause = self.causes(), "storage inconsistent");
                Failure::internal()
            }
        }
    }
}

impl IntoFailure for ListError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Forbidden(denied) => denied.into_failure(),
            Self::InvalidCursor(error) => Failure::invalid_argument("cursor", error),
            Self::NoTimeZone => Failure::invalid_argument(
                "time_zone",
                "it is required for this `due`: the time zone of the user is not known",
            ),
            Self::Storage(failure) => failure.into_failure(),
        }
    }
}

impl IntoFailure for SuggestError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Forbidden(denied) => denied.into_failure(),
            Self::Storage(failure) => failure.into_failure(),
        }
    }
}

impl IntoFailure for CreateError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Forbidden(denied) => denied.into_failure(),
            Self::KeyReused => key_reused_for_a_todo(),
            Self::Contended => Failure::unavailable(
                "Too many todos are being created here at once. Nothing was created; try again in a \
                 second.",
                RETRY_AFTER_SECONDS,
            ),
            Self::QuotaExceeded(exceeded) => exceeded.into_failure(),
            Self::Storage(failure) => failure.into_failure(),
        }
    }
}

fn key_reused_for_a_todo() -> Failure {
    let sentence = "You have used this `idempotency_key` for another todo within the last 24 hours. Use a \
                    new one for a new todo.";
    Failure::other("idempotency_conflict", sentence).with("argument", &"idempotency_key")
}

/// Of one change of several, which were made or not as its result says.
impl IntoFailure for ChangeFailure {
    fn into_failure(self) -> Failure {
        match self {
            Self::NotFound(id) => not_found(&id.to_string()),
            Self::Conflict(current) => version_conflict(&current),
            Self::TooManyLabels(error) => too_many_labels(error),
            Self::QuotaExceeded(exceeded) => exceeded.into_failure(),
            Self::KeyReused => key_reused_for_a_todo(),
        }
    }
}

impl IntoFailure for ChangeManyError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Forbidden(denied) => denied.into_failure(),
            Self::KeyReused => {
                let sentence = "You have used this `idempotency_key` for another call within the last 24 \
                                hours. Use a new one for new changes.";
                Failure::other("idempotency_conflict", sentence)
                    .with("argument", &"idempotency_key")
            }
            Self::Contended => contended(),
            Self::Storage(failure) => failure.into_failure(),
        }
    }
}

impl IntoFailure for ListChangesError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Forbidden(denied) => denied.into_failure(),
            Self::Off => remembers_no_changes(),
            Self::InvalidCursor => Failure::invalid_argument("cursor", CursorError::Other),
            Self::NotRemembered => Failure::invalid_argument(
                "since",
                "what came after it is not remembered completely; list the todos again, call list_changes \
                 without it, and go on from that `latest`",
            ),
            Self::Storage(failure) => failure.into_failure(),
        }
    }
}

impl AboutChange for UndoError {
    fn about_change(self, change_id: &str) -> Failure {
        match self {
            Self::Forbidden(denied) => denied.into_failure(),
            Self::Off => remembers_no_changes(),
            Self::NotFound => change_not_found(change_id),
            Self::Conflict(current) => changed_since(&current),
            Self::TodoDeleted(id) => deleted_since(id),
            Self::Contended => contended(),
            Self::QuotaExceeded(exceeded) => exceeded.into_failure(),
            Self::Storage(failure) => failure.into_failure(),
        }
    }
}

fn remembers_no_changes() -> Failure {
    Failure::forbidden(
        "The operator of this server remembers no changes (TODO_HISTORY_DAYS is 0), so none can be listed or \
         undone.",
    )
}

/// A change that does not exist, is not remembered or is hidden from the caller, and a text that is no id of a
/// change: all look the same.
pub(crate) fn change_not_found(change_id: &str) -> Failure {
    let change_id = excerpt(change_id);
    Failure::not_found(format!(
        "Change `{change_id}` not found. list_changes returns the ids of all changes that are remembered."
    ))
}

fn changed_since(current: &Todo) -> Failure {
    let sentence = format!(
        "Nothing was undone: todo `{}` has changed again since, where that change touched it; it now has \
         version {}. Look at it, and use update_todo for what is still wanted.",
        current.id(),
        current.version()
    );
    conflict(sentence, current)
}

fn deleted_since(id: TodoId) -> Failure {
    let sentence = format!(
        "Nothing was undone: todo `{id}` was deleted since. Undo its deletion first; list_changes finds that \
         with this todo_id and the action deleted."
    );
    Failure::other("version_conflict", sentence)
}

/// An argument that breaks a rule, which depends on others or on the caller.
pub(crate) struct Invalid {
    pub(crate) argument: &'static str,
    pub(crate) rule: Cow<'static, str>,
}

impl Invalid {
    pub(crate) fn new(argument: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { argument, rule: rule.into() }
    }
}

impl From<Invalid> for Failure {
    fn from(Invalid { argument, rule }: Invalid) -> Self {
        Self::invalid_argument(argument, rule)
    }
}

impl From<UnresolvedDue> for Invalid {
    fn from(error: UnresolvedDue) -> Self {
        let argument = match &error {
            UnresolvedDue::OtherWeekday(_) => "due_weekday",
            UnresolvedDue::NoTimeZone(_) => "time_zone",
            UnresolvedDue::InstantWithTimeZone | UnresolvedDue::OutOfRange(_) => "due",
        };
        Self::new(argument, error.to_string())
    }
}

impl IntoFailure for QuotaExceeded {
    fn into_failure(self) -> Failure {
        let sentence = match self {
            Self::Todos(limit) => format!(
                "Not done: there may be at most {limit} todos here; deleted ones count as long as they are \
                 remembered. Delete todos that are no longer needed, after asking the user, and try again when \
                 there is room."
            ),
            Self::Bytes(limit) => format!(
                "Not done: the texts of all todos here, and what is remembered of them, may have at most {} MiB. \
                 Delete todos or shorten descriptions that are no longer needed, after asking the user, and try \
                 again when there is room.",
                limit.get() / (1024 * 1024)
            ),
        };
        Failure::other("quota_exceeded", sentence)
    }
}

impl AboutTodo for GetError {
    fn about(self, todo_id: &str) -> Failure {
        match self {
            Self::Forbidden(denied) => denied.into_failure(),
            Self::NotFound => not_found(todo_id),
            Self::Storage(failure) => failure.into_failure(),
        }
    }
}

impl AboutTodo for UpdateError {
    fn about(self, todo_id: &str) -> Failure {
        match self {
            Self::Forbidden(denied) => denied.into_failure(),
            Self::NotFound => not_found(todo_id),
            Self::Conflict(current) => version_conflict(&current),
            Self::TooManyLabels(error) => too_many_labels(error),
            Self::Contended => contended(),
            Self::QuotaExceeded(exceeded) => exceeded.into_failure(),
            Self::Storage(failure) => failure.into_failure(),
        }
    }
}

impl AboutTodo for DeleteError {
    fn about(self, todo_id: &str) -> Failure {
        match self {
            Self::Forbidden(denied) => denied.into_failure(),
            Self::NotFound => not_found(todo_id),
            Self::Conflict(current) => version_conflict(&current),
            Self::Contended => contended(),
            Self::Storage(failure) => failure.into_failure(),
        }
    }
}

fn too_many_labels(error: TooManyLabels) -> Failure {
    Failure::invalid_argument("add_labels", error)
}

fn contended() -> Failure {
    Failure::unavailable(
        "Too many are changing the same todos at once. Nothing was changed; try again in a second.",
        RETRY_AFTER_SECONDS,
    )
}

/// A todo that does not exist, or that is hidden from the caller: both look the same.
pub(crate) fn not_found(todo_id: &str) -> Failure {
    Failure::not_found(not_found_sentence(todo_id))
}

/// The id of no todo, because it is not an id: a model would conclude that the todo is gone.
pub(crate) fn not_an_id(text: &str) -> Failure {
    let sentence = not_found_sentence(text);
    Failure::not_found(format!(
        "{sentence} That is not an id: an id {TodoIdError}. list_todos and create_todo return ids."
    ))
}

/// The id may be any text, so that it is cut.
fn not_found_sentence(todo_id: &str) -> String {
    format!("Todo `{}` not found.", excerpt(todo_id))
}

fn excerpt(id: &str) -> String {
    const LONGEST: usize = 64;
    let is_shown = |c: &char| !c.is_control() && !matches!(c, '\u{2028}'..='\u{202e}');
    id.chars().filter(is_shown).take(LONGEST).collect()
}

fn version_conflict(current: &Todo) -> Failure {
    let sentence = format!(
        "Todo `{}` has changed: it now has version {}. Look at it and decide again.",
        current.id(),
        current.version()
    );
    conflict(sentence, current)
}

fn conflict(sentence: String, current: &Todo) -> Failure {
    Failure::other("version_conflict", sentence).with("todo", &TodoView::from(current.record()))
}
