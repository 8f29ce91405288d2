//! Fetching a document from an untrusted URL, guarded against server-side request forgery.

use std::future::ready;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Response, StatusCode, redirect};
use tokio::net::lookup_host;
use tokio::time::timeout;
use url::{Host, Url};

use super::public_address::is_public;

const CONNECT_TIME: Duration = Duration::from_secs(3);
/// In total: resolving the name, connecting, and reading to the end.
const TOTAL_TIME: Duration = Duration::from_secs(5);
/// Real documents have less than one thousand bytes.
const MAX_BYTES: usize = 10 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchProblem {
    #[error("its host has no address")]
    NoAddress,
    #[error("its host is on this machine or in a private network")]
    NotPublic,
    #[error("this machine cannot set up TLS")]
    Tls(#[source] reqwest::Error),
    #[error("the request to its host failed")]
    Request(#[source] reqwest::Error),
    #[error("its host did not respond in time")]
    Time,
    #[error("its host responded with status {0}, and redirects are not followed")]
    Status(u16),
    #[error("its host responded with something other than JSON")]
    ContentType,
    #[error("the document exceeds {MAX_BYTES} bytes")]
    TooLarge,
}

/// The document at `url`, bounded in time and size, without following redirects. `allow_loopback`
/// permits this machine, but no other private address.
pub(super) async fn fetch(url: &Url, allow_loopback: bool) -> Result<Vec<u8>, FetchProblem> {
    let work = async {
        let addresses = resolve(url).await?;
        check_addresses(&addresses, allow_loopback)?;
        get(url, addresses).await
    };
    timeout(TOTAL_TIME, work).await.unwrap_or(Err(FetchProblem::Time))
}

/// The addresses of the host of `url`, at least one.
async fn resolve(url: &Url) -> Result<Vec<SocketAddr>, FetchProblem> {
    let port = url.port_or_known_default().ok_or(FetchProblem::NoAddress)?;
    let addresses: Vec<_> = match url.host() {
        Some(Host::Ipv4(address)) => vec![(address, port).into()],
        Some(Host::Ipv6(address)) => vec![(address, port).into()],
        Some(Host::Domain(name)) => {
            lookup_host((name, port)).await.map_err(|_| FetchProblem::NoAddress)?.collect()
        }
        None => Vec::new(),
    };
    if addresses.is_empty() { Err(FetchProblem::NoAddress) } else { Ok(addresses) }
}

/// Fails for a single private address: a legitimate host has none.
fn check_addresses(addresses: &[SocketAddr], allow_loopback: bool) -> Result<(), FetchProblem> {
    let is_permitted = |address: &SocketAddr| {
        is_public(address.ip()) || (allow_loopback && address.ip().is_loopback())
    };
    if addresses.iter().all(is_permitted) { Ok(()) } else { Err(FetchProblem::NotPublic) }
}

/// Connects to `addresses` only, whatever the name resolves to by now.
async fn get(url: &Url, addresses: Vec<SocketAddr>) -> Result<Vec<u8>, FetchProblem> {
    let builder = Client::builder()
        .user_agent(concat!("scalekit-emulator/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIME)
        .timeout(TOTAL_TIME)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .pool_max_idle_per_host(0)
        .dns_resolver(Pinned(addresses));
    let builder = if url.scheme() == "https" {
        builder.https_only(true)
    } else {
        // Plain http needs no root certificates, and the machine may have none.
        builder.tls_certs_only([])
    };
    let client = builder.build().map_err(FetchProblem::Tls)?;
    let response = client.get(url.clone()).header(ACCEPT, "application/json").send().await?;
    if response.status() != StatusCode::OK {
        return Err(FetchProblem::Status(response.status().as_u16()));
    }
    if !is_json(&response) {
        return Err(FetchProblem::ContentType);
    }
    read(response).await
}

async fn read(mut response: Response) -> Result<Vec<u8>, FetchProblem> {
    let mut document = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if document.len() + chunk.len() > MAX_BYTES {
            return Err(FetchProblem::TooLarge);
        }
        document.extend_from_slice(&chunk);
    }
    Ok(document)
}

/// `application/json`, or `application/…+json`.
fn is_json(response: &Response) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let media_type = content_type.and_then(|it| it.split(';').next()).unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    media_type
        .strip_prefix("application/")
        .is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

impl From<reqwest::Error> for FetchProblem {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::Time } else { Self::Request(error) }
    }
}

/// Resolves every name to the addresses that were checked, so a name that resolves differently a moment
/// later (DNS rebinding) has no effect.
struct Pinned(Vec<SocketAddr>);

impl Resolve for Pinned {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(ready(Ok(addresses)))
    }
}

#[cfg(test)]
mod tests;
