//! The one way in which this crate asks the network for anything.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Client, StatusCode, redirect};
use thiserror::Error;
use url::Url;

use crate::ScalekitEnvironment;

/// How long to wait for a connection, TLS included.
const CONNECT_TIME: Duration = Duration::from_secs(3);
/// How long to wait for a whole answer, connecting included. Well under the ten seconds in which
/// the server has to recover from an outage.
const TOTAL_TIME: Duration = Duration::from_secs(5);

/// Fetches small public documents of one environment, within limits: of time, of size, and without
/// following redirects, which could lead off https or off the environment.
///
/// Environments on the network are reached through the proxy that `HTTPS_PROXY` and `NO_PROXY`
/// name, if any. Cloning gives another handle to the same client.
#[derive(Debug, Clone)]
pub struct ScalekitHttp {
    client: Client,
}

/// No HTTP client can be had on this machine, most often for want of trusted root certificates.
#[derive(Debug, Error)]
#[error("cannot set up TLS for requests to Scalekit")]
pub struct HttpClientError(#[source] reqwest::Error);

/// Why a document could not be had.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    /// No answer, or not all of it, or not in time.
    #[error("the request to Scalekit failed")]
    Request(#[from] reqwest::Error),
    /// An answer other than 200, redirects among them.
    #[error("Scalekit answered with status {0}")]
    Status(u16),
    /// More than such a document ever has.
    #[error("Scalekit's answer has more than {limit} bytes")]
    TooLarge {
        /// How much is read, in bytes.
        limit: usize,
    },
    /// The answer is not what was asked for.
    #[error("Scalekit's answer is not {expected}")]
    Unexpected {
        /// What was asked for.
        expected: &'static str,
    },
}

impl ScalekitHttp {
    /// Sets the client up. Makes no request.
    pub fn new(environment: &ScalekitEnvironment) -> Result<Self, HttpClientError> {
        Self::with_total_time(environment, TOTAL_TIME)
    }

    pub(crate) fn with_total_time(
        environment: &ScalekitEnvironment,
        total_time: Duration,
    ) -> Result<Self, HttpClientError> {
        let builder = Client::builder()
            .user_agent(concat!("todo-mcp/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIME)
            .timeout(total_time)
            .redirect(redirect::Policy::none())
            // Requests are minutes apart: a kept connection would only be found dead.
            .pool_max_idle_per_host(0);
        let builder = if environment.is_loopback_http() {
            // Nothing on loopback is behind a proxy, and reading the machine's root certificates
            // would be most of the time that starting takes.
            builder.no_proxy().tls_certs_only([])
        } else {
            builder.https_only(true)
        };
        let client = builder.build().map_err(HttpClientError)?;
        Ok(Self { client })
    }

    /// The body of a 200 answer, if it is UTF-8 text of at most `limit` bytes.
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

/// An error and what led to it, in one line for an operator.
pub(crate) fn in_one_line(error: &dyn Error) -> String {
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
