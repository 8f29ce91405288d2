//! JSON values that stay text until the code that knows their shape reads them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The value, if it is a string.
pub(crate) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

/// Reads an object.
///
/// serde would also fill a struct from an array, member by member. JSON-RPC calls that positional
/// parameters, which MCP does not have.
pub(crate) fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, serde_json::Error> {
    if !is_object(raw) {
        return Err(serde::de::Error::custom("it must be an object"));
    }
    serde_json::from_str(raw.get())
}

pub(crate) fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// At most `characters` of a text from outside, to be repeated in an answer.
pub(crate) fn excerpt(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
