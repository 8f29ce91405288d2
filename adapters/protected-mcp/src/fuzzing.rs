//! Entry points for fuzzing the parsers of untrusted input.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::value::RawValue;
use tokio::runtime::{Builder, Runtime};

use crate::jsonrpc::{Message, Payload, is_object, read, read_message};
use crate::oauth::Caller;
use crate::protocol::{Params, era_of};
use crate::server::Server;

/// The token in the value of an `Authorization` header.
pub fn bearer_token(credentials: &[u8]) -> Option<&[u8]> {
    crate::oauth::bearer_token(credentials)
}

/// Reads the body of a request and determines its era. Fails with the code of the JSON-RPC error that
/// answers it. Headers that HTTP does not allow cannot occur, and are left out.
pub fn envelope(headers: &[(&[u8], &[u8])], body: &[u8]) -> Result<(), i32> {
    let code = |error: crate::jsonrpc::Error| error.code().unwrap_or_default();
    let headers: HeaderMap = headers
        .iter()
        .filter_map(|(name, value)| {
            Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
        })
        .collect();
    let check = |message: Message<'_, Params<'_>>| match message {
        Message::OneWay => Ok(()),
        Message::Request(request) => era_of(&request, &headers).map(|_| ()).map_err(code),
    };
    match read(body).map_err(|(_, error)| code(error))? {
        Payload::One(message) => check(message),
        Payload::Batch(messages) => messages.into_iter().try_for_each(|message| {
            check(read_message(message.get()).map_err(|(_, error)| code(error))?)
        }),
    }
}

/// Calls each tool of a server with the same arguments: the JSON of its success, or the sentence of its
/// failure. Nothing for arguments that are not the text of an object, which a server rejects before.
pub fn tool_calls(
    server: &Server,
    caller: &Arc<Caller>,
    arguments: &[u8],
) -> Vec<Result<String, String>> {
    thread_local! {
        static RUNTIME: Option<Runtime> = Builder::new_current_thread().build().ok();
    }
    let Ok(arguments) = serde_json::from_slice::<&RawValue>(arguments) else { return Vec::new() };
    if !is_object(arguments) {
        return Vec::new();
    }
    let features = server.features();
    let calls = features.tools.call_each(&features.authorization, caller, arguments.get());
    RUNTIME
        .with(|runtime| runtime.as_ref().map(|runtime| runtime.block_on(calls)).unwrap_or_default())
}
