//! Where the next page of a list starts.

use thiserror::Error;
use todo_domain::{TodoId, WorkspaceId};

use crate::fnv;
use crate::ports::Filter;

/// A position in one list: just after a todo, in the list of one workspace under one filter.
///
/// It is a bookmark and not a capability: a caller who presents one reads their own list. The check
/// digits turn a cursor of another list, a damaged or a made-up one into an error; without them the
/// page would silently skip todos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    after: TodoId,
    check: u64,
}

/// The cursor belongs to another list, or is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a next_cursor of the same list, with the same filter")]
pub struct CursorError;

impl Cursor {
    pub const BYTES: usize = 24;

    pub(crate) fn new(workspace: &WorkspaceId, filter: Filter, after: TodoId) -> Self {
        Self { after, check: check_digits(workspace, filter, after) }
    }

    /// The todo that the page starts after, if the cursor belongs to this list.
    pub(crate) fn open(
        self,
        workspace: &WorkspaceId,
        filter: Filter,
    ) -> Result<TodoId, CursorError> {
        if self == Self::new(workspace, filter, self.after) {
            Ok(self.after)
        } else {
            Err(CursorError)
        }
    }

    /// For an adapter to encode as text.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (id, check) = bytes.split_at_mut(16);
        id.copy_from_slice(self.after.as_uuid().as_bytes());
        check.copy_from_slice(&self.check.to_be_bytes());
        bytes
    }

    /// Decodes the result of [`Cursor::to_bytes`]. Whether it belongs to a list is checked when it is
    /// used.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CursorError> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().map_err(|_| CursorError)?;
        let (id, check) = bytes.split_at(16);
        let (Ok(id), Ok(check)) = (<[u8; 16]>::try_from(id), <[u8; 8]>::try_from(check)) else {
            return Err(CursorError);
        };
        Ok(Self { after: TodoId::from_bytes(id), check: u64::from_be_bytes(check) })
    }
}

fn check_digits(workspace: &WorkspaceId, filter: Filter, after: TodoId) -> u64 {
    let filter: u8 = match filter.completed {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    };
    fnv::hash([workspace.as_str().as_bytes(), &[filter], after.as_uuid().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(text: &str) -> WorkspaceId {
        WorkspaceId::try_from(text).unwrap()
    }

    const OPEN: Filter = Filter { completed: Some(false) };
    const ALL: Filter = Filter { completed: None };
    const ID: TodoId = TodoId::from_bytes([7; 16]);

    #[test]
    fn a_cursor_opens_the_list_it_belongs_to_and_no_other() {
        let cursor = Cursor::new(&workspace("mine"), OPEN, ID);
        assert_eq!(cursor.open(&workspace("mine"), OPEN), Ok(ID));
        assert_eq!(cursor.open(&workspace("mine"), ALL), Err(CursorError));
        assert_eq!(cursor.open(&workspace("yours"), OPEN), Err(CursorError));
    }

    #[test]
    fn a_cursor_can_be_encoded_and_detects_damage() {
        let cursor = Cursor::new(&workspace("mine"), ALL, ID);
        let bytes = cursor.to_bytes();
        assert_eq!(Cursor::from_bytes(&bytes), Ok(cursor));
        for place in 0..Cursor::BYTES {
            let mut damaged = bytes;
            damaged[place] ^= 1;
            let damaged = Cursor::from_bytes(&damaged).unwrap();
            assert_eq!(damaged.open(&workspace("mine"), ALL), Err(CursorError), "byte {place}");
        }
        assert_eq!(Cursor::from_bytes(&bytes[..23]), Err(CursorError));
        assert_eq!(Cursor::from_bytes(&[]), Err(CursorError));
    }
}
