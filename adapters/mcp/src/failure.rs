//! The errors of use cases as failures of tools, resources and prompts: the one place that maps them.
//!
//! Every `match` is exhaustive without a `_` arm, so that a new error asks for a decision here.

use protected_mcp::Failure;
use todo_application::domain::{Denied, QuotaExceeded, TodoIdError, UnresolvedDue};
use todo_application::{
    CreateError, DeleteError, GetError, ListError, StorageFailure, SuggestError, UpdateError,
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
            Self::KeyReused => Failure::other(
                "idempotency_conflict",
                "You have used this `idempotency_key` for another todo within the last 24 hours. Use \
                 a new one for a new todo.",
            )
            .with("argument", &"idempotency_key"),
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

impl IntoFailure for UnresolvedDue {
    fn into_failure(self) -> Failure {
        let argument = match &self {
            Self::OtherWeekday(_) => "due_weekday",
            Self::NoTimeZone(_) => "time_zone",
            Self::InstantWithTimeZone | Self::OutOfRange(_) => "due",
        };
        Failure::invalid_argument(argument, self)
    }
}

impl IntoFailure for QuotaExceeded {
    fn into_failure(self) -> Failure {
        let sentence = match self {
            Self::Todos(limit) => format!(
                "Nothing was changed: there may be at most {limit} todos here. Delete todos that are no \
                 longer needed, after asking the user, and try again."
            ),
            Self::Bytes(limit) => format!(
                "Nothing was changed: the texts of all todos here may have at most {} \
                 MiB. Delete todos or shorten descriptions that are no longer needed, after asking the \
                 user, and try again.",
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
            Self::TooManyLabels(error) => Failure::invalid_argument("add_labels", error),
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

fn contended() -> Failure {
    Failure::unavailable(
        "Too many are changing this todo at once. Nothing was changed; try again in a second.",
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
    const LONGEST: usize = 64;
    let is_shown = |c: &char| !c.is_control() && !matches!(c, '\u{2028}'..='\u{202e}');
    let todo_id: String = todo_id.chars().filter(is_shown).take(LONGEST).collect();
    format!("Todo `{todo_id}` not found.")
}

fn version_conflict(current: &todo_application::domain::Todo) -> Failure {
    let sentence = format!(
        "Todo `{}` has changed: it now has version {}. Look at it and decide again.",
        current.id(),
        current.version()
    );
    Failure::other("version_conflict", sentence).with("todo", &TodoView::from(current.record()))
}
