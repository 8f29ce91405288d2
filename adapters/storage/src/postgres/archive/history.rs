//! What is remembered of all todos of a database, and adding what was remembered elsewhere.

use todo_application::domain::{ChangeNumber, Recorded, WorkspaceId};
use todo_application::ports::{Head, HistoryItem, Loaded, StorageError};
use tokio_postgres::{Client, Error};

use super::super::change_row::{self, NewChange};
use super::super::connections::Work;
use super::super::failure::Failure;
use super::super::parameter::{Parameter, to_sql};
use super::super::queries::Query;
use super::super::row;
use super::super::session::{Session, Transaction};

const COUNT: &str = "SELECT count(*) FROM todo_changes";

/// After the key of the last change that was read, along the primary key.
const PAGE: &str = "\
    SELECT number, at, action, todo, title, version, subject, organization, client, before, after, \
           batch, undoes, undone_by, workspace \
    FROM todo_changes WHERE (workspace, number) > ($1, $2) ORDER BY workspace, number LIMIT $3";

const HEAD: &str = "SELECT last_number, forgotten FROM todo_heads WHERE workspace = $1";

pub(super) async fn count(client: &Client) -> Result<u64, Error> {
    let count: i64 = client.query_one(COUNT, &[]).await?.try_get(0)?;
    Ok(count.unsigned_abs())
}

/// The changes after the last one, which becomes that of this page.
pub(super) async fn page(
    client: &Client,
    last: &mut (Vec<u8>, i64),
    limit: usize,
) -> Result<Vec<HistoryItem>, StorageError> {
    let most = Parameter::Number(Some(i64::try_from(limit).unwrap_or(i64::MAX)));
    let after = [Parameter::Bytes(&last.0), Parameter::Number(Some(last.1)), most];
    let rows = client.query(PAGE, &to_sql(&after)).await.map_err(Failure::from)?;
    let mut items = Vec::with_capacity(rows.len() + 1);
    for row in &rows {
        let key: &[u8] = row.try_get(14).map_err(Failure::from)?;
        let workspace = str::from_utf8(key).map_err(|error| damaged(error.into()))?;
        let workspace = WorkspaceId::try_from(workspace).map_err(|error| damaged(error.into()))?;
        if last.0 != key {
            let head = client.query_opt(HEAD, &[&key]).await.map_err(Failure::from)?;
            let number = |column| {
                let number = head.as_ref().map(|head| head.try_get::<_, i64>(column)).transpose();
                number.map(|it| ChangeNumber::ZERO.plus(it.unwrap_or_default()))
            };
            let latest = number(0).map_err(Failure::from)?;
            let forgotten = number(1).map_err(Failure::from)?;
            items.push(HistoryItem::Head { workspace: workspace.clone(), latest, forgotten });
        }
        let Some(recorded) = change_row::read(row)? else { continue };
        *last = (key.to_owned(), recorded.number.as_i64());
        items.push(HistoryItem::Change { workspace, recorded });
    }
    Ok(items)
}

fn damaged(cause: todo_application::ports::BoxError) -> StorageError {
    StorageError::Damaged(cause)
}

/// A transaction that adds parts of histories.
pub(super) struct Load<'a> {
    pub(super) items: &'a [HistoryItem],
}

impl Work for Load<'_> {
    type Output = Result<Vec<Loaded>, StorageError>;

    fn is_a_read(&self) -> bool {
        false
    }

    fn workspace(&self) -> Option<&[u8]> {
        None
    }

    async fn on(&self, session: &mut Session) -> Result<Self::Output, Error> {
        let transaction = session.transaction().await?;
        let mut outcomes = Vec::with_capacity(self.items.len());
        for of_one in self.items.chunk_by(|one, other| one.workspace() == other.workspace()) {
            match load(&transaction, of_one).await? {
                Ok(loaded) => outcomes.extend(loaded),
                Err(error) => return Ok(Err(error)),
            }
        }
        transaction.commit().await?;
        Ok(Ok(outcomes))
    }
}

/// Loads items of one workspace.
async fn load(
    transaction: &Transaction<'_>,
    items: &[HistoryItem],
) -> Result<Result<Vec<Loaded>, StorageError>, Error> {
    let Some(workspace) = items.first().map(HistoryItem::workspace) else { return Ok(Ok(vec![])) };
    let key = || row::key(workspace);
    let rows = transaction.query(Query::LockHead, &[key()]).await?;
    let head = rows.first().map(row::read_head).transpose()?;
    let mut head: Head = head.unwrap_or_default();
    let number = |number| Parameter::Number(Some(number));
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        let loaded = match item {
            HistoryItem::Head { workspace: _, latest, forgotten } => {
                let first = [key(), number(0), number(1)];
                let rows = transaction.query(Query::ChangesOn, &first).await?;
                // There is a row without a change, if there is none.
                let first = rows.first().map(|row| row.try_get::<_, Option<i64>>(0)).transpose()?;
                head.adopt(*latest, *forgotten, first.flatten().is_some())
            }
            HistoryItem::Change { workspace: _, recorded } => {
                let numbers = [recorded.number.as_i64()];
                let found = [key(), Parameter::Numbers(&numbers)];
                let rows = transaction.query(Query::FindChanges, &found).await?;
                match rows.first().map(change_row::read) {
                    Some(Err(error)) => return Ok(Err(error)),
                    Some(Ok(Some(stored))) if stored == *recorded => Loaded::Same,
                    Some(Ok(_)) => Loaded::Different,
                    None => {
                        add(transaction, workspace, recorded).await?;
                        head.add_change(recorded);
                        Loaded::Added
                    }
                }
            }
        };
        outcomes.push(loaded);
    }
    let head: Vec<_> = [key()].into_iter().chain(row::head(&head)).collect();
    transaction.query(Query::SetHead, &head).await?;
    Ok(Ok(outcomes))
}

async fn add(
    transaction: &Transaction<'_>,
    workspace: &WorkspaceId,
    recorded: &Recorded,
) -> Result<(), Error> {
    let Recorded { number, change, batch, undoes, undone_by } = recorded;
    let (number, batch, undoes) = (*number, *batch, *undoes);
    NewChange { workspace, number, change, batch, undoes }.add(transaction).await?;
    let Some(by) = undone_by else { return Ok(()) };
    let [undone, by] = [number, *by].map(|it| Parameter::Number(Some(it.as_i64())));
    transaction.query(Query::MarkUndone, &[row::key(workspace), undone, by]).await.map(drop)
}
