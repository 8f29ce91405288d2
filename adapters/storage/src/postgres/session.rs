//! The settings and prepared statements of a connection.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use futures_util::future::{MaybeDone, join_all, join3, maybe_done, try_join_all};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, Row, Statement};

use super::parameter::{Parameter, to_sql};
use super::queries::Query;

/// The settings of each session, as far as the engine has them: `pg_settings` has no row for those that
/// it has not.
///
/// * A statement is cancelled after 5 seconds, unless the operator has set another limit.
/// * A commit is on disk before it is reported, even if the operator's default is `off`.
/// * Each statement has one good plan, along an index in its order. With outdated statistics the planner
///   may assume that a long list is short. So the plan does not depend on the parameters and is made
///   once for each connection.
const SETTINGS: &str = "\
    SELECT set_config(name, CASE name WHEN 'statement_timeout' THEN '5s' \
                                      WHEN 'synchronous_commit' THEN 'on' \
                                      WHEN 'plan_cache_mode' THEN 'force_generic_plan' \
                                      ELSE 'off' END, false) \
    FROM pg_settings \
    WHERE (name = 'statement_timeout' AND setting = '0') \
       OR (name = 'synchronous_commit' AND setting = 'off') \
       OR name IN ('plan_cache_mode', 'enable_seqscan', 'enable_sort')";

/// The beginning of several writes. None of them waits long for a lock: those that can go on are not held
/// up, and this one runs again alone.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '250ms'";

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
}

impl Session {
    /// Prepares the statements. An error of the database means that its tables are of another
    /// application.
    pub(super) async fn new(connection: Connection) -> Result<Self, Error> {
        // In one round trip.
        let prepared = Query::ALL.map(|query| connection.client.prepare(query.sql()));
        let statements = try_join_all(prepared).await?;
        Ok(Self { connection, is_busy: false, statements })
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

    /// Runs writes in one transaction and one round trip, and returns for each whether it returned a row.
    /// `None` if a statement failed, and so all were rolled back.
    pub(super) async fn run_together(
        &self,
        writes: &[(Query, Vec<Parameter<'_>>)],
    ) -> Result<Option<Vec<bool>>, Error> {
        let client = &self.connection.client;
        let mut begin = pin!(maybe_done(client.batch_execute(BEGIN)));
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
        let effects = answers.map(|answer| Ok(!answer?.is_empty())).collect::<Result<_, Error>>();
        Ok(effects.ok())
    }

    /// Begins a transaction, which is rolled back unless it is committed.
    pub(super) async fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        let Self { connection, statements, .. } = self;
        Ok(Transaction { transaction: connection.client.transaction().await?, statements })
    }
}

pub(super) struct Transaction<'a> {
    transaction: tokio_postgres::Transaction<'a>,
    statements: &'a [Statement],
}

impl Transaction<'_> {
    /// Runs a statement, and returns its rows.
    pub(super) async fn query(
        &self,
        query: Query,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        let statement = &self.statements[query as usize];
        self.transaction.query(statement, &to_sql(parameters)).await
    }

    pub(super) async fn commit(self) -> Result<(), Error> {
        self.transaction.commit().await
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
