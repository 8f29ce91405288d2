//! The settings and prepared statements of a connection.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{MaybeDone, join_all, join3, maybe_done, try_join, try_join_all};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, CopyInSink, Error, Row, Statement};

use super::citus;
use super::parameter::{Parameter, to_sql};
use super::queries::Query;

/// The settings of each session, as far as the engine has them: `pg_settings` has no row for those that
/// it has not.
///
/// * A statement is cancelled after 5 seconds, unless the operator has set another limit.
/// * A commit is on disk before it is reported, even if the operator's default is `off`.
/// * Each statement has one good plan, along an index in its order. With outdated statistics the planner
///   may assume that a long list is short. So the plan does not depend on the parameters and is made
///   once for each connection. Citus makes such a plan itself where it can, and fails if it must for a
///   statement on two tables.
/// * No plan is compiled, which takes longer than any of them: the one sort, of a few ids, counts as dear where
///   sorts are off.
/// * Citus uses one connection to each machine. Otherwise a copy connects for each shard, and what a
///   transaction has changed so cannot be followed by a change of its tables.
const SETTINGS: &str = "\
    SELECT set_config(name, CASE name WHEN 'statement_timeout' THEN '5s' \
                                      WHEN 'synchronous_commit' THEN 'on' \
                                      WHEN 'plan_cache_mode' THEN \
                                          CASE WHEN to_regclass('pg_dist_partition') IS NULL \
                                               THEN 'force_generic_plan' ELSE 'auto' END \
                                      WHEN 'citus.multi_shard_modify_mode' THEN 'sequential' \
                                      ELSE 'off' END, false) \
    FROM pg_settings \
    WHERE (name = 'statement_timeout' AND setting = '0') \
       OR (name = 'synchronous_commit' AND setting = 'off') \
       OR name IN ('plan_cache_mode', 'enable_seqscan', 'enable_sort', 'enable_hashjoin', \
                   'enable_mergejoin', 'jit', 'citus.multi_shard_modify_mode')";

/// The beginning of writes to several workspaces. None of them waits long for a lock: those that can go on
/// are not held up, and this one runs again alone.
const BEGIN_WITHOUT_PATIENCE: &str = "BEGIN; SET LOCAL lock_timeout = '250ms'";

/// Closed when it is dropped.
pub(super) struct Connection {
    pub(super) client: Client,
    /// The index of the host in the URL.
    pub(super) host: usize,
    /// The task that exchanges messages with the server.
    driver: JoinHandle<()>,
}

impl Connection {
    pub(super) const fn new(client: Client, host: usize, driver: JoinHandle<()>) -> Self {
        Self { client, host, driver }
    }

    pub(super) async fn apply_settings(&self) -> Result<(), Error> {
        self.client.batch_execute(SETTINGS).await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Otherwise the task would wait for outstanding responses, which may never arrive.
        self.driver.abort();
    }
}

/// A connection with prepared statements.
pub(super) struct Session {
    connection: Connection,
    /// Whether a statement is in flight. In an idle connection it is one whose caller has not waited.
    pub(super) is_busy: bool,
    /// In the order of [`Query::ALL`].
    statements: Vec<Statement>,
    has_citus: bool,
}

impl Session {
    /// Prepares the statements. An error of the database means that its tables are of another
    /// application.
    pub(super) async fn new(connection: Connection) -> Result<Self, Error> {
        // In one round trip.
        let prepared = Query::ALL.map(|query| connection.client.prepare(query.sql()));
        let (statements, has_citus) =
            try_join(try_join_all(prepared), citus::is_in(&connection.client)).await?;
        Ok(Self { connection, is_busy: false, statements, has_citus })
    }

    /// Whether tables may be distributed by Citus, which inserts into one table with one statement.
    pub(super) fn has_citus(&self) -> bool {
        self.has_citus
    }

    pub(super) fn is_closed(&self) -> bool {
        self.connection.client.is_closed()
    }

    pub(super) fn host(&self) -> usize {
        self.connection.host
    }

    /// Waits until no statement is in flight.
    pub(super) async fn settle(&mut self) -> Result<(), Error> {
        self.connection.client.batch_execute("").await?;
        self.is_busy = false;
        Ok(())
    }

