//! What is remembered of all todos of a database, and adding what was remembered elsewhere.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use futures_util::future::try_join_all;
use todo_application::domain::{ChangeNumber, Recorded, WorkspaceId};
use todo_application::ports::{Head, HistoryItem, Loaded, StorageError};
use tokio_postgres::{Client, Error, Row};

use super::super::change_row::{self, NewChange};
use super::super::connections::Work;
use super::super::failure::Failure;
use super::super::parameter::{Parameter, columns, to_sql};
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
    let most = Parameter::count(limit);
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
        let mut parts = BTreeMap::<_, Vec<_>>::new();
        for (place, item) in self.items.iter().enumerate() {
            parts.entry(item.workspace()).or_default().push((place, item));
        }
        let shards = lock(&transaction, parts.keys().copied()).await?;
        let mut outcomes = vec![Loaded::Same; self.items.len()];
        let (mut heads, mut new) = (Vec::with_capacity(shards.len()), Vec::new());
        for shard in shards {
            let stored = shard.iter().map(async |(workspace, head)| {
                let numbers = parts.get(workspace).into_iter().flatten().filter_map(number);
                let numbers: Vec<_> = numbers.collect();
                let wanted = [row::key(workspace), Parameter::Numbers(&numbers)];
                let may_be_stored = head.has_changes() && !numbers.is_empty();
                transaction.query_if(may_be_stored, Query::FindChanges, &wanted).await
            });
            let stored = try_join_all(stored).await?;
            let mut changed = Vec::with_capacity(shard.len());
            for ((workspace, mut head), stored) in shard.into_iter().zip(stored) {
                let stored = stored.iter().map(change_row::read);
                let stored = match stored.collect::<Result<Vec<_>, _>>() {
                    Ok(stored) => stored,
                    Err(error) => return Ok(Err(error)),
                };
                let mut known: HashMap<ChangeNumber, &Recorded> =
                    stored.iter().flatten().map(|stored| (stored.number, stored)).collect();
                for (place, item) in parts.get(workspace).into_iter().flatten() {
                    let (outcome, added) = load(item, &mut head, &mut known);
                    outcomes[*place] = outcome;
                    new.extend(added.map(|recorded| (workspace, recorded)));
                }
                changed.push((workspace, head));
            }
            heads.push(changed);
        }
        add(&transaction, &new).await?;
        let heads = heads.iter().flat_map(|of_shard| of_shard.chunks(HEADS));
        try_join_all(heads.map(|heads| set(&transaction, heads))).await?;
        transaction.commit().await?;
        Ok(Ok(outcomes))
    }
}

/// The number of a change that is to be loaded.
fn number((_, item): &(usize, &HistoryItem)) -> Option<i64> {
    match item {
        HistoryItem::Head { .. } => None,
        HistoryItem::Change { workspace: _, recorded } => Some(recorded.number.as_i64()),
    }
}

/// What comes of an item, and the change that is to be added.
fn load<'a: 'b, 'b>(
    item: &'a HistoryItem,
    head: &mut Head,
    known: &mut HashMap<ChangeNumber, &'b Recorded>,
) -> (Loaded, Option<&'a Recorded>) {
    match item {
        HistoryItem::Head { workspace: _, latest, forgotten } => {
            (head.adopt(*latest, *forgotten), None)
        }
        HistoryItem::Change { workspace: _, recorded } => match known.entry(recorded.number) {
            Entry::Occupied(stored) if *stored.get() == recorded => (Loaded::Same, None),
            Entry::Occupied(_) => (Loaded::Different, None),
            Entry::Vacant(number) => {
                number.insert(recorded);
                head.add_change(recorded);
                (Loaded::Added, Some(recorded))
            }
        },
    }
}

/// How many heads a statement stores: without statistics of arrays, it may compare each with each.
const HEADS: usize = 256;

/// Locks the heads of workspaces, which are made where there are none, and returns them by shard, in the order of
/// their keys. Of two loaders that wait for each other, the database ends one, which begins again.
async fn lock<'a>(
    transaction: &Transaction<'_>,
    workspaces: impl Iterator<Item = &'a WorkspaceId>,
) -> Result<Vec<Vec<(&'a WorkspaceId, Head)>>, Error> {
    let workspaces: BTreeMap<&[u8], _> =
        workspaces.map(|it| (it.as_str().as_bytes(), it)).collect();
    let shards = transaction.by_shard("todo_heads", workspaces.keys().copied().collect()).await?;
    let lock = async |keys: Vec<&[u8]>| {
        let wanted = Parameter::Array(keys.iter().copied().map(Parameter::Bytes).collect());
        let rows = transaction.query(Query::LockHeadsOf, &[wanted]).await?;
        let found = rows.iter().map(|row| Ok((row.try_get::<_, &[u8]>(7)?, row::read_head(row)?)));
        let found = found.collect::<Result<HashMap<_, _>, Error>>()?;
        let head = async |workspace: &'a WorkspaceId| {
            if let Some(head) = found.get(workspace.as_str().as_bytes()) {
                return Ok((workspace, *head));
            }
            let made = transaction.query(Query::LockHead, &[row::key(workspace)]).await?;
            let head = made.first().map(row::read_head).transpose()?.unwrap_or_default();
            Ok::<_, Error>((workspace, head))
        };
        let workspaces = keys.iter().filter_map(|key| workspaces.get(key).copied());
        try_join_all(workspaces.map(head)).await
    };
    try_join_all(shards.into_iter().map(lock)).await
}

/// Stores heads of a shard.
async fn set(
    transaction: &Transaction<'_>,
    heads: &[(&WorkspaceId, Head)],
) -> Result<Vec<Row>, Error> {
    let heads = heads.iter().map(|(workspace, head)| {
        let [todos, bytes, last_id, latest, forgotten, deleted, history] = row::head(head);
        [row::key(workspace), todos, bytes, last_id, latest, forgotten, deleted, history]
    });
    transaction.query(Query::SetHeads, &columns(heads)).await
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
