//! Cursors as text: opaque to clients, the same for tools and resources.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use todo_application::{ChangeCursor, Cursor, CursorError};

/// A cursor as [`encode`] wrote it. Whether it belongs to a list is checked when it is used.
pub(crate) struct CursorText(pub(crate) Cursor);

impl TryFrom<&str> for CursorText {
    type Error = CursorError;

    fn try_from(text: &str) -> Result<Self, CursorError> {
        let bytes = BASE64.decode(text).map_err(|_| CursorError::Other)?;
        Cursor::from_bytes(&bytes).map(Self)
    }
}

/// The same for a history.
pub(crate) struct ChangeCursorText(pub(crate) ChangeCursor);

impl TryFrom<&str> for ChangeCursorText {
    type Error = CursorError;

    fn try_from(text: &str) -> Result<Self, CursorError> {
        let bytes = BASE64.decode(text).ok();
        let cursor = bytes.and_then(|bytes| ChangeCursor::from_bytes(&bytes));
        cursor.map(Self).ok_or(CursorError::Other)
    }
}

pub(crate) fn encode_change(cursor: ChangeCursor) -> String {
    BASE64.encode(cursor.to_bytes())
}

pub(crate) fn encode(cursor: Cursor) -> String {
    BASE64.encode(cursor.to_bytes())
}
