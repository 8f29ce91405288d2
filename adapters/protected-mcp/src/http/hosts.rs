//! The hosts that a request may address.
//!
//! A page of another site can make a browser send requests to a server on the user's own machine or
//! network (DNS rebinding). It cannot choose the `Host` and `Origin` headers that the browser sends, so
//! these are checked (MCP 2026-07-28, Streamable HTTP, security warning).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};
use thiserror::Error;

use crate::jsonrpc;
use crate::loopback::is_loopback_host;
use crate::oauth::PublicUrl;

/// A host that requests may address: on any port, unless it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    host: String,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("must be a host such as mcp.example.com or mcp.example.com:8443, without scheme or path")]
pub struct HostPatternError;

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        let authority = Authority::from_str(text).map_err(|_| HostPatternError)?;
        if !is_plain(&authority) {
            return Err(HostPatternError);
        }
        Ok(Self { host: authority.host().to_ascii_lowercase(), port: authority.port_u16() })
    }
}

impl HostPattern {
    fn matches(&self, authority: &Authority) -> bool {
        self.host.eq_ignore_ascii_case(authority.host())
            && self.port.is_none_or(|port| authority.port_u16() == Some(port))
    }
}

/// The form that is parsed.
impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}

/// Whether it is a name or an address, and at most a port. An [`Authority`] may be more: `$(id).localhost`
/// is one, and answers name the host to people, who copy commands with it into a shell.
fn is_plain(authority: &Authority) -> bool {
    let host = authority.host();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = address.map_or_else(
        || host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
        |address| address.parse::<Ipv6Addr>().is_ok(),
    );
    let port =
        authority.as_str().strip_prefix(host).map(|rest| rest.strip_prefix(':').unwrap_or(rest));
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    is_host && !host.is_empty() && port.is_some_and(|port| port.is_empty() || is_port(port))
}

/// The names of this machine that everyone knows. It has more: see [`is_loopback_host`].
const LOOPBACK_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The hosts that requests may address.
#[derive(Debug, Clone)]
pub struct AllowedHosts {
    hosts: Vec<HostPattern>,
    /// Whether every name of this machine is allowed.
    loopback: bool,
    remedy: &'static str,
}

impl AllowedHosts {
    /// The host of the public URL (if that is loopback: every name of this machine), and `more`.
    pub fn new(public_url: &PublicUrl, more: impl IntoIterator<Item = HostPattern>) -> Self {
        let this_machine: &[&str] = if public_url.is_loopback() { &LOOPBACK_HOSTS } else { &[] };
        let own = this_machine.iter().copied().filter(|host| *host != public_url.host());
        let own = std::iter::once(public_url.host()).chain(own);
        let own = own.into_iter().map(|host| HostPattern { host: host.to_owned(), port: None });
        Self {
            hosts: own.chain(more).collect(),
            loopback: public_url.is_loopback(),
            remedy: "add it to the allowed hosts",
        }
    }

    /// What the operator should do about a host that is rejected but should not be. It completes "If it
    /// should, ".
    #[must_use]
    pub fn with_remedy(self, remedy: &'static str) -> Self {
        Self { remedy, ..self }
    }

    /// Requires exactly one `Host`, and that it is allowed, as well as the host of an absolute request
    /// target (RFC 9112 section 3.2): proxies and servers differ in which one they use.
    pub(crate) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), jsonrpc::Error> {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(jsonrpc::Error::forbidden("A request must have exactly one Host header."));
        };
        let is_allowed = |authority: &Authority| {
            is_plain(authority)
                && (self.hosts.iter().any(|pattern| pattern.matches(authority))
                    || (self.loopback && is_loopback_host(authority.host())))
        };
        let host_is_allowed =
            Authority::try_from(host.as_bytes()).is_ok_and(|host| is_allowed(&host));
        if host_is_allowed && uri.authority().is_none_or(is_allowed) {
            return Ok(());
        }
        Err(jsonrpc::Error::forbidden(format!(
            "This server does not answer to the host `{}`. If it should, {}.",
            printable(host.as_bytes()),
            self.remedy
        ))
        .with_log_code("host_not_allowed"))
    }
}

