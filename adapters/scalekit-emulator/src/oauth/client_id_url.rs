//! Client ids that are URLs (draft-ietf-oauth-client-id-metadata-document, section 3).

use url::Url;

use super::redirect_uri::is_loopback;

/// A client id that leads to the client's metadata document.
#[derive(Clone, Debug)]
pub(crate) struct ClientIdUrl(Url);

/// Why a URL cannot be a client id.
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
    #[error(
        "it is not written in the one form that all programs agree on, which is {normal}",
        normal = "lower case, without default port, and without dot segments"
    )]
    NotNormal,
}

impl ClientIdUrl {
    /// Whether this was meant to be one.
    pub(crate) fn is_meant_by(client_id: &str) -> bool {
        let scheme = client_id.split_once("://").map_or("", |(scheme, _)| scheme);
        scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
    }

    /// Plain http is for documents on this machine, where `allow_loopback`.
    pub(crate) fn parse(written: &str, allow_loopback: bool) -> Result<Self, ClientIdUrlProblem> {
        let url = Url::parse(written).map_err(|_| ClientIdUrlProblem::NotHttps)?;
        let plain = allow_loopback && url.scheme() == "http" && is_loopback(&url);
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
        // What is compared and shown has to be what is fetched: `https://a.example/x/../y`, or an
        // address written as one number, is not.
        if url.as_str() != written {
            return Err(ClientIdUrlProblem::NotNormal);
        }
        Ok(Self(url))
    }

    pub(crate) fn as_url(&self) -> &Url {
        &self.0
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(written: &str, allow_loopback: bool) -> Option<ClientIdUrlProblem> {
        ClientIdUrl::parse(written, allow_loopback).err()
    }

    #[test]
    fn the_ids_of_known_clients_are_accepted() {
        for written in [
            "https://claude.ai/oauth/claude-code-client-metadata",
            "https://www.mcpjam.com/.well-known/oauth/client-metadata.json",
            "https://client.example:8443/oauth?version=2",
        ] {
            assert_eq!(problem(written, false), None, "{written}");
        }
    }

    #[test]
    fn what_two_programs_could_read_in_two_ways_is_refused() {
        for (written, expected) in [
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
            assert_eq!(problem(written, false), Some(expected), "{written}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_where_that_is_allowed() {
        for written in ["http://localhost:1/id", "http://127.0.0.1:1/id", "http://[::1]:1/id"] {
            assert_eq!(problem(written, true), None, "{written}");
        }
        let elsewhere = problem("http://client.example/id", true);
        assert_eq!(elsewhere, Some(ClientIdUrlProblem::NotHttps));
    }
}
