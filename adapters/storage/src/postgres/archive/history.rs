//! What is remembered of all todos of a database, and adding what was remembered elsewhere.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use futures_util::future::{try_join_all, try_join3};
use todo_application::domain::{ChangeNumber, Recorded, WorkspaceId};
use todo_application::ports::{Head, HistoryItem, Loaded, StorageError};
use tokio_postgres::{Client, Error, Row};

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
        // In the order of workspaces, so that no two loaders wait for each other.
        let mut parts = BTreeMap::<_, Vec<_>>::new();
        for (place, item) in self.items.iter().enumerate() {
            parts.entry(item.workspace()).or_default().push((place, item));
        }
        let read = parts.iter().map(|(workspace, items)| read(&transaction, workspace, items));
        let read = try_join_all(read).await?;
        let mut outcomes = vec![Loaded::Same; self.items.len()];
        let (mut heads, mut new) = (Vec::new(), Vec::new());
        for ((workspace, items), rows) in parts.iter().zip(read) {
            let mut head = rows.head.first().map(row::read_head).transpose()?.unwrap_or_default();
            let stored = rows.changes.iter().map(change_row::read);
            let stored = match stored.collect::<Result<Vec<_>, _>>() {
                Ok(stored) => stored,
                Err(error) => return Ok(Err(error)),
            };
            let mut known: HashMap<ChangeNumber, &Recorded> =
                stored.iter().flatten().map(|stored| (stored.number, stored)).collect();
            for (place, item) in items {
                outcomes[*place] = match item {
                    HistoryItem::Head { workspace: _, latest, forgotten } => {
                        head.adopt(*latest, *forgotten, rows.has_changes || !known.is_empty())
                    }
                    HistoryItem::Change { workspace: _, recorded } => {
                        match known.entry(recorded.number) {
                            Entry::Occupied(stored) if *stored.get() == recorded => Loaded::Same,
                            Entry::Occupied(_) => Loaded::Different,
                            Entry::Vacant(number) => {
                                number.insert(recorded);
                                head.add_change(recorded);
                                new.push((*workspace, recorded));
                                Loaded::Added
                            }
                        }
                    }
                };
            }
            heads.push((*workspace, head));
        }
        add(&transaction, &new).await?;
        let set = async |(workspace, head): &(&WorkspaceId, Head)| {
            let head: Vec<_> = [row::key(workspace)].into_iter().chain(row::head(head)).collect();
            transaction.query(Query::SetHead, &head).await
        };
        try_join_all(heads.iter().map(set)).await?;
        transaction.commit().await?;
        Ok(Ok(outcomes))
    }
}

/// What a workspace has.
struct Rows {
    head: Vec<Row>,
    /// If a head is to be loaded, whether there are changes.
    has_changes: bool,
    /// Those with the numbers of changes that are to be loaded.
    changes: Vec<Row>,
}

/// Locks the head of a workspace and looks up what is to be loaded, in one round trip.
async fn read(
    transaction: &Transaction<'_>,
    workspace: &WorkspaceId,
    items: &[(usize, &HistoryItem)],
) -> Result<Rows, Error> {
    let numbers = items.iter().filter_map(|(_, item)| match item {
        HistoryItem::Head { .. } => None,
        HistoryItem::Change { workspace: _, recorded } => Some(recorded.number.as_i64()),
    });
    let numbers: Vec<_> = numbers.collect();
    let key = || row::key(workspace);
    let number = |number| Parameter::Number(Some(number));
    let (head, first, changes) =
        ([key()], [key(), number(0), number(1)], [key(), Parameter::Numbers(&numbers)]);
    // Pipelined, and executed in this order.
    let (head, first, changes) = try_join3(
        transaction.query(Query::LockHead, &head),
        transaction.query_if(numbers.len() < items.len(), Query::ChangesOn, &first),
        transaction.query_if(!numbers.is_empty(), Query::FindChanges, &changes),
    )
    .await?;
    // There is a row without a change, if there is none.
    let first = first.first().map(|row| row.try_get::<_, Option<i64>>(0)).transpose()?;
    Ok(Rows { head, has_changes: first.flatten().is_some(), changes })
}

async fn add(
    transaction: &Transaction<'_>,
    changes: &[(&WorkspaceId, &Recorded)],
) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let sink = transaction.copy_in(change_row::COPY).await?;
    let rows = changes.iter().map(|(workspace, recorded)| {
        let Recorded { number, change, batch, undoes, undone_by: _ } = recorded;
        NewChange { workspace, number: *number, change, batch: *batch, undoes: *undoes }
    });
    change_row::copy(sink, rows).await?;
    let undone = changes.iter().filter_map(|(workspace, recorded)| {
        let numbers = [recorded.number, recorded.undone_by?];
        Some((*workspace, numbers.map(|it| Parameter::Number(Some(it.as_i64())))))
    });
    let mark = async |(workspace, [undone, by])| {
        let marked = [row::key(workspace), undone, by];
        transaction.query(Query::MarkUndone, &marked).await
    };
    try_join_all(undone.map(mark)).await.map(drop)
}