/// A list for people.
impl fmt::Display for AllowedHosts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.hosts.iter().map(ToString::to_string).collect();
        formatter.write_str(&hosts.join(", "))
    }
}

/// A header as far as it is worth repeating, without control characters.
pub(super) fn printable(value: &[u8]) -> String {
    const LONGEST: usize = 100;
    let text = String::from_utf8_lossy(&value[..value.len().min(LONGEST)]);
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn url(text: &str) -> PublicUrl {
        text.parse().unwrap()
    }

    fn is_allowed(allowed: &AllowedHosts, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        allowed.check(&headers, &Uri::from_static("/mcp")).is_ok()
    }

    #[test]
    fn a_server_on_loopback_answers_to_every_name_of_this_machine_and_no_other() {
        let allowed = AllowedHosts::new(&url("http://localhost:3002"), []);
        for good in [
            "localhost:3002",
            "localhost",
            "127.0.0.1:9999",
            "127.0.0.2",
            "[::1]:3002",
            "LOCALHOST",
            "notes.localhost:3002",
        ] {
            assert!(is_allowed(&allowed, good), "{good}");
        }
        for bad in [
            "evil.example.com",
            "localhost.evil.com",
            "127.0.0.1.evil.com",
            "",
            "a b",
            "evil.com@localhost",
            "$(id).localhost:3002",
            ";reboot;.localhost:3002",
            "a&b.localhost",
            "[::1]evil.com",
            "[localhost]",
            "localhost:abc",
            "localhost:65536",
        ] {
            assert!(!is_allowed(&allowed, bad), "{bad}");
        }
    }

    #[test]
    fn a_public_server_answers_to_its_own_name_and_to_configured_ones() {
        let more = ["inside.example:8443".parse().unwrap()];
        let allowed = AllowedHosts::new(&url("https://mcp.example.com"), more);
        for good in ["mcp.example.com", "mcp.example.com:443", "inside.example:8443"] {
            assert!(is_allowed(&allowed, good), "{good}");
        }
        for bad in ["localhost", "127.0.0.1", "inside.example", "inside.example:80"] {
            assert!(!is_allowed(&allowed, bad), "{bad}");
        }
        let shown = allowed.to_string();
        assert_eq!(shown, "mcp.example.com, inside.example:8443");
    }

    #[test]
    fn a_request_without_a_host_or_with_two_is_rejected() {
        let allowed = AllowedHosts::new(&url("http://localhost:3002"), []);
        let path = Uri::from_static("/mcp");
        let mut headers = HeaderMap::new();
        assert!(allowed.check(&headers, &path).is_err());
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        let elsewhere = Uri::from_static("http://evil.example.com/mcp");
        assert!(allowed.check(&headers, &elsewhere).is_err());
        assert!(allowed.check(&headers, &Uri::from_static("http://localhost:3002/mcp")).is_ok());
        headers.append(HOST, HeaderValue::from_static("evil.example.com"));
        assert!(allowed.check(&headers, &path).is_err());
    }

    #[test]
    fn a_server_on_any_loopback_address_answers_to_it() {
        let allowed = AllowedHosts::new(&url("http://127.0.0.2:3002"), []);
        assert!(is_allowed(&allowed, "127.0.0.2:3002"));
        assert!(is_allowed(&allowed, "localhost:3002"));
        assert_eq!(allowed.to_string(), "127.0.0.2, localhost, 127.0.0.1, [::1]");
    }

    #[test]
    fn an_invalid_host_pattern_is_rejected() {
        for bad in [
            "",
            "https://a.example",
            "a/b",
            "*",
            "*.example.com",
            "user@a.example",
            "a.example:84430",
            "a.example:abc",
            "[::1]a",
        ] {
            assert_eq!(bad.parse::<HostPattern>(), Err(HostPatternError), "{bad}");
        }
    }
}
