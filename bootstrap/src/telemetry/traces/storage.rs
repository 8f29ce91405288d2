//! A span for each call of the storage.

use tracing::field::Empty;
use tracing::{Span, trace_span};

use crate::storage_calls::{StorageCall, StorageObserver};

/// The target of these spans.
pub(super) const STORAGE_TARGET: &str = "todo_mcp::storage";

/// Makes the calls of the storage spans, if they are a part of an operation: their names, how long they take, and
/// whether the storage failed. They hold no argument and no result.
pub(crate) struct StorageSpans {
    system: Option<&'static str>,
    kind: &'static str,
}

impl StorageSpans {
    /// `system` is the database, by its name in OpenTelemetry's conventions. `None` for the memory of this process.
    pub(crate) fn new(system: Option<&'static str>) -> Self {
        // A call of a database in this process is no call of another program.
        let kind = if system == Some("postgresql") { "client" } else { "internal" };
        Self { system, kind }
    }
}

impl StorageObserver for StorageSpans {
    fn begins(&self, call: &'static str) -> Span {
        let operation = Span::current();
        if operation.is_none() {
            return operation;
        }
        trace_span!(
            target: STORAGE_TARGET,
            parent: &operation,
            "storage",
            otel.name = call,
            otel.kind = self.kind,
            otel.status_code = Empty,
            db.system.name = self.system,
            "error.type" = Empty,
        )
    }

    fn ended(&self, call: &StorageCall<'_>) {
        if let Some(failure) = call.failure {
            call.span.record("error.type", failure);
            call.span.record("otel.status_code", "ERROR");
        }
    }
}