    /// Runs a statement in a transaction of its own, and returns its rows.
    pub(super) async fn query(
        &self,
        query: Query,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        let statement = &self.statements[query as usize];
        self.connection.client.query(statement, &to_sql(parameters)).await
    }

    /// Runs statements that write in one transaction and one round trip, and returns the rows of each. `None`
    /// if one failed, and so all were rolled back: as one that is not `patient` does if it would have to wait
    /// for a lock.
    pub(super) async fn run_together(
        &self,
        writes: &[(Query, Vec<Parameter<'_>>)],
        patient: bool,
    ) -> Result<Option<Vec<Vec<Row>>>, Error> {
        let client = &self.connection.client;
        let begin = if patient { "BEGIN" } else { BEGIN_WITHOUT_PATIENCE };
        let mut begin = pin!(maybe_done(client.batch_execute(begin)));
        send(begin.as_mut()).await;
        let mut running = Vec::with_capacity(writes.len());
        for (query, parameters) in writes {
            let mut write = Box::pin(maybe_done(self.query(*query, parameters)));
            send(write.as_mut()).await;
            running.push(write);
        }
        // One that could not be sent must not be missing in what is committed.
        let all_are_sent = running.iter().all(|write| !matches!(**write, MaybeDone::Done(Err(_))));
        let end = client.batch_execute(if all_are_sent { "COMMIT" } else { "ROLLBACK" });
        let answered = join_all(running.iter_mut().map(Pin::as_mut));
        let ((), _, ended) = join3(begin.as_mut(), answered, end).await;
        begin.take_output().unwrap_or(Ok(()))?;
        // A transaction in which a statement has failed is rolled back, without an error.
        ended?;
        let answers = running.iter_mut().filter_map(|write| write.as_mut().take_output());
        Ok(answers.collect::<Result<_, Error>>().ok())
    }

    /// Begins a transaction, which is rolled back unless it is committed.
    pub(super) async fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        let Self { connection, statements, has_citus, .. } = self;
        let inner = connection.client.transaction().await?;
        Ok(Transaction { inner, statements, has_citus: *has_citus })
    }
}

pub(super) struct Transaction<'a> {
    inner: tokio_postgres::Transaction<'a>,
    statements: &'a [Statement],
    has_citus: bool,
}

impl Transaction<'_> {
    /// As that of the [`Session`].
    pub(super) fn has_citus(&self) -> bool {
        self.has_citus
    }

    /// Runs a statement, and returns its rows.
    pub(super) async fn query(
        &self,
        query: Query,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        let statement = &self.statements[query as usize];
        self.inner.query(statement, &to_sql(parameters)).await
    }

    /// Runs a statement if it is wanted. Otherwise there are no rows.
    pub(super) async fn query_if(
        &self,
        wanted: bool,
        query: Query,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        if wanted { self.query(query, parameters).await } else { Ok(Vec::new()) }
    }

    /// Waits for locks at most this long.
    pub(super) async fn set_patience(&self, patience: Duration) -> Result<(), Error> {
        let sql = format!("SET LOCAL lock_timeout = '{}ms'", patience.as_millis());
        self.inner.batch_execute(&sql).await
    }

    /// Divides keys of a table among statements that each run on one shard.
    pub(super) async fn by_shard<'a>(
        &self,
        table: &str,
        keys: Vec<&'a [u8]>,
    ) -> Result<Vec<Vec<&'a [u8]>>, Error> {
        if self.has_citus {
            citus::by_shard(&self.inner, table, keys).await
        } else {
            Ok(vec![keys])
        }
    }

    /// Begins to copy rows into a table.
    pub(super) async fn copy_in(&self, sql: &str) -> Result<CopyInSink<Bytes>, Error> {
        self.inner.copy_in(sql).await
    }

    pub(super) async fn commit(self) -> Result<(), Error> {
        self.inner.commit().await
    }
}

/// Polls a future once: the driver sends the messages of a statement when its future is first polled.
async fn send(mut statement: Pin<&mut impl Future>) {
    poll_fn(|context| {
        let _ = statement.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
}
