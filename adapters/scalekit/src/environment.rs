//! Where a Scalekit environment is, and the names that follow from it.

use thiserror::Error;
use url::{Host, Url};

/// A Scalekit environment and the one resource in it that this server is.
///
/// Everything that is derived from the two settings is derived here, once: issuers, key URL and
/// metadata URLs are compared and fetched exactly as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalekitEnvironment {
    url: String,
    resource_id: String,
    authorization_server: String,
    keys_url: Url,
    metadata_urls: [Url; 2],
    is_loopback_http: bool,
}

/// Why two settings do not name an environment and a resource. The words complete a sentence that
/// begins with the name of the setting, and repeat nothing of its value: it could hold credentials.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvironmentError {
    /// The environment URL is not a URL.
    #[error("must be a URL such as https://example.scalekit.com: {0}")]
    NotAUrl(#[from] url::ParseError),
    /// Anybody on the way could replace the keys, unless there is no way.
    #[error("must start with https:// (http:// is for loopback hosts only)")]
    NotHttps,
    /// More than scheme, host and port was given; most often the URL of a page or of a resource.
    #[error("must be scheme and host only, such as https://example.scalekit.com: remove its {0}")]
    NotBare(&'static str),
    /// It would not be one segment of a URL path.
    #[error("must be the id alone, such as res_123: letters, digits, `_` and `-`")]
    ResourceId,
}

impl ScalekitEnvironment {
    /// Reads the environment URL and the resource id.
    ///
    /// The URL is reduced to scheme, host and port, host in lower case and default port dropped:
    /// the form in which Scalekit writes `iss`. A trailing slash is forgiven. Resource ids start
    /// with `res_` today; other prefixes have existed, so the form is not checked.
    pub fn new(environment_url: &str, resource_id: &str) -> Result<Self, EnvironmentError> {
        let parsed = Url::parse(environment_url)?;
        let is_loopback_http = match parsed.scheme() {
            "https" => false,
            "http" if is_loopback(&parsed) => true,
            _ => return Err(EnvironmentError::NotHttps),
        };
        for (is_there, part) in [
            (!parsed.username().is_empty() || parsed.password().is_some(), "credentials"),
            (!parsed.path().trim_matches('/').is_empty(), "path"),
            (parsed.query().is_some(), "query"),
            (parsed.fragment().is_some(), "fragment"),
        ] {
            if is_there {
                return Err(EnvironmentError::NotBare(part));
            }
        }
        if !is_one_path_segment(resource_id) {
            return Err(EnvironmentError::ResourceId);
        }

        let url = parsed.origin().ascii_serialization();
        let resource_path = format!("resources/{resource_id}");
        let authorization_server = format!("{url}/{resource_path}");
        Ok(Self {
            keys_url: Url::parse(&format!("{url}/keys"))?,
            metadata_urls: [
                Url::parse(&format!(
                    "{url}/.well-known/oauth-authorization-server/{resource_path}"
                ))?,
                Url::parse(&format!(
                    "{authorization_server}/.well-known/oauth-authorization-server"
                ))?,
            ],
            url,
            resource_id: resource_id.to_owned(),
            authorization_server,
            is_loopback_http,
        })
    }

    /// The environment's URL, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The id of this server among the environment's resources: what `aud` must hold.
    pub fn resource_id(&self) -> &str {
        &self.resource_id
    }

    /// The resource's authorization server, without a trailing slash: what RFC 9728
    /// `authorization_servers` holds, and what RFC 8414 §3.3 makes clients compare with the
    /// metadata's `issuer`.
    pub fn authorization_server(&self) -> &str {
        &self.authorization_server
    }

    /// The two `iss` values that the environment's tokens carry, while Scalekit moves from one to
    /// the other: the environment, and the resource's authorization server.
    pub fn issuers(&self) -> [&str; 2] {
        [&self.url, &self.authorization_server]
    }

    /// Where the signing keys are published. The resource has no keys of its own.
    pub fn keys_url(&self) -> &Url {
        &self.keys_url
    }

    /// Where the authorization server's metadata is published, in the order in which to ask: the
    /// path-inserted form of RFC 8414 §3.1, and the path-appended one.
    pub fn metadata_urls(&self) -> &[Url; 2] {
        &self.metadata_urls
    }

    /// Whether it is reached over plain HTTP, which only loopback is.
    pub(crate) fn is_loopback_http(&self) -> bool {
        self.is_loopback_http
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_one_path_segment(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests;
