//! Removing all that is stored of a workspace.

use todo_application::domain::WorkspaceId;
use todo_application::ports::Erased;
use tokio_postgres::Error;

use super::super::connections::Connections;
use super::super::failure::{Failure, Fate};
use super::super::session::Connection;

/// How often it is tried again after the database preferred another transaction.
const RETRIES: usize = 4;

/// The operator who waits can stop it.
const NO_TIME_LIMIT: &str = "SET LOCAL statement_timeout = 0";

/// Removes the head, and so locks it, before anything else. Later writes begin a new one.
const HEAD: &str = "DELETE FROM todo_heads WHERE workspace = $1";

const TODOS: &str = "DELETE FROM todo_items WHERE workspace = $1";
const TERMS: &str = "DELETE FROM todo_terms WHERE workspace = $1";
const CHANGES: &str = "DELETE FROM todo_changes WHERE workspace = $1";
const CREATIONS: &str = "DELETE FROM creations WHERE workspace = $1";

/// Runs on a connection of its own: it may take longer than a request may.
pub(super) async fn erase(
    connections: &Connections,
    workspace: &WorkspaceId,
) -> Result<Erased, Failure> {
    let mut retries = 0..RETRIES;
    loop {
        let mut connection = connections.connect_apart().await?;
        match erase_on(&mut connection, workspace).await.map_err(Failure::from) {
            Err(Failure { fate: Fate::RolledBack, .. }) if retries.next().is_some() => {}
            erased => return erased,
        }
    }
}

async fn erase_on(connection: &mut Connection, workspace: &WorkspaceId) -> Result<Erased, Error> {
    let key = workspace.as_str().as_bytes();
    let transaction = connection.client.transaction().await?;
    transaction.batch_execute(NO_TIME_LIMIT).await?;
    transaction.execute(HEAD, &[&key]).await?;
    let todos = transaction.execute(TODOS, &[&key]).await?;
    let changes = transaction.execute(CHANGES, &[&key]).await?;
    for rest in [TERMS, CREATIONS] {
        transaction.execute(rest, &[&key]).await?;
    }
    transaction.commit().await?;
    Ok(Erased { todos, changes })
}
