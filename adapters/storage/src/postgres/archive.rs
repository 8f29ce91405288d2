//! Reading all todos of a database at once, and adding todos that were created elsewhere: see `load`.

mod history;
mod load;
mod page_ends;

use std::num::NonZeroUsize;

use async_trait::async_trait;
use todo_application::domain::{OperatorPermit, Todo, TodoId};
use todo_application::ports::{HistoryItem, StorageError, TodoSnapshot};
use tokio_postgres::{Error, Row, Statement};

use page_ends::PageEnds;

use super::connector::Connector;
use super::failure::Failure;
use super::migrations::{self, CURRENT};
use super::open_error::{PostgresOpenError, PostgresOpenProblem};
use super::parameter::{Parameter, to_sql};
use super::row::{self, select};
use super::session::Connection;
use super::url::PostgresUrl;
use super::{citus, pooler};

/// A transaction that shows one instant and has no time limit: the operator who waits can stop it. An
/// engine may know some of these settings or none.
const BEGIN: &str = "\
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SELECT set_config(name, '0', true) FROM pg_settings \
    WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', \
                   'transaction_timeout')";

const COUNT: &str = "SELECT count(*) FROM todo_items";

/// Past the key of the last todo that was read, along the primary key.
const PAGE: &str =
    select!(workspace, "WHERE (workspace, id) > ($1, $2) ORDER BY workspace, id LIMIT $3");

/// The same, up to the workspace `$4`.
const PAGE_UNTIL: &str = select!(
    workspace,
    "WHERE (workspace, id) > ($1, $2) AND workspace <= $4 ORDER BY workspace, id LIMIT $3"
);

/// All todos of a PostgreSQL database at one instant, while other processes may use it.
///
/// On an engine that spreads rows over machines it is an instant of each machine, unless the engine has
/// a common one.
pub struct PostgresSnapshot {
    connection: Connection,
    page: Statement,
    /// On Citus, which reads a whole page on each shard: where to end a page so that it does not.
    ends: Option<(Statement, PageEnds)>,
    count: u64,
    /// The key of the last todo that was read. No workspace key is empty: every todo sorts after the first.
    last: (Vec<u8>, TodoId),
    /// The same of the last change.
    last_change: (Vec<u8>, i64),
}

impl PostgresSnapshot {
    /// Connects to the database, which must have the current schema.
    pub async fn open(url: &PostgresUrl) -> Result<Self, PostgresOpenError> {
        open(url).await.map_err(|problem| PostgresOpenError { database: url.to_string(), problem })
    }
}

async fn open(url: &PostgresUrl) -> Result<PostgresSnapshot, PostgresOpenProblem> {
    let connector = Connector::new(url).map_err(PostgresOpenProblem::Certificates)?;
    let connection = pooler::connect(&connector).await?;
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
    let ends = if citus::is_in(client).await? {
        Some((client.prepare(PAGE_UNTIL).await?, PageEnds::default()))
    } else {
        None
    };
    let (last, last_change) = ((Vec::new(), TodoId::from_bytes([0; 16])), (Vec::new(), 0));
    let count = count.unsigned_abs();
    Ok(PostgresSnapshot { connection, page, ends, count, last, last_change })
}

#[async_trait]
impl TodoSnapshot for PostgresSnapshot {
    fn count(&self) -> u64 {
        self.count
    }

    async fn next_page(
        &mut self,
        _: &OperatorPermit,
        limit: NonZeroUsize,
    ) -> Result<Vec<Todo>, StorageError> {
        loop {
            let (rows, end) = self.read(limit.get()).await.map_err(Failure::from)?;
            let todos = rows.iter().map(row::read_any).collect::<Result<Vec<_>, _>>()?;
            let last = todos.last().map(|todo| (todo.workspace().as_str().into(), todo.id()));
            let is_last = end.is_none();
            let end = end.map(|workspace| (workspace, TodoId::from_bytes([0xff; 16])));
            if let Some(key) = end.or(last) {
                self.last = key;
            }
            if is_last || !todos.is_empty() {
                return Ok(todos);
            }
        }
    }

    async fn count_changes(&mut self, _: &OperatorPermit) -> Result<u64, StorageError> {
        Ok(history::count(&self.connection.client).await.map_err(Failure::from)?)
    }

    async fn next_history(
        &mut self,
        _: &OperatorPermit,
        limit: NonZeroUsize,
    ) -> Result<Vec<HistoryItem>, StorageError> {
        history::page(&self.connection.client, &mut self.last_change, limit.get()).await
    }
}

impl PostgresSnapshot {
    /// The next rows, and the workspace up to which these are all, if there may be more after it.
    async fn read(&mut self, limit: usize) -> Result<(Vec<Row>, Option<Vec<u8>>), Error> {
        let Self { connection: Connection { client, .. }, page, ends, last, .. } = self;
        let most = Parameter::count(limit);
        let after = [Parameter::Bytes(&last.0), Parameter::Id(last.1), most];
        if let Some((page, ends)) = ends
            && let Some(end) = ends.next(client, &last.0, limit).await?
        {
            let until: Vec<_> = after.into_iter().chain([Parameter::Bytes(&end)]).collect();
            let rows = client.query(page, &to_sql(&until)).await?;
            let are_all = rows.len() < limit;
            if are_all {
                ends.pass(&end);
            }
            return Ok((rows, are_all.then_some(end)));
        }
        Ok((client.query(page, &to_sql(&after)).await?, None))
    }
}
