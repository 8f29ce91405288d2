//! All todos of a database at once, and taking in todos that were made elsewhere.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use todo_application::domain::{Todo, TodoId, WorkspaceId};
use todo_application::ports::{Loaded, StorageError, TodoLoader, TodoSnapshot};
use tokio_postgres::{Error, Row, Statement};

use super::connections::Work;
use super::connector::Connector;
use super::failure::Failure;
use super::migrations::{self, CURRENT};
use super::open_error::{PostgresOpenError, PostgresOpenProblem};
use super::parameter::{Parameter, to_sql};
use super::queries::Query;
use super::row::{self, select};
use super::session::{Connection, Session};
use super::{PostgresTodoRepository, PostgresUrl};

/// A transaction that shows one moment, however long it is looked at: an operator waits, and can stop
/// it. Of these limits an engine may know some or none.
const BEGIN: &str = "\
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SELECT set_config(name, '0', true) FROM pg_settings \
    WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', \
                   'transaction_timeout')";

const COUNT: &str = "SELECT count(*) FROM todos";

/// Past the key of the last todo that was read, along the primary key.
const PAGE: &str =
    select!(workspace, "WHERE (workspace, id) > ($1, $2) ORDER BY workspace, id LIMIT $3");

/// All todos of a PostgreSQL database at one instant, whoever uses it meanwhile.
///
/// On an engine that spreads rows over machines it is an instant of each machine, unless the engine
/// has one for all of them.
pub struct PostgresSnapshot {
    connection: Connection,
    page: Statement,
    count: u64,
    last: Option<(WorkspaceId, TodoId)>,
}

impl PostgresSnapshot {
    /// Connects to the database, which has to have the current schema.
    pub async fn open(url: &PostgresUrl) -> Result<Self, PostgresOpenError> {
        open(url).await.map_err(|problem| PostgresOpenError { database: url.to_string(), problem })
    }
}

async fn open(url: &PostgresUrl) -> Result<PostgresSnapshot, PostgresOpenProblem> {
    let connector = Connector::new(url).map_err(PostgresOpenProblem::Certificates)?;
    let connection = connector.connect(None).await?;
    let client = &connection.client;
    match migrations::schema(client).await? {
        CURRENT => {}
        found if found > CURRENT => {
            return Err(PostgresOpenProblem::NewerSchema { found, known: CURRENT });
        }
        found => return Err(PostgresOpenProblem::OlderSchema { found, known: CURRENT }),
    }
    client.batch_execute(BEGIN).await?;
    let count: i64 = client.query_one(COUNT, &[]).await?.try_get(0)?;
    let page = client.prepare(PAGE).await?;
    Ok(PostgresSnapshot { count: count.unsigned_abs(), page, last: None, connection })
}

#[async_trait]
impl TodoSnapshot for PostgresSnapshot {
    fn count(&self) -> u64 {
        self.count
    }

    async fn next_page(&mut self, limit: NonZeroUsize) -> Result<Vec<Todo>, StorageError> {
        // No workspace has the empty name: every todo sorts after this.
        let (workspace, id) = self.last.as_ref().map_or_else(
            || (Parameter::Bytes(&[]), TodoId::from_bytes([0; 16])),
            |(workspace, id)| (row::workspace(workspace), *id),
        );
        let limit = i64::try_from(limit.get()).unwrap_or(i64::MAX);
        let page = [workspace, Parameter::Id(id), Parameter::Number(Some(limit))];
        let rows = self.connection.client.query(&self.page, &to_sql(&page)).await;
        let rows = rows.map_err(Failure::from)?;
        let todos = rows.iter().map(row::read_any).collect::<Result<Vec<_>, _>>()?;
        if let Some(todo) = todos.last() {
            self.last = Some((todo.workspace().clone(), todo.id()));
        }
        Ok(todos)
    }
}

/// Servers may be running: their users see what is loaded when they next look, and nobody is told.
#[async_trait]
impl TodoLoader for PostgresTodoRepository {
    async fn load(&self, todos: Vec<Todo>) -> Result<Vec<Loaded>, StorageError> {
        let loaded = self.connections.carry_out(&Load { todos: &todos }).await?;
        todos.iter().zip(loaded).map(|(todo, taken)| judge(todo, taken)).collect()
    }
}

/// One transaction, in which all todos are added whose ids are free.
struct Load<'a> {
    todos: &'a [Todo],
}

/// What came of a todo: it was added, or these rows have its id.
type Taken = Option<Vec<Row>>;

impl Work for Load<'_> {
    type Output = Vec<Taken>;

    fn is_a_read(&self) -> bool {
        false
    }

    async fn on(&self, session: &mut Session) -> Result<Vec<Taken>, Error> {
        let transaction = session.transaction().await?;
        // All on the way at once, and carried out in this order.
        let added = try_join_all(self.todos.iter().map(async |todo| {
            let rows = transaction.query(Query::Insert, &row::values(todo)).await?;
            Ok::<_, Error>(!rows.is_empty())
        }))
        .await?;
        let taken = try_join_all(self.todos.iter().zip(added).map(async |(todo, added)| {
            if added {
                return Ok::<_, Error>(None);
            }
            let key = [row::workspace(todo.workspace()), Parameter::Id(todo.id())];
            transaction.query(Query::Find, &key).await.map(Some)
        }))
        .await?;
        transaction.commit().await?;
        Ok(taken)
    }
}

fn judge(todo: &Todo, taken: Taken) -> Result<Loaded, StorageError> {
    let Some(rows) = taken else { return Ok(Loaded::Added) };
    // If somebody has removed it since, nobody can say what it was.
    let stored = rows.first().map(|row| row::read(row, todo.workspace())).transpose()?;
    Ok(if stored.as_ref() == Some(todo) { Loaded::Same } else { Loaded::Different })
}
