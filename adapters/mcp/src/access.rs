//! Which hosts and which web pages a request may come through.
//!
//! A page of another site can make a browser send requests to a server on the user's own machine or
//! network (DNS rebinding). It cannot choose the `Host` and `Origin` headers that the browser sends
//! along, so these are what is checked (MCP 2026-07-28, Streamable HTTP, security warning).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri};
use thiserror::Error;
use url::Url;

use crate::public_url::PublicUrl;

/// The names of one machine that always mean this machine.
const LOOPBACK_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Whether a host, as it stands in a URL, is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A host that requests may name, with any port unless it says which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    host: String,
    port: Option<u16>,
}

/// The text is no host name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("must be a host such as todo.example.com or todo.example.com:8443, without scheme or path")]
pub struct HostPatternError;

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        let authority = Authority::from_str(text).map_err(|_| HostPatternError)?;
        if authority.host().is_empty() || text.contains(['@', '*']) {
            return Err(HostPatternError);
        }
        Ok(Self { host: authority.host().to_ascii_lowercase(), port: authority.port_u16() })
    }
}

impl HostPattern {
    fn fits(&self, authority: &Authority) -> bool {
        self.host.eq_ignore_ascii_case(authority.host())
            && self.port.is_none_or(|port| authority.port_u16() == Some(port))
    }
}

/// As it is written in a setting.
impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}

/// The hosts that requests may name.
#[derive(Debug, Clone)]
pub struct AllowedHosts(Vec<HostPattern>);

impl AllowedHosts {
    /// The host of the public URL (all names of this machine, when it is one of them), and `more`.
    pub fn new(public_url: &PublicUrl, more: impl IntoIterator<Item = HostPattern>) -> Self {
        let this_machine: &[&str] = if public_url.is_loopback() { &LOOPBACK_HOSTS } else { &[] };
        let own = this_machine.iter().copied().filter(|host| *host != public_url.host());
        let own = std::iter::once(public_url.host()).chain(own);
        let own = own.into_iter().map(|host| HostPattern { host: host.to_owned(), port: None });
        Self(own.chain(more).collect())
    }

    /// There must be one `Host`, and a request target that names a host too must name a good one
    /// (RFC 9112 §3.2): proxies and servers differ in which of several they go by.
    pub(crate) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), AccessDenied> {
        let mut named = headers.get_all(HOST).iter();
        let (Some(host), None) = (named.next(), named.next()) else {
            return Err(AccessDenied::NotOneHost);
        };
        let fits = |authority: &Authority| {
            !authority.as_str().contains('@')
                && self.0.iter().any(|pattern| pattern.fits(authority))
        };
        let host_fits = Authority::try_from(host.as_bytes()).is_ok_and(|host| fits(&host));
        if host_fits && uri.authority().is_none_or(fits) {
            Ok(())
        } else {
            Err(AccessDenied::Host(excerpt(host.as_bytes())))
        }
    }
}

/// A list for people.
impl fmt::Display for AllowedHosts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&hosts.join(", "))
    }
}

/// A web origin whose pages may send requests (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin(String);

/// The text is no web origin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("must be an origin such as https://app.example.com, without a path")]
pub struct WebOriginError;

impl FromStr for WebOrigin {
    type Err = WebOriginError;

    fn from_str(text: &str) -> Result<Self, WebOriginError> {
        let origin = Url::parse(text).map_err(|_| WebOriginError)?.origin().ascii_serialization();
        if origin.eq_ignore_ascii_case(text.trim_end_matches('/')) {
            Ok(Self(origin))
        } else {
            Err(WebOriginError)
        }
    }
}

/// The web origins whose pages may send requests. Programs that are no browser send no `Origin` and
/// are not concerned.
#[derive(Debug, Clone)]
pub struct AllowedOrigins {
    origins: Vec<WebOrigin>,
    loopback: bool,
}

impl AllowedOrigins {
    /// The origin of the public URL (any page of this machine, when it is on this machine: MCP
    /// Inspector is one), and `more`.
    pub fn new(public_url: &PublicUrl, more: impl IntoIterator<Item = WebOrigin>) -> Self {
        let own = WebOrigin(public_url.origin().to_owned());
        Self {
            origins: std::iter::once(own).chain(more).collect(),
            loopback: public_url.is_loopback(),
        }
    }

    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), AccessDenied> {
        let mut origins = headers.get_all(ORIGIN).iter();
        match origins.find(|origin| !self.allows(origin)) {
            Some(origin) => Err(AccessDenied::Origin(excerpt(origin.as_bytes()))),
            None => Ok(()),
        }
    }

    pub(crate) fn allows(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        self.origins.iter().any(|allowed| allowed.0 == origin)
            || (self.loopback && is_loopback_origin(origin))
    }
}

/// A list for people.
impl fmt::Display for AllowedOrigins {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut origins: Vec<_> = self.origins.iter().map(|origin| origin.0.as_str()).collect();
        if self.loopback {
            origins.push("every page of this machine");
        }
        formatter.write_str(&origins.join(", "))
    }
}

fn is_loopback_origin(origin: &str) -> bool {
    Url::parse(origin).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(is_loopback)
    })
}

