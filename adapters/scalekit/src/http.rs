//! The only HTTP client of this crate.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Client, StatusCode, redirect};
use thiserror::Error;
use url::Url;

use crate::environment::ScalekitEnvironment;

/// For connecting, TLS included.
const CONNECT_TIME: Duration = Duration::from_secs(3);
/// For a whole response, connecting included. Well under the ten seconds within which the server has
/// to recover from an outage.
const TOTAL_TIME: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("protected-mcp-scalekit/", env!("CARGO_PKG_VERSION"));

/// Fetches small public documents of one environment, bounded in time and size, without following
/// redirects, which could leave https or the environment.
///
/// Environments outside this machine are reached through the proxy of `HTTPS_PROXY` and `NO_PROXY`, if
/// any. A clone shares the client.
#[derive(Debug, Clone)]
pub struct ScalekitHttp {
    client: Client,
}

/// TLS cannot be set up on this machine, usually because it has no trusted root certificates.
#[derive(Debug, Error)]
#[error("cannot set up TLS for requests to Scalekit")]
pub struct HttpClientError(#[source] reqwest::Error);

#[derive(Debug, Error)]
pub(crate) enum FetchError {
    /// No complete response in time.
    #[error("the request to Scalekit failed")]
    Request(#[from] reqwest::Error),
    /// A status other than 200, redirects included.
    #[error("Scalekit responded with status {0}")]
    Status(u16),
    #[error("Scalekit's response exceeds {limit} bytes")]
    TooLarge { limit: usize },
    #[error("Scalekit's response is not {expected}")]
    Unexpected { expected: &'static str },
}

impl ScalekitHttp {
    /// Makes no request.
    pub fn new(environment: &ScalekitEnvironment) -> Result<Self, HttpClientError> {
        Self::with_user_agent(environment, USER_AGENT)
    }

    /// The same, with a `User-Agent` of the program's own.
    pub fn with_user_agent(
        environment: &ScalekitEnvironment,
        user_agent: &str,
    ) -> Result<Self, HttpClientError> {
        Self::build(environment, user_agent, TOTAL_TIME)
    }

    #[cfg(test)]
    pub(crate) fn with_total_time(environment: &ScalekitEnvironment, total_time: Duration) -> Self {
        Self::build(environment, USER_AGENT, total_time).expect("a client")
    }

    fn build(
        environment: &ScalekitEnvironment,
        user_agent: &str,
        total_time: Duration,
    ) -> Result<Self, HttpClientError> {
        let builder = Client::builder()
            .user_agent(user_agent)
            .connect_timeout(CONNECT_TIME)
            .timeout(total_time)
            .redirect(redirect::Policy::none())
            // Requests are minutes apart: a pooled connection would be closed by then.
            .pool_max_idle_per_host(0);
        let builder = if environment.is_loopback_http() {
            // Nothing on loopback is behind a proxy, and loading the machine's root certificates
            // would take most of the time of a start.
            builder.no_proxy().tls_certs_only([])
        } else {
            builder.https_only(true)
        };
        let client = builder.build().map_err(HttpClientError)?;
        Ok(Self { client })
    }

    /// The body of a response with status 200, if it is UTF-8 text of at most `limit` bytes.
    pub(crate) async fn text(&self, url: &Url, limit: usize) -> Result<String, FetchError> {
        let request = self.client.get(url.clone());
        let mut response =
            request.header(ACCEPT, HeaderValue::from_static("application/json")).send().await?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > limit {
                return Err(FetchError::TooLarge { limit });
            }
            body.extend_from_slice(&chunk);
        }
        String::from_utf8(body).map_err(|_| FetchError::Unexpected { expected: "UTF-8 text" })
    }
}

/// An error and its sources in one line, for an operator.
pub(crate) fn error_chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a string cannot fail.
        let _ = write!(line, ": {cause}");
        source = cause.source();
    }
    line
}

#[cfg(test)]
mod tests;
