//! The parameters of a statement.

use std::fmt;

use bytes::BytesMut;
use todo_application::domain::{Term, TodoId};
use todo_application::ports::BoxError;
use tokio_postgres::types::{IsNull, ToSql, Type};

/// The value of a `$1`. The driver logs parameters at debug level, so `Debug` omits the value: the
/// content of todos must not be logged.
pub(super) enum Parameter<'a> {
    Bytes(&'a [u8]),
    Id(TodoId),
    OptionalId(Option<TodoId>),
    Text(Option<&'a str>),
    OwnedText(Option<String>),
    Number(Option<i64>),
    Numbers(&'a [i64]),
    Ids(&'a [TodoId]),
    Terms(&'a [Term]),
    Array(Vec<Self>),
}

impl Parameter<'_> {
    pub(super) fn count(count: usize) -> Self {
        Self::Number(Some(clamped(count)))
    }

    pub(super) fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Id(_)
            | Self::OptionalId(_)
            | Self::Text(_)
            | Self::OwnedText(_)
            | Self::Number(_)
            | Self::Numbers(_)
            | Self::Ids(_)
            | Self::Terms(_)
            | Self::Array(_) => None,
        }
    }
}

pub(super) fn clamped(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Converts parameters for the driver.
pub(super) fn to_sql<'a>(parameters: &'a [Parameter<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    parameters.iter().map(|parameter| parameter as &(dyn ToSql + Sync)).collect()
}

/// Rows as arrays of their columns.
pub(super) fn columns<'a, const COLUMNS: usize>(
    rows: impl IntoIterator<Item = [Parameter<'a>; COLUMNS]>,
) -> Vec<Parameter<'a>> {
    let mut columns: [_; COLUMNS] = std::array::from_fn(|_| Vec::new());
    for row in rows {
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    columns.into_iter().map(Parameter::Array).collect()
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        match self {
            Self::Bytes(bytes) => bytes.to_sql_checked(kind, out),
            Self::Id(id) => id.as_uuid().to_sql_checked(kind, out),
            Self::OptionalId(id) => id.as_ref().map(TodoId::as_uuid).to_sql_checked(kind, out),
            Self::Text(text) => text.to_sql_checked(kind, out),
            Self::OwnedText(text) => text.to_sql_checked(kind, out),
            Self::Number(number) => number.to_sql_checked(kind, out),
            Self::Numbers(numbers) => numbers.to_sql_checked(kind, out),
            Self::Ids(ids) => {
                let ids: Vec<_> = ids.iter().map(TodoId::as_uuid).collect();
                ids.to_sql_checked(kind, out)
            }
            Self::Terms(terms) => {
                let terms: Vec<&str> = terms.iter().map(Term::as_str).collect();
                terms.to_sql_checked(kind, out)
            }
            Self::Array(values) => values.to_sql_checked(kind, out),
        }
    }

    /// Each value is checked when it is sent.
    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        self.to_sql(kind, out)
    }
}

impl fmt::Debug for Parameter<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("..")
    }
}
