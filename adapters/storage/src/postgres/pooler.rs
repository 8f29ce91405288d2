//! Whether a pooler in between keeps the sessions of its clients apart.

use tokio::time::timeout;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::connector::{ConnectError, Connector};
use super::open_error::PostgresOpenProblem;
use super::url::CONNECT_TIMEOUT;

/// How often to look. The first look finds PgBouncer in transaction mode with its defaults; with
/// `server_round_robin`, each look is at the next connection of its pool, which has 20 by default.
const LOOKS: usize = 24;

/// A setting that nothing reads, with a value that no other session has.
const MARK: &str = "\
    SELECT set_config('todo_mcp.session', random()::text || clock_timestamp()::text, false)";
const READ_MARK: &str = "SELECT current_setting('todo_mcp.session', true)";

/// Fails if sessions are shared, as by PgBouncer in transaction mode. Our settings would be those of other
/// clients of the pooler then, ours would be lost, and prepared statements would not be found.
///
/// Nothing else is changed, and nothing prepared. An engine without such settings has no such poolers.
pub(super) async fn check_sessions(connector: &Connector) -> Result<(), PostgresOpenProblem> {
    let [one, other] = connector.connect_twice().await?;
    match are_shared(&one.client, &other.client).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(PostgresOpenProblem::SharedSessions),
        Err(ConnectError::Driver(error)) if error.as_db_error().is_some() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a client sees a setting of another session, or the other has lost it.
async fn are_shared(one: &Client, other: &Client) -> Result<bool, ConnectError> {
    let mark = value(one, MARK).await?;
    for _ in 0..LOOKS {
        if value(other, READ_MARK).await? == mark {
            return Ok(true);
        }
    }
    Ok(value(one, READ_MARK).await? != mark)
}

/// The text that a query returns.
async fn value(client: &Client, query: &str) -> Result<Option<String>, ConnectError> {
    let messages = timeout(CONNECT_TIMEOUT, client.simple_query(query)).await;
    let messages = messages.map_err(|_elapsed| ConnectError::NoAnswer)??;
    let mut rows = messages.iter().filter_map(|message| {
        let SimpleQueryMessage::Row(row) = message else { return None };
        row.get(0)
    });
    Ok(rows.next().map(str::to_owned))
}
