//! The repository.

use std::iter;
use std::sync::Arc;

use async_trait::async_trait;
use todo_application::domain::{
    Change, ChangeNumber, IdempotencyKey, Instant, Order, OtherWorkspace, Place, ReadPermit, Term,
    TermRange, Todo, TodoId, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, CreationRequest, EarlierCall, Filter, Head, IdsByTerm, InsertError, Inserted,
    RemoveError, StorageError, StorageHealth, StorageLoad, TodoRepository, WriteSet, WriteSetError,
    Written,
};

use super::connections::Connections;
use super::connector::Connector;
use super::creations::{self, Created};
use super::failure::Failure;
use super::groups::{Extent, Groups};
use super::health::Health;
use super::open_error::{PostgresOpenError, PostgresOpenProblem};
use super::parameter::Parameter;
use super::pool::PostgresPool;
use super::queries::Query;
use super::url::PostgresUrl;
use super::write::{Insertion, Removal, Replacement, Write};
use super::write_set::WriteAll;
use super::{migrations, pooler, row, terms};

/// Keeps todos in a PostgreSQL database that any number of processes use at the same time.
///
/// Its methods need a Tokio runtime with I/O and time enabled. Cancelling a write leaves its outcome
/// unknown and has no other effect.
pub struct PostgresTodoRepository {
    pub(super) connections: Arc<Connections>,
    groups: Groups,
    health: Health,
}

impl PostgresTodoRepository {
    /// [`open_with`](Self::open_with) the default pool.
    pub async fn open(url: &PostgresUrl) -> Result<Self, PostgresOpenError> {
        Self::open_with(url, PostgresPool::default()).await
    }

    /// Connects to the database and migrates it to the current schema.
    ///
    /// Any number of processes may do so at the same time. Connections that are lost later are
    /// replaced; only here is an unreachable database an error.
    pub async fn open_with(
        url: &PostgresUrl,
        pool: PostgresPool,
    ) -> Result<Self, PostgresOpenError> {
        open(url, pool)
            .await
            .map_err(|problem| PostgresOpenError { database: url.to_string(), problem })
    }
}

async fn open(
    url: &PostgresUrl,
    pool: PostgresPool,
) -> Result<PostgresTodoRepository, PostgresOpenProblem> {
    let connector = Connector::new(url).map_err(PostgresOpenProblem::Certificates)?;
    let mut connection = pooler::connect(&connector).await?;
    let encoding = connection.client.query_one("SHOW server_encoding", &[]).await?;
    let encoding: String = encoding.try_get(0)?;
    if encoding != "UTF8" {
        return Err(PostgresOpenProblem::Encoding(encoding));
    }
    migrations::migrate(&mut connection.client).await?;
    let extent = Extent::of_tables(&connection.client).await?;
    drop(connection);
    let connections = Arc::new(Connections::open(connector, pool).await?);
    let groups = Groups::new(Arc::clone(&connections), pool.size.get(), extent);
    let health = Health::new(Arc::clone(&connections));
    Ok(PostgresTodoRepository { connections, groups, health })
}

/// How often a todo is inserted again after what refused it was gone at once.
const ROUNDS: usize = 8;

fn contended() -> StorageError {
    StorageError::Unavailable("too many writes to the workspace at once".into())
}

/// The number of a write as that of its change, if that is remembered.
fn remembered(permit: &WritePermit, number: ChangeNumber) -> Option<ChangeNumber> {
    permit.remembers().then_some(number)
}

/// The id at which the page after `after` begins. There is none after the largest id.
fn next(after: Option<TodoId>) -> Option<TodoId> {
    let number = after.map_or(Some(0), |id| id.as_uuid().as_u128().checked_add(1))?;
    Some(TodoId::from_bytes(number.to_be_bytes()))
}

#[async_trait]
impl TodoRepository for PostgresTodoRepository {
    async fn find(&self, permit: &ReadPermit, id: TodoId) -> Result<Option<Todo>, StorageError> {
        self.find_in(permit.workspace(), id).await
    }

