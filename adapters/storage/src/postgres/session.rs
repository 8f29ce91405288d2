//! A connection that is ready for our statements.

use futures_util::future::try_join_all;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, Row, Statement};

use super::parameter::{Parameter, to_sql};
use super::queries::Query;

/// What each session is told, as far as the engine knows these settings: `pg_settings` has no row
/// for those that it does not.
///
/// * A statement that takes 5 seconds is given up, unless the operator has set another limit.
/// * A commit is on disk before it is answered, also where the operator's default is `off`.
/// * Each statement has one right plan, along an index that is in the order that it asks for. A
///   planner guesses, and with old statistics it guesses that a long list is short. So the plan does
///   not depend on the parameters and is made once for each connection.
const SETTINGS: &str = "\
    SELECT set_config(name, CASE name WHEN 'statement_timeout' THEN '5s' \
                                      WHEN 'synchronous_commit' THEN 'on' \
                                      WHEN 'plan_cache_mode' THEN 'force_generic_plan' \
                                      ELSE 'off' END, false) \
    FROM pg_settings \
    WHERE (name = 'statement_timeout' AND setting = '0') \
       OR (name = 'synchronous_commit' AND setting = 'off') \
       OR name IN ('plan_cache_mode', 'enable_seqscan', 'enable_sort')";

/// A connection, closed when it is dropped.
pub(super) struct Connection {
    pub(super) client: Client,
    /// What carries messages to and fro.
    carrying: JoinHandle<()>,
}

impl Connection {
    /// Takes over a connection that was just made.
    pub(super) async fn new(client: Client, carrying: JoinHandle<()>) -> Result<Self, Error> {
        let connection = Self { client, carrying };
        connection.client.batch_execute(SETTINGS).await?;
        Ok(connection)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // At once: by itself it would wait for the answers that are still to come, and a connection
        // is dropped where none may ever come.
        self.carrying.abort();
    }
}

/// A connection on which our statements are prepared.
pub(super) struct Session {
    connection: Connection,
    /// In the order of [`Query::ALL`].
    statements: Vec<Statement>,
}

impl Session {
    /// Prepares the statements. An error of the database means that its tables are not ours.
    pub(super) async fn new(connection: Connection) -> Result<Self, Error> {
        // In one round trip.
        let prepared = Query::ALL.map(|query| connection.client.prepare(query.sql()));
        let statements = try_join_all(prepared).await?;
        Ok(Self { connection, statements })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.connection.client.is_closed()
    }

    /// Runs one of the statements in a transaction of its own and gives the rows that it returns.
    pub(super) async fn query(
        &self,
        query: Query,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        let statement = &self.statements[query as usize];
        self.connection.client.query(statement, &to_sql(parameters)).await
    }

    /// Begins a transaction, which is taken back unless it is committed.
    pub(super) async fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        let Self { connection, statements } = self;
        Ok(Transaction { transaction: connection.client.transaction().await?, statements })
    }
}

/// Several statements that have their effect together, or none.
pub(super) struct Transaction<'a> {
    transaction: tokio_postgres::Transaction<'a>,
    statements: &'a [Statement],
}

impl Transaction<'_> {
    /// Runs one of the statements and gives the rows that it returns.
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
