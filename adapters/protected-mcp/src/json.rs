//! JSON on one line.
//!
//! JSON allows U+2028 and U+2029 in its strings (RFC 8259 section 7), and many programs that read JSON line
//! by line take them for the end of a line. Escaped, they are the same text to a JSON parser.

use axum::body::Bytes;
use memchr::memchr_iter;
use serde::Serialize;

/// Writes a value as JSON without a line break of any kind.
pub fn to_json_line(value: &impl Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(value)?;
    let Some(escaped) = escape_line_separators(json.as_bytes(), "\\u") else { return Ok(json) };
    String::from_utf8(escaped).map_err(serde::ser::Error::custom)
}

/// The same JSON without U+2028 and U+2029.
pub(crate) fn one_line(json: Bytes) -> Bytes {
    escape_line_separators(&json, "\\u").map_or(json, Bytes::from)
}

/// JSON with each U+2028 and U+2029 as `escape`, which ends with a `u`, and four digits. `None` if there is
/// none.
///
/// They can stand only inside of strings, so this needs no parser: it looks for their first byte.
pub(crate) fn escape_line_separators(json: &[u8], escape: &str) -> Option<Vec<u8>> {
    let mut escaped = Vec::new();
    let mut written = 0;
    for start in memchr_iter(0xe2, json) {
        let digits = match json.get(start..start + 3) {
            Some([_, 0x80, 0xa8]) => "2028",
            Some([_, 0x80, 0xa9]) => "2029",
            _ => continue,
        };
        escaped.reserve(json.len() - written + 8);
        escaped.extend_from_slice(&json[written..start]);
        escaped.extend_from_slice(escape.as_bytes());
        escaped.extend_from_slice(digits.as_bytes());
        written = start + 3;
    }
    if written == 0 {
        return None;
    }
    escaped.extend_from_slice(&json[written..]);
    Some(escaped)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_separators_are_escaped_and_other_punctuation_is_not() {
        for (text, json) in [
            ("", r#""""#),
            ("a\u{2028}b", r#""a\u2028b""#),
            ("\u{2029}\u{2028}", r#""\u2029\u2028""#),
            ("\\\u{2028}\n", r#""\\\u2028\n""#),
            ("– “€” \u{2027}\u{202a}", "\"– “€” \u{2027}\u{202a}\""),
        ] {
            assert_eq!(to_json_line(&text).unwrap(), json);
        }
    }

    proptest! {
        #[test]
        fn the_value_stays_the_same(text in "[a\"\\\\\u{2028}\u{2029}\u{2027}é]{0,20}") {
            let json = to_json_line(&[&text]).unwrap();
            prop_assert!(!json.contains(['\u{2028}', '\u{2029}']), "a separator");
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [text]);
        }
    }
}
