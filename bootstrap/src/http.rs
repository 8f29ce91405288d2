//! HTTP requests, bounded in time and size, with the reasons for failures in plain words.

use std::time::Duration;

use protected_mcp::is_loopback_host;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName};
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, redirect};
use serde_json::Value;
use thiserror::Error;
use todo_application::domain::Instant;
use todo_application::ports::Clock;
use url::Url;

/// For a request and its whole response.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most that is read of a response, in bytes. The documents have about 1,000.
const MAX_BODY_BYTES: usize = 256 * 1024;
/// The longest part of another program's text that is worth repeating, in characters.
const MAX_EXCERPT: usize = 120;

/// A client for one host that does not follow redirects.
pub(crate) struct Http<'a> {
    client: Client,
    clock: &'a dyn Clock,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// When the request was sent and when the head of the response had arrived, by our clock.
    pub(crate) between: [Instant; 2],
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Unreachable {
    #[error("the host name is unknown (DNS)")]
    UnknownHost,
    #[error("connection refused")]
    Refused,
    #[error("the TLS certificate is not accepted: {0}")]
    Certificate(String),
    #[error("no response within 5 seconds")]
    TimedOut,
    #[error("cannot be reached: {0}")]
    Other(String),
}

impl<'a> Http<'a> {
    /// A client for the host of `url`.
    pub(crate) fn towards(url: &Url, clock: &'a dyn Clock) -> Result<Self, Unreachable> {
        let client = client_towards(url, TIMEOUT).build().map_err(Unreachable::from)?;
        Ok(Self { client, clock })
    }

    /// A client for a server on this machine, which no proxy stands before, whatever its address.
    pub(crate) fn on_this_machine(url: &Url, clock: &'a dyn Clock) -> Result<Self, Unreachable> {
        let client = client_towards(url, TIMEOUT).no_proxy().build().map_err(Unreachable::from)?;
        Ok(Self { client, clock })
    }

    pub(crate) async fn get(&self, url: &Url) -> Result<Answer, Unreachable> {
        self.send(self.client.get(url.clone()).header(ACCEPT, "application/json")).await
    }

    /// Gets a page, as browsers do.
    pub(crate) async fn get_page(&self, url: &Url) -> Result<Answer, Unreachable> {
        self.send(self.client.get(url.clone()).header(ACCEPT, "text/html,*/*;q=0.8")).await
    }

    /// Posts JSON, as MCP clients do.
    pub(crate) async fn post(&self, url: &Url, json: String) -> Result<Answer, Unreachable> {
        self.send(self.posting(url, json)).await
    }

    /// The same with an access token.
    pub(crate) async fn post_bearing(
        &self,
        url: &Url,
        json: String,
        token: &str,
    ) -> Result<Answer, Unreachable> {
        self.send(self.posting(url, json).bearer_auth(token)).await
    }

    fn posting(&self, url: &Url, json: String) -> RequestBuilder {
        let request = self.client.post(url.clone()).body(json);
        let request = request.header(CONTENT_TYPE, "application/json");
        request.header(ACCEPT, "application/json, text/event-stream")
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, Unreachable> {
        let sent = self.clock.now();
        let mut response = request.send().await?;
        let between = [sent, self.clock.now()];
        Ok(Answer {
            body: String::from_utf8_lossy(&bounded_body(&mut response).await?).into_owned(),
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            between,
        })
    }
}

/// A client for the host of `url` that does not follow redirects. Loopback is never behind a proxy; other hosts
/// are reached through the proxy of `HTTPS_PROXY` and `NO_PROXY`, if any, as by the server.
pub(crate) fn client_towards(url: &Url, timeout: Duration) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("todo-mcp/", env!("CARGO_PKG_VERSION")))
        .timeout(timeout)
        .redirect(redirect::Policy::none());
    let builder = match url.scheme() {
        // Plain HTTP needs no certificates, and reading them takes a while.
        "http" => builder.tls_certs_only([]),
        _ => builder,
    };
    if is_loopback(url) { builder.no_proxy() } else { builder }
}

/// The body up to the limit. The rest is not read.
pub(crate) async fn bounded_body(response: &mut Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while body.len() < MAX_BODY_BYTES {
        let Some(chunk) = response.chunk().await? else { break };
        body.extend_from_slice(&chunk);
    }
    body.truncate(MAX_BODY_BYTES);
    Ok(body)
}

impl Answer {
    /// The body of a 200, if it is JSON.
    pub(crate) fn document(&self) -> Option<Value> {
        (self.status == 200).then(|| serde_json::from_str(&self.body).ok()).flatten()
    }

    /// A header, if it is text.
    pub(crate) fn header(&self, name: impl Into<HeaderName>) -> Option<&str> {
        self.headers.get(name.into())?.to_str().ok()
    }
}

impl From<reqwest::Error> for Unreachable {
    /// The causes have no types of their own, so their texts are searched.
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        let error = anyhow::Error::new(error.without_url());
        let (chain, root) = (format!("{error:#}"), error.root_cause().to_string());
        if chain.contains("dns error") {
            Self::UnknownHost
        } else if chain.contains("refused") {
            Self::Refused
        } else if chain.contains("certificate") {
            Self::Certificate(excerpt(&root))
        } else {
            Self::Other(excerpt(&root))
        }
    }
}

/// The beginning of a text that another program wrote.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback_host)
}

#[cfg(test)]
pub(crate) mod tests {
    use reqwest::header::HeaderValue;

    use super::*;
    use crate::clock::SystemClock;

    /// An answer that arrived 1795340000.5 seconds after 1970 began.
    pub(crate) fn answer(
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
        let http = Http::towards(&url, &SystemClock).unwrap();
        http.get(&url).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_refused_connection_is_recognized() {
        // The port is ours, and nothing listens there.
        let closed = tokio::net::TcpSocket::new_v4().unwrap();
        closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let closed = closed.local_addr().unwrap();
        assert_eq!(failure(&format!("http://{closed}/")).await, Unreachable::Refused);
    }

    #[test]
    fn an_excerpt_is_cut_between_characters() {
        assert_eq!(excerpt(&"ü".repeat(500)).chars().count(), 122);
    }

    #[test]
    fn a_document_is_a_200_with_json() {
        assert!(answer(200, &[], "{}").document().is_some());
        assert!(answer(200, &[], "<html>").document().is_none());
        assert!(answer(404, &[], "{}").document().is_none());
    }
}
