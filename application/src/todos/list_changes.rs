use todo_domain::{ChangeAction, ChangeNumber, Instant, ReadAction, ReadPermit, Recorded};

use super::use_cases::Todos;
use crate::change_id::ChangeId;
use crate::error::{ListChangesError, StorageFailure};
use crate::history_page::{
    ChangeCursor, ChangeEntry, ChangeSelection, HistoryPage, HistoryPageSize, Since,
};
use crate::ports::{ChangeRef, Direction, HistoryPart, Principal, Span, TodoHistory};

impl Todos {
    /// Returns a page of the changes of the caller's workspace: newest first, or oldest first what came after
    /// another one.
    ///
    /// A reader who goes on from [`HistoryPage::latest`] misses no change, even while other clients write. A page
    /// looks at 2,000 changes at most: it may hold fewer than were asked for, or none, and has a cursor then.
    pub async fn list_changes(
        &self,
        principal: &dyn Principal,
        selection: ChangeSelection,
        size: HistoryPageSize,
        since: Since,
    ) -> Result<HistoryPage, ListChangesError> {
        let permit = self.permit_to_read(principal, ReadAction::ListChanges)?;
        let history = self.history.as_deref().ok_or(ListChangesError::Off)?;
        let reading = Reading { history, permit: &permit, selection };
        let workspace = permit.workspace();
        let begin = match since {
            Since::Newest => Direction::Back(None),
            Since::Change(id) => Direction::On(reading.last_of(id).await?),
            Since::Instant(at) => Direction::On(reading.number_at(at).await?),
            Since::Today => Direction::On(reading.number_at(self.day_began(principal)).await?),
            Since::Cursor(cursor) => {
                cursor.open(workspace, selection).ok_or(ListChangesError::InvalidCursor)?
            }
        };
        let Read { changes, latest, mut rest } = reading.read(begin, size.changes()).await?;
        let entries = changes.into_iter().map(|it| ChangeEntry::new(workspace, it));
        let mut changes: Vec<_> = entries.collect();
        let fitting = size.cut(&changes);
        if changes.len() > fitting {
            changes.truncate(fitting);
            rest = changes.last().map(|last| after(begin, last.recorded.number));
        }
        let latest = match (begin, rest) {
            // What was written since the first page is not on any of these.
            (Direction::Back(Some(_)), _) => None,
            (Direction::Back(None), _) | (Direction::On(_), None) => Some(latest),
            (Direction::On(_), Some(Direction::On(seen) | Direction::Back(Some(seen)))) => {
                Some(seen)
            }
            (Direction::On(begin), Some(Direction::Back(None))) => Some(begin),
        };
        Ok(HistoryPage {
            changes,
            next: rest.map(|rest| ChangeCursor::new(workspace, selection, rest)),
            latest: latest.map(|it| ChangeId::new(workspace, ChangeRef::One(it))),
        })
    }
}

/// Where the part after this change begins.
fn after(direction: Direction, seen: ChangeNumber) -> Direction {
    match direction {
        Direction::Back(_) => Direction::Back(Some(seen)),
        Direction::On(_) => Direction::On(seen),
    }
}

struct Reading<'a> {
    history: &'a dyn TodoHistory,
    permit: &'a ReadPermit,
    selection: ChangeSelection,
}

/// The changes of a page.
struct Read {
    changes: Vec<Recorded>,
    /// The number of the last write.
    latest: ChangeNumber,
    /// Where the next page begins.
    rest: Option<Direction>,
}

impl Reading<'_> {
    /// How many changes a page looks at, if most are not selected.
    const ROWS: usize = 2_000;

    /// How many are read at a time then.
    const CHUNK: usize = 256;

    async fn read(&self, begin: Direction, limit: usize) -> Result<Read, ListChangesError> {
        let deletions = self.selection.action == Some(ChangeAction::Deleted);
        let is_indexed = deletions || self.selection.action.is_none();
        let mut read = Read { changes: Vec::new(), latest: ChangeNumber::ZERO, rest: Some(begin) };
        let mut rows = Self::ROWS;
        while let Some(direction) = read.rest
            && read.changes.len() < limit
            && rows > 0
        {
            // One more than the page holds shows whether there is a next page.
            let size =
                if is_indexed { limit + 1 - read.changes.len() } else { Self::CHUNK.min(rows) };
            let span = Span { direction, todo: self.selection.todo, deletions, limit: size };
            let part = self.history.changes(self.permit, &span).await;
            let HistoryPart { changes, latest, forgotten } = part.map_err(StorageFailure::from)?;
            if let Direction::On(after) = direction
                && !(forgotten..=latest).contains(&after)
            {
                return Err(ListChangesError::NotRemembered);
            }
            // Going back, what was written since the first part is not on the page; going on, it is.
            if direction == begin || matches!(begin, Direction::On(_)) {
                read.latest = latest;
            }
            rows = rows.saturating_sub(size);
            let is_full = changes.len() >= size;
            read.rest = changes.last().filter(|_| is_full).map(|it| after(begin, it.number));
            for change in changes {
                let number = change.number;
                if self.selection.selects(&change) {
                    if read.changes.len() >= limit {
                        let last = read.changes.last().map_or(number, |it| it.number);
                        read.rest = Some(after(begin, last));
                        return Ok(read);
                    }
                    read.changes.push(change);
                }
            }
        }
        Ok(read)
    }

    /// The change, or the last one of a batch.
    async fn last_of(&self, id: ChangeId) -> Result<ChangeNumber, ListChangesError> {
        let named = id.open(self.permit.workspace()).ok_or(ListChangesError::NotRemembered)?;
        let first = match named {
            ChangeRef::One(number) => return Ok(number),
            ChangeRef::Batch(first) => first,
        };
        let begin = Direction::On(first.plus(-1));
        let HistoryPart { changes, .. } = self.part(begin, super::MAX_CHANGES).await?;
        let of_batch = changes.iter().take_while(|it| it.batch == Some(first));
        of_batch.last().map(|it| it.number).ok_or(ListChangesError::NotRemembered)
    }

    /// The last write that seems to have been made before an instant, found by halving.
    async fn number_at(&self, at: Instant) -> Result<ChangeNumber, ListChangesError> {
        let HistoryPart { latest, forgotten, .. } = self.part(Direction::Back(None), 1).await?;
        let (mut low, mut high) = (forgotten, latest);
        while low < high {
            let middle = low.plus((high.as_i64() - low.as_i64()) / 2);
            let part = self.part(Direction::On(middle), 1).await?;
            match part.changes.first().filter(|it| it.number <= high) {
                Some(next) if next.change.at < at => low = next.number,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    async fn part(
        &self,
        direction: Direction,
        limit: usize,
    ) -> Result<HistoryPart, ListChangesError> {
        let span = Span { direction, todo: None, deletions: false, limit };
        Ok(self.history.changes(self.permit, &span).await.map_err(StorageFailure::from)?)
    }
}
