//! Redirect URIs: which ones a client may register, and which ones match.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Schemes that a browser acts upon by itself, so that a redirect there would run or open
/// something instead of handing the code to an application.
const NEVER: [&str; 13] = [
    "about",
    "blob",
    "chrome",
    "data",
    "file",
    "filesystem",
    "ftp",
    "javascript",
    "mailto",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

const LONGEST: usize = 2000;

/// A redirect URI that a client may use: https, http to this machine, or an application's own
/// scheme (RFC 8252 section 7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct RedirectUri {
    /// As the client wrote it: matching compares strings, not meanings.
    written: String,
    url: Url,
}

/// Why a URI cannot be a redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RedirectUriProblem {
    #[error("is not an absolute URI of printable ASCII characters")]
    NotAbsolute,
    #[error("is longer than {LONGEST} characters")]
    TooLong,
    #[error("has a fragment (RFC 6749 section 3.1.2)")]
    Fragment,
    #[error("holds a user name or a password")]
    Credentials,
    #[error("is http and does not point to this machine: use https")]
    PlainHttp,
    #[error("has a scheme that a browser would act upon")]
    Scheme,
}

impl RedirectUri {
    pub(crate) fn parse(written: &str) -> Result<Self, RedirectUriProblem> {
        if written.len() > LONGEST {
            return Err(RedirectUriProblem::TooLong);
        }
        // The URL parser drops tabs and line breaks: what is compared must be what was parsed.
        if !written.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(RedirectUriProblem::NotAbsolute);
        }
        let url = Url::parse(written).map_err(|_| RedirectUriProblem::NotAbsolute)?;
        if NEVER.contains(&url.scheme()) || url.cannot_be_a_base() {
            return Err(RedirectUriProblem::Scheme);
        }
        if url.fragment().is_some() {
            return Err(RedirectUriProblem::Fragment);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RedirectUriProblem::Credentials);
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(RedirectUriProblem::PlainHttp);
        }
        Ok(Self { written: written.to_owned(), url })
    }

    /// Whether a client that registered `self` may ask for `asked`: the same string, or the same
    /// loopback URI with another port, since applications listen where there is room (RFC 8252
    /// section 7.3; clients rely on it for `localhost` as well).
    pub(crate) fn allows(&self, asked: &Self) -> bool {
        if self.written == asked.written {
            return true;
        }
        [self, asked].iter().all(|uri| uri.url.scheme() == "http" && is_loopback(&uri.url))
            && self.url.host() == asked.url.host()
            && self.url.path() == asked.url.path()
            && self.url.query() == asked.url.query()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.written
    }

    /// Where the code goes, as a person recognises it: the host, or the application's scheme.
    pub(crate) fn destination(&self) -> String {
        match (self.url.scheme(), self.url.host_str()) {
            ("https" | "http", Some(host)) => match self.url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            },
            (scheme, _) => format!("the application that opens {scheme}: links"),
        }
    }

    /// This URI with parameters added to those that it has.
    pub(crate) fn with(&self, parameters: &[(&str, &str)]) -> Url {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        url
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = RedirectUriProblem;

    fn try_from(written: String) -> Result<Self, Self::Error> {
        Self::parse(&written)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.written
    }
}

/// Whether the host is this machine by name or by address.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
#[path = "redirect_uri/tests.rs"]
mod tests;
