//! Arguments that several tools have.

use std::borrow::Cow;
use std::fmt::Display;

use protected_mcp::{Failure, Integer};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use todo_application::domain::TodoId;

use crate::failure::not_an_id;

/// A text that is parsed when the arguments are read, so that every argument that breaks a rule of the
/// domain is in the same answer. The schema is that of a text.
pub(crate) struct Text<T>(pub(crate) T);

/// The same for a number.
pub(crate) struct Number<T>(pub(crate) T);

impl<'de, T> Deserialize<'de> for Text<T>
where
    T: for<'a> TryFrom<&'a str, Error: Display>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::try_from(&text).map(Self).map_err(D::Error::custom)
    }
}

impl<'de, T> Deserialize<'de> for Number<T>
where
    T: TryFrom<i64, Error: Display>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Integer::deserialize(deserializer)?;
        T::try_from(number.into()).map(Self).map_err(D::Error::custom)
    }
}

/// Takes over the schema of another type, as if the argument had that.
macro_rules! schema_of {
    ($other:ty, $argument:ident) => {
        impl<T> JsonSchema for $argument<T> {
            fn inline_schema() -> bool {
                <$other>::inline_schema()
            }

            fn schema_name() -> Cow<'static, str> {
                <$other>::schema_name()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                <$other>::json_schema(generator)
            }
        }
    };
}

schema_of!(String, Text);
schema_of!(Integer, Number);

/// A text that is not an id is the id of no todo.
pub(super) fn todo_id(text: &str) -> Result<TodoId, Failure> {
    text.parse().map_err(|_| not_an_id(text))
}
