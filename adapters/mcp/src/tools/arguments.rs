//! Reading a tool's arguments.

use serde::Deserialize;
use thiserror::Error;
use todo_application::domain::Version;

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
        // serde names a field that is missing, unknown or there twice in its message only.
        let named = ["missing field `", "unknown field `", "duplicate field `"]
            .into_iter()
            .find_map(|start| message.strip_prefix(start)?.split('`').next());
        let argument = match (named, path) {
            (Some(name), _) => name.to_owned(),
            (None, Some(path)) if path != "." => path,
            (None, _) => "arguments".to_owned(),
        };
        let rule = match message.split_once(' ') {
            Some(("missing", _)) => "it is required".to_owned(),
            Some(("duplicate", _)) => "it is given twice".to_owned(),
            Some(("unknown", rest)) => match rest.split_once(", ") {
                Some((_, expected)) => format!("there is no such argument, {expected}"),
                None => "there is no such argument".to_owned(),
            },
            _ => message,
        };
        InvalidArgument { argument: argument.chars().take(64).collect(), rule }
    }
}

/// The argument that makes a write depend on nobody else having written.
pub(super) fn expected_version(number: Option<i64>) -> Result<Option<Version>, InvalidArgument> {
    number
        .map(Version::try_from)
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
        _limit: Option<i64>,
    }

    #[test]
    fn the_sentence_names_the_argument_and_the_rule() {
        for (json, sentence) in [
            ("{}", "Invalid argument `title`: it is required."),
            (
                r#"{"title":5}"#,
                "Invalid argument `title`: invalid type: integer `5`, expected a string.",
            ),
            (
                r#"{"title":null}"#,
                "Invalid argument `title`: invalid type: null, expected a string.",
            ),
            (
                r#"{"title":"x","colour":"red"}"#,
                "Invalid argument `colour`: there is no such argument, expected `title` or `limit`.",
            ),
            (r#"{"title":"x","title":"y"}"#, "Invalid argument `title`: it is given twice."),
            (
                r#"{"title":"x","limit":1.5}"#,
                "Invalid argument `limit`: invalid type: floating point `1.5`, expected i64.",
            ),
        ] {
            let error = Arguments::new(json).read::<Sample>().unwrap_err();
            assert_eq!(error.to_string(), sentence);
        }
    }
}
