//! The URL under which clients reach this server.

use std::borrow::Cow;
use std::str::FromStr;

use axum::http::HeaderValue;
use axum::http::uri::Authority;
use thiserror::Error;
use url::Url;

use crate::loopback::is_loopback_host;

/// The public base URL in normal form: no trailing slash, no `/mcp`.
///
/// Everything that a client compares is derived from it and not from a header of the request, so a proxy
/// in front changes nothing (RFC 9728 section 3.3: `resource` must be what the client asked for). The one
/// exception is a URL on this machine, which has several names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    /// Empty, or `/some/prefix`.
    path: String,
    host: String,
    loopback: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublicUrlError {
    #[error("must be a URL such as https://mcp.example.com/ ({0})")]
    Malformed(url::ParseError),
    #[error("must start with https:// or http://")]
    Scheme,
    /// It has a part that a base URL must not have.
    #[error("must not have a user, a query or a fragment")]
    Decorated,
    #[error("must have a path of letters, digits and `-._~` between single slashes, if it has one")]
    Path,
}

impl PublicUrl {
    /// The URL as a request to this host sees it: on this machine, `localhost`, `127.0.0.1` and other
    /// loopback names lead to one server, and a client compares what it finds with what it asked for
    /// (RFC 9728 section 3.3). The URL itself for every other host.
    pub(crate) fn as_requested(&self, host: Option<&HeaderValue>) -> Cow<'_, Self> {
        let own = self.origin.split_once("://").map_or("", |(_, authority)| authority);
        let other = host
            .filter(|host| self.loopback && !host.as_bytes().eq_ignore_ascii_case(own.as_bytes()));
        let requested = other.and_then(|host| Authority::try_from(host.as_bytes()).ok());
        match requested {
            Some(requested) if is_loopback_host(requested.host()) => {
                let scheme = if self.is_https() { "https" } else { "http" };
                let origin = format!("{scheme}://{requested}").to_ascii_lowercase();
                let host = requested.host().to_owned();
                Cow::Owned(Self { origin, path: self.path.clone(), host, loopback: true })
            }
            _ => Cow::Borrowed(self),
        }
    }

    /// The base URL with a trailing slash.
    pub fn base(&self) -> String {
        format!("{}{}/", self.origin, self.path)
    }

    /// The MCP endpoint, which is also the identifier of the protected resource.
    pub fn resource(&self) -> String {
        format!("{}{}/mcp", self.origin, self.path)
    }

    /// The URL of the protected resource's metadata: the well-known name goes between host and path
    /// (RFC 9728 section 3.1).
    pub fn resource_metadata(&self) -> String {
        format!("{}{}{}/mcp", self.origin, super::PROTECTED_RESOURCE, self.path)
    }

    /// Scheme, host and port, in the form of the `Origin` header.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The path below which a proxy serves this server: empty, or `/some/prefix`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The host name or address, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    /// Drops trailing slashes and a trailing `/mcp`.
    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let url = Url::parse(text).map_err(PublicUrlError::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(PublicUrlError::Scheme);
        }
        let user = !url.username().is_empty() || url.password().is_some();
        if user || url.query().is_some() || url.fragment().is_some() {
            return Err(PublicUrlError::Decorated);
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/mcp").unwrap_or(path).trim_end_matches('/');
        // The unreserved characters of RFC 3986 section 2.3: no router or proxy interprets them.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        if path.split('/').skip(1).any(|segment| segment.is_empty() || !segment.chars().all(plain))
        {
            return Err(PublicUrlError::Path);
        }
        let host = url.host_str().unwrap_or_default();
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            path: path.to_owned(),
            host: host.to_owned(),
            loopback: is_loopback_host(host),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_is_the_same_in_every_spelling() {
        for text in [
            "http://localhost:3002",
            "http://localhost:3002/",
            "http://localhost:3002/mcp",
            "http://LOCALHOST:3002/mcp/",
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!(url.resource(), "http://localhost:3002/mcp", "{text}");
            assert_eq!(
                url.resource_metadata(),
                "http://localhost:3002/.well-known/oauth-protected-resource/mcp"
            );
            assert!(url.is_loopback());
        }
    }

    #[test]
    fn a_prefix_stays_between_the_well_known_name_and_the_endpoint() {
        let url: PublicUrl = "https://example.com:443/apps/notes/".parse().unwrap();
        assert_eq!(url.resource(), "https://example.com/apps/notes/mcp");
        assert_eq!(
            url.resource_metadata(),
            "https://example.com/.well-known/oauth-protected-resource/apps/notes/mcp"
        );
        assert!(!url.is_loopback());
    }

    #[test]
    fn an_invalid_base_url_is_rejected_with_the_reason() {
        for (text, expected) in [
            ("ftp://example.com", PublicUrlError::Scheme),
            ("localhost:3002", PublicUrlError::Scheme),
            ("https://user@example.com", PublicUrlError::Decorated),
            ("https://example.com/?a=b", PublicUrlError::Decorated),
            ("https://example.com/#top", PublicUrlError::Decorated),
            ("https://example.com/:a", PublicUrlError::Path),
            ("https://example.com/{a}/mcp", PublicUrlError::Path),
            ("https://example.com/*a", PublicUrlError::Path),
            ("https://example.com/a//b", PublicUrlError::Path),
            ("https://example.com/a%20b", PublicUrlError::Path),
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(expected), "{text}");
        }
        assert!(matches!("notes".parse::<PublicUrl>(), Err(PublicUrlError::Malformed(_))));
    }
}
