//! What an operator needs to know of a database before servers use it.

use std::collections::HashMap;

use super::connector::{ConnectError, Connector};
use super::database_error::reason;
use super::migrations::CURRENT;
use super::open_error::{PostgresOpenError, PostgresOpenProblem};
use super::pooler::{are_shared, rows};
use super::session::Connection;
use super::url::PostgresUrl;

/// What a database is and how it is set, as a new session of the user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresReport {
    pub version: String,
    /// The last migration that it has, 0 for none.
    pub schema: i32,
    /// That of this program.
    pub own_schema: i32,
    /// The values of these settings; `None` where the engine has no such setting.
    pub max_connections: Option<usize>,
    pub encoding: Option<String>,
    pub time_zone: Option<String>,
    pub fsync: Option<String>,
    pub synchronous_commit: Option<String>,
    /// On Citus, `synchronous_commit` of each worker by its address, or why it is not known.
    pub workers: Result<Vec<(String, String)>, String>,
    /// Whether a pooler in between shares sessions, so that no server starts.
    pub shares_sessions: bool,
}

impl PostgresReport {
    /// Connects to the database twice and changes nothing in it.
    pub async fn of(url: &PostgresUrl) -> Result<Self, PostgresOpenError> {
        report(url)
            .await
            .map_err(|problem| PostgresOpenError { database: url.to_string(), problem })
    }
}

async fn report(url: &PostgresUrl) -> Result<PostgresReport, PostgresOpenProblem> {
    let connector = Connector::new(url).map_err(PostgresOpenProblem::Certificates)?;
    let [connection, other] = connector.connect_twice().await?;
    let mut settings = settings(&connection).await?;
    let mut setting = |name: &str| settings.remove(name);
    let max_connections = setting("max_connections").and_then(|number| number.parse().ok());
    Ok(PostgresReport {
        version: setting("server_version").unwrap_or_default(),
        schema: schema(&connection).await?,
        own_schema: CURRENT,
        max_connections,
        encoding: setting("server_encoding"),
        time_zone: setting("TimeZone"),
        fsync: setting("fsync"),
        synchronous_commit: setting("synchronous_commit"),
        workers: workers(&connection).await?,
        // Last: it gives the session a setting.
        shares_sessions: are_shared(&connection, &other).await?,
    })
}

async fn settings(connection: &Connection) -> Result<HashMap<String, String>, ConnectError> {
    const SETTINGS: &str = "\
        SELECT name, setting FROM pg_settings \
        WHERE name IN ('fsync', 'max_connections', 'server_encoding', 'server_version', \
                       'synchronous_commit', 'TimeZone')";
    Ok(rows(connection, SETTINGS).await?.into_iter().map(|[name, value]| (name, value)).collect())
}

async fn schema(connection: &Connection) -> Result<i32, ConnectError> {
    const IS_NEW: &str = "SELECT to_regclass('todo_mcp_migrations') IS NULL";
    const LAST: &str = "SELECT coalesce(max(number), 0) FROM todo_mcp_migrations";
    if says_yes(connection, IS_NEW).await? {
        return Ok(0);
    }
    let last = rows(connection, LAST).await?;
    Ok(last.first().and_then(|[number]| number.parse().ok()).unwrap_or_default())
}

/// None where the engine is not Citus. The settings of a session do not reach its workers.
async fn workers(
    connection: &Connection,
) -> Result<Result<Vec<(String, String)>, String>, ConnectError> {
    const IS_CITUS: &str = "SELECT to_regproc('run_command_on_workers') IS NOT NULL";
    const WORKERS: &str = "\
        SELECT nodename || ':' || nodeport, result \
        FROM run_command_on_workers('SHOW synchronous_commit') ORDER BY nodename, nodeport";
    if !says_yes(connection, IS_CITUS).await? {
        return Ok(Ok(Vec::new()));
    }
    match rows(connection, WORKERS).await {
        Ok(workers) => Ok(Ok(workers.into_iter().map(<(String, String)>::from).collect())),
        Err(ConnectError::Driver(error)) if error.as_db_error().is_some() => Ok(Err(reason(error))),
        Err(error) => Err(error),
    }
}

async fn says_yes(connection: &Connection, question: &str) -> Result<bool, ConnectError> {
    let rows = rows(connection, question).await?;
    Ok(rows.first().is_some_and(|[answer]| answer == "t"))
}
