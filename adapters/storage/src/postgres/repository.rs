//! The repository.

use std::sync::Arc;

use async_trait::async_trait;
use todo_application::domain::{
    Order, OtherWorkspace, Place, Quota, ReadPermit, Sort, Term, TermChange, TermRange, Todo,
    TodoId, Version, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, Creation, CreationRequest, Filter, Head, IdsByTerm, InsertError, RemoveError,
    StorageError, StorageHealth, TodoRepository,
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
use super::write::Write;
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
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let page = [row::key(workspace), Parameter::Id(first), Parameter::Number(Some(limit))];
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
            Parameter::Number(Some(i64::try_from(limit).unwrap_or(i64::MAX))),
        ];
        let rows = self.connections.run(Query::list_by(order, filter), &page).await?;
        let mut todos =
            rows.iter().map(|row| row::read(row, workspace)).collect::<Result<Vec<_>, _>>()?;
        todos.sort_by_key(|todo| Sort::By(order).place(todo));
        todos.truncate(limit);
        Ok(todos)
    }

    async fn find_all(
        &self,
        permit: &ReadPermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        let workspace = permit.workspace();
        let key = [row::key(workspace), Parameter::Ids(ids)];
        let rows = self.connections.run(Query::FindAll, &key).await?;
        let mut todos =
            rows.iter().map(|row| row::read(row, workspace)).collect::<Result<Vec<_>, _>>()?;
        todos.sort_by_key(Todo::id);
        todos.dedup_by_key(|todo| todo.id());
        Ok(todos)
    }

    async fn ids_by_term(
        &self,
        permit: &ReadPermit,
        range: &TermRange,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Option<IdsByTerm>, StorageError> {
        let Some(first) = next(after) else { return Ok(Some(IdsByTerm::merge([], limit))) };
        let look_up = terms::LookUp { workspace: permit.workspace(), range, first, limit };
        self.connections.execute(&look_up).await
    }

    async fn terms(
        &self,
        permit: &ReadPermit,
        range: &TermRange,
        limit: usize,
    ) -> Result<Vec<Term>, StorageError> {
        let range = terms::range(permit.workspace(), range, limit);
        let rows = self.connections.run(Query::Terms, &range).await?;
        Ok(rows.iter().map(terms::read).collect::<Result<_, _>>().map_err(Failure::from)?)
    }

    async fn insert(&self, permit: &WritePermit, todo: &Todo) -> Result<(), InsertError> {
        todo.check(permit)?;
        for _ in 0..ROUNDS {
            let (quota, terms) = (permit.quota(), TermChange::adding(todo));
            let write = Write::Insert { todo: todo.clone(), terms, quota };
            if self.groups.write(write).await? {
                return Ok(());
            }
            self.refusal(todo, permit.quota()).await?;
        }
        Err(contended().into())
    }

    async fn insert_once(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Option<Creation>, InsertError> {
        todo.check(permit)?;
        let once = creations::InsertOnce {
            caller: permit.caller().key(),
            todo,
            terms: TermChange::adding(todo),
            request,
            quota: permit.quota(),
        };
        for _ in 0..ROUNDS {
            match self.connections.execute(&once).await? {
                Created::Now => return Ok(None),
                Created::Before(row) => return Ok(Some(creations::read(&row)?)),
                Created::JustForgotten => {
                    let cause = "the request was forgotten at this moment";
                    return Err(StorageError::Unavailable(cause.into()).into());
                }
                Created::Refused => self.refusal(todo, permit.quota()).await?,
            }
        }
        Err(contended().into())
    }

    async fn save(
        &self,
        permit: &WritePermit,
        before: &Todo,
        after: &Todo,
    ) -> Result<(), ChangeError> {
        after.check(permit).map_err(|OtherWorkspace| ChangeError::Stale)?;
        let (quota, terms) = (permit.quota(), TermChange::between(before, after));
        for _ in 0..ROUNDS {
            let (todo, terms) = (after.clone(), terms.clone());
            let write = Write::Save { before: before.version(), todo, terms, quota };
            if self.groups.write(write).await? {
                return Ok(());
            }
            self.refusal_of_change(after, before.version(), quota).await?;
        }
        Err(contended().into())
    }

    async fn remove(&self, permit: &WritePermit, todo: &Todo) -> Result<(), RemoveError> {
        let write = Write::Remove {
            workspace: permit.workspace().clone(),
            id: todo.id(),
            before: todo.version(),
            terms: TermChange::removing(todo),
        };
        if self.groups.write(write).await? { Ok(()) } else { Err(RemoveError::Stale) }
    }
}

#[async_trait]
impl StorageHealth for PostgresTodoRepository {
    async fn check(&self) -> Result<(), StorageError> {
        self.health.check().await
    }
}

impl PostgresTodoRepository {
    /// Why a new todo was refused, as the error. It is what is stored by now: if that would admit the
    /// todo, there is none.
    async fn refusal(&self, todo: &Todo, quota: Quota) -> Result<(), InsertError> {
        let key = [row::key(todo.workspace()), Parameter::Id(todo.id())];
        if !self.connections.run(Query::Exists, &key).await?.is_empty() {
            return Err(InsertError::Duplicate(todo.id()));
        }
        Ok(self.head(todo.workspace()).await?.admits(todo, quota)?)
    }

    /// The same for a changed todo.
    async fn refusal_of_change(
        &self,
        todo: &Todo,
        expected: Version,
        quota: Quota,
    ) -> Result<(), ChangeError> {
        match self.find_in(todo.workspace(), todo.id()).await? {
            Some(stored) if stored.version() == expected => {
                let head = self.head(todo.workspace()).await?;
                Ok(head.admits_change(stored.bytes(), todo, quota)?)
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
}
