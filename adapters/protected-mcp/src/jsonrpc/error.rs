//! Why a request is not answered with a result.

use std::borrow::Cow;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::reply::{Reply, no_store};

/// The one error of a request on its way: an HTTP status, and a JSON-RPC error or, where OAuth fixes the
/// body, that of RFC 6749 section 5.2.
#[derive(Debug)]
pub(crate) struct Error {
    status: StatusCode,
    body: Body,
    header: Option<Box<(HeaderName, HeaderValue)>>,
    log_code: Option<&'static str>,
}

#[derive(Debug)]
enum Body {
    JsonRpc { code: i32, message: Cow<'static, str>, data: Option<Box<RawValue>> },
    OAuth { error: &'static str, description: Cow<'static, str> },
}

impl Error {
    pub(crate) fn new(
        status: StatusCode,
        code: i32,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let body = Body::JsonRpc { code, message: message.into(), data: None };
        Self { status, body, header: None, log_code: None }
    }

    /// -32700: the body is not JSON.
    pub(crate) fn parse(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32700, message)
    }

    /// -32600: the body is JSON, but not a request.
    pub(crate) fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::transport(StatusCode::BAD_REQUEST, message)
    }

    /// -32600 with the HTTP status for what is wrong with the request as a whole.
    pub(crate) fn transport(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, -32600, message)
    }

    /// -32602 for the parameters of a method.
    pub(crate) fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::OK, -32602, message)
    }

    /// -32603: a fault of this server. The cause is logged and not answered.
    pub(crate) fn internal() -> Self {
        let message = "Something went wrong on the server; its log says what.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, -32603, message)
    }

    /// -32603 for what may work when it is repeated `seconds` from now.
    pub(crate) fn unavailable(message: impl Into<Cow<'static, str>>, seconds: u32) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, -32603, message).retry_after(seconds)
    }

    /// A refusal that HTTP has a status for and JSON-RPC has no code for: the code is the status. MCP
    /// reserves -32768 to -32000 and leaves all other numbers to applications.
    pub(crate) fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, 403, message)
    }

    /// HTTP 429.
    pub(crate) fn too_many(message: impl Into<Cow<'static, str>>, seconds: u32) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, 429, message).retry_after(seconds)
    }

    /// An error whose body is that of OAuth and not of JSON-RPC.
    pub(crate) fn oauth(
        status: StatusCode,
        error: &'static str,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        let body = Body::OAuth { error, description: description.into() };
        Self { status, body, header: None, log_code: None }
    }

    /// Adds the `data` member of a JSON-RPC error.
    pub(crate) fn with_data(mut self, value: &impl Serialize) -> Self {
        if let Body::JsonRpc { data, .. } = &mut self.body {
            *data = to_raw_value(value).ok();
        }
        self
    }

    /// Adds the stable word for the log.
    pub(crate) fn with_log_code(self, code: &'static str) -> Self {
        Self { log_code: Some(code), ..self }
    }

    pub(crate) fn log_code(&self) -> Option<&'static str> {
        self.log_code
    }

    /// What the caller reads.
    pub(crate) fn sentence(&self) -> &str {
        match &self.body {
            Body::JsonRpc { message, .. } => message,
            Body::OAuth { description, .. } => description,
        }
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some(Box::new((name, value))), ..self }
    }

    /// Adds a challenge (RFC 6750 section 3).
    pub(crate) fn with_challenge(self, challenge: HeaderValue) -> Self {
        self.with_header(WWW_AUTHENTICATE, challenge)
    }

    pub(crate) fn retry_after(self, seconds: u32) -> Self {
        self.with_header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Of JSON-RPC.
    pub(crate) fn code(&self) -> Option<i32> {
        match self.body {
            Body::JsonRpc { code, .. } => Some(code),
            Body::OAuth { .. } => None,
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer. `id` is `None` if the request has none that can be read.
    pub(crate) fn into_reply(self, id: Option<&RawValue>) -> Reply {
        #[derive(Serialize)]
        struct Envelope<'a> {
            jsonrpc: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<&'a RawValue>,
            error: Member<'a>,
        }
        #[derive(Serialize)]
        struct Member<'a> {
            code: i32,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            data: Option<&'a RawValue>,
        }
        #[derive(Serialize)]
        struct OAuthBody<'a> {
            error: &'a str,
            error_description: &'a str,
        }
        let reply = match &self.body {
            Body::JsonRpc { code, message, data } => {
                let error = Member { code: *code, message, data: data.as_deref() };
                Reply::json(self.status, &Envelope { jsonrpc: "2.0", id, error })
            }
            Body::OAuth { error, description } => {
                let body = OAuthBody { error, error_description: description };
                Reply::json(self.status, &body).with_header(no_store())
            }
        };
        match self.header {
            Some(header) => reply.with_header(*header),
            None => reply,
        }
    }

    pub(crate) fn into_response(self, id: Option<&RawValue>) -> Response {
        self.into_reply(id).into_response()
    }
}
