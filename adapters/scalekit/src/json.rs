//! What JSON parsing has to refuse here beyond what `serde` refuses.

use serde::Deserialize;

/// Reads a JSON object.
///
/// A derived `Deserialize` also takes an array for a struct, members in the order of the fields;
/// RFC 7519 §7.2 and RFC 7517 §5 ask for objects. Duplicates of the members that `T` names are
/// errors (RFC 7519 §4).
pub(crate) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    // Whitespace that is not JSON's is refused by the parser.
    if !text.trim_start().starts_with('{') {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Members<'a> {
        a: &'a str,
    }

    #[test]
    fn only_an_object_with_single_members_is_read() {
        assert_eq!(object::<Members>(" {\"b\": [1], \"a\": \"x\"} "), Some(Members { a: "x" }));
        for refused in [
            "",
            "null",
            "[\"x\"]",
            "\"x\"",
            "{}",
            "{\"a\": \"x\"} {}",
            "{\"a\": \"x\", \"a\": \"x\"}",
            "\u{a0}{\"a\": \"x\"}",
        ] {
            assert_eq!(object::<Members>(refused), None, "{refused:?}");
        }
    }
}
