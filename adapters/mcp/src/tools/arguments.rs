//! Reading a tool's arguments.

use serde::Deserialize;
use thiserror::Error;
use todo_application::domain::Version;

use super::integer::Integer;

/// The arguments of one call, an object that nobody has looked into yet.
pub(crate) struct Arguments<'a>(&'a str);

/// What is wrong with an argument. The sentence names the argument and the rule, for a model to do
/// better the next time; it does not repeat the value.
#[derive(Debug, Error)]
#[error("Invalid argument `{argument}`: {rule}.")]
pub(crate) struct InvalidArgument {
    pub(crate) argument: String,
    pub(crate) rule: String,
}

impl InvalidArgument {
    pub(crate) fn new(argument: &str, rule: &impl ToString) -> Self {
        Self { argument: argument.to_owned(), rule: rule.to_string() }
    }
}

/// How much of an argument's name is repeated, in characters: it may be the caller's invention.
const LONGEST_NAME: usize = 64;

impl<'a> Arguments<'a> {
    /// `json` is the text of an object.
    pub(crate) fn new(json: &'a str) -> Self {
        Self(json)
    }

    /// Reads the arguments of a tool.
    pub(crate) fn read<T: Deserialize<'a>>(&self) -> Result<T, InvalidArgument> {
        serde_json::from_str(self.0).map_err(|error| self.explain::<T>(&error))
    }

    /// Finds out which argument it was. Only a call that failed pays for it.
    fn explain<T: Deserialize<'a>>(&self, error: &serde_json::Error) -> InvalidArgument {
        let mut deserializer = serde_json::Deserializer::from_str(self.0);
        let path = serde_path_to_error::deserialize::<_, T>(&mut deserializer)
            .err()
            .map(|error| error.path().to_string());
        let message = without_position(&error.to_string());
        // serde names a field that is missing, unknown or there twice in its message only, and says
        // what it expected at the end. What the caller wrote stands in between and stays there.
        let field = |start: &str, end: &str| {
            message.strip_prefix(start)?.split(end).next().map(str::to_owned)
        };
        let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
        let (argument, rule) = if let Some(name) = field("missing field `", "`") {
            (name, "it is required".to_owned())
        } else if let Some(name) = field("duplicate field `", "`") {
            (name, "it is given twice".to_owned())
        } else if let Some(name) = field("unknown field `", "`, expected ") {
            let known = expected.map_or(String::new(), |known| format!(", expected {known}"));
            (name, format!("there is no such argument{known}"))
        } else {
            let path = path.filter(|path| path != "." && path != "?");
            let rule = expected.map_or_else(
                || "it cannot be read".to_owned(),
                |expected| format!("it must be {expected}"),
            );
            (path.unwrap_or_else(|| "arguments".to_owned()), rule)
        };
        InvalidArgument { argument: argument.chars().take(LONGEST_NAME).collect(), rule }
    }
}

/// The argument that makes a write depend on nobody else having written.
pub(super) fn expected_version(
    number: Option<Integer>,
) -> Result<Option<Version>, InvalidArgument> {
    number
        .map(|number| Version::try_from(i64::from(number)))
        .transpose()
        .map_err(|error| InvalidArgument::new("expected_version", &error))
}

/// Where in the text it was helps nobody who wrote no text.
fn without_position(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message).to_owned()
}

#[cfg(test)]
mod tests {
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
            let error = Arguments::new(json).read::<Sample>().unwrap_err();
            assert_eq!(error.to_string(), sentence);
        }
    }

    #[test]
    fn what_the_caller_wrote_is_not_repeated_at_length() {
        let long = "x, expected y`".repeat(10_000);
        for json in [
            serde_json::json!({ "title": "x", "limit": long }),
            serde_json::json!({ "title": "x", &long: 1 }),
            serde_json::json!({ "title": { &long: long } }),
        ] {
            let json = json.to_string();
            let error = Arguments::new(&json).read::<Sample>().unwrap_err();
            assert!(error.to_string().len() < 200, "{error}");
        }
    }
}
