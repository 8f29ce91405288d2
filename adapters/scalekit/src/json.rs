//! JSON objects, more strictly than `serde` reads them.

use serde::Deserialize;

/// Parses a JSON object.
///
/// A derived `Deserialize` accepts an array for a struct, with the members in the order of the fields;
/// RFC 7519 section 7.2 and RFC 7517 section 5 require objects. A repeated member that `T` names is an
/// error (RFC 7519 section 4).
pub(crate) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    // `trim_start` also drops whitespace that is not JSON's; the parser rejects it.
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
    fn only_an_object_without_repeated_members_is_accepted() {
        assert_eq!(object::<Members>(" {\"b\": [1], \"a\": \"x\"} "), Some(Members { a: "x" }));
        for rejected in [
            "",
            "null",
            "[\"x\"]",
            "\"x\"",
            "{}",
            "{\"a\": \"x\"} {}",
            "{\"a\": \"x\", \"a\": \"x\"}",
            "\u{a0}{\"a\": \"x\"}",
        ] {
            assert_eq!(object::<Members>(rejected), None, "{rejected:?}");
        }
    }
}
