//! Adding a todo once, however often the request is repeated.

use futures_util::future::try_join_all;
use todo_application::domain::{Instant, Quota, TermChange, Todo, TodoId};
use todo_application::ports::{BoxError, Creation, CreationRequest, StorageError};
use tokio_postgres::{Error, Row};

use super::connections::Work;
use super::parameter::Parameter;
use super::queries::Query;
use super::session::{Session, Transaction};
use super::{row, write};

/// A transaction that remembers a request and adds its todo, or does neither.
pub(super) struct InsertOnce<'a> {
    /// The [key](todo_application::domain::CallerId::key) of the caller.
    pub(super) caller: String,
    pub(super) todo: &'a Todo,
    pub(super) terms: TermChange,
    pub(super) request: &'a CreationRequest,
    pub(super) quota: Quota,
}

pub(super) enum Created {
    Now,
    /// By an earlier request with this key, which this row remembers.
    Before(Row),
    /// By an earlier request with this key, which was forgotten at this moment.
    JustForgotten,
    /// The id is taken, or the workspace does not take the todo: nothing is added and nothing remembered.
    Refused,
}

impl Work for InsertOnce<'_> {
    type Output = Created;

    fn is_a_read(&self) -> bool {
        false
    }

    fn workspace(&self) -> Option<&[u8]> {
        Some(self.todo.workspace().as_str().as_bytes())
    }

    async fn on(&self, session: &mut Session) -> Result<Created, Error> {
        let Self { caller, todo, terms, request, quota } = self;
        let record = todo.record();
        let workspace = || row::key(todo.workspace());
        let caller = || Parameter::Text(Some(caller));
        let key = || Parameter::Text(Some(request.key.as_str()));
        let now = || Parameter::Number(Some(record.created_at.as_unix_millis()));
        let creation = [
            workspace(),
            caller(),
            key(),
            Parameter::Number(Some(request.fingerprint.cast_signed())),
            Parameter::Id(record.id),
            now(),
            Parameter::Number(Some(request.forget_at.as_unix_millis())),
        ];

        let transaction = session.transaction().await?;
        // Waits for a concurrent request with this key, if there is one.
        if transaction.query(Query::Remember, &creation).await?.is_empty() {
            let key = [workspace(), caller(), key()];
            let found = transaction.query(Query::FindCreation, &key).await?;
            return Ok(found.into_iter().next().map_or(Created::JustForgotten, Created::Before));
        }
        if !write::insert(&transaction, todo, terms, *quota).await? {
            // Dropping the transaction rolls back what is remembered.
            return Ok(Created::Refused);
        }
        let expired = transaction.query(Query::ListExpired, &[workspace(), now()]).await?;
        try_join_all(expired.iter().map(|row| forget(&transaction, workspace(), row))).await?;
        transaction.commit().await?;
        Ok(Created::Now)
    }
}

/// Forgets the request of a row of [`Query::ListExpired`].
async fn forget(
    transaction: &Transaction<'_>,
    workspace: Parameter<'_>,
    row: &Row,
) -> Result<(), Error> {
    let (caller, request): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
    let todo = Parameter::Id(TodoId::from_uuid(row.try_get(2)?));
    let key = [workspace, Parameter::Text(Some(caller)), Parameter::Text(Some(request)), todo];
    transaction.query(Query::Forget, &key).await.map(drop)
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
