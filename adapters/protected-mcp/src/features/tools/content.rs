//! The content of a tool result.
//!
//! A result holds the same JSON twice, as structured content and as text (MCP `CallToolResult`). For a
//! page of a list that is most of the work of answering, so both are written in one pass.

mod prepared;
mod serializer;
mod twice;

use serde::Serialize;

use crate::json::escape_line_separators;
use twice::Twice;

pub use prepared::PreparedJson;

/// The JSON of a result or of a failure.
pub(crate) struct Content(Twice);

impl Content {
    /// Writes a value of about `size` bytes.
    pub(super) fn write(value: &impl Serialize, size: usize) -> serde_json::Result<Self> {
        let mut twice = Twice::with_capacity(size);
        value.serialize(&mut twice)?;
        // An escape in the JSON is one in the text, where its backslash is escaped again.
        if let Some(json) = escape_line_separators(&twice.json, r"\u") {
            twice.json = json;
            let text = escape_line_separators(&twice.text, r"\\u");
            twice.text = text.unwrap_or(twice.text);
        }
        Ok(Self(twice))
    }

    /// The size of the result that [`Content::append_result`] writes, in bytes.
    pub(super) fn result_size(&self) -> usize {
        self.0.json.len() + self.0.text.len() + 96
    }

    /// Appends the result as an object. A failure has no structured content, because clients validate
    /// that against the schema of success.
    pub(super) fn append_result(&self, is_error: bool, json: &mut Vec<u8>) {
        json.extend_from_slice(br#"{"content":[{"type":"text","text":""#);
        json.extend_from_slice(&self.0.text);
        json.extend_from_slice(br#""}]"#);
        if !is_error {
            json.extend_from_slice(br#","structuredContent":"#);
            json.extend_from_slice(&self.0.json);
        }
        let is_error: &[u8] =
            if is_error { br#","isError":true}"# } else { br#","isError":false}"# };
        json.extend_from_slice(is_error);
    }

    #[cfg(feature = "fuzzing")]
    pub(super) fn into_string(self) -> String {
        String::from_utf8_lossy(&self.0.json).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::json::to_json_line;

    fn assert_text_of(value: &impl Serialize) {
        let content = Content::write(value, 0).unwrap();
        let json = to_json_line(value).unwrap();
        assert_eq!(String::from_utf8(content.0.json).unwrap(), json);
        let text = String::from_utf8(content.0.text).unwrap();
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

    /// One value of each kind that serde has.
    #[test]
    fn every_kind_of_value_is_written_as_serde_json_does() {
        #[derive(Serialize)]
        struct Unit;
        #[derive(Serialize)]
        struct Newtype(&'static str);
        #[derive(Serialize)]
        struct Tuple(u8, Newtype);
        #[derive(Serialize)]
        struct Named {
            #[serde(rename = "a \"name\"")]
            name: Option<Unit>,
            #[serde(skip_serializing_if = "Option::is_none")]
            absent: Option<u8>,
            #[serde(flatten)]
            flat: BTreeMap<&'static str, u8>,
        }
        #[derive(Serialize)]
        struct Empty {}
        #[derive(Serialize)]
        enum Choice {
            Unit,
            Newtype(Tuple),
            Tuple(bool, char),
            Struct { it: f32, other: () },
        }
        let named = Named { name: Some(Unit), absent: None, flat: [("b", 1), ("c", 2)].into() };
        assert_text_of(&(named, Empty {}, Tuple(1, Newtype("x")), (), [(); 0]));
        let choices =
            (Choice::Unit, Choice::Newtype(Tuple(2, Newtype("\""))), Choice::Tuple(false, '\n'));
        assert_text_of(&(choices, Choice::Struct { it: 1.5, other: () }));
        assert_text_of(&(i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN));
        assert_text_of(&(u8::MAX, u16::MAX, u32::MAX, u64::MAX, u128::MAX));
        assert_text_of(&(f32::MAX, f64::MIN_POSITIVE, f64::NAN, f64::NEG_INFINITY, -0.0));
        assert_text_of(&(c"bytes", serde_json::json!({ "a": [1, { "b": null }], "c": {} })));
    }

    #[test]
    fn the_name_of_a_member_may_be_what_is_no_text() {
        #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
        enum Name {
            First,
        }
        assert_text_of(&BTreeMap::from([(-1, "a"), (2, "b")]));
        assert_text_of(&BTreeMap::from([(true, 'a')]));
        assert_text_of(&BTreeMap::from([(Name::First, 1)]));
        assert_text_of(&BTreeMap::from([('"', 1), ('\u{2028}', 2)]));
        assert!(Content::write(&BTreeMap::from([((1, 2), 3)]), 0).is_err());
        assert!(Content::write(&BTreeMap::from([(None::<u8>, 3)]), 0).is_err());
    }

    #[test]
    fn an_escape_is_found_at_every_place() {
        for length in 0..50 {
            for place in 0..length {
                let mut text = vec![b'x'; length];
                text[place] = b"\"\\\n\x1f"[place % 4];
                assert_text_of(&String::from_utf8(text).unwrap());
            }
        }
    }
}
