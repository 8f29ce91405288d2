//! Fetching a document from wherever a stranger says, without being used by them.

use std::{future::ready, net::SocketAddr, time::Duration};

use reqwest::{
    Client, Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, CONTENT_TYPE},
    redirect,
};
use tokio::{net::lookup_host, time::timeout};
use url::{Host, Url};

use super::public_address::is_public;

const CONNECT_TIME: Duration = Duration::from_secs(3);
/// For everything: looking the name up, connecting, and reading to the end.
const TOTAL_TIME: Duration = Duration::from_secs(5);
/// Bytes. Real documents have less than one thousand.
const LARGEST: usize = 10 * 1024;

/// Why a document could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchProblem {
    #[error("its host has no address")]
    NoAddress,
    #[error("its host is on this machine or in a private network")]
    NotPublic,
    #[error("this machine cannot set up TLS to ask its host")]
    Tls(#[source] reqwest::Error),
    #[error("its host gave no proper answer")]
    Request(#[source] reqwest::Error),
    #[error("its host took too long")]
    Time,
    #[error("its host answered with status {0}: a document has to be right there")]
    Status(u16),
    #[error("its host answered with something other than JSON")]
    ContentType,
    #[error("the document has more than {LARGEST} bytes")]
    TooLarge,
}

/// The document at `url`, within limits of time and size, and without following redirects.
/// `allow_loopback` admits this machine, but no other private place.
pub(super) async fn document(url: &Url, allow_loopback: bool) -> Result<Vec<u8>, FetchProblem> {
    let work = async {
        let addresses = resolve(url).await?;
        admit(&addresses, allow_loopback)?;
        get(url, addresses).await
    };
    timeout(TOTAL_TIME, work).await.unwrap_or(Err(FetchProblem::Time))
}

/// Where the host of `url` is; at least one address.
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

/// One address in a private network is reason enough to stop: no honest host has one.
fn admit(addresses: &[SocketAddr], allow_loopback: bool) -> Result<(), FetchProblem> {
    let admitted = |address: &SocketAddr| {
        is_public(address.ip()) || (allow_loopback && address.ip().is_loopback())
    };
    if addresses.iter().all(admitted) { Ok(()) } else { Err(FetchProblem::NotPublic) }
}

/// Asks at `addresses` and nowhere else, whatever the name means by then.
async fn get(url: &Url, addresses: Vec<SocketAddr>) -> Result<Vec<u8>, FetchProblem> {
    let builder = Client::builder()
        .user_agent(concat!("todo-mcp-emulator/", env!("CARGO_PKG_VERSION")))
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
        // Plain http needs no root certificates, and a machine without any can do without.
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
        if document.len() + chunk.len() > LARGEST {
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

/// A resolver with one answer: the addresses that were checked. A name that means something else a
/// moment later (DNS rebinding) does not get the chance to, and nothing falls back on the system's.
struct Pinned(Vec<SocketAddr>);

impl Resolve for Pinned {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(ready(Ok(addresses)))
    }
}

#[cfg(test)]
mod tests;
