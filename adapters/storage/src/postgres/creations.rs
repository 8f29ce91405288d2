//! Adding a todo once, however often it is asked for.

use futures_util::future::{try_join, try_join_all};
use todo_application::domain::{Instant, Todo, TodoId};
use todo_application::ports::{BoxError, Creation, CreationRequest, StorageError};
use tokio_postgres::{Error, Row};

use super::connections::Work;
use super::parameter::Parameter;
use super::queries::Query;
use super::row;
use super::session::{Session, Transaction};

/// One transaction, in which a request is remembered and its todo is added, or neither.
pub(super) struct InsertOnce<'a> {
    pub(super) todo: &'a Todo,
    pub(super) request: &'a CreationRequest,
}

/// What became of it.
pub(super) enum Created {
    /// The todo is added.
    Now,
    /// A request of this name added another: this row says which.
    Before(Row),
    /// A request of this name added another, and was forgotten while we looked.
    JustForgotten,
    /// There is a todo with this id, so nothing is added and nothing remembered.
    IdTaken,
}

impl Work for InsertOnce<'_> {
    type Output = Created;

    fn is_a_read(&self) -> bool {
        false
    }

    async fn on(&self, session: &mut Session) -> Result<Created, Error> {
        let Self { todo, request } = self;
        let record = todo.record();
        let workspace = || row::workspace(todo.workspace());
        let created_by = || Parameter::Text(Some(record.created_by.as_str()));
        let key = || Parameter::Text(Some(request.key.as_str()));
        let now = || Parameter::Number(Some(record.created_at.as_unix_millis()));
        let creation = [
            workspace(),
            created_by(),
            key(),
            Parameter::Number(Some(request.fingerprint.cast_signed())),
            Parameter::Id(record.id),
            now(),
            Parameter::Number(Some(request.forget_at.as_unix_millis())),
        ];

        let transaction = session.transaction().await?;
        // Waits for another request of this name that is under way, and goes by what became of it.
        if transaction.query(Query::Remember, &creation).await?.is_empty() {
            let name = [workspace(), created_by(), key()];
            let found = transaction.query(Query::FindCreation, &name).await?;
            return Ok(found.into_iter().next().map_or(Created::JustForgotten, Created::Before));
        }
        let (values, until_now) = (row::values(todo), [workspace(), now()]);
        let insert = transaction.query(Query::Insert, &values);
        let (inserted, over) =
            try_join(insert, transaction.query(Query::ListOver, &until_now)).await?;
        if inserted.is_empty() {
            // Leaving the transaction takes back what is remembered.
            return Ok(Created::IdTaken);
        }
        try_join_all(over.iter().map(|row| forget(&transaction, workspace(), row))).await?;
        transaction.commit().await?;
        Ok(Created::Now)
    }
}

/// Forgets the request of a row of [`Query::ListOver`].
async fn forget(
    transaction: &Transaction<'_>,
    workspace: Parameter<'_>,
    row: &Row,
) -> Result<(), Error> {
    let (created_by, key): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
    let todo = Parameter::Id(TodoId::from_uuid(row.try_get(2)?));
    let name = [workspace, Parameter::Text(Some(created_by)), Parameter::Text(Some(key)), todo];
    transaction.query(Query::Forget, &name).await.map(drop)
}

/// Reads a row of [`Query::FindCreation`].
pub(super) fn read(row: &Row) -> Result<Creation, StorageError> {
    restore(row).map_err(|source| {
        let id = row.try_get(0).map(TodoId::from_uuid);
        let id = id.map_or_else(|_| "(not a UUID)".to_owned(), |id| id.to_string());
        StorageError::Corrupt { id, source }
    })
}

fn restore(row: &Row) -> Result<Creation, BoxError> {
    Ok(Creation {
        todo: TodoId::from_uuid(row.try_get(0)?),
        at: Instant::from_unix_millis(row.try_get(1)?)?,
        fingerprint: row.try_get::<_, i64>(2)?.cast_unsigned(),
    })
}
