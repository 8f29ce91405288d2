//! The records of the audit log, one line of JSON each. `bootstrap/README.md` documents them: members are added,
//! never renamed or given another meaning without another `v`.

use std::borrow::Cow;
use std::time::Duration;

use protected_mcp::{
    Affected, AnsweredRequest, Caller, Operation, Outcome, PlannedChange, TraceContext,
};
use serde::{Serialize, Serializer};
use todo_application::domain::Instant;

use crate::escape;

const VERSION: u8 = 1;

/// The most bytes of a text from outside.
const LONGEST: usize = 256;

/// A request is refused before it has an operation: without a token that is valid (401), because of its host, its
/// origin or its client (403), or because there are too many (429, 503).
pub(super) fn is_refusal(request: &AnsweredRequest<'_>) -> bool {
    request.operations == 0 && matches!(request.status, 401 | 403 | 429 | 503)
}

/// Any record. A member that says nothing is left out.
#[derive(Serialize)]
struct Record<'a> {
    v: u8,
    #[serde(serialize_with = "display")]
    at: Instant,
    event: Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rpc_error: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'static str>,
    #[serde(skip_serializing_if = "Shown::is_empty")]
    shown: Shown<'a>,
    #[serde(skip_serializing_if = "Changed::is_empty")]
    changed: Changed<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<RequestId<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Intent,
    Operation,
    Refusal,
    Lost,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Allowed,
    Denied,
}

impl<'a> Record<'a> {
    fn new(at: Instant, event: Event) -> Self {
        Self {
            v: VERSION,
            at,
            event,
            decision: None,
            outcome: None,
            code: None,
            rpc_error: None,
            status: None,
            reason: None,
            subject: None,
            organization: None,
            client: None,
            method: None,
            tool: None,
            prompt: None,
            shown: Shown(&[]),
            changed: Changed(&[]),
            request_id: None,
            trace_id: None,
            duration_us: None,
            records: None,
        }
    }

    fn of(self, caller: &'a Caller) -> Self {
        Self {
            subject: Some(bounded(caller.subject())),
            organization: caller.organization().map(|it| bounded(it)),
            client: caller.client().map(|it| bounded(it)),
            ..self
        }
    }

    fn about(
        self,
        method: &'static str,
        name: Option<&'static str>,
        request_id: &'a str,
        trace: Option<&'a TraceContext>,
    ) -> Self {
        let (tool, prompt) = if method == "tools/call" { (name, None) } else { (None, name) };
        let (request_id, trace_id) = (RequestId::of(request_id), trace.map(TraceContext::trace_id));
        Self { method: Some(method), tool, prompt, request_id, trace_id, ..self }
    }

    fn write(&self, line: &mut Vec<u8>) {
        // Texts and numbers can always be written to memory.
        let _ = serde_json::to_writer(&mut *line, self);
        if !line.is_ascii() || line.contains(&0x7f) {
            let escaped = escape::json(&String::from_utf8_lossy(line)).into_owned();
            line.clear();
            line.extend_from_slice(escaped.as_bytes());
        }
        line.push(b'\n');
    }
}

/// What is about to happen, as far as that is known.
pub(super) fn intent(line: &mut Vec<u8>, at: Instant, change: &PlannedChange<'_>) {
    let PlannedChange { caller, method, name, request_id, trace } = *change;
    let record = Record { decision: Some(Decision::Allowed), ..Record::new(at, Event::Intent) };
    record.of(caller).about(method, name, request_id, trace).write(line);
}

/// What has happened.
pub(super) fn operation(line: &mut Vec<u8>, at: Instant, operation: &Operation<'_>) {
    let Operation { caller, method, name, request_id, trace, outcome, affected, elapsed, .. } =
        *operation;
    let is_denied = outcome.is_denial();
    let record = Record {
        decision: Some(if is_denied { Decision::Denied } else { Decision::Allowed }),
        outcome: Some(match outcome {
            Outcome::Completed => "ok",
            Outcome::Failed { .. } | Outcome::Rejected { .. } => "error",
            Outcome::Abandoned => "abandoned",
        }),
        code: outcome.code(),
        rpc_error: match outcome {
            // That of OAuth is the status of HTTP.
            Outcome::Rejected { number, .. } => (number < 0).then_some(number),
            Outcome::Completed | Outcome::Failed { .. } | Outcome::Abandoned => None,
        },
        shown: Shown(affected),
        changed: Changed(affected),
        duration_us: Some(micros(elapsed)),
        ..Record::new(at, Event::Operation)
    };
    record.of(caller).about(method, name, request_id, trace).write(line);
}

/// A request that [is refused](is_refusal).
pub(super) fn refusal(line: &mut Vec<u8>, at: Instant, request: &AnsweredRequest<'_>) {
    let AnsweredRequest { status, caller, code, reason, elapsed, .. } = *request;
    let record = Record {
        decision: Some(Decision::Denied),
        status: Some(status),
        code,
        reason: reason.map(bounded),
        duration_us: Some(micros(elapsed)),
        ..Record::new(at, Event::Refusal)
    };
    match caller {
        Some(caller) => record.of(caller).write(line),
        None => record.write(line),
    }
}

/// Records that could not be kept. Added to what `line` has.
pub(super) fn losses(lines: &mut Vec<u8>, at: Instant, records: u64) {
    let mut line = Vec::new();
    Record { records: Some(records), ..Record::new(at, Event::Lost) }.write(&mut line);
    lines.append(&mut line);
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The beginning of a text that is too long.
fn bounded(text: &str) -> &str {
    if text.len() <= LONGEST { text } else { &text[..text.floor_char_boundary(LONGEST)] }
}

fn display<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// The `id` of a JSON-RPC request: a number or a text, as the client has made it up.
#[derive(Serialize)]
#[serde(untagged)]
enum RequestId<'a> {
    Number(i64),
    Text(Cow<'a, str>),
}

impl<'a> RequestId<'a> {
    /// Of JSON. A number that is no usual one is kept as a text. `None` for a text that is not Unicode.
    fn of(json: &'a str) -> Option<Self> {
        let text = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Some(match text {
            Some(text) if !text.contains('\\') => Self::Text(text.into()),
            Some(_) => Self::Text(serde_json::from_str::<String>(json).ok()?.into()),
            None => json.parse().map_or_else(|_| Self::Text(bounded(json).into()), Self::Number),
        })
    }
}

/// The ids of those that were only shown.
struct Shown<'a>(&'a [Affected]);

impl Shown<'_> {
    fn is_empty(&self) -> bool {
        self.0.iter().all(is_changed)
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().filter(|it| !is_changed(it)).map(|it| &it.id))
    }
}

/// Those that were changed, in the order of the changes.
struct Changed<'a>(&'a [Affected]);

impl Changed<'_> {
    fn is_empty(&self) -> bool {
        !self.0.iter().any(is_changed)
    }
}

impl Serialize for Changed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Write<'a> {
            todo_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            version_before: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            version_after: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            change_id: Option<&'a str>,
        }
        serializer.collect_seq(self.0.iter().filter(|it| is_changed(it)).map(|it| {
            let Affected { id, version_before, version_after, change_id } = it;
            Write {
                todo_id: id,
                version_before: *version_before,
                version_after: *version_after,
                change_id: change_id.as_deref(),
            }
        }))
    }
}

fn is_changed(affected: &Affected) -> bool {
    let Affected { id: _, version_before, version_after, change_id } = affected;
    version_before.is_some() || version_after.is_some() || change_id.is_some()
}

#[cfg(test)]
mod tests;
