//! The history of workspaces in memory.

use std::ops::Bound;

use async_trait::async_trait;
use todo_application::domain::{
    ChangeNumber, Instant, OperatorPermit, ReadPermit, Recorded, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeRef, Direction, Erased, Forgotten, HistoryPart, Span, StorageError, TodoHistory,
};

use super::repository::MemoryTodoRepository;
use super::workspace::Workspace;

/// How many workspaces are looked at and how many changes are removed in one step, while others wait.
const WORKSPACES: usize = 64;
const STEP: usize = 1_000;

impl Workspace {
    fn part(&self, span: &Span) -> HistoryPart {
        let Span { direction, todo, deletions, limit } = *span;
        let is_wanted = |recorded: &&Recorded| {
            todo.is_none_or(|todo| recorded.change.todo == todo)
                && (!deletions || recorded.change.is_deletion())
        };
        let changes = match direction {
            Direction::Back(before) => {
                let end = before.map_or(Bound::Unbounded, Bound::Excluded);
                let newest_first = self.changes.range((Bound::Unbounded, end)).rev();
                newest_first.map(|(_, it)| it).filter(is_wanted).take(limit).cloned().collect()
            }
            Direction::On(after) => {
                let rest = self.changes.range((Bound::Excluded(after), Bound::Unbounded));
                rest.map(|(_, it)| it).filter(is_wanted).take(limit).cloned().collect()
            }
        };
        HistoryPart { changes, latest: self.head.latest, forgotten: self.head.forgotten }
    }

    fn forget(&mut self, until: Instant, limit: usize) -> u64 {
        let oldest_first = self.changes.values();
        let gone: Vec<_> = oldest_first
            .take_while(|it| it.change.at < until)
            .take(limit)
            .map(|it| it.number)
            .collect();
        for number in &gone {
            if let Some(Recorded { change, undone_by, .. }) = self.changes.remove(number) {
                let deletions = u64::from(change.is_deletion() && undone_by.is_none());
                self.head.forget(*number, change.bytes(), deletions);
            }
        }
        gone.len() as u64
    }
}

#[async_trait]
impl TodoHistory for MemoryTodoRepository {
    async fn changes(&self, permit: &ReadPermit, span: &Span) -> Result<HistoryPart, StorageError> {
        let workspaces = self.workspaces();
        let none = HistoryPart {
            changes: Vec::new(),
            latest: ChangeNumber::ZERO,
            forgotten: ChangeNumber::ZERO,
        };
        Ok(workspaces.get(permit.workspace()).map_or(none, |workspace| workspace.part(span)))
    }

    async fn find_changes(
        &self,
        permit: &WritePermit,
        changes: ChangeRef,
    ) -> Result<Vec<Recorded>, StorageError> {
        let workspaces = self.workspaces();
        let Some(workspace) = workspaces.get(permit.workspace()) else { return Ok(Vec::new()) };
        Ok(match changes {
            ChangeRef::One(number) => workspace.changes.get(&number).cloned().into_iter().collect(),
            ChangeRef::Batch(first) => {
                let rest = workspace.changes.range(first..).map(|(_, it)| it);
                rest.take_while(|it| it.batch == Some(first)).cloned().collect()
            }
        })
    }

    async fn forget(
        &self,
        _: &OperatorPermit,
        until: Instant,
        after: Option<&WorkspaceId>,
    ) -> Result<Forgotten, StorageError> {
        let mut workspaces = self.workspaces();
        let is_next = |key: &&WorkspaceId| after.is_none_or(|after| *key > after);
        let mut keys: Vec<WorkspaceId> = workspaces.keys().filter(is_next).cloned().collect();
        keys.sort_unstable();
        let mut forgotten = Forgotten { changes: 0, after: None };
        for key in keys.into_iter().take(WORKSPACES) {
            let left = STEP - usize::try_from(forgotten.changes).unwrap_or(STEP);
            let Some(workspace) = workspaces.get_mut(&key) else { continue };
            forgotten.changes += workspace.forget(until, left);
            if forgotten.changes >= STEP as u64 {
                // The same workspace again: there may be more of it.
                let after = forgotten.after.or_else(|| after.cloned());
                return Ok(Forgotten { after, ..forgotten });
            }
            forgotten.after = Some(key);
        }
        Ok(forgotten)
    }

    async fn erase(
        &self,
        _: &OperatorPermit,
        workspace: &WorkspaceId,
    ) -> Result<Erased, StorageError> {
        let erased = self.workspaces().remove(workspace);
        Ok(erased.map_or_else(Erased::default, |it| Erased {
            todos: it.todos.len() as u64,
            changes: it.changes.len() as u64,
        }))
    }
}
