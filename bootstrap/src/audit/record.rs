//! The records of the audit log, one line of JSON each. `bootstrap/README.md` documents them: members are added,
//! never renamed or given another meaning without another `v`.

use std::time::Duration;

use super::line::{Line, name};
use protected_mcp::{
    Affected, AnsweredRequest, Caller, Operation, Outcome, PlannedChange, TraceContext,
};
use todo_application::domain::Rfc3339;

/// The first members, before and after the instant: the event, and if there are any, the decision and the outcome.
const START: &str = r#"{"v":1,"at":""#;
macro_rules! kind {
    ($event:literal) => {
        concat!("\",\"event\":\"", $event, "\"")
    };
    ($event:literal, $decision:literal) => {
        concat!(kind!($event), ",\"decision\":\"", $decision, "\"")
    };
    ($event:literal, $decision:literal, $outcome:literal) => {
        concat!(kind!($event, $decision), ",\"outcome\":\"", $outcome, "\"")
    };
}

/// The most bytes of a text from outside.
const LONGEST: usize = 256;

/// A request is refused before it has an operation: without a token that is valid (401), because of its host, its
/// origin or its client (403), or because there are too many (429, 503).
pub(super) fn is_refusal(request: &AnsweredRequest<'_>) -> bool {
    request.operations == 0 && matches!(request.status, 401 | 403 | 429 | 503)
}

/// Any record. A member that says nothing is left out.
#[derive(Default)]
struct Record<'a> {
    kind: &'static str,
    code: Option<&'static str>,
    rpc_error: Option<i32>,
    status: Option<u16>,
    reason: Option<&'a str>,
    caller: Option<&'a Caller>,
    method: Option<&'static str>,
    name: Option<&'static str>,
    affected: &'a [Affected],
    request_id: Option<&'a str>,
    trace: Option<&'a TraceContext>,
    elapsed: Option<Duration>,
    records: Option<u64>,
}

impl Record<'_> {
    fn write(&self, line: &mut Vec<u8>, at: &Rfc3339) {
        let Self { kind, code, rpc_error, status, reason, .. } = *self;
        let Self { caller, method, name, affected, request_id, trace, elapsed, records, .. } =
            *self;
        let line = &mut Line(line);
        line.raw(START);
        line.0.extend_from_slice(at.as_bytes());
        line.raw(kind);
        code.inspect(|it| line.word(name!(text "code"), it));
        rpc_error.inspect(|it| line.number(name!("rpc_error"), it));
        status.inspect(|it| line.number(name!("status"), it));
        reason.inspect(|it| line.text(name!(text "reason"), bounded(it)));
        if let Some(caller) = caller {
            line.text(name!(text "subject"), bounded(caller.subject()));
            caller.organization().inspect(|it| line.text(name!(text "organization"), bounded(it)));
            caller.client().inspect(|it| line.text(name!(text "client"), bounded(it)));
        }
        if let Some(method) = method {
            line.word(name!(text "method"), method);
            let is_tool = method == "tools/call";
            let kind = if is_tool { name!(text "tool") } else { name!(text "prompt") };
            name.inspect(|it| line.word(kind, it));
        }
        write_affected(line, affected);
        request_id.inspect(|it| write_request_id(line, it));
        trace.inspect(|it| line.word(name!(text "trace_id"), it.trace_id()));
        elapsed.inspect(|it| line.number(name!("duration_us"), micros(*it)));
        records.inspect(|it| line.number(name!("records"), it));
        line.raw("}\n");
    }
}

/// What is about to happen, as far as that is known.
pub(super) fn intent(line: &mut Vec<u8>, at: &Rfc3339, change: &PlannedChange<'_>) {
    let PlannedChange { caller, method, name, request_id, trace } = *change;
    let record = Record {
        kind: kind!("intent", "allowed"),
        caller: Some(caller),
        method: Some(method),
        name,
        request_id: Some(request_id),
        trace,
        ..Record::default()
    };
    record.write(line, at);
}

