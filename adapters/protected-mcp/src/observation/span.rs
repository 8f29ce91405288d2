//! The span of an operation.

use serde_json::value::RawValue;
use tracing::field::Empty;
use tracing::{Span, trace_span};

use super::{Operation, Outcome};
use crate::jsonrpc::string;

/// The target of the spans of operations. Fields and names are those of OpenTelemetry's conventions for MCP
/// servers (semantic-conventions-genai 0.1.0), and those by which `tracing-opentelemetry` knows the name, the
/// kind and the status. They hold no argument, no result and no token: that is why `mcp.resource.uri` and the
/// message of an error are not among them.
pub const OPERATION_TARGET: &str = "protected_mcp::operation";

const TOOLS_CALL: &str = "tools/call";

/// A span that no subscriber wants costs next to nothing.
pub(super) fn begin(
    method: &'static str,
    revision: Option<&'static str>,
    request_id: &RawValue,
) -> Span {
    trace_span!(
        target: OPERATION_TARGET,
        parent: None,
        "operation",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = Empty,
        mcp.method.name = method,
        mcp.protocol.version = revision,
        gen_ai.operation.name = (method == TOOLS_CALL).then_some("execute_tool"),
        gen_ai.tool.name = Empty,
        gen_ai.prompt.name = Empty,
        jsonrpc.request.id = string(request_id).as_deref().unwrap_or(request_id.get()),
        network.transport = "tcp",
        network.protocol.name = "http",
        rpc.response.status_code = Empty,
        "error.type" = Empty,
    )
}

/// Adds which tool or prompt the operation is about. A tracer takes the name of a span as it is when the first
/// span in it begins.
pub(super) fn name(span: &Span, method: &'static str, name: &'static str) {
    if !span.is_disabled() {
        let is_tool = method == TOOLS_CALL;
        span.record(if is_tool { "gen_ai.tool.name" } else { "gen_ai.prompt.name" }, name);
        span.record("otel.name", format!("{method} {name}"));
    }
}

/// Adds what is known at the end.
pub(super) fn end(span: &Span, operation: &Operation<'_>) {
    if span.is_disabled() {
        return;
    }
    if let Some(error) = operation.outcome.error_type() {
        span.record("error.type", &*error);
        span.record("otel.status_code", "ERROR");
    }
    if let Outcome::Rejected { number: number @ ..0, .. } = operation.outcome {
        span.record("rpc.response.status_code", number.to_string());
    }
}
