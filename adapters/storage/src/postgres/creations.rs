//! Adding a todo once, however often the request is repeated.

use futures_util::future::try_join_all;
use todo_application::domain::{ChangeNumber, IdempotencyKey, Instant, TodoId, WorkspaceId};
use todo_application::ports::{BoxError, CreationRequest, EarlierCall, Made, StorageError};
use tokio_postgres::{Error, Row};

use super::connections::Work;
use super::failure::Failure;
use super::parameter::Parameter;
use super::queries::Query;
use super::row;
use super::session::{Session, Transaction};
use super::write::Insertion;

/// A transaction that remembers a request and adds its todo, or does neither.
pub(super) struct InsertOnce<'a> {
    /// The [key](todo_application::domain::CallerId::key) of the caller.
    pub(super) caller: String,
    pub(super) insertion: Insertion,
    pub(super) request: &'a CreationRequest,
}

pub(super) enum Created {
    /// With this number.
    Now(ChangeNumber),
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
        Some(self.insertion.todo.workspace().as_str().as_bytes())
    }

    async fn on(&self, session: &mut Session) -> Result<Created, Error> {
        let Self { caller, insertion, request } = self;
        let todo = &insertion.todo;
        let record = todo.record();
        let workspace = todo.workspace();
        let entry = Entry {
            workspace,
            caller,
            key: &request.key,
            fingerprint: request.fingerprint,
            todo: record.id,
            at: record.created_at,
            forget_at: request.forget_at,
        };

        let transaction = session.transaction().await?;
        // Waits for a concurrent request with this key, if there is one.
        if transaction.query(Query::Remember, &entry.values()).await?.is_empty() {
            let found = transaction.query(Query::FindCreation, &entry.key()).await?;
            return Ok(found.into_iter().next().map_or(Created::JustForgotten, Created::Before));
        }
        let Some(number) = insertion.run(&transaction).await? else {
            // Dropping the transaction rolls back what is remembered.
            return Ok(Created::Refused);
        };
        let expired = expired_before(workspace, record.created_at);
        let expired = transaction.query(Query::ListExpired, &expired).await?;
        forget(&transaction, workspace, &expired).await?;
        transaction.commit().await?;
        Ok(Created::Now(number))
    }
}

/// Why a request is not repeated that was neither remembered nor found.
pub(super) const JUST_FORGOTTEN: &str = "the request was forgotten at this moment";

/// A request that is remembered.
pub(super) struct Entry<'a> {
    pub(super) workspace: &'a WorkspaceId,
    /// The [key](todo_application::domain::CallerId::key) of the caller.
    pub(super) caller: &'a str,
    pub(super) key: &'a IdempotencyKey,
    pub(super) fingerprint: u64,
    pub(super) todo: TodoId,
    pub(super) at: Instant,
    pub(super) forget_at: Instant,
}

impl<'a> Entry<'a> {
    /// The parameters of [`Query::FindCreation`].
    pub(super) fn key(&self) -> [Parameter<'a>; 3] {
        key(self.workspace, self.caller, self.key)
    }

    /// The parameters of [`Query::Remember`].
    pub(super) fn values(&self) -> Vec<Parameter<'a>> {
        let rest = [
            Parameter::Number(Some(self.fingerprint.cast_signed())),
            Parameter::Id(self.todo),
            Parameter::Number(Some(self.at.as_unix_millis())),
            Parameter::Number(Some(self.forget_at.as_unix_millis())),
        ];
        self.key().into_iter().chain(rest).collect()
    }
}

/// The parameters of [`Query::FindCreation`].
pub(super) fn key<'a>(
    workspace: &'a WorkspaceId,
    caller: &'a str,
    key: &'a IdempotencyKey,
) -> [Parameter<'a>; 3] {
    [row::key(workspace), Parameter::Text(Some(caller)), Parameter::Text(Some(key.as_str()))]
}

/// The parameters of [`Query::ListExpired`].
pub(super) fn expired_before(workspace: &WorkspaceId, now: Instant) -> [Parameter<'_>; 2] {
    [row::key(workspace), Parameter::Number(Some(now.as_unix_millis()))]
}

/// Forgets the requests of rows of [`Query::ListExpired`].
pub(super) async fn forget(
    transaction: &Transaction<'_>,
    workspace: &WorkspaceId,
    expired: &[Row],
) -> Result<(), Error> {
    let forget = async |row: &Row| {
        let (caller, request): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        let todo = Parameter::Id(TodoId::from_uuid(row.try_get(2)?));
        let [caller, request] = [caller, request].map(|it| Parameter::Text(Some(it)));
        let key = [row::key(workspace), caller, request, todo];
        transaction.query(Query::Forget, &key).await
    };
    try_join_all(expired.iter().map(forget)).await.map(drop)
}

/// Reads a row of [`Query::FindCreation`]. `None` if the request is forgotten at `now`.
pub(super) fn read_at(row: &Row, now: Instant) -> Result<Option<EarlierCall>, StorageError> {
    let call = read(row)?;
    let forget_at: i64 = row.try_get(4).map_err(Failure::from)?;
    Ok((forget_at > now.as_unix_millis()).then_some(call))
}

/// Reads a row of [`Query::FindCreation`].
pub(super) fn read(row: &Row) -> Result<EarlierCall, StorageError> {
    restore(row).map_err(|source| {
        let id = row.try_get(0).map(TodoId::from_uuid);
        let id = id.map_or_else(|_| "(not a UUID)".to_owned(), |id| id.to_string());
        StorageError::Corrupt { id, source }
    })
}

fn restore(row: &Row) -> Result<EarlierCall, BoxError> {
    Ok(EarlierCall {
        fingerprint: row.try_get::<_, i64>(2)?.cast_unsigned(),
        at: Instant::from_unix_millis(row.try_get(1)?)?,
        made: Made::restore(TodoId::from_uuid(row.try_get(0)?), row.try_get(3)?),
    })
}
