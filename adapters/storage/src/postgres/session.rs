//! The settings and prepared statements of a connection.

use futures_util::future::try_join_all;
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

/// Closed when it is dropped.
pub(super) struct Connection {
    pub(super) client: Client,
    /// The index of the host in the URL.
    pub(super) host: usize,
    /// The task that exchanges messages with the server.
    driver: JoinHandle<()>,
}

impl Connection {
    pub(super) async fn new(
        client: Client,
        host: usize,
        driver: JoinHandle<()>,
    ) -> Result<Self, Error> {
        let connection = Self { client, host, driver };
        connection.client.batch_execute(SETTINGS).await?;
        Ok(connection)
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