/// What has happened.
pub(super) fn operation(line: &mut Vec<u8>, at: &Rfc3339, operation: &Operation<'_>) {
    let Operation { caller, method, name, request_id, trace, outcome, affected, elapsed, .. } =
        *operation;
    let record = Record {
        kind: match outcome {
            Outcome::Completed => kind!("operation", "allowed", "ok"),
            Outcome::Failed { .. } | Outcome::Rejected { .. } if outcome.is_denial() => {
                kind!("operation", "denied", "error")
            }
            Outcome::Failed { .. } | Outcome::Rejected { .. } => {
                kind!("operation", "allowed", "error")
            }
            Outcome::Abandoned => kind!("operation", "allowed", "abandoned"),
        },
        code: outcome.code(),
        rpc_error: match outcome {
            // That of OAuth is the status of HTTP.
            Outcome::Rejected { number, .. } => (number < 0).then_some(number),
            Outcome::Completed | Outcome::Failed { .. } | Outcome::Abandoned => None,
        },
        caller: Some(caller),
        method: Some(method),
        name,
        affected,
        request_id: Some(request_id),
        trace,
        elapsed: Some(elapsed),
        ..Record::default()
    };
    record.write(line, at);
}

/// A request that [is refused](is_refusal).
pub(super) fn refusal(line: &mut Vec<u8>, at: &Rfc3339, request: &AnsweredRequest<'_>) {
    let AnsweredRequest { status, caller, code, reason, elapsed, .. } = *request;
    let record = Record {
        kind: kind!("refusal", "denied"),
        code,
        status: Some(status),
        reason,
        caller: caller.map(|caller| &**caller),
        elapsed: Some(elapsed),
        ..Record::default()
    };
    record.write(line, at);
}

/// Records that could not be kept. Added to what `line` has.
pub(super) fn losses(lines: &mut Vec<u8>, at: &Rfc3339, records: u64) {
    Record { kind: kind!("lost"), records: Some(records), ..Record::default() }.write(lines, at);
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The beginning of a text that is too long.
fn bounded(text: &str) -> &str {
    if text.len() <= LONGEST { text } else { &text[..text.floor_char_boundary(LONGEST)] }
}

/// The `id` of a JSON-RPC request, as JSON: a number or a text, as the client has made it up. A number that is no
/// usual one is kept as a text. A text that is not Unicode is left out.
fn write_request_id(line: &mut Line<'_>, json: &str) {
    const NAME: &str = name!(text "request_id");
    let text = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match text {
        Some(text) if !text.contains('\\') => line.text(NAME, text),
        Some(_) => {
            if let Ok(text) = serde_json::from_str::<String>(json) {
                line.text(NAME, &text);
            }
        }
        None => match json.parse::<i64>() {
            Ok(number) => line.number(name!("request_id"), number),
            Err(_) => line.text(NAME, bounded(json)),
        },
    }
}

/// The ids of those that were only shown, and then those that were changed, in the order of the changes.
fn write_affected(line: &mut Line<'_>, affected: &[Affected]) {
    let (mut start, mut end) = (concat!(name!("shown"), "[\""), "");
    for Affected { id, .. } in affected.iter().filter(|it| !is_changed(it)) {
        line.text(start, id);
        (start, end) = (",\"", "]");
    }
    line.raw(end);
    let (mut start, mut end) = (concat!(name!("changed"), "["), "");
    for affected in affected.iter().filter(|it| is_changed(it)) {
        let Affected { id, version_before, version_after, change_id } = affected;
        line.raw(start);
        line.text(r#"{"todo_id":""#, id);
        version_before.inspect(|it| line.number(name!("version_before"), it));
        version_after.inspect(|it| line.number(name!("version_after"), it));
        change_id.as_deref().inspect(|it| line.text(name!(text "change_id"), it));
        line.raw("}");
        (start, end) = (",", "]");
    }
    line.raw(end);
}

fn is_changed(affected: &Affected) -> bool {
    let Affected { id: _, version_before, version_after, change_id } = affected;
    version_before.is_some() || version_after.is_some() || change_id.is_some()
}

#[cfg(test)]
mod tests;
