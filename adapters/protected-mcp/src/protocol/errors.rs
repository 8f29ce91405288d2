//! The errors that MCP defines beyond JSON-RPC.

use std::borrow::Cow;

use axum::http::StatusCode;
use serde::Serialize;

use super::era::{Era, SUPPORTED};
use crate::jsonrpc::{Error, excerpt};

/// -32601. HTTP 404 since 2026-07-28, 200 before.
pub(crate) fn method_not_found(era: Era, method: &str) -> Error {
    let method = excerpt(method, 100);
    let status = era.method_not_found_status();
    Error::new(status, -32601, format!("This server has no method `{method}`."))
}

/// -32602 for the `_meta` of a request.
pub(crate) fn invalid_meta(message: impl Into<Cow<'static, str>>) -> Error {
    Error::invalid_params(message).with_status(StatusCode::BAD_REQUEST)
}

/// -32602 for a cursor that no page of this list has returned.
pub(crate) fn invalid_cursor() -> Error {
    Error::invalid_params("`cursor` must be the nextCursor of the previous page of the same list.")
}

/// A resource that does not exist, or that the caller may not know of: -32602 since 2026-07-28, -32002
/// before, with the URI as it was requested.
pub(crate) fn resource_not_found(era: Era, uri: &str) -> Error {
    #[derive(Serialize)]
    struct Data<'a> {
        uri: &'a str,
    }
    let code = match era {
        Era::Legacy => -32002,
        Era::Modern => -32602,
    };
    let message = "There is no such resource. `resources/list` shows what there is.";
    Error::new(StatusCode::OK, code, message).with_data(&Data { uri: &excerpt(uri, 200) })
}

/// -32020: a header and the body disagree (MCP 2026-07-28 `HeaderMismatch`).
pub(crate) fn header_mismatch(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(StatusCode::BAD_REQUEST, -32020, message)
}

/// -32022: a revision that this server does not support (MCP 2026-07-28 `UnsupportedProtocolVersion`).
pub(crate) fn unsupported_version(requested: &str) -> Error {
    #[derive(Serialize)]
    struct Data<'a> {
        supported: &'a [&'a str],
        requested: &'a str,
    }
    let message = format!("This server speaks MCP {}.", SUPPORTED.join(", "));
    let data = Data { supported: &SUPPORTED, requested: &excerpt(requested, 100) };
    Error::new(StatusCode::BAD_REQUEST, -32022, message).with_data(&data)
}
