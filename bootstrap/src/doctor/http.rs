//! Requests, bounded in time and size, and their failures in words.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName};
use reqwest::{Client, RequestBuilder, redirect};
use serde_json::Value;
use thiserror::Error;
use todo_application::domain::Instant;
use todo_application::ports::Clock;
use url::{Host, Url};

use super::report::excerpt;

/// How long to wait for a whole answer.
const TIME: Duration = Duration::from_secs(5);
/// What is read of an answer, in bytes. The documents have about 1,000.
const MAX_BODY_BYTES: usize = 256 * 1024;
/// The least of a message that an MCP server has to answer.
const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// Asks one host, without following redirects.
pub(super) struct Http<'a> {
    client: Client,
    clock: &'a dyn Clock,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    /// When the request was sent and the head of the answer had come, by our clock.
    pub(super) between: [Instant; 2],
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Unreachable {
    #[error("its host name is not known (DNS)")]
    UnknownHost,
    #[error("nothing accepts connections there")]
    Refused,
    #[error("its TLS certificate is not accepted: {0}")]
    Certificate(String),
    #[error("it does not answer within 5 seconds")]
    TimedOut,
    #[error("it cannot be reached: {0}")]
    Other(String),
}

impl<'a> Http<'a> {
    /// A client for the host of `url`. Loopback is never behind a proxy; others are reached through
    /// the one that `HTTPS_PROXY` and `NO_PROXY` name, if any, as the server does it.
    pub(super) fn towards(url: &Url, clock: &'a dyn Clock) -> Result<Self, Unreachable> {
        let builder = Client::builder()
            .user_agent(concat!("todo-mcp-doctor/", env!("CARGO_PKG_VERSION")))
            .timeout(TIME)
            .redirect(redirect::Policy::none());
        let builder = match url.scheme() {
            // Plain HTTP needs no certificates, and reading them takes a while.
            "http" => builder.tls_certs_only([]),
            _ => builder,
        };
        let builder = if is_loopback(url) { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(Unreachable::from)?;
        Ok(Self { client, clock })
    }

    pub(super) async fn get(&self, url: &Url) -> Result<Answer, Unreachable> {
        self.send(self.client.get(url.clone()).header(ACCEPT, "application/json")).await
    }

    /// Sends an MCP message without a token.
    pub(super) async fn ping(&self, url: &Url) -> Result<Answer, Unreachable> {
        let request = self.client.post(url.clone()).body(PING);
        let request = request.header(CONTENT_TYPE, "application/json");
        self.send(request.header(ACCEPT, "application/json, text/event-stream")).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, Unreachable> {
        let sent = self.clock.now();
        let mut response = request.send().await?;
        let between = [sent, self.clock.now()];
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            let room = MAX_BODY_BYTES - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if body.len() == MAX_BODY_BYTES {
                break;
            }
        }
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: String::from_utf8_lossy(&body).into_owned(),
            between,
        })
    }
}

impl Answer {
    /// The body of a 200, if it is JSON.
    pub(super) fn document(&self) -> Option<Value> {
        (self.status == 200).then(|| serde_json::from_str(&self.body).ok()).flatten()
    }

    /// A header, if it is text.
    pub(super) fn header(&self, name: impl Into<HeaderName>) -> Option<&str> {
        self.headers.get(name.into())?.to_str().ok()
    }
}

impl From<reqwest::Error> for Unreachable {
    /// The library tells reasons apart in words only, so the words of all causes are looked at.
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        let error = error.without_url();
        let mut last = error.to_string();
        let mut all = last.clone();
        let mut source = error.source();
        while let Some(cause) = source {
            last = cause.to_string();
            all = all + ": " + &last;
            source = cause.source();
        }
        if all.contains("dns error") {
            Self::UnknownHost
        } else if all.contains("refused") {
            Self::Refused
        } else if all.contains("certificate") {
            Self::Certificate(excerpt(&last))
        } else {
            Self::Other(excerpt(&last))
        }
    }
}

/// Whether a URL leads to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    /// An answer that came at 1795340000.5 seconds since 1970.
    pub(in crate::doctor) fn answer(
        status: u16,
        headers: &[(HeaderName, &str)],
        body: impl Into<String>,
    ) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        let at = Instant::from_unix_millis(1_795_340_000_500).unwrap();
        Answer { status, headers: headers.collect(), body: body.into(), between: [at, at] }
    }

    async fn failure(url: &str) -> Unreachable {
        let url = url.parse().unwrap();
        let http = Http::towards(&url, &crate::SystemClock).unwrap();
        http.get(&url).await.unwrap_err()
    }

    #[tokio::test]
    async fn failures_are_told_apart() {
        // Ours, and nobody listens there.
        let closed = tokio::net::TcpSocket::new_v4().unwrap();
        closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let closed = closed.local_addr().unwrap();
        assert_eq!(failure(&format!("http://{closed}/")).await, Unreachable::Refused);
    }

    #[test]
    fn a_document_is_a_200_with_json() {
        assert!(answer(200, &[], "{}").document().is_some());
        assert!(answer(200, &[], "<html>").document().is_none());
        assert!(answer(404, &[], "{}").document().is_none());
    }
}
