//! What is known about a request, for the one line that the log gets of it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{self, StatusCode, Uri};

use super::AnsweredRequest;
use crate::jsonrpc::{Error, excerpt};
use crate::oauth::Caller;
use crate::protocol::Method;

/// How much of a text from outside is logged, in bytes, so that it cannot flood the log.
const LONGEST: usize = 64;

/// Who asked for what, and how that ended. Holds no token, no argument and no result.
#[derive(Default)]
pub(crate) struct RequestRecord {
    caller: Option<Arc<Caller>>,
    method: Option<&'static str>,
    tool: Option<&'static str>,
    prompt: Option<&'static str>,
    code: Option<&'static str>,
    operations: usize,
    trace_id: Option<String>,
    /// Why the request was refused, as the caller reads it.
    reason: Option<String>,
    /// Of a request that is no message: its HTTP method, and its path.
    http: Option<(http::Method, String)>,
}

impl RequestRecord {
    /// Of a request that is no message.
    pub(crate) fn of_http(method: &http::Method, uri: &Uri) -> Self {
        let path = excerpt(uri.path(), LONGEST);
        Self { http: Some((method.clone(), path)), ..Self::default() }
    }

    /// What the request is refused with. Why a caller may not get in is what an operator looks for.
    pub(crate) fn error(&mut self, error: &Error) {
        self.code = error.log_code().or(self.code);
        if matches!(error.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let sentence = error.sentence();
            let first = sentence.split_once(". ").map_or(sentence, |(first, _)| first);
            self.reason = Some(first.trim_end_matches('.').to_owned());
        }
    }

    pub(crate) fn caller(&mut self, caller: &Arc<Caller>) {
        self.caller = Some(Arc::clone(caller));
    }

    /// A method that is not known is text of the caller, and logged as `unknown`: no caller writes
    /// into the log, or makes up labels.
    pub(crate) fn method(&mut self, method: &str) {
        self.method = Some(Method::of(method).map_or("unknown", Method::name));
    }

    /// Several messages at once.
    pub(crate) fn batch(&mut self) {
        self.method = Some("batch");
    }

    /// The record of an operation of its own, which is to be [added](Self::add).
    pub(crate) fn of_operation(&mut self) -> Self {
        self.operations += 1;
        Self::default()
    }

    /// Adds what an operation has turned out to be. Of several, the last that says something counts.
    pub(crate) fn add(&mut self, Self { tool, prompt, code, trace_id, .. }: Self) {
        self.tool = tool.or(self.tool);
        self.prompt = prompt.or(self.prompt);
        self.code = code.or(self.code);
        self.trace_id = trace_id.or(self.trace_id.take());
    }

    pub(crate) fn trace_id(&mut self, id: Option<String>) {
        self.trace_id = id;
    }

    pub(crate) fn tool(&mut self, tool: &'static str) {
        self.tool = Some(tool);
    }

    pub(crate) fn prompt(&mut self, prompt: &'static str) {
        self.prompt = Some(prompt);
    }

    /// The stable word for what went wrong.
    pub(crate) fn code(&mut self, code: &'static str) {
        self.code = Some(code);
    }

    /// The stable word for what went wrong, if something did.
    pub(super) fn failed(&self) -> Option<&'static str> {
        self.code
    }

    pub(super) fn answered(&self, status: StatusCode, elapsed: Duration) -> AnsweredRequest<'_> {
        AnsweredRequest {
            status: status.as_u16(),
            caller: self.caller.as_ref(),
            code: self.code,
            reason: self.reason.as_deref(),
            operations: self.operations,
            elapsed,
        }
    }

    pub(crate) fn log(&self, status: StatusCode, elapsed: Duration) {
        let caller = self.caller.as_deref();
        tracing::info!(
            target: "protected_mcp::request",
            status = status.as_u16(),
            elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            method = self.method,
            tool = self.tool,
            prompt = self.prompt,
            code = self.code,
            reason = self.reason,
            trace_id = self.trace_id,
            http.method = self.http.as_ref().map(|(method, _)| method.as_str()),
            http.path = self.http.as_ref().map(|(_, path)| path.as_str()),
            subject = caller.map(|caller| &**caller.subject()),
            client = caller.and_then(|caller| caller.client()).map(|client| &**client),
            "request"
        );
    }
}
