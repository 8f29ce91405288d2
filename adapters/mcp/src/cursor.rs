//! Cursors as text: opaque to clients, the same for tools and resources.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use todo_application::{Cursor, CursorError};

/// A cursor as a client keeps it.
pub(crate) fn encode(cursor: Cursor) -> String {
    BASE64.encode(cursor.to_bytes())
}

/// Reads back what [`encode`] gave. Whether it fits a list is seen when it is used.
pub(crate) fn decode(text: &str) -> Result<Cursor, CursorError> {
    Cursor::from_bytes(&BASE64.decode(text).map_err(|_| CursorError)?)
}
