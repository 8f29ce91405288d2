//! Reading the arguments of a tool.

use serde::Deserialize;

use super::super::failure::Failure;
use crate::jsonrpc::excerpt;

/// Reads arguments, the JSON text of an object.
pub(super) fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Failure> {
    serde_json::from_str(json).map_err(|error| explain::<T>(json, &error))
}

/// Finds the argument that an error is about, and the rule that it breaks. Only a call that failed pays
/// for that.
fn explain<'a, T: Deserialize<'a>>(json: &'a str, error: &serde_json::Error) -> Failure {
    /// How much of an argument's name is repeated, in characters: it may be invented by the caller.
    const LONGEST_NAME: usize = 64;

    let mut deserializer = serde_json::Deserializer::from_str(json);
    let path = serde_path_to_error::deserialize::<_, T>(&mut deserializer)
        .err()
        .map(|error| error.path().to_string());
    let message = error.to_string();
    // The position in the text is meaningless to a caller that did not write the text.
    let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
    // serde names a field that is missing, unknown or repeated only in its message, and ends with what it
    // expected. The text of the caller stands in between, and is not repeated.
    let field = |start: &str, end: &str| message.strip_prefix(start)?.split(end).next();
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
    let (argument, rule) = if let Some(name) = field("missing field `", "`") {
        (name, "it is required".to_owned())
    } else if let Some(name) = field("duplicate field `", "`") {
        (name, "it is given twice".to_owned())
    } else if let Some(name) = field("unknown field `", "`, expected ") {
        let known = expected.map_or(String::new(), |known| format!(", expected {known}"));
        (name, format!("there is no such argument{known}"))
    } else {
        let path = path.as_deref().filter(|path| *path != "." && *path != "?");
        let rule = expected.map_or_else(
            || "it cannot be read".to_owned(),
            |expected| format!("it must be {expected}"),
        );
        (path.unwrap_or("arguments"), rule)
    };
    Failure::invalid_argument(&excerpt(argument, LONGEST_NAME), rule)
}

#[cfg(test)]
mod tests {
    use super::super::Integer;
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(rename = "title")]
        _title: String,
        #[serde(rename = "limit")]
        _limit: Option<Integer>,
    }

    #[test]
    fn the_sentence_names_the_argument_and_the_rule() {
        for (json, sentence) in [
            ("{}", "Invalid argument `title`: it is required."),
            (r#"{"title":5}"#, "Invalid argument `title`: it must be a string."),
            (r#"{"title":null}"#, "Invalid argument `title`: it must be a string."),
            (
                r#"{"title":"x","colour":"red"}"#,
                "Invalid argument `colour`: there is no such argument, expected `title` or `limit`.",
            ),
            (r#"{"title":"x","title":"y"}"#, "Invalid argument `title`: it is given twice."),
            (
                r#"{"title":"x","limit":5.5}"#,
                "Invalid argument `limit`: it must be a whole number.",
            ),
        ] {
            let error = read::<Sample>(json).unwrap_err();
            assert_eq!(error.sentence(), sentence);
        }
    }

    #[test]
    fn text_of_the_caller_is_not_repeated_at_length() {
        let long = "x, expected y`".repeat(10_000);
        for json in [
            serde_json::json!({ "title": "x", "limit": long }),
            serde_json::json!({ "title": "x", &long: 1 }),
            serde_json::json!({ "title": { &long: long } }),
        ] {
            let json = json.to_string();
            let error = read::<Sample>(&json).unwrap_err();
            assert!(error.sentence().len() < 200, "{error:?}");
        }
    }
}
