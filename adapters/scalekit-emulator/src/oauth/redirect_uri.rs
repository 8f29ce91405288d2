//! Redirect URIs: which ones a client may register, and which ones match.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::loopback::is_loopback_host;

/// Schemes that browsers handle themselves: a redirect there would run or open something instead of
/// passing the code to an application.
const FORBIDDEN_SCHEMES: [&str; 13] = [
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

const MAX_BYTES: usize = 2000;

/// A redirect URI that a client may use: https, http to this machine, or a private-use scheme (RFC 8252
/// section 7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct RedirectUri {
    /// As the client wrote it, since matching compares strings.
    text: String,
    url: Url,
}

/// Why a URI cannot be a redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RedirectUriProblem {
    #[error("is not an absolute URI of printable ASCII characters")]
    NotAbsolute,
    #[error("is longer than {MAX_BYTES} characters")]
    TooLong,
    #[error("has a fragment (RFC 6749 section 3.1.2)")]
    Fragment,
    #[error("holds a user name or a password")]
    Credentials,
    #[error("is http and does not point to this machine: use https")]
    PlainHttp,
    #[error("has a scheme that browsers handle themselves")]
    Scheme,
}

impl RedirectUri {
    pub(crate) fn parse(text: &str) -> Result<Self, RedirectUriProblem> {
        if text.len() > MAX_BYTES {
            return Err(RedirectUriProblem::TooLong);
        }
        // The URL parser drops tabs and line breaks, and the text must be what was parsed.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(RedirectUriProblem::NotAbsolute);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriProblem::NotAbsolute)?;
        if FORBIDDEN_SCHEMES.contains(&url.scheme()) || url.cannot_be_a_base() {
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
        Ok(Self { text: text.to_owned(), url })
    }

    /// Whether a client that registered `self` may request `requested`: the same string, or the same
    /// loopback URI with another port, since applications listen on any free one (RFC 8252 section
    /// 7.3; clients rely on it for `localhost` as well).
    pub(crate) fn allows(&self, requested: &Self) -> bool {
        if self.text == requested.text {
            return true;
        }
        [self, requested].iter().all(|uri| uri.url.scheme() == "http" && is_loopback(&uri.url))
            && self.url.host() == requested.url.host()
            && self.url.path() == requested.url.path()
            && self.url.query() == requested.url.query()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the code goes, for people: the host, or the application's scheme.
    pub(crate) fn destination(&self) -> String {
        match (self.url.scheme(), self.url.host_str()) {
            ("https" | "http", Some(host)) => match self.url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            },
            (scheme, _) => format!("the application that opens {scheme}: links"),
        }
    }

    /// Adds parameters to those that the URI has.
    pub(crate) fn with(&self, parameters: &[(&str, &str)]) -> Url {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        url
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = RedirectUriProblem;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.text
    }
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback_host)
}

#[cfg(test)]
#[path = "redirect_uri/tests.rs"]
mod tests;
