//! JSON-RPC 2.0 answers, and the HTTP status each goes with.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::era::Era;

/// A JSON-RPC error and the HTTP status that carries it.
#[derive(Debug)]
pub(crate) struct RpcError {
    pub(crate) status: StatusCode,
    code: i32,
    message: Cow<'static, str>,
    data: Option<Box<RawValue>>,
    header: Option<Box<Header>>,
}

/// A header that goes with an answer.
type Header = (HeaderName, HeaderValue);

impl RpcError {
    fn new(status: StatusCode, code: i32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), data: None, header: None }
    }

    /// -32700: the body is no JSON.
    pub(crate) fn parse(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32700, message)
    }

    /// -32600: the body is JSON, but no request.
    pub(crate) fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::transport(StatusCode::BAD_REQUEST, message)
    }

    /// -32600 with the HTTP status that says what is wrong with the request as a whole.
    pub(crate) fn transport(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, -32600, message)
    }

    /// -32601. 404 in the new era, 200 in the old one.
    pub(crate) fn method_not_found(status: StatusCode, method: &str) -> Self {
        const LONGEST: usize = 100;
        let method: String = method.chars().take(LONGEST).collect();
        Self::new(status, -32601, format!("This server has no method `{method}`."))
    }

    /// -32602 for parameters of a method.
    pub(crate) fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::OK, -32602, message)
    }

    /// -32602 for the `_meta` that every request of the new era carries.
    pub(crate) fn invalid_meta(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32602, message)
    }

    /// -32603: our fault. The cause is in the log and not in the answer.
    pub(crate) fn internal() -> Self {
        let message = "Something went wrong on the server; its log says what.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, -32603, message)
    }

    /// -32603 for what may work when it is asked again, `seconds` from now.
    pub(crate) fn unavailable(message: impl Into<Cow<'static, str>>, seconds: u32) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, -32603, message).retry_after(seconds)
    }

    /// There is no such resource, or none that the caller may know of: -32602 since MCP 2026-07-28,
    /// -32002 before, with the URI as it was asked for.
    pub(crate) fn resource_not_found(era: Era, uri: &str) -> Self {
        #[derive(Serialize)]
        struct Data<'a> {
            uri: &'a str,
        }
        let code = match era {
            Era::Legacy => -32002,
            Era::Modern => -32602,
        };
        let uri: String = uri.chars().take(200).collect();
        let data = to_raw_value(&Data { uri: &uri }).ok();
        let message = "There is no such resource. `resources/list` shows what there is.";
        Self { data, ..Self::new(StatusCode::OK, code, message) }
    }

    /// -32020: a header and the body say different things (MCP 2026-07-28 `HeaderMismatch`).
    pub(crate) fn header_mismatch(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32020, message)
    }

    /// -32022: a revision of the protocol that we do not speak (MCP 2026-07-28
    /// `UnsupportedProtocolVersion`).
    pub(crate) fn unsupported_version(requested: &str, supported: &[&str]) -> Self {
        #[derive(Serialize)]
        struct Data<'a> {
            supported: &'a [&'a str],
            requested: &'a str,
        }
        let message = format!("This server speaks MCP {}.", supported.join(", "));
        let requested: String = requested.chars().take(100).collect();
        let data = to_raw_value(&Data { supported, requested: &requested }).ok();
        Self { data, ..Self::new(StatusCode::BAD_REQUEST, -32022, message) }
    }

    /// A refusal that HTTP has a status for and JSON-RPC has no code for: the code is the status.
    /// MCP keeps -32768 to -32000 for itself and leaves all other numbers to applications.
    pub(crate) fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, 403, message)
    }

    /// HTTP 429: enough for now.
    pub(crate) fn too_many(message: impl Into<Cow<'static, str>>, seconds: u32) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, 429, message).retry_after(seconds)
    }

    fn retry_after(self, seconds: u32) -> Self {
        Self { header: Some(Box::new((RETRY_AFTER, HeaderValue::from(seconds)))), ..self }
    }

    /// The same error with a challenge (RFC 6750 §3).
    pub(crate) fn with_challenge(self, challenge: HeaderValue) -> Self {
        Self { header: Some(Box::new((WWW_AUTHENTICATE, challenge))), ..self }
    }

    /// The same error under another HTTP status.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn code(&self) -> i32 {
        self.code
    }

    /// The answer. The id is left out when the request had none that could be read.
    pub(crate) fn into_reply(self, id: Option<&RawValue>) -> Reply {
        #[derive(Serialize)]
        struct Envelope<'a> {
            jsonrpc: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<&'a RawValue>,
            error: Inner<'a>,
        }
        #[derive(Serialize)]
        struct Inner<'a> {
            code: i32,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            data: Option<&'a RawValue>,
        }
        let error = Inner { code: self.code, message: &self.message, data: self.data.as_deref() };
        let reply = Reply::new(self.status, &Envelope { jsonrpc: "2.0", id, error });
        Reply { header: self.header, ..reply }
    }

    /// The answer on its own.
    pub(crate) fn into_response(self, id: Option<&RawValue>) -> Response {
        self.into_reply(id).into_response()
    }
}

/// The answer to one request: JSON text, and how HTTP says it.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    json: Vec<u8>,
    header: Option<Box<Header>>,
}

impl Reply {
    fn new(status: StatusCode, message: &impl Serialize) -> Self {
        match serde_json::to_vec(message) {
            Ok(json) => Self { status, json, header: None },
            Err(cause) => {
                tracing::error!(%cause, "an answer could not be written as JSON");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self { status, json: b"null".to_vec(), header: None }
            }
        }
    }

    /// A successful answer.
    pub(crate) fn result(id: &RawValue, result: &impl Serialize) -> Self {
        #[derive(Serialize)]
        struct Envelope<'a, R> {
            jsonrpc: &'static str,
            id: &'a RawValue,
            result: &'a R,
        }
        Self::new(StatusCode::OK, &Envelope { jsonrpc: "2.0", id, result })
    }

    /// A successful answer that is written already.
    pub(crate) fn of_json(json: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, json, header: None }
    }

    /// Adds the answer to those of a batch before it.
    pub(crate) fn append_to(&self, batch: &mut Vec<u8>) {
        batch.push(if batch.is_empty() { b'[' } else { b',' });
        batch.extend_from_slice(&self.json);
    }

    /// The answers to a batch, as one. Not for none.
    pub(crate) fn batch(mut json: Vec<u8>) -> Self {
        json.push(b']');
        Self::of_json(json)
    }

    /// The answer on its own.
    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.json));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some((name, value)) = self.header.map(|header| *header) {
            headers.insert(name, value);
        }
        response
    }
}
