//! The one way to write a result: its own members, cache hints, and what every result carries.

use std::io::Write as _;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;

use super::era::Era;
use crate::jsonrpc::{Error, Reply};

/// Writes the results of one server.
#[derive(Debug)]
pub(crate) struct Frame {
    /// `"resultType":"complete","_meta":{..`, without the end of `_meta`.
    modern: Vec<u8>,
}

/// For how long, in milliseconds, and for whom a result may be cached (MCP 2026-07-28).
#[derive(Debug, Clone, Copy)]
pub(crate) struct CacheHints {
    ttl_ms: u32,
    scope: &'static str,
}

impl CacheHints {
    /// The same for every caller.
    pub(crate) const PUBLIC: Self = Self { ttl_ms: 3_600_000, scope: "public" };

    /// Depends on the caller, and may change at any moment.
    pub(crate) const PRIVATE: Self = Self { ttl_ms: 0, scope: "private" };
}

impl Frame {
    /// `server_info` goes into every result of 2026-07-28.
    pub(crate) fn new(server_info: &RawValue) -> Self {
        let modern = format!(
            r#""resultType":"complete","_meta":{{"io.modelcontextprotocol/serverInfo":{server_info}"#
        );
        Self { modern: modern.into_bytes() }
    }

    /// The answer with a result. `result` must serialize as an object.
    pub(crate) fn result(
        &self,
        era: Era,
        id: &RawValue,
        result: &impl Serialize,
        cache: Option<CacheHints>,
    ) -> Result<Reply, Error> {
        let write = |json: &mut Vec<u8>| serde_json::to_writer(json, result);
        self.write(era, id, 256, write, cache, None)
    }

    /// The answer with a result that `write` appends as an object of about `size` bytes. `meta` is an
    /// object with further members of the result's `_meta`.
    pub(crate) fn write(
        &self,
        era: Era,
        id: &RawValue,
        size: usize,
        write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>,
        cache: Option<CacheHints>,
        meta: Option<&RawValue>,
    ) -> Result<Reply, Error> {
        let mut json = Vec::with_capacity(size + id.get().len() + self.modern.len() + 128);
        json.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
        json.extend_from_slice(id.get().as_bytes());
        json.extend_from_slice(br#","result":"#);
        let written = write(&mut json).map_err(serde_json::Error::into);
        written.and_then(|()| self.close(era, &mut json, cache, meta)).map_err(
            |cause: std::io::Error| {
                tracing::error!(%cause, "a result could not be written as JSON");
                Error::internal()
            },
        )?;
        Ok(Reply::of_json(StatusCode::OK, json))
    }

    /// Adds the members that all results have in common, and ends result and answer.
    fn close(
        &self,
        era: Era,
        json: &mut Vec<u8>,
        cache: Option<CacheHints>,
        meta: Option<&RawValue>,
    ) -> std::io::Result<()> {
        if json.pop() != Some(b'}') {
            return Err(std::io::Error::other("a result must be an object"));
        }
        let meta = meta.and_then(members).filter(|members| !members.is_empty());
        match era {
            Era::Legacy => {
                if let Some(meta) = meta {
                    separate(json);
                    write!(json, r#""_meta":{{{meta}}}"#)?;
                }
            }
            Era::Modern => {
                if let Some(CacheHints { ttl_ms, scope }) = cache {
                    separate(json);
                    write!(json, r#""ttlMs":{ttl_ms},"cacheScope":"{scope}""#)?;
                }
                separate(json);
                json.extend_from_slice(&self.modern);
                if let Some(meta) = meta {
                    write!(json, ",{meta}")?;
                }
                json.push(b'}');
            }
        }
        json.extend_from_slice(b"}}");
        Ok(())
    }
}

/// What stands between the braces of an object.
fn members(object: &RawValue) -> Option<&str> {
    object.get().strip_prefix('{')?.strip_suffix('}')
}

/// A comma, unless the object is still empty.
fn separate(json: &mut Vec<u8>) {
    if json.last() != Some(&b'{') {
        json.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;
    use serde_json::{Value, json};

    use super::*;

    /// The result as JSON.
    fn written(era: Era, result: &Value, cache: Option<CacheHints>, meta: Option<&Value>) -> Value {
        let frame = Frame::new(&to_raw_value(&json!({ "name": "notes" })).unwrap());
        let id = to_raw_value(&7).unwrap();
        let meta = meta.map(|meta| to_raw_value(meta).unwrap());
        let write = |json: &mut Vec<u8>| serde_json::to_writer(json, result);
        let reply = frame.write(era, &id, 0, write, cache, meta.as_deref()).unwrap();
        let answer: Value = serde_json::from_slice(reply.as_json()).unwrap();
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(7)));
        answer["result"].clone()
    }

    #[test]
    fn results_of_the_old_revisions_carry_nothing_else() {
        for result in [json!({}), json!({ "a": [{}] })] {
            assert_eq!(written(Era::Legacy, &result, Some(CacheHints::PUBLIC), None), result);
        }
        let result = written(Era::Legacy, &json!({}), None, Some(&json!({ "x": 1 })));
        assert_eq!(result, json!({ "_meta": { "x": 1 } }));
    }

    #[test]
    fn results_of_2026_07_28_carry_their_type_the_server_and_cache_hints() {
        let server = json!({ "io.modelcontextprotocol/serverInfo": { "name": "notes" } });
        let result = written(Era::Modern, &json!({ "a": 1 }), Some(CacheHints::PRIVATE), None);
        let expected = json!({
            "a": 1, "ttlMs": 0, "cacheScope": "private", "resultType": "complete", "_meta": server,
        });
        assert_eq!(result, expected);
        let result = written(Era::Modern, &json!({}), None, Some(&json!({})));
        assert_eq!(result, json!({ "resultType": "complete", "_meta": server }));
        let result = written(Era::Modern, &json!({}), None, Some(&json!({ "x": {} })));
        assert_eq!(result["_meta"]["x"], json!({}));
        assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "notes");
    }

    #[test]
    fn a_result_that_is_not_an_object_is_an_internal_error() {
        let frame = Frame::new(&to_raw_value(&json!({})).unwrap());
        let id = to_raw_value(&7).unwrap();
        let error = frame.result(Era::Modern, &id, &[1], None).unwrap_err();
        assert_eq!(error.code(), Some(-32603));
    }
}
