//! Adding todos that were created elsewhere.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::pin;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use todo_application::domain::{
    Change, ChangeNumber, Instant, OperatorPermit, Term, Todo, TodoId, WorkspaceId,
};
use todo_application::ports::{HistoryItem, Loaded, StorageError, TodoLoader};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Error, Row};

use super::super::change_row::{self, NewChange};
use super::super::connections::Work;
use super::super::parameter::{Parameter, to_sql};
use super::super::queries::Query;
use super::super::repository::PostgresTodoRepository;
use super::super::row::{self, item_columns};
use super::super::session::{Session, Transaction};
use super::super::terms;
use super::history;

const COPY: &str = concat!("COPY ", item_columns!(), " FROM STDIN (FORMAT binary)");

const COPY_HEADS: &str = "\
    COPY todo_heads (workspace, todos, todo_bytes, last_id, forgotten, history_bytes, last_number) \
    FROM STDIN (FORMAT binary)";
const HEAD_TYPES: [Type; 7] =
    [Type::BYTEA, Type::INT8, Type::INT8, Type::UUID, Type::INT8, Type::INT8, Type::INT8];

/// How many todos are looked up and added in one transaction, where some exist.
const PART: usize = 500;

/// How often a part is looked up and added again, when that failed.
const RETRIES: u32 = 3;

/// Servers may be running. Their users see the loaded todos with the next query; subscribers are not
/// notified.
#[async_trait]
impl TodoLoader for PostgresTodoRepository {
    async fn load(
        &self,
        _: &OperatorPermit,
        todos: Vec<Todo>,
        remembered_at: Option<Instant>,
    ) -> Result<Vec<Loaded>, StorageError> {
        if self.connections.execute(&Copy { todos: &todos, remembered_at }).await? {
            return Ok(todos.iter().map(|_| Loaded::Added).collect());
        }
        let mut outcomes = Vec::with_capacity(todos.len());
        // In parts that do not take long although each todo is looked up.
        for todos in todos.chunks(PART) {
            outcomes.append(&mut self.connections.execute(&Load { todos, remembered_at }).await??);
        }
        Ok(outcomes)
    }

    async fn load_history(
        &self,
        _: &OperatorPermit,
        items: Vec<HistoryItem>,
    ) -> Result<Vec<Loaded>, StorageError> {
        self.connections.execute(&history::Load { items: &items }).await?
    }
}

/// A transaction that adds all todos.
struct Copy<'a> {
    todos: &'a [Todo],
    /// When, if their additions are to be remembered.
    remembered_at: Option<Instant>,
}

impl Work for Copy<'_> {
    /// Whether they were added. If one cannot be, none is.
    type Output = bool;

    fn is_a_read(&self) -> bool {
        false
    }

    fn workspace(&self) -> Option<&[u8]> {
        None
    }

    async fn on(&self, session: &mut Session) -> Result<bool, Error> {
        let todos: Vec<_> = self.todos.iter().collect();
        match copy(session, &todos, self.remembered_at, Terms::Copied).await {
            // An id is taken, for which Citus has no SQLSTATE. Any other reason comes again.
            Err(error) if error.as_db_error().is_some() => Ok(false),
            copied => copied.map(|()| true),
        }
    }
}

