//! Todos in PostgreSQL, or in something that speaks its protocol: for more than one server.
//!
//! | module | holds |
//! |---|---|
//! | `url` | which database, as whom and how |
//! | `connections` | the pool, and how a statement gets through one of its connections |
//! | `tls` | encryption, and who answers |
//! | `queries` | the statements |
//! | `creations` | adding a todo once, however often it is asked for |
//! | `parameter`, `row` | how a todo is a row |
//! | `migrations` | the schema |
//! | `failure` | what became of a statement that failed |
//! | `open_error` | why a database cannot be used |
//!
//! A connection keeps what was prepared on it, and settings of its own: a pooler in between has to
//! give one server connection to one client (PgBouncer: session mode).

mod connections;
mod creations;
mod failure;
mod migrations;
mod open_error;
mod parameter;
mod queries;
mod row;
mod tls;
mod url;

use async_trait::async_trait;
use todo_application::domain::{Todo, TodoId, Version, WorkspaceId};
use todo_application::ports::{
    Creation, CreationRequest, Filter, NotReady, Readiness, StorageError, TodoRepository,
};

use connections::{CALL, Connections, Kind, PROBE, Statement};
use creations::Created;
use failure::Failure;
pub use open_error::{PostgresOpenError, PostgresOpenProblem};
use parameter::Parameter;
pub use url::{PostgresUrl, PostgresUrlError};

/// Keeps todos in a PostgreSQL database that any number of processes use at the same time.
///
/// Its methods need a Tokio runtime with I/O and time enabled. A caller that stops waiting for a
/// write cannot know whether it happened; nothing else comes of it.
pub struct PostgresTodoRepository {
    connections: Connections,
}

impl PostgresTodoRepository {
    /// Connects to the database and brings it to the current schema.
    ///
    /// Any number of processes may do so at the same time. Later on, connections that are lost are
    /// replaced without further ado; only at the start is a database that is not there an error.
    pub async fn open(url: &PostgresUrl) -> Result<Self, PostgresOpenError> {
        open(url).await.map_err(|problem| PostgresOpenError { database: url.to_string(), problem })
    }
}

async fn open(url: &PostgresUrl) -> Result<PostgresTodoRepository, PostgresOpenProblem> {
    let connections = Connections::new(url).map_err(PostgresOpenProblem::Certificates)?;
    let mut connection = connections.get(CALL).await?;
    let encoding = connection.query_one("SHOW server_encoding", &[]).await?;
    let encoding: String = encoding.try_get(0)?;
    if encoding != "UTF8" {
        return Err(PostgresOpenProblem::Encoding(encoding));
    }
    migrations::migrate(&mut connection).await?;
    // A table of the same name that is not ours lacks something that they name.
    for sql in queries::ALL {
        connection.prepare_cached(sql).await?;
    }
    drop(connection);
    Ok(PostgresTodoRepository { connections })
}

/// The first id after `after`, where the next page begins. There is none after the last.
fn next(after: Option<TodoId>) -> Option<TodoId> {
    let number = after.map_or(Some(0), |id| id.as_uuid().as_u128().checked_add(1))?;
    Some(TodoId::from_bytes(number.to_be_bytes()))
}

#[async_trait]
impl TodoRepository for PostgresTodoRepository {
    async fn find(
        &self,
        workspace: &WorkspaceId,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        let key = [row::workspace(workspace), Parameter::Id(id)];
        let rows = self.connections.run(Kind::Read, queries::FIND, &key).await?;
        rows.first().map(|row| row::read(row, workspace)).transpose()
    }

    async fn list(
        &self,
        workspace: &WorkspaceId,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        let Some(first) = next(after) else { return Ok(Vec::new()) };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let page =
            [row::workspace(workspace), Parameter::Id(first), Parameter::Number(Some(limit))];
        let rows = match filter.completed {
            None => self.connections.run(Kind::Read, queries::LIST, &page).await?,
            Some(done) => {
                let [workspace, first, limit] = page;
                let page = [workspace, first, limit, Parameter::Flag(done)];
                self.connections.run(Kind::Read, queries::LIST_BY_DONE, &page).await?
            }
        };
        rows.iter().map(|row| row::read(row, workspace)).collect()
    }

    async fn insert(&self, todo: &Todo) -> Result<(), StorageError> {
        let values = row::values(todo);
        let inserted = self.connections.run(Kind::Write, queries::INSERT, &values).await?;
        if inserted.is_empty() { Err(StorageError::Duplicate(todo.id())) } else { Ok(()) }
    }

    async fn insert_once(
        &self,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Option<Creation>, StorageError> {
        let once = creations::InsertOnce { todo, request };
        match self.connections.carry_out(&once).await? {
            Created::Now => Ok(None),
            Created::Before(row) => creations::read(&row).map(Some),
            Created::IdTaken => Err(StorageError::Duplicate(todo.id())),
        }
    }

    async fn save(&self, todo: &Todo, expected: Version) -> Result<(), StorageError> {
        let mut values = Vec::from(row::values(todo));
        values.push(Parameter::Number(Some(expected.as_i64())));
        let saved = self.connections.run(Kind::Write, queries::SAVE, &values).await?;
        if saved.is_empty() { Err(StorageError::StaleVersion) } else { Ok(()) }
    }

    async fn remove(
        &self,
        workspace: &WorkspaceId,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<bool, StorageError> {
        let [key, id] = [row::workspace(workspace), Parameter::Id(id)];
        let version = Parameter::Number(expected.map(Version::as_i64));
        let key = [key, id, version];
        let removed = self.connections.run(Kind::Write, queries::REMOVE, &key).await?;
        if !removed.is_empty() || expected.is_none() {
            return Ok(!removed.is_empty());
        }
        let [key, id, _] = key;
        let there = self.connections.run(Kind::Read, queries::EXISTS, &[key, id]).await?;
        if there.is_empty() { Ok(false) } else { Err(StorageError::StaleVersion) }
    }
}

#[async_trait]
impl Readiness for PostgresTodoRepository {
    fn name(&self) -> &'static str {
        "storage"
    }

    async fn ready(&self) -> Result<(), NotReady> {
        // Of no workspace, so that it is one machine's to answer.
        let nowhere = [Parameter::Bytes(&[]), Parameter::Id(TodoId::from_bytes([0; 16]))];
        let (kind, sql) = (Kind::Read, queries::EXISTS);
        let exists = Statement { kind, sql, parameters: &nowhere };
        let asked = self.connections.attempt(PROBE, &exists).await;
        let reason = asked.map(drop).map_err(Failure::reason);
        reason.map_err(|reason| NotReady(format!("the database cannot be read: {reason}")))
    }
}
