//! A connection that is ready for our statements.

use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, Statement};

use super::queries::{self, Query};

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
    find: Statement,
    list: Statement,
    list_open: Statement,
    list_done: Statement,
    insert: Statement,
    save: Statement,
    remove: Statement,
    exists: Statement,
    pub(super) remember: Statement,
    pub(super) find_creation: Statement,
    pub(super) forget: Statement,
}

impl Session {
    /// Prepares the statements. An error of the database means that its tables are not ours.
    pub(super) async fn new(connection: Connection) -> Result<Self, Error> {
        let prepare = |sql| connection.client.prepare(sql);
        // In one round trip.
        let (todos, creations) = tokio::join!(
            async {
                tokio::try_join!(
                    prepare(queries::FIND),
                    prepare(queries::LIST),
                    prepare(queries::LIST_OPEN),
                    prepare(queries::LIST_DONE),
                    prepare(queries::INSERT),
                    prepare(queries::SAVE),
                    prepare(queries::REMOVE),
                    prepare(queries::EXISTS),
                )
            },
            async {
                tokio::try_join!(
                    prepare(queries::REMEMBER),
                    prepare(queries::FIND_CREATION),
                    prepare(queries::FORGET),
                )
            },
        );
        let (find, list, list_open, list_done, insert, save, remove, exists) = todos?;
        let (remember, find_creation, forget) = creations?;
        Ok(Self {
            connection,
            find,
            list,
            list_open,
            list_done,
            insert,
            save,
            remove,
            exists,
            remember,
            find_creation,
            forget,
        })
    }

    pub(super) fn client(&self) -> &Client {
        &self.connection.client
    }

    /// For what takes more than a statement.
    pub(super) fn client_mut(&mut self) -> &mut Client {
        &mut self.connection.client
    }

    pub(super) fn statement(&self, query: Query) -> &Statement {
        match query {
            Query::Find => &self.find,
            Query::List => &self.list,
            Query::ListOpen => &self.list_open,
            Query::ListDone => &self.list_done,
            Query::Insert => &self.insert,
            Query::Save => &self.save,
            Query::Remove => &self.remove,
            Query::Exists => &self.exists,
        }
    }
}
