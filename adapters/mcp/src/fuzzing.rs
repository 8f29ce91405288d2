//! Doors for fuzzing: what reads the bytes of strangers, before anybody knows who they are.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::envelope::{self, Message};
use crate::{bearer, era};

/// The token in the value of an `Authorization` header.
pub fn bearer_token(credentials: &[u8]) -> Option<&[u8]> {
    bearer::bearer_token(credentials)
}

/// Reads the body of a request and tells its era, or the code of the JSON-RPC error that answers
/// it. Headers that HTTP does not allow never get here, and are left out.
pub fn envelope(headers: &[(&[u8], &[u8])], body: &[u8]) -> Result<(), i32> {
    let headers: HeaderMap = headers
        .iter()
        .filter_map(|(name, value)| {
            Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
        })
        .collect();
    match envelope::read(body) {
        Ok(Message::OneWay) => Ok(()),
        Ok(Message::Request(request)) => {
            era::of(&request, &headers).map(|_| ()).map_err(|error| error.code())
        }
        Err((_, error)) => Err(error.code()),
    }
}
