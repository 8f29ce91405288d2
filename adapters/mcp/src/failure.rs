//! What went wrong in a tool, as an answer: the one place where errors become protocol.
//!
//! Every `match` is exhaustive and has no `_` arm, so a new error asks for a decision here.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;
use todo_application::UseCaseError;
use todo_application::domain::{Denied, Permission, Permissions};
use todo_application::ports::StorageError;
use tokio::task::JoinError;

use crate::endpoint::Service;
use crate::era::Era;
use crate::request_log::RequestLog;
use crate::rpc::{Reply, RpcError};
use crate::tools::{self, InvalidArgument, TodoView};

/// How long to wait before trying again what was not available, in seconds.
const RETRY_AFTER_SECONDS: u32 = 1;

/// How a missing scope is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScopeDenial {
    /// HTTP 403 with a challenge, for clients that then ask for the scope (MCP "step-up").
    #[default]
    Challenge,
    /// HTTP 200 with a tool result that says so, as the quickstart did, for clients that cannot.
    ToolError,
}

/// Why a tool has nothing to show.
#[derive(Debug)]
pub(crate) enum ToolError {
    /// An argument breaks a rule.
    InvalidArgument(InvalidArgument),
    /// There is no todo of this name, as the caller wrote it.
    NotFound(String),
    /// What the use case said.
    UseCase(UseCaseError),
    /// The answer could not be written.
    Unwritable(serde_json::Error),
    /// The tool did not come to its end.
    Broken(JoinError),
}

impl ToolError {
    /// The id that is echoed is cut: it may be anything.
    pub(crate) fn not_found(todo_id: &str) -> Self {
        const LONGEST: usize = 64;
        Self::NotFound(todo_id.chars().filter(|c| !c.is_control()).take(LONGEST).collect())
    }

    /// For a use case about one todo: what is missing is named as the caller named it.
    pub(crate) fn about(todo_id: &str) -> impl FnOnce(UseCaseError) -> Self {
        |error| {
            if matches!(error, UseCaseError::NotFound) {
                Self::not_found(todo_id)
            } else {
                Self::UseCase(error)
            }
        }
    }
}

impl From<InvalidArgument> for ToolError {
    fn from(error: InvalidArgument) -> Self {
        Self::InvalidArgument(error)
    }
}

impl From<UseCaseError> for ToolError {
    fn from(error: UseCaseError) -> Self {
        Self::UseCase(error)
    }
}

/// A failure as a model reads it: a sentence, a stable word, and what helps to go on.
#[derive(Serialize)]
struct Failure<'a> {
    error: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    argument: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    todo: Option<TodoView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u32>,
}

impl<'a> Failure<'a> {
    fn new(code: &'static str, error: &'a str) -> Self {
        Self { error, code, argument: None, scope: None, todo: None, retry_after_seconds: None }
    }
}

impl Failure<'static> {
    fn unavailable(error: &'static str) -> Self {
        Self {
            retry_after_seconds: Some(RETRY_AFTER_SECONDS),
            ..Failure::new("unavailable", error)
        }
    }
}

