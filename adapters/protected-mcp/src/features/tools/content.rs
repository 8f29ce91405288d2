//! The content of a tool result.
//!
//! A result holds the same JSON twice, as structured content and as text (MCP `CallToolResult`). For a
//! page of a list that is most of the work of answering, so both are written in one pass.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

use crate::json::escape_line_separators;

/// The JSON of a result or of a failure.
#[derive(Debug)]
pub(crate) struct Content {
    json: Vec<u8>,
    /// `json` again, escaped for the inside of a JSON string.
    text: Vec<u8>,
}

impl Content {
    /// Writes a value of about `size` bytes.
    pub(super) fn write(value: &impl Serialize, size: usize) -> serde_json::Result<Self> {
        let mut content =
            Self { json: Vec::with_capacity(size), text: Vec::with_capacity(size * 5 / 4) };
        let twice = Twice { text: &mut content.text };
        value.serialize(&mut Serializer::with_formatter(&mut content.json, twice))?;
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

/// Writes compact JSON, and the same to `text` as the inside of a JSON string.
struct Twice<'a> {
    text: &'a mut Vec<u8>,
}

impl Twice<'_> {
    /// Writes what is the same in both.
    fn plain<W: ?Sized + Write>(&mut self, json: &mut W, piece: &[u8]) -> io::Result<()> {
        self.text.extend_from_slice(piece);
        json.write_all(piece)
    }

    fn quotation_mark<W: ?Sized + Write>(&mut self, json: &mut W) -> io::Result<()> {
        self.text.extend_from_slice(br#"\""#);
        json.write_all(b"\"")
    }

    /// Writes any JSON.
    fn any<'b, W: ?Sized>(&'b mut self, json: &'b mut W) -> Escaping<'b, W> {
        Escaping { json, text: self.text }
    }
}

macro_rules! as_compact {
    ($($method:ident($type:ty)),*) => {$(
        #[inline]
        fn $method<W: ?Sized + Write>(&mut self, json: &mut W, value: $type) -> io::Result<()> {
            CompactFormatter.$method(&mut self.any(json), value)
        }
    )*};
}

impl Formatter for Twice<'_> {
    as_compact!(write_bool(bool), write_number_str(&str), write_raw_fragment(&str));
    as_compact!(write_char_escape(CharEscape), write_f32(f32), write_f64(f64));
    as_compact!(write_i8(i8), write_i16(i16), write_i32(i32), write_i64(i64), write_i128(i128));
    as_compact!(write_u8(u8), write_u16(u16), write_u32(u32), write_u64(u64), write_u128(u128));

    #[inline]
    fn write_null<W: ?Sized + Write>(&mut self, json: &mut W) -> io::Result<()> {
        self.plain(json, b"null")
    }

    #[inline]
    fn begin_string<W: ?Sized + Write>(&mut self, json: &mut W) -> io::Result<()> {
        self.quotation_mark(json)
    }

    #[inline]
    fn end_string<W: ?Sized + Write>(&mut self, json: &mut W) -> io::Result<()> {
        self.quotation_mark(json)
    }

    #[inline]
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        json: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        self.plain(json, fragment.as_bytes())
    }

    #[inline]
    fn begin_array<W: ?Sized + Write>(&mut self, json: &mut W) -> io::Result<()> {
        self.plain(json, b"[")
    }

    #[inline]
    fn end_array<W: ?Sized + Write>(&mut self, json: &mut W) -> io::Result<()> {
        self.plain(json, b"]")
    }

    #[inline]
    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        json: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { self.plain(json, b",") }
    }

    #[inline]
    fn begin_object<W: ?Sized + Write>(&mut self, json: &mut W) -> io::Result<()> {
        self.plain(json, b"{")
    }

    #[inline]
    fn end_object<W: ?Sized + Write>(&mut self, json: &mut W) -> io::Result<()> {
        self.plain(json, b"}")
    }

    #[inline]
    fn begin_object_key<W: ?Sized + Write>(&mut self, json: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { self.plain(json, b",") }
    }

    #[inline]
    fn begin_object_value<W: ?Sized + Write>(&mut self, json: &mut W) -> io::Result<()> {
        self.plain(json, b":")
    }
}

/// Writes JSON as it is, and the same to `text` as the inside of a JSON string.
struct Escaping<'a, W: ?Sized> {
    json: &'a mut W,
    text: &'a mut Vec<u8>,
}

impl<W: ?Sized + Write> Write for Escaping<'_, W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.write_all(piece).map(|()| piece.len())
    }

    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        escape(piece, self.text);
        self.json.write_all(piece)
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
