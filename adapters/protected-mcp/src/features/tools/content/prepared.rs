//! Parts of results that are written once.

use std::fmt::{self, Display};
use std::sync::Arc;

use serde::ser::{Error as _, SerializeStruct as _};
use serde::{Serialize, Serializer};

use super::Content;
use super::serializer::RAW_VALUE;

/// The JSON of a value, in both forms that a tool result holds.
///
/// To be a part of many results, such as an item that is listed again and again: to copy it takes a fraction of what
/// it takes to write the value. Cheap to clone. Any serializer of `serde_json` writes it as the value.
#[derive(Debug, Clone)]
pub struct PreparedJson(Arc<Forms>);

#[derive(Debug)]
struct Forms {
    json: Box<str>,
    /// Escaped for the inside of a JSON string.
    text: Box<str>,
}

impl PreparedJson {
    /// Writes a value of about `size` bytes of JSON.
    pub fn new(value: &impl Serialize, size: usize) -> serde_json::Result<Self> {
        let Content(forms) = Content::write(value, size)?;
        let kept = |bytes| String::from_utf8(bytes).map(String::into_boxed_str);
        let kept = |bytes| kept(bytes).map_err(serde_json::Error::custom);
        Ok(Self(Arc::new(Forms { json: kept(forms.json)?, text: kept(forms.text)? })))
    }

    /// How many bytes both forms take.
    pub fn bytes(&self) -> usize {
        self.0.json.len() + self.0.text.len()
    }
}

impl Serialize for PreparedJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        raw.serialize_field(RAW_VALUE, &Shown(&self.0))?;
        raw.end()
    }
}

/// JSON that displays as it is, and in the alternate form (`{:#}`) as the inside of a string: the serializer of results
/// asks for both.
struct Shown<'a>(&'a Forms);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Forms { json, text } = self.0;
        formatter.write_str(if formatter.alternate() { text } else { json })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_is_written_as_its_value() {
        let value = json!({ "title": "a \"b\" \\ \u{2028}\n", "labels": ["é"], "count": 1 });
        let part = PreparedJson::new(&value, 0).unwrap();
        let written = |value: &dyn Fn() -> Content| {
            let Content(forms) = value();
            [forms.json, forms.text].map(|it| String::from_utf8(it).unwrap())
        };
        let whole = written(&|| {
            Content::write(&json!({ "one": [value, value], "two": value }), 0).unwrap()
        });
        let prepared = Parts { one: [&part, &part], two: &part };
        assert_eq!(written(&|| Content::write(&prepared, 0).unwrap()), whole);
        let json = crate::to_json_line(&prepared).unwrap();
        assert_eq!(json, whole[0]);
        assert_eq!(part.bytes(), written(&|| Content::write(&value, 0).unwrap()).concat().len());
    }

    #[derive(Serialize)]
    struct Parts<'a> {
        one: [&'a PreparedJson; 2],
        two: &'a PreparedJson,
    }
}
