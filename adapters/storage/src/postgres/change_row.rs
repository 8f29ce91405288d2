//! Conversion between changes and rows of the table `todo_changes`.

use std::pin::pin;

use bytes::Bytes;
use todo_application::domain::{
    Author, Change, ChangeAction, ChangeNumber, ClientId, Instant, Organization, Recorded, Subject,
    Title, TodoId, Version, WorkspaceId,
};
use todo_application::ports::{BoxError, StorageError};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{CopyInSink, Error, Row};

use super::parameter::{Parameter, to_sql};
use super::queries::Query;
use super::row::{self, change_columns};
use super::session::Transaction;
use crate::history::{self, Columns};

/// A change of a workspace, as a row that is added.
pub(super) struct NewChange<'a> {
    pub(super) workspace: &'a WorkspaceId,
    pub(super) number: ChangeNumber,
    pub(super) change: &'a Change,
    pub(super) batch: Option<ChangeNumber>,
    pub(super) undoes: Option<ChangeNumber>,
}

impl<'a> NewChange<'a> {
    /// One that is made alone.
    pub(super) fn single(
        workspace: &'a WorkspaceId,
        number: ChangeNumber,
        change: &'a Change,
    ) -> Self {
        Self { workspace, number, change, batch: None, undoes: None }
    }

    /// The parameters of [`Query::AddChange`].
    pub(super) fn values(&self) -> [Parameter<'a>; 15] {
        let Self { workspace, number, change, batch, undoes } = self;
        let Change { at, by: _, todo, title, version, kind: _ } = *change;
        let [subject, organization, client] = author(Some(change));
        let [before, after] = before_and_after(Some(change));
        [
            row::key(workspace),
            Parameter::Number(Some(number.as_i64())),
            Parameter::Number(Some(at.as_unix_millis())),
            Parameter::Number(Some(change.action().code())),
            Parameter::Id(*todo),
            Parameter::Text(Some(title.as_str())),
            Parameter::Number(Some(version.as_i64())),
            subject,
            organization,
            client,
            before,
            after,
            bytes(Some(change)),
            Parameter::Number(batch.map(ChangeNumber::as_i64)),
            Parameter::Number(undoes.map(ChangeNumber::as_i64)),
        ]
    }

    pub(super) async fn add(&self, transaction: &Transaction<'_>) -> Result<(), Error> {
        transaction.query(Query::AddChange, &self.values()).await.map(drop)
    }
}

/// What a change counts; null if none is remembered.
pub(super) fn bytes(change: Option<&Change>) -> Parameter<'static> {
    Parameter::Number(change.map(|change| change.bytes().cast_signed()))
}

pub(super) fn author(change: Option<&Change>) -> [Parameter<'_>; 3] {
    let author = change.map(|change| &change.by);
    [
        Parameter::Text(author.map(|it| it.subject.as_str())),
        Parameter::Text(author.and_then(|it| it.organization.as_ref()).map(Organization::as_str)),
        Parameter::Text(author.and_then(|it| it.client.as_ref()).map(ClientId::as_str)),
    ]
}

pub(super) fn before_and_after(change: Option<&Change>) -> [Parameter<'static>; 2] {
    let columns = change.map(|change| Columns::of(&change.kind));
    let Columns { before, after } = columns.unwrap_or_default();
    [before, after].map(Parameter::OwnedText)
}

const TYPES: [Type; 15] = [
    Type::BYTEA,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::UUID,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT8,
];

pub(super) const COPY: &str = concat!("COPY ", change_columns!(all), " FROM STDIN (FORMAT binary)");

/// Copies changes.
pub(super) async fn copy<'a>(
    sink: CopyInSink<Bytes>,
    changes: impl Iterator<Item = NewChange<'a>>,
) -> Result<(), Error> {
    let mut rows = pin!(BinaryCopyInWriter::new(sink, &TYPES));
    for change in changes {
        rows.as_mut().write(&to_sql(&change.values())).await?;
    }
    rows.finish().await.map(drop)
}

/// Reads a row with the columns of a change. `None` if its number is null.
pub(super) fn read(row: &Row) -> Result<Option<Recorded>, StorageError> {
    restore(row).map_err(|source| {
        let id = row.try_get(3).map(TodoId::from_uuid);
        let id = id.map_or_else(|_| "(not a UUID)".to_owned(), |id| id.to_string());
        StorageError::Corrupt { id, source }
    })
}

fn restore(row: &Row) -> Result<Option<Recorded>, BoxError> {
    let Some(own_number) = row.try_get(0)? else { return Ok(None) };
    let number = |number: i64| ChangeNumber::new(number).ok_or("a number is negative");
    let title = Title::restore(row.try_get(4)?)?;
    let organization: Option<&str> = row.try_get(7)?;
    let client: Option<&str> = row.try_get(8)?;
    let action = ChangeAction::from_code(row.try_get(2)?)?;
    let kind = history::kind(action, &title, row.try_get(9)?, row.try_get(10)?)?;
    let change = Change {
        at: Instant::from_unix_millis(row.try_get(1)?)?,
        by: Author {
            subject: Subject::restore(row.try_get(6)?)?,
            organization: organization.map(Organization::try_from).transpose()?,
            client: client.map(ClientId::try_from).transpose()?,
        },
        todo: TodoId::from_uuid(row.try_get(3)?),
        title,
        version: Version::try_from(row.try_get::<_, i64>(5)?)?,
        kind,
    };
    let optional = |column: usize| -> Result<_, BoxError> {
        Ok(row.try_get::<_, Option<i64>>(column)?.map(number).transpose()?)
    };
    Ok(Some(Recorded {
        number: number(own_number)?,
        change,
        batch: optional(11)?,
        undoes: optional(12)?,
        undone_by: optional(13)?,
    }))
}
