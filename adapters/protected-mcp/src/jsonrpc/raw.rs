//! JSON values that stay text until the code that knows their shape reads them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
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

/// The name of a member that some object in a JSON text has twice. Of such an object, a map keeps the last
/// value without a word.
pub(crate) fn repeated_member(json: &str) -> Option<String> {
    struct Search<'a>(&'a mut Option<String>);

    impl<'de> DeserializeSeed<'de> for Search<'_> {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_any(self)
        }
    }

    impl<'de> Visitor<'de> for Search<'_> {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("any value")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let mut names = HashSet::new();
            while let Some(Text(name)) = map.next_key::<Text<'de>>()? {
                map.next_value_seed(Search(&mut *self.0))?;
                if let Some(repeated) = names.replace(name) {
                    self.0.get_or_insert_with(|| repeated.into_owned());
                }
            }
            Ok(())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
            while seq.next_element_seed(Search(&mut *self.0))?.is_some() {}
            Ok(())
        }

        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }

        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }

        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }

        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }

        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }

        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
    }

    let mut found = None;
    // What cannot be read has no repeated members either.
    let _ = Search(&mut found).deserialize(&mut serde_json::Deserializer::from_str(json));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_member_is_found_at_any_depth() {
        for (json, repeated) in [
            (r#"{"a":1,"a":2}"#, Some("a")),
            (r#"{"a":1,"\u0061":2}"#, Some("a")),
            (r#"[1.5,-1,true,null,"x",{"a":{"b":[{"c":1,"c":1}]}}]"#, Some("c")),
            (r#"{"a":{"b":1},"c":{"b":1},"A":2}"#, None),
            (r#"{"a":1,"a":"#, None),
            ("", None),
        ] {
            assert_eq!(repeated_member(json).as_deref(), repeated, "{json}");
        }
    }

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
