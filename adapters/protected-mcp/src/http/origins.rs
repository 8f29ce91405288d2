//! The web pages that may use the server. See [`hosts`](super::hosts) for the attack.

use std::fmt;
use std::str::FromStr;

use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, HeaderValue};
use thiserror::Error;
use url::Url;

use super::hosts::printable;
use crate::jsonrpc;
use crate::loopback::is_loopback_host;
use crate::oauth::PublicUrl;

/// A web origin whose pages may send requests (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin(String);

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

/// The web origins whose pages may send requests. Programs other than browsers send no `Origin`, and are
/// not affected.
#[derive(Debug, Clone)]
pub struct AllowedOrigins {
    origins: Vec<WebOrigin>,
    loopback: bool,
    remedy: &'static str,
}

impl AllowedOrigins {
    /// The origin of the public URL (if that is loopback: every page of this machine, such as MCP
    /// Inspector), and `more`.
    pub fn new(public_url: &PublicUrl, more: impl IntoIterator<Item = WebOrigin>) -> Self {
        let own = WebOrigin(public_url.origin().to_owned());
        Self {
            origins: std::iter::once(own).chain(more).collect(),
            loopback: public_url.is_loopback(),
            remedy: "add the origin to the allowed origins",
        }
    }

    /// What the operator should do about an origin that is rejected but should not be. It completes "If
    /// they should, ".
    #[must_use]
    pub fn with_remedy(self, remedy: &'static str) -> Self {
        Self { remedy, ..self }
    }

    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), jsonrpc::Error> {
        let mut origins = headers.get_all(ORIGIN).iter();
        match origins.find(|origin| !self.allows(origin)) {
            None => Ok(()),
            Some(origin) => Err(jsonrpc::Error::forbidden(format!(
                "Web pages of the origin `{}` may not use this server. If they should, {}.",
                printable(origin.as_bytes()),
                self.remedy
            ))
            .with_log_code("origin_not_allowed")),
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
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(is_loopback_host)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> PublicUrl {
        text.parse().unwrap()
    }

    fn is_allowed(allowed: &AllowedOrigins, origin: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, origin.parse().unwrap());
        allowed.check(&headers).is_ok()
    }

    #[test]
    fn pages_of_this_machine_may_use_a_server_on_this_machine() {
        let allowed = AllowedOrigins::new(&url("http://localhost:3002"), []);
        for good in ["http://localhost:6274", "http://127.0.0.1:1", "http://[::1]:80"] {
            assert!(is_allowed(&allowed, good), "{good}");
        }
        for bad in ["https://evil.example.com", "null", "http://localhost.evil.com", "file://"] {
            assert!(!is_allowed(&allowed, bad), "{bad}");
        }
        assert!(allowed.check(&HeaderMap::new()).is_ok(), "programs send no Origin");
        assert_eq!(allowed.to_string(), "http://localhost:3002, every page of this machine");
    }

    #[test]
    fn a_public_server_is_used_by_its_own_pages_and_by_configured_ones() {
        let more = ["https://app.example.com/".parse().unwrap()];
        let allowed = AllowedOrigins::new(&url("https://mcp.example.com/mcp"), more);
        assert!(is_allowed(&allowed, "https://mcp.example.com"));
        assert!(is_allowed(&allowed, "https://app.example.com"));
        assert!(!is_allowed(&allowed, "http://localhost:6274"));
        assert!(!is_allowed(&allowed, "http://mcp.example.com"));
    }

    #[test]
    fn an_invalid_origin_is_rejected() {
        for bad in ["", "a.example", "https://a.example/path", "*"] {
            assert_eq!(bad.parse::<WebOrigin>(), Err(WebOriginError), "{bad}");
        }
    }
}