/// Turns an error into the answer to the request `id`.
pub(crate) fn answer(
    service: &Service,
    era: Era,
    id: &RawValue,
    error: ToolError,
    log: &mut RequestLog,
) -> Result<Reply, RpcError> {
    let mut tool_error = |failure: &Failure<'_>| {
        log.code(failure.code);
        let payload = tools::Payload::write(failure, 512).map_err(|_| RpcError::internal())?;
        tools::result(id, era, &payload, true)
    };
    let use_case_error = match error {
        ToolError::InvalidArgument(invalid) => {
            let sentence = invalid.to_string();
            let argument = Some(invalid.argument.as_str());
            return tool_error(&Failure {
                argument,
                ..Failure::new("invalid_argument", &sentence)
            });
        }
        ToolError::NotFound(todo_id) => {
            let sentence = format!("Todo `{todo_id}` not found.");
            return tool_error(&Failure::new("not_found", &sentence));
        }
        ToolError::Unwritable(cause) => {
            tracing::error!(%cause, "a tool result could not be written");
            return Err(RpcError::internal());
        }
        ToolError::Broken(cause) => {
            tracing::error!(%cause, "a tool did not come to its end");
            return Err(RpcError::internal());
        }
        ToolError::UseCase(error) => error,
    };
    let sentence = use_case_error.to_string();
    match use_case_error {
        UseCaseError::Forbidden(Denied::MissingPermission { required, granted }) => {
            match service.scope_denial {
                ScopeDenial::Challenge => Err(step_up(service, required, granted, sentence, log)),
                ScopeDenial::ToolError => {
                    let scope = Some(required.scope());
                    tool_error(&Failure { scope, ..Failure::new("insufficient_scope", &sentence) })
                }
            }
        }
        UseCaseError::Forbidden(Denied::NoWorkspace(_)) => {
            tool_error(&Failure::new("forbidden", &sentence))
        }
        UseCaseError::NotFound => tool_error(&Failure::new("not_found", "Todo not found.")),
        UseCaseError::Conflict(current) => {
            let sentence = format!(
                "Todo `{}` has changed: it now has version {}. Look at it and decide again.",
                current.id(),
                current.version()
            );
            let todo = Some(TodoView::from(&*current));
            tool_error(&Failure { todo, ..Failure::new("version_conflict", &sentence) })
        }
        UseCaseError::InvalidCursor(error) => {
            let invalid = InvalidArgument::new("cursor", &error);
            let sentence = invalid.to_string();
            let argument = Some("cursor");
            tool_error(&Failure { argument, ..Failure::new("invalid_argument", &sentence) })
        }
        UseCaseError::KeyReused => tool_error(&Failure {
            argument: Some("idempotency_key"),
            ..Failure::new(
                "idempotency_conflict",
                "You have used this `idempotency_key` for another todo within the last 24 hours. Use \
                 a new one for a new todo.",
            )
        }),
        UseCaseError::Contended => tool_error(&Failure::unavailable(CONTENDED)),
        UseCaseError::Unavailable(cause) => {
            tracing::error!(cause = chain(&cause), "the storage is not available");
            tool_error(&Failure::unavailable(UNAVAILABLE))
        }
        UseCaseError::Inconsistent(cause) => Err(inconsistent(&cause, log)),
    }
}

const CONTENDED: &str =
    "Too many are changing this todo at once. Nothing was changed; try again in a second.";
const UNAVAILABLE: &str = "The todos cannot be reached at the moment. Try again in a second; before \
                           you repeat a change, look whether it was made.";

/// The same for what is no tool and has no results that tell of errors: resources, prompts and
/// completions. `not_found` is what there is none of.
pub(crate) fn refuse(
    service: &Service,
    error: UseCaseError,
    not_found: impl FnOnce() -> RpcError,
    log: &mut RequestLog,
) -> RpcError {
    let sentence = error.to_string();
    match error {
        UseCaseError::Forbidden(Denied::MissingPermission { required, granted }) => {
            match service.scope_denial {
                ScopeDenial::Challenge => step_up(service, required, granted, sentence, log),
                ScopeDenial::ToolError => {
                    log.code("insufficient_scope");
                    RpcError::forbidden(sentence).with_status(StatusCode::OK)
                }
            }
        }
        UseCaseError::Forbidden(Denied::NoWorkspace(_)) => {
            log.code("forbidden");
            RpcError::forbidden(sentence).with_status(StatusCode::OK)
        }
        UseCaseError::NotFound => {
            log.code("not_found");
            not_found()
        }
        UseCaseError::InvalidCursor(_) => invalid_cursor(),
        UseCaseError::Contended => {
            log.code("unavailable");
            RpcError::unavailable(CONTENDED, RETRY_AFTER_SECONDS)
        }
        UseCaseError::Unavailable(cause) => {
            tracing::error!(cause = chain(&cause), "the storage is not available");
            log.code("unavailable");
            RpcError::unavailable(UNAVAILABLE, RETRY_AFTER_SECONDS)
        }
        // Nothing that comes here writes.
        UseCaseError::Conflict(_) | UseCaseError::KeyReused => RpcError::internal(),
        UseCaseError::Inconsistent(cause) => inconsistent(&cause, log),
    }
}

/// -32602 for a cursor that is none of ours, or of another list.
pub(crate) fn invalid_cursor() -> RpcError {
    RpcError::invalid_params(
        "`cursor` must be the nextCursor of the previous page of the same list.",
    )
}

fn inconsistent(cause: &StorageError, log: &mut RequestLog) -> RpcError {
    tracing::error!(cause = chain(cause), "the storage is inconsistent");
    log.code("internal");
    RpcError::internal()
}

/// HTTP 403 with the challenge that makes a client ask for the scope, and a body that a model can
/// read where the client does not.
fn step_up(
    service: &Service,
    required: Permission,
    granted: Permissions,
    sentence: String,
    log: &mut RequestLog,
) -> RpcError {
    log.code("insufficient_scope");
    let challenge = service.challenge.insufficient_scope(required, granted, &sentence);
    RpcError::forbidden(sentence).with_challenge(challenge)
}

/// An error with its causes, for the log.
fn chain(error: &StorageError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
