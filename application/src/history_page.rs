//! How a history is read piece by piece.

use todo_domain::{ChangeAction, ChangeNumber, Instant, Recorded, TodoId, WorkspaceId};

use crate::change_id::ChangeId;
use crate::fnv;
use crate::page::{PageSize, PageSizeError};
use crate::ports::{ChangeRef, Direction};

/// Which changes a page contains. The default is all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangeSelection {
    pub todo: Option<TodoId>,
    pub action: Option<ChangeAction>,
}

impl ChangeSelection {
    pub(crate) fn selects(self, recorded: &Recorded) -> bool {
        self.todo.is_none_or(|todo| todo == recorded.change.todo)
            && self.action.is_none_or(|action| action == recorded.change.action())
    }
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Since {
    /// At the newest change, going back.
    #[default]
    Newest,
    /// After a change, going on.
    Change(ChangeId),
    /// About at an instant, going on. Servers whose clocks differ number changes in another order than their
    /// instants.
    Instant(Instant),
    /// About where the day of the principal began, going on; where no zone is known, a day ago.
    Today,
    /// Where another page ended.
    Cursor(ChangeCursor),
}

/// The most changes of a page. A page always holds one, however long, if there is one.
#[derive(Debug, Clone, Copy)]
pub struct HistoryPageSize {
    changes: usize,
    fitting: Option<FittingChanges>,
}

/// How many of these changes, which begin a page, have room on it.
pub type FittingChanges = fn(&[ChangeEntry]) -> usize;

impl HistoryPageSize {
    pub const LARGEST: Self = Self { changes: PageSize::MAX, fitting: None };

    /// A page with no more changes than have room in what its reader makes of it.
    #[must_use]
    pub fn with_room_for(self, fitting: FittingChanges) -> Self {
        Self { fitting: Some(fitting), ..self }
    }

    pub(crate) fn changes(self) -> usize {
        self.changes
    }

    /// How many of these changes fit on the page.
    pub(crate) fn cut(self, changes: &[ChangeEntry]) -> usize {
        let changes = &changes[..changes.len().min(self.changes)];
        match self.fitting {
            Some(fitting) if !changes.is_empty() => fitting(changes).clamp(1, changes.len()),
            _ => changes.len(),
        }
    }
}

impl Default for HistoryPageSize {
    fn default() -> Self {
        Self { changes: PageSize::DEFAULT, fitting: None }
    }
}

/// A number of changes, as a caller requests it: the same as of todos.
impl TryFrom<i64> for HistoryPageSize {
    type Error = PageSizeError;

    fn try_from(number: i64) -> Result<Self, PageSizeError> {
        let changes = PageSize::try_from(number)?.todos();
        Ok(Self { changes, fitting: None })
    }
}

/// A piece of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    pub changes: Vec<ChangeEntry>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<ChangeCursor>,
    /// What to read on from later, with [`Since::Change`]; `None` on the later pages of those that go back.
    pub latest: Option<ChangeId>,
}

/// A change, and what callers call it and those that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeEntry {
    pub id: ChangeId,
    pub batch: Option<ChangeId>,
    pub undoes: Option<ChangeId>,
    pub undone_by: Option<ChangeId>,
    pub recorded: Recorded,
}

impl ChangeEntry {
    pub(crate) fn new(workspace: &WorkspaceId, recorded: Recorded) -> Self {
        let id = |number| ChangeId::new(workspace, ChangeRef::One(number));
        let batch = |number| ChangeId::new(workspace, ChangeRef::Batch(number));
        Self {
            id: id(recorded.number),
            batch: recorded.batch.map(batch),
            undoes: recorded.undoes.map(id),
            undone_by: recorded.undone_by.map(id),
            recorded,
        }
    }
}

/// A position in one history: after a change, in the history of one workspace under one selection. As a
/// [`Cursor`](crate::Cursor) of a list, it is a bookmark with check digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeCursor {
    direction: Direction,
    check: u64,
}