/// A transaction that adds all todos whose ids are free.
struct Load<'a> {
    todos: &'a [Todo],
    remembered_at: Option<Instant>,
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
        let mut retries = RETRIES;
        loop {
            let mut found = find(session, self.todos).await?;
            let mut keys = HashSet::new();
            let are_new: Vec<bool> = self
                .todos
                .iter()
                .map(key)
                .map(|key| !found.contains_key(&key) && keys.insert(key))
                .collect();
            let new: Vec<_> = (self.todos.iter().zip(&are_new))
                .filter_map(|(todo, is_new)| is_new.then_some(todo))
                .collect();
            let terms = if retries == RETRIES { Terms::Copied } else { Terms::OneByOne };
            match copy(session, &new, self.remembered_at, terms).await {
                // Another loader may have added some of them, or terms of a todo that was deleted by hand are left.
                Err(error) if error.as_db_error().is_some() && retries > 0 => retries -= 1,
                Err(error) => return Err(error),
                Ok(()) => {
                    let todos = self.todos.iter().zip(are_new);
                    let existing =
                        todos.clone().filter_map(|(todo, is_new)| (!is_new).then_some(todo));
                    // Their ids are those of todos that were added just now.
                    let twice: Vec<_> =
                        existing.filter(|it| !found.contains_key(&key(it))).collect();
                    found.extend(find(session, twice).await?);
                    let outcome = |(todo, is_new)| match found.get(&key(todo)) {
                        _ if is_new => Ok(Loaded::Added),
                        row => outcome(todo, row),
                    };
                    return Ok(todos.map(outcome).collect());
                }
            }
        }
    }
}

/// The key of a row.
fn key(todo: &Todo) -> (&WorkspaceId, TodoId) {
    (todo.workspace(), todo.id())
}

/// The rows that have the ids of todos.
async fn find<'a>(
    session: &Session,
    todos: impl IntoIterator<Item = &'a Todo>,
) -> Result<HashMap<(&'a WorkspaceId, TodoId), Row>, Error> {
    let mut ids = BTreeMap::<&WorkspaceId, Vec<TodoId>>::new();
    for todo in todos {
        ids.entry(todo.workspace()).or_default().push(todo.id());
    }
    let find = async |(workspace, ids): (&'a WorkspaceId, Vec<TodoId>)| {
        let wanted = [row::key(workspace), Parameter::Ids(&ids)];
        let rows = session.query(Query::FindAll, &wanted).await?.into_iter();
        let with_key = rows.map(|row| Ok(((workspace, TodoId::from_uuid(row.try_get(0)?)), row)));
        with_key.collect::<Result<Vec<_>, Error>>()
    };
    let found = try_join_all(ids.into_iter().map(find)).await?;
    Ok(found.into_iter().flatten().collect())
}

/// How the terms of todos are added. One by one, some may exist.
#[derive(Clone, Copy)]
enum Terms {
    Copied,
    OneByOne,
}

/// Adds all todos, counts them in the heads of their workspaces and stores their baselines if these are remembered,
/// or fails if an id is taken. A statement for each todo, or for each workspace, would take several times as long,
/// above all where they are distributed.
async fn copy(
    session: &mut Session,
    todos: &[&Todo],
    remembered_at: Option<Instant>,
    by: Terms,
) -> Result<(), Error> {
    if todos.is_empty() {
        return Ok(());
    }
    let added: Vec<_> = todos
        .iter()
        .map(|todo| (*todo, remembered_at.map(|at| Change::baseline(todo, at))))
        .collect();
    let transaction = session.transaction().await?;
    let counts = counts(&added);
    let rows = heads_of(&transaction, &counts).await?;
    let known = rows.iter().flatten().map(|row| row.try_get(0));
    let known = known.collect::<Result<HashSet<&[u8]>, _>>()?;
    let is_known = |workspace: &WorkspaceId| known.contains(workspace.as_str().as_bytes());

    let rows = BinaryCopyInWriter::new(transaction.copy_in(COPY_HEADS).await?, &HEAD_TYPES);
    let mut rows = pin!(rows);
    for (workspace, count) in counts.iter().filter(|(workspace, _)| !is_known(workspace)) {
        let [key, todos, rest @ ..] = count.parameters(workspace);
        let last_number = Parameter::Number(Some(count.todos));
        let head: Vec<_> = [key, todos].into_iter().chain(rest).chain([last_number]).collect();
        rows.as_mut().write(&to_sql(&head)).await?;
    }
    rows.finish().await?;

    let rows = BinaryCopyInWriter::new(transaction.copy_in(COPY).await?, &row::ITEM_TYPES);
    let mut rows = pin!(rows);
    for todo in todos {
        rows.as_mut().write(&to_sql(&row::item(todo))).await?;
    }
    rows.finish().await?;
    match by {
        Terms::Copied => {
            let sink = transaction.copy_in(terms::COPY).await?;
            terms::copy(sink, todos.iter().copied(), Term::all_of).await?;
        }
        Terms::OneByOne => {
            let add = async |todo| terms::add(&transaction, todo, &Term::all_of(todo)).await;
            try_join_all(todos.iter().copied().map(add)).await?;
        }
    }
    // Late, as nothing else can be written to these workspaces until the end.
    let known = counts.iter().filter(|(workspace, _)| is_known(workspace));
    let before = try_join_all(known.map(async |(workspace, count)| {
        let rows = transaction.query(Query::AddToHead, &count.parameters(workspace)).await?;
        let last = rows.first().map(|row| row.try_get::<_, i64>(0)).transpose()?;
        Ok::<_, Error>((*workspace, last.unwrap_or_default() - count.todos))
    }));
    let mut numbers: BTreeMap<&WorkspaceId, i64> = before.await?.into_iter().collect();
    let changes: Vec<_> = added
        .iter()
        .filter_map(|(todo, change)| {
            let number = numbers.entry(todo.workspace()).or_default();
            *number += 1;
            let number = ChangeNumber::ZERO.plus(*number);
            Some(NewChange::single(todo.workspace(), number, change.as_ref()?))
        })
        .collect();
    if !changes.is_empty() {
        let sink = transaction.copy_in(change_row::COPY).await?;
        change_row::copy(sink, changes.into_iter()).await?;
    }
    transaction.commit().await
}

