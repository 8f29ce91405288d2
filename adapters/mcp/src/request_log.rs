//! One line for each request.
//!
//! It says who asked for what and how that ended, and holds no token, title or description.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use todo_application::domain::ClientId;
use todo_application::ports::Principal;

/// What is known about a request so far.
#[derive(Default)]
pub(crate) struct RequestLog {
    caller: Option<Arc<dyn Principal>>,
    method: Option<String>,
    tool: Option<&'static str>,
    prompt: Option<&'static str>,
    code: Option<&'static str>,
}

impl RequestLog {
    pub(crate) fn caller(&mut self, principal: &Arc<dyn Principal>) {
        self.caller = Some(Arc::clone(principal));
    }

    /// The method is the caller's text: cut, so that nobody can fill the log with it.
    pub(crate) fn method(&mut self, method: &str) {
        const LONGEST: usize = 64;
        self.method = Some(method[..method.floor_char_boundary(LONGEST)].to_owned());
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

    pub(crate) fn write(&self, status: StatusCode, elapsed: Duration) {
        let caller = self.caller.as_deref();
        tracing::info!(
            target: "todo_mcp::request",
            status = status.as_u16(),
            elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            method = self.method,
            tool = self.tool,
            prompt = self.prompt,
            code = self.code,
            subject = caller.map(|caller| caller.subject().as_str()),
            client = caller.and_then(|caller| caller.client()).map(ClientId::as_str),
            "request"
        );
    }
}
