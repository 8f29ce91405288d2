//! The history of workspaces.

use async_trait::async_trait;
use rusqlite::Connection;
use todo_application::domain::{
    Instant, OperatorPermit, ReadPermit, Recorded, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeRef, Erased, Forgotten, HistoryPart, Span, StorageError, TodoHistory,
};

use super::change_reads;
use super::forgetting;
use super::job::{Answer, Write};
use super::repository::{SqliteTodoRepository, other};

/// How many workspaces are looked at in one step.
const WORKSPACES: i64 = 64;

/// How many changes one step removes: the other writes of the group wait for that.
const CHANGES: usize = 128;

#[async_trait]
impl TodoHistory for SqliteTodoRepository {
    async fn changes(&self, permit: &ReadPermit, span: &Span) -> Result<HistoryPart, StorageError> {
        let (workspace, span) = (permit.workspace().clone(), *span);
        self.readers.read(move |connection| change_reads::part(connection, &workspace, &span)).await
    }

    async fn find_changes(
        &self,
        permit: &WritePermit,
        changes: ChangeRef,
    ) -> Result<Vec<Recorded>, StorageError> {
        let workspace = permit.workspace().clone();
        self.readers
            .read(move |connection| change_reads::find(connection, &workspace, changes))
            .await
    }

    async fn forget(
        &self,
        _: &OperatorPermit,
        until: Instant,
        after: Option<&WorkspaceId>,
    ) -> Result<Forgotten, StorageError> {
        let start = after.cloned();
        let next = move |connection: &Connection| {
            forgetting::to_be_forgotten(connection, until, start.as_ref(), WORKSPACES)
        };
        let looked_at = self.readers.read(next).await?;
        let Some(old) = looked_at.iter().position(|(_, is_old)| *is_old) else {
            let after = looked_at.last().map(|(workspace, _)| workspace.clone());
            return Ok(Forgotten { changes: 0, after });
        };
        let workspace = looked_at[old].0.clone();
        // The same workspace again: there may be more of it.
        let before = old.checked_sub(1).map(|place| looked_at[place].0.clone());
        let after = before.or_else(|| after.cloned());
        let forget = Write::Forget { workspace, until, limit: CHANGES };
        let answer = self.writer.write(forget).await?;
        let Answer::Forgotten(changes) = answer else { return Err(other(&answer)) };
        Ok(Forgotten { changes, after })
    }

    async fn erase(
        &self,
        _: &OperatorPermit,
        workspace: &WorkspaceId,
    ) -> Result<Erased, StorageError> {
        let answer = self.writer.write(Write::Erase(workspace.clone())).await?;
        let Answer::Erased(erased) = answer else { return Err(other(&answer)) };
        Ok(erased)
    }
}
