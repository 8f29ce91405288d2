//! Todos in PostgreSQL, or in something that speaks its protocol: for more than one server.
//!
//! | module | holds |
//! |---|---|
//! | `url` | which database, as whom and how |
//! | `connector` | making connections, to the host that takes writes |
//! | `session` | what is set and prepared on each of them |
//! | `connections` | the pool, and what becomes of work that fails |
//! | `tls` | encryption, and who answers |
//! | `queries` | the statements |
//! | `change_feed` | word of changes between servers |
//! | `archive` | all todos at once, for an operator |
//! | `creations` | adding a todo once, however often it is asked for |
//! | `parameter`, `row` | how a todo is a row |
//! | `migrations` | the schema |
//! | `failure` | what became of a statement that failed |
//! | `open_error` | why a database cannot be used |
//!
//! A connection keeps what was prepared on it, and settings of its own: a pooler in between has to
//! give one server connection to one client (PgBouncer: session mode).

mod archive;
mod change_feed;
mod connections;
mod connector;
mod creations;
mod failure;
mod migrations;
mod open_error;
mod parameter;
mod queries;
mod row;
mod session;
mod tls;
mod url;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use todo_application::domain::{Todo, TodoId, Version, WorkspaceId};
use todo_application::ports::{
    Creation, CreationRequest, Filter, NotReady, Readiness, StorageError, TodoRepository,
};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use archive::PostgresSnapshot;
pub use change_feed::PostgresChangeFeed;
use connections::{Connections, Single};
use connector::Connector;
use creations::Created;
use failure::Failure;
pub use open_error::{PostgresOpenError, PostgresOpenProblem};
use parameter::Parameter;
use queries::Query;
pub use url::{PostgresUrl, PostgresUrlError};

/// How long a readiness check waits; the port promises an answer within a second.
const PROBE_TIME: Duration = Duration::from_millis(900);

/// Keeps todos in a PostgreSQL database that any number of processes use at the same time.
///
/// Its methods need a Tokio runtime with I/O and time enabled. A caller that stops waiting for a
/// write cannot know whether it happened; nothing else comes of it.
pub struct PostgresTodoRepository {
    connections: Arc<Connections>,
    /// What the readiness check has asked, until there is an answer.
    probe: Mutex<Option<JoinHandle<Result<(), Failure>>>>,
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
    let connector = Connector::new(url).map_err(PostgresOpenProblem::Certificates)?;
    let mut connection = connector.connect(None).await?;
    let encoding = connection.client.query_one("SHOW server_encoding", &[]).await?;
    let encoding: String = encoding.try_get(0)?;
    if encoding != "UTF8" {
        return Err(PostgresOpenProblem::Encoding(encoding));
    }
    migrations::migrate(&mut connection.client).await?;
    drop(connection);
    let connections = Arc::new(Connections::open(connector).await?);
    Ok(PostgresTodoRepository { connections, probe: Mutex::default() })
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
        let rows = self.connections.run(Query::Find, &key).await?;
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
        let query = match filter.completed {
            None => Query::List,
            Some(false) => Query::ListOpen,
            Some(true) => Query::ListDone,
        };
        let rows = self.connections.run(query, &page).await?;
        rows.iter().map(|row| row::read(row, workspace)).collect()
    }

    async fn insert(&self, todo: &Todo) -> Result<(), StorageError> {
        let values = row::values(todo);
        let inserted = self.connections.run(Query::Insert, &values).await?;
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
            Created::JustForgotten => {
                Err(StorageError::Unavailable("the request was forgotten at this moment".into()))
            }
            Created::IdTaken => Err(StorageError::Duplicate(todo.id())),
        }
    }

    async fn save(&self, todo: &Todo, expected: Version) -> Result<(), StorageError> {
        let mut values = Vec::from(row::values(todo));
        values.push(Parameter::Number(Some(expected.as_i64())));
        let saved = self.connections.run(Query::Save, &values).await?;
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
        let removed = self.connections.run(Query::Remove, &key).await?;
        if !removed.is_empty() || expected.is_none() {
            return Ok(!removed.is_empty());
        }
        let [key, id, _] = key;
        let there = self.connections.run(Query::Exists, &[key, id]).await?;
        if there.is_empty() { Ok(false) } else { Err(StorageError::StaleVersion) }
    }
}

#[async_trait]
impl Readiness for PostgresTodoRepository {
    fn name(&self) -> &'static str {
        "storage"
    }

    async fn ready(&self) -> Result<(), NotReady> {
        match timeout(PROBE_TIME, self.probe()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) => {
                Err(NotReady(format!("the database cannot be read: {}", failure.reason())))
            }
            Err(_elapsed) => Err(NotReady("the database does not answer in time".into())),
        }
    }
}

impl PostgresTodoRepository {
    /// Asks the database, or goes on waiting for the answer to what was asked before.
    ///
    /// A new connection may take longer than a check may. It is made all the same, and is there for
    /// the next one: where only checks come until one of them has succeeded, nobody else makes it.
    async fn probe(&self) -> Result<(), Failure> {
        let mut probe = self.probe.lock().await;
        let asked = probe.take_if(|asked| !asked.is_finished());
        let asked = probe.insert(asked.unwrap_or_else(|| {
            let connections = Arc::clone(&self.connections);
            tokio::spawn(async move {
                // Of no workspace, so that it is one machine's to answer.
                let nowhere = [Parameter::Bytes(&[]), Parameter::Id(TodoId::from_bytes([0; 16]))];
                let exists = Single { query: Query::Exists, parameters: &nowhere };
                connections.attempt(&exists).await.map(drop)
            })
        }));
        asked.await.unwrap_or_else(|_| Err(Failure::no_answer()))
    }
}
