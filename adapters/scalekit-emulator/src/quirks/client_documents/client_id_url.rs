//! Client ids that are URLs (draft-ietf-oauth-client-id-metadata-document, section 3).

use url::Url;

use crate::loopback::is_loopback_host;

/// A client id that is the URL of the client's metadata document.
#[derive(Clone, Debug)]
pub(super) struct ClientIdUrl(Url);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientIdUrlProblem {
    #[error("it is not an https URL")]
    NotHttps,
    #[error("it has no path")]
    NoPath,
    #[error("it has a fragment")]
    Fragment,
    #[error("it holds a user name or a password")]
    Credentials,
    #[error("it is not in normal form: lower case, without default port, and without dot segments")]
    NotNormal,
}

impl ClientIdUrl {
    /// Plain http is accepted for this machine only, and only with `allow_loopback`.
    pub(super) fn parse(text: &str, allow_loopback: bool) -> Result<Self, ClientIdUrlProblem> {
        let url = Url::parse(text).map_err(|_| ClientIdUrlProblem::NotHttps)?;
        let plain = allow_loopback
            && url.scheme() == "http"
            && url.host_str().is_some_and(is_loopback_host);
        if url.scheme() != "https" && !plain {
            return Err(ClientIdUrlProblem::NotHttps);
        }
        if url.fragment().is_some() {
            return Err(ClientIdUrlProblem::Fragment);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ClientIdUrlProblem::Credentials);
        }
        if url.path() == "/" {
            return Err(ClientIdUrlProblem::NoPath);
        }
        // What is compared and shown must be what is fetched, unlike `https://a.example/x/../y`, or an
        // address that is one number.
        if url.as_str() != text {
            return Err(ClientIdUrlProblem::NotNormal);
        }
        Ok(Self(url))
    }

    pub(super) fn as_url(&self) -> &Url {
        &self.0
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str, allow_loopback: bool) -> Option<ClientIdUrlProblem> {
        ClientIdUrl::parse(text, allow_loopback).err()
    }

    #[test]
    fn the_ids_of_known_clients_are_accepted() {
        for text in [
            "https://claude.ai/oauth/claude-code-client-metadata",
            "https://www.mcpjam.com/.well-known/oauth/client-metadata.json",
            "https://client.example:8443/oauth?version=2",
        ] {
            assert_eq!(problem(text, false), None, "{text}");
        }
    }

    #[test]
    fn an_ambiguous_url_is_rejected() {
        for (text, expected) in [
            ("http://client.example/id", ClientIdUrlProblem::NotHttps),
            ("http://localhost/id", ClientIdUrlProblem::NotHttps),
            ("https://", ClientIdUrlProblem::NotHttps),
            ("https://client.example", ClientIdUrlProblem::NoPath),
            ("https://client.example/", ClientIdUrlProblem::NoPath),
            ("https://client.example/id#part", ClientIdUrlProblem::Fragment),
            ("https://claude.ai@client.example/id", ClientIdUrlProblem::Credentials),
            ("https://client.example/a/../id", ClientIdUrlProblem::NotNormal),
            ("https://client.example/a/%2e%2e/id", ClientIdUrlProblem::NotNormal),
            ("https://client.example/./id", ClientIdUrlProblem::NotNormal),
            ("https://client.example:443/id", ClientIdUrlProblem::NotNormal),
            ("https://CLIENT.example/id", ClientIdUrlProblem::NotNormal),
            ("https://2130706433/id", ClientIdUrlProblem::NotNormal),
            (" https://client.example/id", ClientIdUrlProblem::NotNormal),
            ("https://client.example/i\td", ClientIdUrlProblem::NotNormal),
        ] {
            assert_eq!(problem(text, false), Some(expected), "{text}");
        }
    }

    #[test]
    fn plain_http_is_accepted_for_loopback_if_allowed() {
        for text in ["http://localhost:1/id", "http://127.0.0.1:1/id", "http://[::1]:1/id"] {
            assert_eq!(problem(text, true), None, "{text}");
        }
        let elsewhere = problem("http://client.example/id", true);
        assert_eq!(elsewhere, Some(ClientIdUrlProblem::NotHttps));
    }
}
