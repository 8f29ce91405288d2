//! The arguments of a prompt, and reading what a person filled in.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::features::failure::Failure;
use crate::jsonrpc::{excerpt, object, string};

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
    /// From [`Prompt::complete`].
    OfTheCaller,
}

/// The longest value, in bytes: something that a person types into a field.
const LONGEST: usize = 2_000;

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
        let given: BTreeMap<Cow<'_, str>, &RawValue> = match raw {
            None => BTreeMap::new(),
            Some(raw) => object(raw).map_err(|_| {
                Failure::other("invalid_argument", "`arguments` must be an object.")
            })?,
        };
        let mut values = BTreeMap::new();
        for (name, raw) in given {
            let Some(argument) = known.iter().find(|argument| argument.name == name) else {
                let name = excerpt(&name, 64);
                return Err(Failure::invalid_argument(&name, "there is no such argument"));
            };
            let invalid = |rule| Failure::invalid_argument(argument.name, rule);
            let value = string(raw).ok_or_else(|| invalid("it must be a string"))?;
            if value.len() > LONGEST {
                return Err(invalid("it must have at most 2,000 bytes"));
            }
            if value.chars().any(|c| c.is_control() || matches!(c, '\u{202d}' | '\u{202e}')) {
                return Err(invalid("it must be one line without control characters"));
            }
            if !value.trim().is_empty() {
                values.insert(argument.name, value.into_owned());
            }
        }
        let lacking = |name| !values.contains_key(name);
        match known.iter().find(|argument| argument.required && lacking(argument.name)) {
            Some(missing) => Err(Failure::invalid_argument(missing.name, "it is required")),
            None => Ok(Self(values)),
        }
    }

    /// The value of an argument, if it was filled in.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}
