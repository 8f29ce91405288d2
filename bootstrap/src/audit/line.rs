//! A line of JSON, written member by member.
//!
//! Every operation makes one, and with `serde_json` a record of 15 members was two thirds of what the audit log costs.
//! Here, the name of a member is one piece with its punctuation, and so is a text in which nothing is to be escaped.

use serde::Serialize;

use crate::escape;

pub(super) struct Line<'a>(pub(super) &'a mut Vec<u8>);

/// What begins a member: `,"name":`, and the quotation mark of a text.
macro_rules! name {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
    (text $name:literal) => {
        concat!(",\"", $name, "\":\"")
    };
}
pub(super) use name;

impl Line<'_> {
    pub(super) fn raw(&mut self, json: &str) {
        self.0.extend_from_slice(json.as_bytes());
    }

    /// A text of this program, in which nothing is to be escaped.
    pub(super) fn word(&mut self, name: &'static str, word: &str) {
        self.raw(name);
        self.raw(word);
        self.0.push(b'"');
    }

    pub(super) fn number(&mut self, name: &'static str, number: impl Serialize) {
        self.raw(name);
        // A number can always be written to memory.
        let _ = serde_json::to_writer(&mut *self.0, &number);
    }

    /// A text from outside.
    pub(super) fn text(&mut self, name: &'static str, text: &str) {
        if is_plain(text) { self.word(name, text) } else { self.word(name, &escaped(text)) }
    }
}

/// Whether a text is printable ASCII, and nothing in it is to be escaped.
fn is_plain(text: &str) -> bool {
    // Without a way out, so that the compiler takes many bytes at once.
    text.bytes().fold(true, |plain, byte| plain & !matches!(byte, 0..b' ' | b'"' | b'\\' | 0x7f..))
}

/// The text as JSON, without its quotation marks, and without what acts on a terminal.
#[cold]
fn escaped(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap_or_default();
    let json = escape::json(&json);
    let inside = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_line_is_the_json_of_its_members() {
        let mut bytes = Vec::new();
        let line = &mut Line(&mut bytes);
        line.raw(r#"{"first":1"#);
        line.word(name!(text "word"), "it");
        line.number(name!("number"), u64::MAX);
        let mut expected = json!({ "first": 1, "word": "it", "number": u64::MAX });
        for (name, key, text) in [
            (name!(text "a"), "a", ""),
            (name!(text "b"), "b", "plain ~"),
            (name!(text "c"), "c", "\""),
            (name!(text "d"), "d", "a\\"),
            (name!(text "e"), "e", "\u{1b}[31m\u{7f}"),
            (name!(text "f"), "f", "ü\u{2028}\u{202e}"),
        ] {
            line.text(name, text);
            expected[key] = text.into();
        }
        line.raw("}");
        assert!(bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | 0x80..)), "nothing acts");
        let line = String::from_utf8(bytes).unwrap();
        assert!(line.contains(r"\u2028\u202e"), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);
    }
}
