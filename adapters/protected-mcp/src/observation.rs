//! What is known about requests and operations, for the log and for observers of the server.

mod observed;
mod record;
mod span;

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tracing::Span;

pub(crate) use observed::{Observed, Observers};
pub(crate) use record::RequestRecord;
pub use span::OPERATION_TARGET;

use crate::oauth::Caller;
use crate::protocol::TraceContext;

/// What an observer has to do before a change may start. If it fails, the change does not start, and the
/// sentence says to the caller why, and that it may try again.
pub type Admission = Pin<Box<dyn Future<Output = Result<(), Cow<'static, str>>> + Send>>;

/// Sees what a server does, such as for metrics or an audit log. Its methods run on the way of a request, so
/// they must neither block nor take long. None of them sees a token, an argument or a result.
pub trait Observer: Send + Sync {
    /// An operation that may change something is about to start: its caller has the scope, and its arguments
    /// can be read. It starts when the admission has succeeded, or at once if there is none; then
    /// [`operation`](Self::operation) follows for it, which says that it [may change](Operation::may_change)
    /// something. If the client goes away, the admission and the change go on.
    fn admit_change(&self, _change: &PlannedChange<'_>) -> Option<Admission> {
        None
    }

    /// An operation begins in a span of its own, which [`OPERATION_TARGET`] describes. A tracer connects it with
    /// the remote span that is its `parent`, and with that of the HTTP request that carries it, `linked` if it is
    /// another one. Not called if no subscriber wants the span.
    fn begin(&self, _span: &Span, _parent: Option<&TraceContext>, _linked: Option<&TraceContext>) {}

    /// The id of the trace that the span of an operation is a part of, for the log, once its name is known.
    fn trace_id(&self, _span: &Span) -> Option<String> {
        None
    }

    /// Whether it looks at the `request_id`, the `trace` and what is `affected`. If no observer does, these are
    /// not collected, and empty.
    fn wants_details(&self) -> bool {
        true
    }

    /// An operation has ended: once for each, also in a batch, and also if the client has gone away.
    fn operation(&self, _operation: &Operation<'_>) {}

    /// A request was answered, after its operations unless one of them goes on without its client.
    fn request(&self, _request: &AnsweredRequest<'_>) {}
}

/// An operation that is about to start. The members are those of [`Operation`].
#[derive(Debug)]
pub struct PlannedChange<'a> {
    pub caller: &'a Arc<Caller>,
    pub method: &'static str,
    pub name: Option<&'static str>,
    pub request_id: &'a str,
    pub trace: Option<&'a TraceContext>,
}

/// A JSON-RPC request of a caller that has ended.
#[derive(Debug)]
pub struct Operation<'a> {
    pub caller: &'a Arc<Caller>,
    /// `unknown` for a method that MCP does not have.
    pub method: &'static str,
    /// The revision of MCP that the client states in its header, if it is supported.
    pub revision: Option<&'static str>,
    /// The tool or the prompt, if the operation is about one that exists.
    pub name: Option<&'static str>,
    /// The `id`, as JSON: of the client, at most 256 bytes.
    pub request_id: &'a str,
    /// The trace of which the client says that it is a part.
    pub trace: Option<&'a TraceContext>,
    pub outcome: Outcome,
    /// Whether it was [admitted](Observer::admit_change) as one that may change something.
    pub may_change: bool,
    /// What it has shown or changed, as far as it [says so](crate::Call::affects).
    pub affected: &'a [Affected],
    pub elapsed: Duration,
}

/// How an operation has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    /// A tool has failed, which its result says.
    Failed {
        /// The stable word, such as `not_found`.
        code: &'static str,
    },
    /// It was answered with a JSON-RPC error.
    Rejected {
        /// Of JSON-RPC; of OAuth, the HTTP status.
        number: i32,
        /// The stable word, if there is one.
        code: Option<&'static str>,
    },
    /// The client went away before.
    Abandoned,
}

impl Outcome {
    /// Whether the caller may not do what it asked for.
    pub fn is_denial(self) -> bool {
        matches!(self.code(), Some("insufficient_scope" | "forbidden"))
    }

    /// The stable word for what went wrong.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::Failed { code } => Some(code),
            Self::Rejected { code, .. } => code,
            Self::Completed | Self::Abandoned => None,
        }
    }

    /// The class of the error, as `error.type` of OpenTelemetry's conventions for MCP: `tool_error`, or the number
    /// of the error as text; they have no word for a client that went away.
    pub fn error_type(self) -> Option<Cow<'static, str>> {
        match self {
            Self::Completed => None,
            Self::Failed { .. } => Some("tool_error".into()),
            Self::Rejected { number, .. } => Some(number.to_string().into()),
            Self::Abandoned => Some("abandoned".into()),
        }
    }
}

/// Something that an operation has shown or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    pub id: String,
    /// The version that it had before. `None` if it did not exist or was only shown.
    pub version_before: Option<u64>,
    /// The version that it has now. `None` if it does not exist any more.
    pub version_after: Option<u64>,
    /// The id under which the change is remembered.
    pub change_id: Option<String>,
}

/// An HTTP request to the endpoint that was answered.
#[derive(Debug)]
pub struct AnsweredRequest<'a> {
    /// Of HTTP.
    pub status: u16,
    /// `None` if it was refused before it was known.
    pub caller: Option<&'a Arc<Caller>>,
    /// The stable word for what went wrong, if there is one, such as `expired`.
    pub code: Option<&'static str>,
    /// Why a caller may not get in, in the first sentence that it was answered.
    pub reason: Option<&'a str>,
    /// How many [operations](Observer::operation) it had. Zero if it was refused before.
    pub operations: usize,
    pub elapsed: Duration,
}
