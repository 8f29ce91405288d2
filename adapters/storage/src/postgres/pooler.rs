//! Whether a pooler in between keeps the sessions of its clients apart.

use std::array;

use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;

use super::connector::{ConnectError, Connector};
use super::open_error::PostgresOpenProblem;
use super::session::Connection;
use super::url::CONNECT_TIMEOUT;

/// How often to look. The first look finds PgBouncer in transaction mode with its defaults; with
/// `server_round_robin`, each look is at the next connection of its pool, which has 20 by default.
const LOOKS: usize = 24;

/// A setting that nothing reads, with a value that no other session has.
const MARK: &str = "\
    SELECT set_config('todo_mcp.session', random()::text || clock_timestamp()::text, false)";
const READ_MARK: &str = "SELECT current_setting('todo_mcp.session', true)";

/// The first connection. Fails if sessions are shared, as by PgBouncer in transaction mode: our settings
/// would be those of other clients of the pooler, and prepared statements would not be found.
pub(super) async fn connect(connector: &Connector) -> Result<Connection, PostgresOpenProblem> {
    let [one, other] = connector.connect_twice().await?;
    if are_shared(&one, &other).await? {
        return Err(PostgresOpenProblem::SharedSessions);
    }
    one.apply_settings().await?;
    Ok(one)
}

/// Whether a client sees a setting of another session, or the other has lost it. Nothing else is changed,
/// and nothing is prepared. An engine without such settings has no such poolers.
pub(super) async fn are_shared(one: &Connection, other: &Connection) -> Result<bool, ConnectError> {
    let mark = match rows(one, MARK).await {
        Err(ConnectError::Driver(error)) if error.as_db_error().is_some() => return Ok(false),
        mark => mark?,
    };
    if mark.iter().all(|[mark]| mark.is_empty()) {
        return Ok(false);
    }
    for _ in 0..LOOKS {
        if rows::<1>(other, READ_MARK).await? == mark {
            return Ok(true);
        }
    }
    Ok(rows(one, READ_MARK).await? != mark)
}

/// The rows that a query returns, with empty texts for nulls. It is not prepared, because a pooler that
/// shares sessions would not find it again.
pub(super) async fn rows<const COLUMNS: usize>(
    connection: &Connection,
    query: &str,
) -> Result<Vec<[String; COLUMNS]>, ConnectError> {
    let messages = timeout(CONNECT_TIMEOUT, connection.client.simple_query(query)).await;
    let messages = messages.map_err(|_elapsed| ConnectError::NoAnswer)??;
    let rows = messages.iter().filter_map(|message| {
        let SimpleQueryMessage::Row(row) = message else { return None };
        Some(array::from_fn(|column| {
            row.try_get(column).ok().flatten().unwrap_or_default().to_owned()
        }))
    });
    Ok(rows.collect())
}
