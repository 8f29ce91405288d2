//! Adding a todo once, however often it is asked for.

use todo_application::domain::{Instant, Todo, TodoId};
use todo_application::ports::{BoxError, Creation, CreationRequest, StorageError};
use tokio_postgres::{Error, Row};

use super::connections::{Work, to_sql};
use super::parameter::Parameter;
use super::queries::Query;
use super::row;
use super::session::Session;

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
        let insert = session.statement(Query::Insert).clone();
        let remember = session.remember.clone();
        let find = session.find_creation.clone();
        let forget = session.forget.clone();
        let transaction = session.client_mut().transaction().await?;

        let name = [
            row::workspace(todo.workspace()),
            Parameter::Text(Some(record.created_by.as_str())),
            Parameter::Text(Some(request.key.as_str())),
        ];
        let now = || Parameter::Number(Some(record.created_at.as_unix_millis()));
        let creation = [
            Parameter::Number(Some(request.fingerprint.cast_signed())),
            Parameter::Id(record.id),
            now(),
            Parameter::Number(Some(request.forget_at.as_unix_millis())),
        ];
        let values: Vec<_> = [to_sql(&name), to_sql(&creation)].concat();
        // Waits for another request of this name that is under way, and goes by what became of it.
        if transaction.query(&remember, &values).await?.is_empty() {
            return transaction.query_one(&find, &to_sql(&name)).await.map(Created::Before);
        }
        if transaction.query(&insert, &to_sql(&row::values(todo))).await?.is_empty() {
            // Leaving the transaction takes back what is remembered.
            return Ok(Created::IdTaken);
        }
        let over = [row::workspace(todo.workspace()), now()];
        transaction.query(&forget, &to_sql(&over)).await?;
        transaction.commit().await?;
        Ok(Created::Now)
    }
}

/// Reads what [`Created::Before`] holds.
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