/// Why a request does not get in. The sentences name the setting, because the person who reads them
/// has just put a proxy in front.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum AccessDenied {
    #[error("A request must have exactly one Host header.")]
    NotOneHost,
    #[error(
        "This server does not answer to the host `{0}`. If it should, set MCP_URL to the public URL \
         or add the host to ALLOWED_HOSTS."
    )]
    Host(String),
    #[error(
        "Web pages of the origin `{0}` may not use this server. If they should, add the origin to \
         ALLOWED_ORIGINS."
    )]
    Origin(String),
}

/// The part of a header that is worth repeating.
fn excerpt(value: &[u8]) -> String {
    const LONGEST: usize = 100;
    let text = String::from_utf8_lossy(&value[..value.len().min(LONGEST)]);
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> PublicUrl {
        text.parse().unwrap()
    }

    fn host(allowed: &AllowedHosts, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        allowed.check(&headers, &Uri::from_static("/mcp")).is_ok()
    }

    fn origin(allowed: &AllowedOrigins, origin: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, origin.parse().unwrap());
        allowed.check(&headers).is_ok()
    }

    #[test]
    fn a_server_on_loopback_answers_to_every_name_of_this_machine_and_no_other() {
        let allowed = AllowedHosts::new(&url("http://localhost:3002"), []);
        for good in ["localhost:3002", "localhost", "127.0.0.1:9999", "[::1]:3002", "LOCALHOST"] {
            assert!(host(&allowed, good), "{good}");
        }
        for bad in [
            "evil.example.com",
            "localhost.evil.com",
            "127.0.0.1.evil.com",
            "",
            "a b",
            "evil.com@localhost",
        ] {
            assert!(!host(&allowed, bad), "{bad}");
        }
    }

    #[test]
    fn a_public_server_answers_to_its_own_name_and_to_those_it_was_told() {
        let more = ["inside.example:8443".parse().unwrap()];
        let allowed = AllowedHosts::new(&url("https://todo.example.com"), more);
        for good in ["todo.example.com", "todo.example.com:443", "inside.example:8443"] {
            assert!(host(&allowed, good), "{good}");
        }
        for bad in ["localhost", "127.0.0.1", "inside.example", "inside.example:80"] {
            assert!(!host(&allowed, bad), "{bad}");
        }
    }

    #[test]
    fn what_is_allowed_can_be_read() {
        let local = url("http://localhost:3002");
        let more = ["inside.example:8443".parse().unwrap()];
        let hosts = AllowedHosts::new(&local, more).to_string();
        assert_eq!(hosts, "localhost, 127.0.0.1, [::1], inside.example:8443");
        let origins = AllowedOrigins::new(&local, []).to_string();
        assert_eq!(origins, "http://localhost:3002, every page of this machine");
    }

    #[test]
    fn a_request_without_a_host_is_refused() {
        let allowed = AllowedHosts::new(&url("http://localhost:3002"), []);
        let refused = allowed.check(&HeaderMap::new(), &Uri::from_static("/mcp"));
        assert_eq!(refused, Err(AccessDenied::NotOneHost));
    }

    #[test]
    fn a_request_that_names_two_hosts_is_refused() {
        let allowed = AllowedHosts::new(&url("http://localhost:3002"), []);
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        let elsewhere = Uri::from_static("http://evil.example.com/mcp");
        assert!(allowed.check(&headers, &elsewhere).is_err());
        assert!(allowed.check(&headers, &Uri::from_static("http://localhost:3002/mcp")).is_ok());
        headers.append(HOST, HeaderValue::from_static("evil.example.com"));
        let refused = allowed.check(&headers, &Uri::from_static("/mcp"));
        assert_eq!(refused, Err(AccessDenied::NotOneHost));
    }

    #[test]
    fn a_server_on_any_loopback_address_answers_to_it() {
        let allowed = AllowedHosts::new(&url("http://127.0.0.2:3002"), []);
        assert!(host(&allowed, "127.0.0.2:3002"));
        assert!(host(&allowed, "localhost:3002"));
    }

    #[test]
    fn pages_of_this_machine_may_use_a_server_on_this_machine() {
        let allowed = AllowedOrigins::new(&url("http://localhost:3002"), []);
        for good in ["http://localhost:6274", "http://127.0.0.1:1", "http://[::1]:80"] {
            assert!(origin(&allowed, good), "{good}");
        }
        for bad in ["https://evil.example.com", "null", "http://localhost.evil.com", "file://"] {
            assert!(!origin(&allowed, bad), "{bad}");
        }
        assert!(allowed.check(&HeaderMap::new()).is_ok(), "no browser, no Origin");
    }

    #[test]
    fn a_public_server_is_used_by_its_own_pages_and_by_those_it_was_told() {
        let more = ["https://app.example.com/".parse().unwrap()];
        let allowed = AllowedOrigins::new(&url("https://todo.example.com/mcp"), more);
        assert!(origin(&allowed, "https://todo.example.com"));
        assert!(origin(&allowed, "https://app.example.com"));
        assert!(!origin(&allowed, "http://localhost:6274"));
        assert!(!origin(&allowed, "http://todo.example.com"));
    }

    #[test]
    fn a_setting_that_is_no_host_or_origin_is_an_error() {
        for bad in ["", "https://a.example", "a/b", "*", "*.example.com", "user@a.example"] {
            assert_eq!(bad.parse::<HostPattern>(), Err(HostPatternError), "{bad}");
        }
        for bad in ["", "a.example", "https://a.example/path", "*"] {
            assert_eq!(bad.parse::<WebOrigin>(), Err(WebOriginError), "{bad}");
        }
    }
}
