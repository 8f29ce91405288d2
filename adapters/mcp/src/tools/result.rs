//! What a tool answers with, as clients get it.
//!
//! A result holds the same JSON twice, as structured content and as text (MCP `CallToolResult`). For a
//! page of a list that is most of what answering costs, so it is written once, and its text is made of
//! its bytes.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::era::Era;
use crate::failure::ToolError;
use crate::rpc::{Reply, RpcError};
use crate::server_info::ResultFrame;

/// The JSON that a tool answers with.
#[derive(Debug)]
pub(crate) struct Payload(String);

impl Payload {
    /// Writes a payload of about `size` bytes.
    pub(crate) fn write(value: &impl Serialize, size: usize) -> Result<Self, serde_json::Error> {
        let mut json = Vec::with_capacity(size);
        serde_json::to_writer(&mut json, value)?;
        String::from_utf8(json).map(Self).map_err(serde::ser::Error::custom)
    }

    #[cfg(feature = "fuzzing")]
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Writes a payload that is one todo, or less.
pub(super) fn small(value: &impl Serialize) -> Result<Payload, ToolError> {
    Payload::write(value, 512).map_err(ToolError::Unwritable)
}

/// Writes a payload of so many todos.
pub(super) fn list(value: &impl Serialize, todos: usize) -> Result<Payload, ToolError> {
    Payload::write(value, 64 + 320 * todos).map_err(ToolError::Unwritable)
}

/// A tool result. What failed carries no structured content: clients check that against the schema
/// of success.
pub(crate) fn result(
    id: &RawValue,
    era: Era,
    Payload(payload): &Payload,
    is_error: bool,
) -> Result<Reply, RpcError> {
    // Text and structured content, and what stands around them.
    let mut json = Vec::with_capacity(payload.len() * 9 / 4 + 512);
    json.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    json.extend_from_slice(id.get().as_bytes());
    json.extend_from_slice(br#","result":{"content":[{"type":"text","text":""#);
    escape(payload, &mut json);
    json.extend_from_slice(br#""}]"#);
    if !is_error {
        json.extend_from_slice(br#","structuredContent":"#);
        json.extend_from_slice(payload.as_bytes());
    }
    let is_error: &[u8] = if is_error { br#","isError":true"# } else { br#","isError":false"# };
    json.extend_from_slice(is_error);
    ResultFrame::of(era).append_to(&mut json)?;
    json.extend_from_slice(b"}}");
    Ok(Reply::of_json(json))
}

/// Writes compact JSON as the inside of a JSON string. What else would have to be escaped there, JSON
/// holds only in escaped form.
fn escape(json: &str, text: &mut Vec<u8>) {
    const CHUNK: usize = 128;
    let mut escaped = [0; 2 * CHUNK];
    for chunk in json.as_bytes().chunks(CHUNK) {
        let mut length = 0;
        // Without a branch, which no processor could foresee here.
        for (byte, room) in chunk.iter().zip(0..CHUNK) {
            // Never more than two for each.
            debug_assert!(length <= 2 * room);
            escaped[length % (2 * CHUNK)] = b'\\';
            length += usize::from(matches!(byte, b'"' | b'\\'));
            escaped[length % (2 * CHUNK)] = *byte;
            length += 1;
        }
        text.extend_from_slice(&escaped[..length]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(json: &str) -> String {
        let mut text = vec![b'"'];
        escape(json, &mut text);
        text.push(b'"');
        String::from_utf8(text).unwrap()
    }

    proptest! {
        /// What any JSON writer would have made of it.
        #[test]
        fn json_is_escaped_as_a_string_is(values in prop::collection::vec(".*", 0..20)) {
            let json = serde_json::to_string(&values).unwrap();
            prop_assert_eq!(escaped(&json), serde_json::to_string(&json).unwrap());
        }
    }

    #[test]
    fn what_is_all_quotes_becomes_twice_as_long() {
        let json = serde_json::to_string(&"\"".repeat(1_000)).unwrap();
        assert_eq!(escaped(&json), serde_json::to_string(&json).unwrap());
    }
}
