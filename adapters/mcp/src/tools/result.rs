//! What a tool answers with, as clients get it.
//!
//! A result holds the same JSON twice, as structured content and as text (MCP `CallToolResult`). For a
//! page of a list that is most of what answering costs, so both are written at once.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::era::Era;
use crate::failure::ToolError;
use crate::rpc::{Reply, RpcError};
use crate::server_info::ResultFrame;

/// The JSON that a tool answers with.
#[derive(Debug)]
pub(crate) struct Payload {
    json: Vec<u8>,
    /// The inside of a JSON string that holds it.
    text: Vec<u8>,
}

impl Payload {
    /// Writes a payload of about `size` bytes.
    pub(crate) fn write(value: &impl Serialize, size: usize) -> Result<Self, serde_json::Error> {
        let mut payload =
            Self { json: Vec::with_capacity(size), text: Vec::with_capacity(size * 5 / 4) };
        serde_json::to_writer(&mut payload, value)?;
        Ok(payload)
    }

    #[cfg(feature = "fuzzing")]
    pub(crate) fn into_string(self) -> String {
        String::from_utf8_lossy(&self.json).into_owned()
    }
}

/// Takes JSON in the pieces in which `serde_json` writes it: quotation marks on their own, escapes on
/// their own, and between them what needs no escape. The tests would notice if it changed its ways.
impl Write for Payload {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.write_all(piece).map(|()| piece.len())
    }

    #[inline]
    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        self.json.extend_from_slice(piece);
        match piece {
            b"\"" => self.text.extend_from_slice(br#"\""#),
            [b'\\', ..] => {
                for byte in piece {
                    if matches!(byte, b'"' | b'\\') {
                        self.text.push(b'\\');
                    }
                    self.text.push(*byte);
                }
            }
            plain => self.text.extend_from_slice(plain),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
    Payload { json: payload, text }: &Payload,
    is_error: bool,
) -> Result<Reply, RpcError> {
    // Text and structured content, and what stands around them.
    let mut json = Vec::with_capacity(payload.len() + text.len() + 512);
    json.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    json.extend_from_slice(id.get().as_bytes());
    json.extend_from_slice(br#","result":{"content":[{"type":"text","text":""#);
    json.extend_from_slice(text);
    json.extend_from_slice(br#""}]"#);
    if !is_error {
        json.extend_from_slice(br#","structuredContent":"#);
        json.extend_from_slice(payload);
    }
    let is_error: &[u8] = if is_error { br#","isError":true"# } else { br#","isError":false"# };
    json.extend_from_slice(is_error);
    ResultFrame::of(era).append_to(&mut json)?;
    json.extend_from_slice(b"}}");
    Ok(Reply::of_json(json))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_text_of(value: &impl Serialize) {
        let payload = Payload::write(value, 0).unwrap();
        let json = serde_json::to_string(value).unwrap();
        assert_eq!(String::from_utf8(payload.json).unwrap(), json);
        let text = String::from_utf8(payload.text).unwrap();
        assert_eq!(format!("\"{text}\""), serde_json::to_string(&json).unwrap());
    }

    proptest! {
        /// What any JSON writer would have made of it.
        #[test]
        fn the_text_is_the_json_as_a_string(
            texts in prop::collection::vec("(?s).*", 0..20),
            numbers in prop::collection::btree_map(".*", any::<Option<i64>>(), 0..5),
        ) {
            assert_text_of(&(texts, numbers, 0.5, true));
        }
    }

    #[test]
    fn what_needs_escapes_is_escaped_twice() {
        let every = ('\0'..='\u{ff}').collect::<String>();
        assert_text_of(&every);
        assert_text_of(&["\"", "\\", "\"\"\\\"", "a\"b\\c\n\u{1f}\u{7f}\u{2028}"]);
    }
}