    async fn find_for_update(
        &self,
        permit: &WritePermit,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        self.find_in(permit.workspace(), id).await
    }

    async fn list(
        &self,
        permit: &ReadPermit,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        let workspace = permit.workspace();
        let Some(first) = next(after) else { return Ok(Vec::new()) };
        let page = [row::key(workspace), Parameter::Id(first), Parameter::count(limit)];
        let query = match filter.completed {
            None => Query::List,
            Some(false) => Query::ListOpen,
            Some(true) => Query::ListDone,
        };
        let rows = self.connections.run(query, &page).await?;
        rows.iter().map(|row| row::read(row, workspace)).collect()
    }

    async fn list_by(
        &self,
        permit: &ReadPermit,
        order: Order,
        filter: Filter,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        let workspace = permit.workspace();
        let page = [
            row::key(workspace),
            Parameter::Number(Some(after.key)),
            Parameter::Id(after.id),
            Parameter::count(limit),
        ];
        let rows = self.connections.run(Query::list_by(order, filter), &page).await?;
        rows.iter().map(|row| row::read(row, workspace)).collect()
    }

    async fn find_all(
        &self,
        permit: &ReadPermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        self.find_all_in(permit.workspace(), ids).await
    }

    async fn ids_by_term(
        &self,
        permit: &ReadPermit,
        ranges: &[TermRange],
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Option<IdsByTerm>, StorageError> {
        let Some(first) = next(after) else { return Ok(Some(IdsByTerm::merge([], limit))) };
        let look_up = terms::LookUp { workspace: permit.workspace(), ranges, first, limit };
        self.connections.execute(&look_up).await
    }

    async fn terms(
        &self,
        permit: &ReadPermit,
        range: &TermRange,
        limit: usize,
    ) -> Result<Vec<Term>, StorageError> {
        let range = terms::ranges(permit.workspace(), iter::once(range), limit);
        let rows = self.connections.run(Query::Terms, &range).await?;
        Ok(rows.iter().map(terms::read).collect::<Result<_, _>>().map_err(Failure::from)?)
    }

    async fn insert(
        &self,
        permit: &WritePermit,
        todo: &Todo,
    ) -> Result<Option<ChangeNumber>, InsertError> {
        todo.check(permit)?;
        for _ in 0..ROUNDS {
            let insertion = Insertion::new(permit, todo);
            if let Some(number) = self.groups.write(Write::Insert(insertion)).await? {
                return Ok(remembered(permit, number));
            }
            self.refusal(permit, todo).await?;
        }
        Err(contended().into())
    }

    async fn insert_once(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Inserted, InsertError> {
        todo.check(permit)?;
        let once = creations::InsertOnce {
            caller: permit.caller().key(),
            insertion: Insertion::new(permit, todo),
            request,
        };
        for _ in 0..ROUNDS {
            match self.connections.execute(&once).await? {
                Created::Now(number) => return Ok(Inserted::Now(remembered(permit, number))),
                Created::Before(row) => {
                    return Ok(Inserted::Earlier(creations::read(&row)?.into()));
                }
                Created::JustForgotten => {
                    let cause = creations::JUST_FORGOTTEN.into();
                    return Err(StorageError::Unavailable(cause).into());
                }
                Created::Refused => self.refusal(permit, todo).await?,
            }
        }
        Err(contended().into())
    }

    async fn save(
        &self,
        permit: &WritePermit,
        before: &Todo,
        after: &Todo,
    ) -> Result<Option<ChangeNumber>, ChangeError> {
        after.check(permit).map_err(|OtherWorkspace| ChangeError::Stale)?;
        for _ in 0..ROUNDS {
            let replacement = Replacement::new(permit, before, after);
            if let Some(number) = self.groups.write(Write::Save(replacement)).await? {
                return Ok(remembered(permit, number));
            }
            self.refusal_of_change(permit, before, after).await?;
        }
        Err(contended().into())
    }

    async fn remove(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        at: Instant,
    ) -> Result<Option<ChangeNumber>, RemoveError> {
        let removal = Removal::new(permit, todo, at);
        let number = self.groups.write(Write::Remove(removal)).await?;
        number.map(|number| remembered(permit, number)).ok_or(RemoveError::Stale)
    }

    async fn find_all_for_update(
        &self,
        permit: &WritePermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        self.find_all_in(permit.workspace(), ids).await
    }

    async fn find_call(
        &self,
        permit: &WritePermit,
        key: &IdempotencyKey,
        now: Instant,
    ) -> Result<Option<EarlierCall>, StorageError> {
        let caller = permit.caller().key();
        let key = creations::key(permit.workspace(), &caller, key);
        let rows = self.connections.run(Query::FindCreation, &key).await?;
        let call = rows.first().map(|row| creations::read_at(row, now)).transpose()?;
        Ok(call.flatten())
    }

    async fn write_all(
        &self,
        permit: &WritePermit,
        set: &WriteSet,
    ) -> Result<Written, WriteSetError> {
        set.check(permit)?;
        let caller = permit.caller().key();
        self.connections.execute(&WriteAll { permit, caller, set }).await?
    }
}

#[async_trait]
impl StorageHealth for PostgresTodoRepository {
    async fn check(&self) -> Result<(), StorageError> {
        self.health.check().await
    }

    fn load(&self) -> StorageLoad {
        StorageLoad { connections: Some(self.connections.load()), ..StorageLoad::default() }
    }
}

impl PostgresTodoRepository {
    /// Why a new todo was refused, as the error. It is what is stored by now: if that would admit the
    /// todo, there is none.
    async fn refusal(&self, permit: &WritePermit, todo: &Todo) -> Result<(), InsertError> {
        let key = [row::key(todo.workspace()), Parameter::Id(todo.id())];
        if !self.connections.run(Query::Exists, &key).await?.is_empty() {
            return Err(InsertError::Duplicate(todo.id()));
        }
        let change = permit.remembers().then(|| Change::created(permit, todo));
        Ok(self.head(todo.workspace()).await?.admits(todo, change.as_ref(), permit.quota())?)
    }

    /// The same for a changed todo.
    async fn refusal_of_change(
        &self,
        permit: &WritePermit,
        before: &Todo,
        after: &Todo,
    ) -> Result<(), ChangeError> {
        match self.find_in(after.workspace(), after.id()).await? {
            Some(stored) if stored.version() == before.version() => {
                let change = permit.remembers().then(|| Change::updated(permit, before, after));
                let head = self.head(after.workspace()).await?;
                Ok(head.admits_change(stored.bytes(), after, change.as_ref(), permit.quota())?)
            }
            _ => Err(ChangeError::Stale),
        }
    }

    async fn head(&self, workspace: &WorkspaceId) -> Result<Head, StorageError> {
        let rows = self.connections.run(Query::Head, &[row::key(workspace)]).await?;
        let head = rows.first().map(row::read_head).transpose().map_err(Failure::from)?;
        Ok(head.unwrap_or_default())
    }

    async fn find_in(
        &self,
        workspace: &WorkspaceId,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        let key = [row::key(workspace), Parameter::Id(id)];
        let rows = self.connections.run(Query::Find, &key).await?;
        rows.first().map(|row| row::read(row, workspace)).transpose()
    }

    async fn find_all_in(
        &self,
        workspace: &WorkspaceId,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        let key = [row::key(workspace), Parameter::Ids(ids)];
        let rows = self.connections.run(Query::FindAll, &key).await?;
        let mut todos =
            rows.iter().map(|row| row::read(row, workspace)).collect::<Result<Vec<_>, _>>()?;
        todos.sort_by_key(Todo::id);
        todos.dedup_by_key(|todo| todo.id());
        Ok(todos)
    }
}
