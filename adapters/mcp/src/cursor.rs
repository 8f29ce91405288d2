//! Cursors as text: opaque to clients, the same for tools and resources.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use todo_application::{Cursor, CursorError};

/// A cursor as [`encode`] wrote it. Whether it belongs to a list is checked when it is used.
pub(crate) struct CursorText(pub(crate) Cursor);

impl TryFrom<&str> for CursorText {
    type Error = CursorError;

    fn try_from(text: &str) -> Result<Self, CursorError> {
        let bytes = BASE64.decode(text).map_err(|_| CursorError::Other)?;
        Cursor::from_bytes(&bytes).map(Self)
    }
}

pub(crate) fn encode(cursor: Cursor) -> String {
    BASE64.encode(cursor.to_bytes())
}
