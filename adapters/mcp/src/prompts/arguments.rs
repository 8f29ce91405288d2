//! Reading what a person filled in.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::Prompt;
use crate::envelope::{object, string};
use crate::rpc::RpcError;

/// The longest value, in bytes: something that a person types into a field.
const LONGEST: usize = 2_000;

/// The arguments of one prompt: all that it needs, and none that it does not know.
///
/// A value may be the title of a todo, which somebody else may have written: it is one line, and
/// stands in quotes in what the person says.
pub(crate) struct PromptArguments<'a>(BTreeMap<&'static str, Cow<'a, str>>);

impl<'a> PromptArguments<'a> {
    pub(super) fn read(
        prompt: &'static Prompt,
        raw: Option<&'a RawValue>,
    ) -> Result<Self, RpcError> {
        let given: BTreeMap<Cow<'a, str>, &'a RawValue> = match raw {
            None => BTreeMap::new(),
            Some(raw) => object(raw)
                .map_err(|_| RpcError::invalid_params("`arguments` must be an object."))?,
        };
        let mut values = BTreeMap::new();
        for (name, raw) in given {
            let Some(argument) = prompt.argument(&name) else {
                let name: String = name.chars().take(64).collect();
                return Err(invalid(&name, "there is no such argument"));
            };
            let Some(value) = string(raw) else {
                return Err(invalid(argument.name, "it must be a string"));
            };
            if value.len() > LONGEST {
                return Err(invalid(argument.name, "it must have at most 2,000 bytes"));
            }
            if value.chars().any(|c| c.is_control() || matches!(c, '\u{202d}' | '\u{202e}')) {
                return Err(invalid(
                    argument.name,
                    "it must be one line without control characters",
                ));
            }
            if !value.trim().is_empty() {
                values.insert(argument.name, value);
            }
        }
        let lacking = |name| !values.contains_key(name);
        match prompt.arguments.iter().find(|it| it.required && lacking(it.name)) {
            Some(missing) => Err(invalid(missing.name, "it is required")),
            None => Ok(Self(values)),
        }
    }

    /// What was filled in, in quotes; `otherwise` if nothing was.
    pub(super) fn quoted(&self, name: &str, otherwise: &str) -> String {
        let value = self.0.get(name).map_or(otherwise, |value| value.trim());
        format!("\"{}\"", value.replace('"', "'"))
    }

    /// A sentence about what was filled in, which it gets in quotes; nothing if nothing was.
    pub(super) fn written(&self, name: &str, sentence: fn(&str) -> String) -> String {
        if self.0.contains_key(name) { sentence(&self.quoted(name, "")) } else { String::new() }
    }
}

fn invalid(argument: &str, rule: &str) -> RpcError {
    RpcError::invalid_params(format!("Invalid argument `{argument}`: {rule}."))
}
