//! The content of a tool result.
//!
//! A result holds the same JSON twice, as structured content and as text (MCP `CallToolResult`). For a
//! page of a list that is most of the work of answering, so both are written in one pass.

use std::io::{self, Write};

use serde::Serialize;

use crate::json::escape_line_separators;

/// The JSON of a result or of a failure.
#[derive(Debug)]
pub(crate) struct Content {
    json: Vec<u8>,
    /// `json` again, escaped for the inside of a JSON string.
    text: Vec<u8>,
    /// Whether what is written next is inside a string.
    in_string: bool,
}

impl Content {
    /// Writes a value of about `size` bytes.
    pub(super) fn write(value: &impl Serialize, size: usize) -> serde_json::Result<Self> {
        let mut content = Self {
            json: Vec::with_capacity(size),
            text: Vec::with_capacity(size * 5 / 4),
            in_string: false,
        };
        serde_json::to_writer(&mut content, value)?;
        // An escape in the JSON is one in the text, where its backslash is escaped again.
        if let Some(json) = escape_line_separators(&content.json, r"\u") {
            content.json = json;
            let text = escape_line_separators(&content.text, r"\\u");
            content.text = text.unwrap_or(content.text);
        }
        Ok(content)
    }

    /// The size of the result that [`Content::append_result`] writes, in bytes.
    pub(super) fn result_size(&self) -> usize {
        self.json.len() + self.text.len() + 96
    }

    /// Appends the result as an object. A failure has no structured content, because clients validate
    /// that against the schema of success.
    pub(super) fn append_result(&self, is_error: bool, json: &mut Vec<u8>) {
        json.extend_from_slice(br#"{"content":[{"type":"text","text":""#);
        json.extend_from_slice(&self.text);
        json.extend_from_slice(br#""}]"#);
        if !is_error {
            json.extend_from_slice(br#","structuredContent":"#);
            json.extend_from_slice(&self.json);
        }
        let is_error: &[u8] =
            if is_error { br#","isError":true}"# } else { br#","isError":false}"# };
        json.extend_from_slice(is_error);
    }

    #[cfg(feature = "fuzzing")]
    pub(super) fn into_string(self) -> String {
        String::from_utf8_lossy(&self.json).into_owned()
    }
}

/// Takes JSON in the pieces in which `serde_json` writes it: the quotation marks around a string alone, its
/// escapes alone, and what stands between them as it is. Outside of strings a piece may be any JSON (a
/// `RawValue`). The tests below fail if a version of `serde_json` writes other pieces.
impl Write for Content {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.write_all(piece).map(|()| piece.len())
    }

    #[inline]
    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        self.json.extend_from_slice(piece);
        match piece {
            b"\"" => {
                self.in_string = !self.in_string;
                self.text.extend_from_slice(br#"\""#);
            }
            [b'\\', ..] => escape(piece, &mut self.text),
            plain if self.in_string => self.text.extend_from_slice(plain),
            [single] => self.text.push(*single),
            any => escape(any, &mut self.text),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Escapes JSON for the inside of a JSON string.
fn escape(json: &[u8], text: &mut Vec<u8>) {
    for byte in json {
        match byte {
            b'"' | b'\\' => text.extend_from_slice(&[b'\\', *byte]),
            // Raw JSON may have whitespace between its tokens.
            b'\n' => text.extend_from_slice(br"\n"),
            b'\r' => text.extend_from_slice(br"\r"),
            b'\t' => text.extend_from_slice(br"\t"),
            plain => text.push(*plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::to_json_line;

    fn assert_text_of(value: &impl Serialize) {
        let content = Content::write(value, 0).unwrap();
        let json = to_json_line(value).unwrap();
        assert_eq!(String::from_utf8(content.json).unwrap(), json);
        let text = String::from_utf8(content.text).unwrap();
        assert_eq!(format!("\"{text}\""), serde_json::to_string(&json).unwrap());
    }

    proptest! {
        /// The text is what any JSON writer makes of the JSON.
        #[test]
        fn the_text_is_the_json_as_a_string(
            texts in prop::collection::vec("(?s).*", 0..20),
            numbers in prop::collection::btree_map(".*", any::<Option<i64>>(), 0..5),
        ) {
            assert_text_of(&(texts, numbers, 0.5, true));
        }
    }

    #[test]
    fn an_escape_is_escaped_again() {
        let every = ('\0'..='\u{ff}').collect::<String>();
        assert_text_of(&every);
        assert_text_of(&["\"", "\\", "\"\"\\\"", "a\"b\\c\n\u{1f}\u{7f}\u{2028}"]);
    }

    #[test]
    fn raw_json_is_escaped_too() {
        use serde_json::value::RawValue;
        for json in [r#""a\"b""#, "{ \"a\" :\t[\r\n1, \"\\\\\" ] }", "1.50", "null"] {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            assert_text_of(&(raw, "plain", raw));
        }
    }
}
