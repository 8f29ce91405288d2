//! Where the next page of a list starts.

use thiserror::Error;
use todo_domain::{DueFilter, Order, Place, Sort, TodoId, WorkspaceId};

use crate::fnv;
use crate::selection::Selection;

/// A position in one list: just after a place, in the list of one workspace under one selection.
///
/// It is a bookmark and not a capability: a caller who presents one reads their own list. The check
/// digits turn a cursor of another list, a damaged or a made-up one into an error; without them the
/// page would silently skip todos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    after: Place,
    check: u64,
}

/// The cursor belongs to another list, or is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CursorError {
    #[error("must be a next_cursor of the same list, with the same filters and sort")]
    Other,
    /// Another version of this program made it.
    #[error("is of another version of this server; list again from the start, without a cursor")]
    OtherVersion,
}

/// The first byte of a cursor. Those without a version had 24 bytes.
const VERSION: u8 = 2;
const UNVERSIONED_BYTES: usize = 24;

impl Cursor {
    pub const BYTES: usize = 33;

    pub(crate) fn new(workspace: &WorkspaceId, selection: &Selection, after: Place) -> Self {
        Self { after, check: check_digits(workspace, selection, after) }
    }

    /// The place that the page starts after, if the cursor belongs to this list.
    pub(crate) fn open(
        self,
        workspace: &WorkspaceId,
        selection: &Selection,
    ) -> Result<Place, CursorError> {
        if self == Self::new(workspace, selection, self.after) {
            Ok(self.after)
        } else {
            Err(CursorError::Other)
        }
    }

    /// For an adapter to encode as text.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(&self.after.key.to_be_bytes());
        bytes[9..25].copy_from_slice(self.after.id.as_uuid().as_bytes());
        bytes[25..].copy_from_slice(&self.check.to_be_bytes());
        bytes
    }

    /// Decodes the result of [`Cursor::to_bytes`]. Whether it belongs to a list is checked when it is
    /// used.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CursorError> {
        let Ok(bytes) = <&[u8; Self::BYTES]>::try_from(bytes) else {
            let is_known = bytes.len() == UNVERSIONED_BYTES;
            return Err(if is_known { CursorError::OtherVersion } else { CursorError::Other });
        };
        let [version, rest @ ..] = bytes;
        if *version != VERSION {
            return Err(CursorError::OtherVersion);
        }
        let (key, rest) = rest.split_first_chunk().ok_or(CursorError::Other)?;
        let (id, rest) = rest.split_first_chunk().ok_or(CursorError::Other)?;
        let (check, _) = rest.split_first_chunk().ok_or(CursorError::Other)?;
        let after = Place { key: i64::from_be_bytes(*key), id: TodoId::from_bytes(*id) };
        Ok(Self { after, check: u64::from_be_bytes(*check) })
    }
}

/// The zone is left out: what is due today changes with time anyway.
fn check_digits(workspace: &WorkspaceId, selection: &Selection, after: Place) -> u64 {
    let Selection { completed, due, priority, label, query, sort, time_zone: _ } = selection;
    let completed: u8 = match completed {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    };
    let due: u8 = match due {
        None => 0,
        Some(DueFilter::Overdue) => 1,
        Some(DueFilter::Today) => 2,
        Some(DueFilter::Week) => 3,
        Some(DueFilter::Any) => 4,
        Some(DueFilter::None) => 5,
    };
    let priority = priority.map_or(0, |priority| priority.rank() + 1);
    let sort: u8 = match sort {
        Sort::Created => 0,
        Sort::By(Order::Due) => 1,
        Sort::By(Order::Priority) => 2,
        Sort::By(Order::Updated) => 3,
    };
    let label = label.as_ref().map_or_else(String::new, |label| format!("\0{}", label.as_str()));
    // No word and no label has NUL.
    let query = query.as_ref().map_or_else(String::new, |query| query.words().join("\0"));
    fnv::hash([
        workspace.as_str().as_bytes(),
        &[VERSION, completed, due, priority, sort],
        label.as_bytes(),
        &[0],
        query.as_bytes(),
        &[0],
        &after.key.to_be_bytes(),
        after.id.as_uuid().as_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use todo_domain::{Label, Priority, Query};

    use super::*;

    fn workspace(text: &str) -> WorkspaceId {
        WorkspaceId::try_from(text).unwrap()
    }

    const PLACE: Place = Place { key: -7, id: TodoId::from_bytes([7; 16]) };

    #[test]
    fn a_cursor_opens_the_list_it_belongs_to_and_no_other() {
        let all = Selection::default();
        let open = Selection { completed: Some(false), ..all.clone() };
        let cursor = Cursor::new(&workspace("mine"), &open, PLACE);
        assert_eq!(cursor.open(&workspace("mine"), &open), Ok(PLACE));
        assert_eq!(cursor.open(&workspace("yours"), &open), Err(CursorError::Other));
        for other in [
            all,
            Selection { completed: Some(true), ..open.clone() },
            Selection { due: Some(DueFilter::None), ..open.clone() },
            Selection { priority: Some(Priority::Low), ..open.clone() },
            Selection { sort: Sort::By(Order::Due), ..open.clone() },
            Selection { label: Some(Label::try_from("a").unwrap().key()), ..open.clone() },
            Selection { query: Some(Query::try_from("a").unwrap()), ..open },
        ] {
            assert_eq!(cursor.open(&workspace("mine"), &other), Err(CursorError::Other));
        }
    }

    #[test]
    fn a_cursor_can_be_encoded_and_detects_damage() {
        let all = Selection::default();
        let cursor = Cursor::new(&workspace("mine"), &all, PLACE);
        let bytes = cursor.to_bytes();
        assert_eq!(Cursor::from_bytes(&bytes), Ok(cursor));
        for place in 1..Cursor::BYTES {
            let mut damaged = bytes;
            damaged[place] ^= 1;
            let damaged = Cursor::from_bytes(&damaged).unwrap();
            let opened = damaged.open(&workspace("mine"), &all);
            assert_eq!(opened, Err(CursorError::Other), "byte {place}");
        }
        let mut of_another_version = bytes;
        of_another_version[0] += 1;
        assert_eq!(Cursor::from_bytes(&of_another_version), Err(CursorError::OtherVersion));
        assert_eq!(Cursor::from_bytes(&bytes[..24]), Err(CursorError::OtherVersion));
        assert_eq!(Cursor::from_bytes(&bytes[..32]), Err(CursorError::Other));
        assert_eq!(Cursor::from_bytes(&[]), Err(CursorError::Other));
    }
}