/// What loaded todos add to the head of a workspace.
#[derive(Default)]
struct Count {
    todos: i64,
    bytes: i64,
    last_id: Option<TodoId>,
    forgotten: i64,
    history_bytes: i64,
}

impl Count {
    /// Those of [`Query::AddToHead`].
    fn parameters<'a>(&self, workspace: &'a WorkspaceId) -> [Parameter<'a>; 6] {
        let Self { todos, bytes, last_id, forgotten, history_bytes } = *self;
        [
            row::key(workspace),
            Parameter::Number(Some(todos)),
            Parameter::Number(Some(bytes)),
            Parameter::OptionalId(last_id),
            Parameter::Number(Some(forgotten)),
            Parameter::Number(Some(history_bytes)),
        ]
    }
}

/// The keys of the workspaces that have heads.
async fn heads_of(
    transaction: &Transaction<'_>,
    counts: &BTreeMap<&WorkspaceId, Count>,
) -> Result<Vec<Vec<Row>>, Error> {
    let keys = counts.keys().map(|workspace| workspace.as_str().as_bytes()).collect();
    let parts = transaction.by_shard("todo_heads", keys).await?;
    let find = async |keys: Vec<&[u8]>| {
        let keys = Parameter::Array(keys.into_iter().map(Parameter::Bytes).collect());
        transaction.query(Query::HeadsOf, &[keys]).await
    };
    try_join_all(parts.into_iter().map(find)).await
}

/// In the order of workspaces, so that no two loaders wait for each other.
fn counts<'a>(added: &[(&'a Todo, Option<Change>)]) -> BTreeMap<&'a WorkspaceId, Count> {
    let mut counts = BTreeMap::<_, Count>::new();
    for (todo, change) in added {
        let count = counts.entry(todo.workspace()).or_default();
        count.todos += 1;
        count.bytes += todo.bytes().cast_signed();
        count.last_id = count.last_id.max(todo.minted_id());
        match change {
            // Either all are remembered or none.
            None => count.forgotten = count.todos,
            Some(change) => count.history_bytes += change.bytes().cast_signed(),
        }
    }
    counts
}

/// Of a todo whose id is that of a row, which is gone if the todo was removed at this moment.
fn outcome(todo: &Todo, row: Option<&Row>) -> Result<Loaded, StorageError> {
    let stored = row.map(|row| row::read(row, todo.workspace())).transpose()?;
    Ok(Loaded::of_existing(todo, stored.as_ref()))
}
