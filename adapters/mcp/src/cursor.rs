//! Cursors as text: opaque to clients, the same for tools and resources.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use protected_mcp::Failure;
use todo_application::{Cursor, CursorError};

pub(crate) fn encode(cursor: Cursor) -> String {
    BASE64.encode(cursor.to_bytes())
}

/// Reads what [`encode`] wrote. Whether the cursor belongs to a list is checked when it is used.
pub(crate) fn decode(text: &str) -> Result<Cursor, Failure> {
    let bytes = BASE64.decode(text).map_err(|_| CursorError);
    let cursor = bytes.and_then(|bytes| Cursor::from_bytes(&bytes));
    cursor.map_err(|error| Failure::invalid_argument("cursor", error))
}
