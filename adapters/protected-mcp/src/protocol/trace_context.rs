//! The trace that a client says its request is a part of.

use axum::http::{HeaderMap, HeaderName};
use serde::Deserialize;

use super::Request;
use crate::jsonrpc::{object, string};

/// A trace that a request is a part of (W3C Trace Context), of `params._meta` (SEP-414) or of the headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// `traceparent`: `00-<32 hexadecimal digits>-<16>-<2>`, valid; of a later version, what 00 has of it.
    pub parent: String,
    /// `tracestate`, as it came, at most 512 bytes.
    pub state: Option<String>,
}

static PARENT_HEADER: HeaderName = HeaderName::from_static("traceparent");
static STATE_HEADER: HeaderName = HeaderName::from_static("tracestate");

/// The longest `tracestate` that is kept, in bytes: what W3C Trace Context asks of everyone.
const LONGEST_STATE: usize = 512;

/// How long a `traceparent` of version 00 is, in bytes.
const LENGTH: usize = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".len();

impl TraceContext {
    fn new(parent: &str, state: Option<&str>) -> Option<Self> {
        let state = state.filter(|state| state.len() <= LONGEST_STATE && state.is_ascii());
        // A reader of version 00 takes what that has of a later one (W3C Trace Context, "Versioning").
        let known = parent.get(2..LENGTH).filter(|_| is_parent(parent))?;
        Some(Self { parent: format!("00{known}"), state: state.map(str::to_owned) })
    }

    /// The id of the trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.parent.get(3..35).unwrap_or_default()
    }
}

/// Whether it is a `traceparent` of version 00, or of a later one that begins like it.
fn is_parent(text: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    let is_zero = |text: &str| text.bytes().all(|it| it == b'0');
    let mut parts = text.split('-');
    let [Some(version), Some(trace), Some(span), Some(flags)] = [(); 4].map(|()| parts.next())
    else {
        return false;
    };
    let lengths = [(version, 2), (trace, 32), (span, 16), (flags, 2)];
    lengths.iter().all(|(part, length)| part.len() == *length && hex(part))
        && version != "ff"
        && (version != "00" || parts.next().is_none())
        && !is_zero(trace)
        && !is_zero(span)
}

/// The trace of a request, and that of the HTTP request that carries it if it is stated apart: that of `_meta` is
/// nearer to what is asked for.
pub(crate) fn trace_contexts(
    request: &Request<'_>,
    headers: &HeaderMap,
) -> (Option<TraceContext>, Option<TraceContext>) {
    #[derive(Deserialize)]
    struct Meta<'a> {
        #[serde(borrow)]
        traceparent: Option<&'a serde_json::value::RawValue>,
        #[serde(borrow)]
        tracestate: Option<&'a serde_json::value::RawValue>,
    }
    let of_meta = || {
        // Most requests have none, and `_meta` was read before.
        let meta = request.params.meta.filter(|meta| meta.get().contains("traceparent"))?;
        let meta: Meta<'_> = object(meta).ok()?;
        let state = meta.tracestate.and_then(string);
        TraceContext::new(&string(meta.traceparent?)?, state.as_deref())
    };
    let header = |name: &HeaderName| headers.get(name).and_then(|it| it.to_str().ok());
    let of_headers =
        header(&PARENT_HEADER).and_then(|parent| TraceContext::new(parent, header(&STATE_HEADER)));
    match of_meta() {
        None => (of_headers, None),
        of_meta => (of_meta, of_headers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{Message, Payload, read};

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(meta: &str, headers: &[(&'static str, &str)]) -> Option<TraceContext> {
        both_of(meta, headers).0
    }

    fn both_of(
        meta: &str,
        headers: &[(&'static str, &str)],
    ) -> (Option<TraceContext>, Option<TraceContext>) {
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"_meta":{meta}}}}}"#);
        let Ok(Payload::One(Message::Request(request))) = read(body.as_bytes()) else { panic!() };
        let headers = headers.iter().map(|(name, it)| (name.parse().unwrap(), it.parse().unwrap()));
        trace_contexts(&request, &headers.collect())
    }

    #[test]
    fn a_trace_is_named_by_meta_or_else_by_the_headers() {
        let other = PARENT.replace("4bf9", "0000");
        let meta = format!(r#"{{"traceparent":"{PARENT}","tracestate":"a=1"}}"#);
        let (from_meta, linked) = both_of(&meta, &[("traceparent", &other)]);
        let from_meta = from_meta.unwrap();
        assert_eq!(linked.unwrap().parent, other);
        assert_eq!((&*from_meta.parent, from_meta.state.as_deref()), (PARENT, Some("a=1")));
        assert_eq!(from_meta.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let headers = [("traceparent", PARENT), ("tracestate", "b=2")];
        let from_headers = of(r#"{"traceparent":1}"#, &headers).unwrap();
        assert_eq!((&*from_headers.parent, from_headers.state.as_deref()), (PARENT, Some("b=2")));
    }

    #[test]
    fn what_is_no_traceparent_is_no_trace() {
        for wrong in [
            "",
            "00",
            &PARENT[..54],
            &PARENT.to_uppercase(),
            &PARENT.replace("00-4", "ff-4"),
            &PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &PARENT.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &format!("{PARENT}-more"),
            &format!("{PARENT} "),
            &PARENT.replace('f', "é"),
        ] {
            assert_eq!(TraceContext::new(wrong, None), None, "{wrong:?}");
        }
        let later = format!("{}-more", PARENT.replacen("00", "01", 1));
        assert_eq!(TraceContext::new(&later, None).unwrap().parent, PARENT);
        assert_eq!(of("{}", &[]), None);
        assert_eq!(TraceContext::new(PARENT, Some(&"x".repeat(513))).unwrap().state, None);
    }
}