/// The first byte of a cursor, so that none is one of a list.
const BACK: u8 = 0x81;
const ON: u8 = 0x82;

impl ChangeCursor {
    pub const BYTES: usize = 17;

    pub(crate) fn new(
        workspace: &WorkspaceId,
        selection: ChangeSelection,
        direction: Direction,
    ) -> Self {
        Self { direction, check: check_digits(workspace, selection, direction) }
    }

    /// Where the page begins, if the cursor belongs to this history.
    pub(crate) fn open(
        self,
        workspace: &WorkspaceId,
        selection: ChangeSelection,
    ) -> Option<Direction> {
        (self == Self::new(workspace, selection, self.direction)).then_some(self.direction)
    }

    /// For an adapter to encode as text.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let (direction, number) = parts(self.direction);
        let mut bytes = [0; Self::BYTES];
        bytes[0] = direction;
        bytes[1..9].copy_from_slice(&number.to_be_bytes());
        bytes[9..].copy_from_slice(&self.check.to_be_bytes());
        bytes
    }

    /// Decodes the result of [`ChangeCursor::to_bytes`]. Whether it belongs to a history is checked when it is
    /// used.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [direction, rest @ ..] = <&[u8; Self::BYTES]>::try_from(bytes).ok()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (check, _) = rest.split_first_chunk()?;
        let number = ChangeNumber::new(i64::from_be_bytes(*number))?;
        let direction = match *direction {
            BACK => Direction::Back(Some(number)),
            ON => Direction::On(number),
            _ => return None,
        };
        Some(Self { direction, check: u64::from_be_bytes(*check) })
    }
}

fn parts(direction: Direction) -> (u8, i64) {
    match direction {
        Direction::Back(before) => (BACK, before.map_or(0, ChangeNumber::as_i64)),
        Direction::On(after) => (ON, after.as_i64()),
    }
}

fn check_digits(workspace: &WorkspaceId, selection: ChangeSelection, direction: Direction) -> u64 {
    let ChangeSelection { todo, action } = selection;
    let (direction, number) = parts(direction);
    let action = action.map_or(0, ChangeAction::code).to_be_bytes();
    let todo: &[u8] = todo.as_ref().map_or(&[], |todo| todo.as_uuid().as_bytes());
    let number = number.to_be_bytes();
    fnv::hash([workspace.as_str().as_bytes(), &[direction], &number, &action, todo])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_the_history_it_belongs_to_and_detects_damage() {
        let workspace = |text| WorkspaceId::try_from(text).unwrap();
        let deleted = ChangeSelection { action: Some(ChangeAction::Deleted), todo: None };
        let of_one = ChangeSelection { todo: Some(TodoId::from_bytes([7; 16])), ..deleted };
        let number = ChangeNumber::new(7).unwrap();
        for direction in [Direction::On(number), Direction::Back(Some(number))] {
            let cursor = ChangeCursor::new(&workspace("mine"), deleted, direction);
            let bytes = cursor.to_bytes();
            assert_eq!(ChangeCursor::from_bytes(&bytes), Some(cursor));
            assert_eq!(cursor.open(&workspace("mine"), deleted), Some(direction));
            assert_eq!(cursor.open(&workspace("yours"), deleted), None);
            assert_eq!(cursor.open(&workspace("mine"), of_one), None);
            assert_eq!(cursor.open(&workspace("mine"), ChangeSelection::default()), None);
            for place in 0..ChangeCursor::BYTES {
                let mut damaged = bytes;
                damaged[place] ^= 1;
                let damaged = ChangeCursor::from_bytes(&damaged);
                let opened = damaged.and_then(|it| it.open(&workspace("mine"), deleted));
                assert_eq!(opened, None, "byte {place}");
            }
        }
        assert_eq!(ChangeCursor::from_bytes(&[ON; 16]), None);
    }
}
