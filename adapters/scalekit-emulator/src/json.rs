//! JSON without characters that end a line or control a terminal.
//!
//! JSON allows U+007F to U+009F, U+2028 and U+2029 in its strings (RFC 8259 section 7). Some programs take
//! U+0085, U+2028 and U+2029 for the end of a line, and terminals obey U+009B like ESC `[`. Escaped, they
//! are the same text to a JSON parser.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A response body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for JsonBody<T> {
    fn into_response(self) -> Response {
        match serde_json::to_string(&self.0) {
            Ok(json) => {
                ([(header::CONTENT_TYPE, "application/json")], escaped(json)).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "a response cannot be written as JSON");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// The same JSON without these characters. They can occur only inside strings, so this needs no parser.
pub(crate) fn escaped(json: String) -> String {
    if !json.contains(is_escaped) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_escaped(character) {
            let escape = format!("\\u{:04x}", u32::from(character));
            escaped.push_str(&escape);
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn is_escaped(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_separators_and_control_characters_are_escaped_and_nothing_else_is() {
        for (text, json) in [
            ("", r#""""#),
            ("a\u{2028}b\u{2029}", r#""a\u2028b\u2029""#),
            ("\u{7f}\u{80}\u{85}\u{9b}\u{9f}", r#""\u007f\u0080\u0085\u009b\u009f""#),
            ("\\\u{2028}\n\u{1b}", r#""\\\u2028\n\u001b""#),
            ("~\u{a0}é– \u{2027}\u{202a}😀", "\"~\u{a0}é– \u{2027}\u{202a}😀\""),
        ] {
            let written = escaped(serde_json::to_string(text).unwrap());

            assert_eq!(written, json);
            assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
