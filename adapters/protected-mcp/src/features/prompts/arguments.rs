//! The arguments of a prompt, and reading what a person filled in.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::features::failure::Failure;
use crate::jsonrpc::{Members, excerpt, not_a_string, object, string};

/// An argument of a prompt (MCP `PromptArgument`). Values are one line of text.
#[derive(Debug, Serialize)]
pub struct PromptArgument {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub required: bool,
    #[serde(skip)]
    pub suggestions: Suggestions,
}

/// Where completion takes the values of an argument from.
#[derive(Debug, Clone, Copy)]
pub enum Suggestions {
    /// The same for everyone: no scope is needed to see them.
    Fixed(&'static [&'static str]),
    /// From [`Prompt::complete`](super::Prompt::complete).
    OfTheCaller,
}

/// The longest value, in bytes: something that a person types into a field.
const LONGEST: usize = 2_000;

/// The most arguments that one answer complains of.
const MOST_VIOLATIONS: usize = 16;

/// The arguments of one prompt: each required one, no unknown one, none that is blank.
///
/// A value is one line without control characters. It may still be written by someone other than the
/// caller, such as the title of a shared document: put it in quotes.
#[derive(Debug, Default)]
pub struct PromptArguments(BTreeMap<&'static str, String>);

impl PromptArguments {
    pub(super) fn read(
        known: &'static [PromptArgument],
        raw: Option<&RawValue>,
    ) -> Result<Self, Failure> {
        let given = match raw {
            None => Members(Vec::new()),
            Some(raw) => object(raw).map_err(|_| {
                Failure::other("invalid_argument", "`arguments` must be an object.")
            })?,
        };
        let mut values = BTreeMap::new();
        let mut seen: Vec<&str> = Vec::new();
        let mut violations: Vec<(String, String)> = Vec::new();
        for (name, raw) in &given.0 {
            if violations.len() == MOST_VIOLATIONS {
                break;
            }
            let checked = match known.iter().find(|argument| argument.name == *name) {
                None => Err("there is no such argument".to_owned()),
                Some(argument) if seen.contains(&argument.name) => {
                    Err("it is given twice".to_owned())
                }
                Some(argument) => {
                    seen.push(argument.name);
                    check(raw).map(|value| (argument.name, value))
                }
            };
            match checked {
                Ok((name, value)) if !value.trim().is_empty() => {
                    values.insert(name, value.into_owned());
                }
                Ok(_) => {}
                Err(rule) => violations.push((excerpt(name, 64), rule)),
            }
        }
        for argument in known.iter().filter(|argument| argument.required) {
            let is_wrong = violations.iter().any(|(name, _)| name == argument.name);
            if !values.contains_key(argument.name) && !is_wrong {
                violations.push((argument.name.to_owned(), "it is required".to_owned()));
            }
        }
        if violations.is_empty() {
            Ok(Self(values))
        } else {
            Err(Failure::invalid_arguments(&violations))
        }
    }

    /// The value of an argument, if it was filled in.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// The value of an argument, or the rule that it breaks.
fn check(raw: &RawValue) -> Result<Cow<'_, str>, String> {
    let value = string(raw).ok_or_else(|| not_a_string(raw))?;
    if value.len() > LONGEST {
        return Err("it must have at most 2,000 bytes".to_owned());
    }
    // U+2028 and U+2029 end a line, and U+202D and U+202E change its direction.
    let acts = |c: char| matches!(c, '\u{2028}' | '\u{2029}' | '\u{202d}' | '\u{202e}');
    if value.chars().any(|c| c.is_control() || acts(c)) {
        return Err("it must be one line without control characters".to_owned());
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[PromptArgument] = &[argument("goal", true), argument("focus", false)];

    const fn argument(name: &'static str, required: bool) -> PromptArgument {
        let suggestions = Suggestions::Fixed(&[]);
        PromptArgument { name, title: "", description: "", required, suggestions }
    }

    fn read(json: &str) -> Result<PromptArguments, String> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        PromptArguments::read(KNOWN, Some(raw)).map_err(|failure| failure.sentence().to_owned())
    }

    #[test]
    fn values_that_are_filled_in_are_read() {
        let arguments = read(r#"{"goal":"swim","focus":" "}"#).unwrap();
        assert_eq!((arguments.get("goal"), arguments.get("focus")), (Some("swim"), None));
    }

    #[test]
    fn every_wrong_argument_is_named_with_its_rule() {
        let one_line = "it must be one line without control characters";
        for (json, expected) in [
            ("{}", &[("goal", "it is required")][..]),
            (
                r#"{"goal":" ","focus":5}"#,
                &[("focus", "it must be a string"), ("goal", "it is required")],
            ),
            (r#"{"goal":"a","goal":"b"}"#, &[("goal", "it is given twice")]),
            (
                r#"{"goal":5,"goal":"b"}"#,
                &[("goal", "it must be a string"), ("goal", "it is given twice")],
            ),
            (
                r#"{"goal":"a\ud83d","x":1}"#,
                &[
                    ("goal", r"it has half a surrogate pair, \ud83d: send whole characters"),
                    ("x", "there is no such argument"),
                ],
            ),
            ("{\"goal\":\"a\u{2028}b\"}", &[("goal", one_line)]),
            ("{\"goal\":\"a\u{2029}b\"}", &[("goal", one_line)]),
            ("{\"goal\":\"a\u{85}b\"}", &[("goal", one_line)]),
        ] {
            let sentences: Vec<String> = expected
                .iter()
                .map(|(name, rule)| format!("Invalid argument `{name}`: {rule}."))
                .collect();
            assert_eq!(read(json).unwrap_err(), sentences.join(" "), "{json}");
        }
    }
}
