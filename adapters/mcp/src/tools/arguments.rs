//! Arguments that several tools have.

use std::borrow::Cow;
use std::fmt::Display;

use protected_mcp::{Failure, Integer};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use todo_application::Todos;
use todo_application::domain::{
    Due, Label, Labels, RequestedDue, TimeZone, TodoId, Weekday, WrittenDue,
};

use crate::failure::{Invalid, not_an_id};
use crate::principal::CallerPrincipal;

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

/// A text that may be empty, for no value.
pub(crate) struct OrEmpty<T>(pub(crate) Option<T>);

impl<'de, T> Deserialize<'de> for OrEmpty<T>
where
    T: for<'a> TryFrom<&'a str, Error: Display>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = (!text.is_empty()).then(|| T::try_from(&text)).transpose();
        value.map(Self).map_err(D::Error::custom)
    }
}

/// The labels of one todo.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(crate) struct LabelList(#[schemars(with = "Vec<String>")] pub(crate) Labels);

impl<'de> Deserialize<'de> for LabelList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let labels = Vec::<Text<Label>>::deserialize(deserializer)?;
        let labels: Vec<Label> = labels.into_iter().map(|label| label.0).collect();
        Labels::try_from(labels).map(Self).map_err(D::Error::custom)
    }
}

/// The arguments that say when a todo is due, as several tools have them.
pub(super) struct DueArguments {
    pub(super) due: Option<OrEmpty<WrittenDue>>,
    pub(super) due_weekday: Option<Text<Weekday>>,
    pub(super) time_zone: Option<Text<TimeZone>>,
}

impl DueArguments {
    /// `None` if nothing was said, `Some(None)` if there is to be no due date.
    #[expect(clippy::option_option, reason = "as in `Edit`")]
    pub(super) fn resolve(
        self,
        todos: &Todos,
        principal: &CallerPrincipal,
    ) -> Result<Option<Option<Due>>, Invalid> {
        let Self { due, due_weekday, time_zone } = self;
        match due {
            None => match (due_weekday, time_zone) {
                (None, None) => Ok(None),
                (Some(_), _) => Err(Invalid::new("due_weekday", WITHOUT_DUE)),
                (None, Some(_)) => Err(Invalid::new("time_zone", WITHOUT_DUE)),
            },
            Some(OrEmpty(None)) => Ok(Some(None)),
            Some(OrEmpty(Some(written))) => {
                let requested = RequestedDue {
                    written,
                    weekday: due_weekday.map(|weekday| weekday.0),
                    time_zone: time_zone.map(|zone| zone.0),
                };
                Ok(Some(Some(todos.due(principal, requested)?)))
            }
        }
    }
}

const WITHOUT_DUE: &str = "it says something about `due`, which is missing";

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
schema_of!(String, OrEmpty);
schema_of!(Integer, Number);

/// A text that is not an id is the id of no todo.
pub(super) fn todo_id(text: &str) -> Result<TodoId, Failure> {
    text.parse().map_err(|_| not_an_id(text))
}
