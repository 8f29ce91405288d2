//! The one way to write a JSON answer.

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::json::one_line;

/// An answer: a JSON text, and its HTTP status and headers.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    json: Bytes,
    headers: HeaderMap,
    reports_a_change: bool,
}

impl Reply {
    /// Writes `value`. What cannot be written, which no type of this crate allows, is HTTP 500.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => Self::of_json(status, json),
            Err(cause) => {
                tracing::error!(%cause, "an answer could not be written as JSON");
                Self::of_json(StatusCode::INTERNAL_SERVER_ERROR, "null")
            }
        }
    }

    /// An answer that is already JSON text. U+2028 and U+2029 in it are escaped.
    pub(crate) fn of_json(status: StatusCode, json: impl Into<Bytes>) -> Self {
        Self {
            status,
            json: one_line(json.into()),
            headers: HeaderMap::new(),
            reports_a_change: false,
        }
    }

    pub(crate) fn with_header(mut self, (name, value): (HeaderName, HeaderValue)) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Marks the answer to a request that has changed something: it must reach the client, who would
    /// otherwise repeat the request.
    pub(crate) fn reporting_a_change(self) -> Self {
        Self { reports_a_change: true, ..self }
    }

    pub(crate) fn reports_a_change(&self) -> bool {
        self.reports_a_change
    }

    /// The same answer with its text in other hands.
    pub(crate) fn map_json(self, map: impl FnOnce(Bytes) -> Bytes) -> Self {
        Self { json: map(self.json), ..self }
    }

    pub(crate) fn as_json(&self) -> &[u8] {
        &self.json
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.json));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}

/// The header of answers that no cache may keep.
pub(crate) fn no_store() -> (HeaderName, HeaderValue) {
    (CACHE_CONTROL, HeaderValue::from_static("no-store"))
}
