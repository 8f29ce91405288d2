//! Resource indicators (RFC 8707).

use url::Url;

use super::error::{ErrorCode, OAuthError};
use super::parameters::Parameters;
use crate::loopback::is_loopback_host;

/// The registered Server URL, which the `resource` parameter must identify.
#[derive(Clone, Debug)]
pub(crate) struct ServerUrl {
    text: String,
    url: Url,
}

impl ServerUrl {
    /// `None` unless it is an absolute http or https URL.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| Self { text: text.to_owned(), url })
    }

    /// As it was registered, byte for byte, which is the form in `aud`.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What people give to a client.
    pub(crate) fn mcp_url(&self) -> String {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/mcp", base_path(&self.url)));
        url.into()
    }

    /// Fails with `invalid_target` for another resource. The parameter may be absent: the path of the
    /// endpoint identifies the resource already.
    pub(crate) fn check(&self, parameters: &Parameters) -> Result<(), OAuthError> {
        match parameters.all("resource").find(|resource| !self.is_identified_by(resource)) {
            None => Ok(()),
            Some(_) => Err(OAuthError::new(
                ErrorCode::InvalidTarget,
                format!(
                    "`resource` is not the server of this environment: connect to {}",
                    self.mcp_url()
                ),
            )),
        }
    }

    /// Clients send the URL of the endpoint (`…/mcp`) where the base is registered, with or without a
    /// trailing slash. Scalekit accepts that. A server on this machine has several names.
    fn is_identified_by(&self, resource: &str) -> bool {
        Url::parse(resource).is_ok_and(|requested| {
            (requested.origin() == self.url.origin()
                || is_same_port_of_this_machine(&requested, &self.url))
                && requested.fragment().is_none()
                && requested.query() == self.url.query()
                && base_path(&requested) == base_path(&self.url)
        })
    }
}

fn is_same_port_of_this_machine(one: &Url, other: &Url) -> bool {
    [one, other].iter().all(|url| url.host_str().is_some_and(is_loopback_host))
        && one.scheme() == other.scheme()
        && one.port_or_known_default() == other.port_or_known_default()
}

fn base_path(url: &Url) -> &str {
    let path = url.path().trim_end_matches('/');
    path.strip_suffix("/mcp").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_slashes_and_the_endpoint_path_are_ignored() {
        for registered in ["http://localhost:3002/", "http://localhost:3002/mcp"] {
            let server = ServerUrl::parse(registered).unwrap();
            for resource in
                ["http://localhost:3002", "http://localhost:3002/", "http://LOCALHOST:3002/mcp/"]
            {
                assert!(server.is_identified_by(resource), "{registered} {resource}");
            }
        }
    }

    #[test]
    fn the_mcp_url_is_that_of_the_endpoint() {
        for (registered, expected) in [
            ("http://localhost:3002", "http://localhost:3002/mcp"),
            ("http://localhost:3002/", "http://localhost:3002/mcp"),
            ("http://localhost:3002/mcp", "http://localhost:3002/mcp"),
            ("https://h.example/notes/", "https://h.example/notes/mcp"),
        ] {
            assert_eq!(ServerUrl::parse(registered).unwrap().mcp_url(), expected);
        }
    }

    #[test]
    fn a_server_on_this_machine_is_identified_by_each_of_its_names() {
        let server = ServerUrl::parse("http://localhost:3002/").unwrap();
        for resource in
            ["http://127.0.0.1:3002/mcp", "http://[::1]:3002", "http://a.localhost:3002"]
        {
            assert!(server.is_identified_by(resource), "{resource}");
        }
        for resource in
            ["http://127.0.0.1:3003/mcp", "https://127.0.0.1:3002", "http://10.0.0.1:3002"]
        {
            assert!(!server.is_identified_by(resource), "{resource}");
        }
    }

    #[test]
    fn another_server_is_another_resource() {
        let server = ServerUrl::parse("http://localhost:3002/").unwrap();

        for resource in [
            "http://localhost:3003/mcp",
            "https://localhost:3002/mcp",
            "http://localhost:3002/other",
            "http://localhost:3002/mcp#part",
            "http://localhost:3002.client.example/mcp",
            "res_1",
        ] {
            assert!(!server.is_identified_by(resource), "{resource}");
        }
    }
}
