//! The head of a workspace, read past the adapter.

use todo_application::domain::WorkspaceId;
use tokio_postgres::Client;
use uuid::Uuid;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    pub todos: i64,
    pub bytes: i64,
    pub last_change: i64,
    pub last_id: Option<Uuid>,
}

/// The head of a workspace in PostgreSQL.
pub async fn head(shell: &Client, workspace: &WorkspaceId) -> Option<Head> {
    let sql = "SELECT todos, todo_bytes, last_number, last_id FROM todo_heads WHERE workspace = $1";
    let row = shell.query_opt(sql, &[&workspace.as_str().as_bytes()]).await.unwrap()?;
    Some(Head {
        todos: row.get(0),
        bytes: row.get(1),
        last_change: row.get(2),
        last_id: row.get(3),
    })
}
