//! JSON values that stay text until the code that knows their shape reads them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The value, if it is a string.
pub(crate) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

/// Half of a surrogate pair without its other half in a JSON text, as it is escaped there. No text can have
/// it (RFC 8259 section 8.2): it is left when a text is cut in the middle of an emoji.
pub(crate) fn half_surrogate(json: &str) -> Option<&str> {
    const LENGTH: usize = r"\ud83d".len();
    let unit = |at: usize| {
        let digits = json.get(at..at + LENGTH)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut at = 0;
    while let Some(backslash) = json.get(at..)?.find('\\') {
        at += backslash;
        at += match (unit(at), unit(at + LENGTH)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 2 * LENGTH,
            (Some(0xd800..0xe000), _) => return json.get(at..at + LENGTH),
            (Some(_), _) => LENGTH,
            (None, _) => 2,
        };
    }
    None
}

/// Why a value that should be a string is none, as the rule that it breaks.
pub(crate) fn not_a_string(raw: &RawValue) -> String {
    match half_surrogate(raw.get()) {
        Some(half) if raw.get().starts_with('"') => broken_character(half),
        _ => "it must be a string".to_owned(),
    }
}

/// The sentence that says what a request needs, with the reason why a member that is given is none.
pub(crate) fn needs(need: &str, given: Option<&RawValue>) -> String {
    match given.and_then(|raw| half_surrogate(raw.get())) {
        Some(half) => format!("{need} Here, {}.", broken_character(half)),
        None => need.to_owned(),
    }
}

pub(crate) fn broken_character(half: &str) -> String {
    format!("it has half a surrogate pair, {half}: send whole characters")
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

/// The members of an object in their order, repeated ones too.
#[derive(Debug)]
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &RawValue>()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_is_found() {
        for (json, half) in [
            (r#""cut \ud83d""#, Some(r"\ud83d")),
            (r#""\uD83D""#, Some(r"\uD83D")),
            (r#""\ude00 x""#, Some(r"\ude00")),
            (r#""\ud83d\ud83d\ude00""#, Some(r"\ud83d")),
            (r#""\ud83d\n""#, Some(r"\ud83d")),
            (r#""\ud83d\u0041""#, Some(r"\ud83d")),
            (r#""\ud83d\ude00 \u00e9 \" \\ é""#, None),
            (r#""\\ud83d""#, None),
            (r#""\\\ud83d""#, Some(r"\ud83d")),
            ("\"\\", None),
            ("", None),
        ] {
            assert_eq!(half_surrogate(json), half, "{json}");
        }
    }
}
