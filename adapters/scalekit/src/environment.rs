//! A Scalekit environment, and the URLs and claims that follow from its two settings.

use protected_mcp::is_loopback_host;

use thiserror::Error;
use url::Url;

/// A Scalekit environment, and the resource in it that stands for this server.
///
/// Issuers, key URL and metadata URLs are derived here, once; elsewhere they are compared and fetched
/// unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalekitEnvironment {
    url: String,
    resource_id: String,
    authorization_server: String,
    keys_url: Url,
    metadata_urls: [Url; 2],
    is_loopback_http: bool,
}

/// Why an environment URL or a resource id is not valid. The text completes a sentence that begins with
/// the name of the setting, and repeats nothing of its value, which may hold credentials.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvironmentError {
    #[error("must be a URL such as https://example.scalekit.com: {0}")]
    NotAUrl(#[from] url::ParseError),
    /// Anyone on the network path could replace the keys.
    #[error("must start with https:// (http:// is for loopback hosts only)")]
    NotHttps,
    /// More than scheme, host and port; often the URL of a page or of a resource.
    #[error("must be scheme and host only, such as https://example.scalekit.com: remove its {0}")]
    NotBare(&'static str),
    /// The resource id is not a single segment of a URL path.
    #[error("must be the id alone, such as res_123: letters, digits, `_` and `-`")]
    ResourceId,
}

impl ScalekitEnvironment {
    /// Reduces the URL to scheme, host and port, the host in lower case and a default port omitted:
    /// the form in which Scalekit writes `iss`. A trailing slash is accepted. Resource ids start with
    /// `res_` today; other prefixes have existed, so the form is not checked.
    pub fn new(environment_url: &str, resource_id: &str) -> Result<Self, EnvironmentError> {
        let parsed = Url::parse(environment_url)?;
        let is_loopback_http = match parsed.scheme() {
            "https" => false,
            "http" if parsed.host_str().is_some_and(is_loopback_host) => true,
            _ => return Err(EnvironmentError::NotHttps),
        };
        for (is_present, part) in [
            (!parsed.username().is_empty() || parsed.password().is_some(), "credentials"),
            (!parsed.path().trim_matches('/').is_empty(), "path"),
            (parsed.query().is_some(), "query"),
            (parsed.fragment().is_some(), "fragment"),
        ] {
            if is_present {
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

    /// What `aud` must hold.
    pub fn resource_id(&self) -> &str {
        &self.resource_id
    }

    /// The resource's authorization server, without a trailing slash: the entry of RFC 9728
    /// `authorization_servers`, which clients compare with the `issuer` of its metadata (RFC 8414
    /// section 3.3).
    pub fn authorization_server(&self) -> &str {
        &self.authorization_server
    }

    /// The two accepted `iss` values, while Scalekit moves from one to the other: the environment, and
    /// the resource's authorization server.
    pub fn issuers(&self) -> [&str; 2] {
        [&self.url, &self.authorization_server]
    }

    /// Where the signing keys are published. A resource has no keys of its own.
    pub fn keys_url(&self) -> &Url {
        &self.keys_url
    }

    /// Where the authorization server's metadata is published, in the order in which to try them: the
    /// path-inserted form of RFC 8414 section 3.1, and the path-appended one.
    pub fn metadata_urls(&self) -> &[Url; 2] {
        &self.metadata_urls
    }

    /// Whether it is reached over plain HTTP, which is accepted for loopback only.
    pub(crate) fn is_loopback_http(&self) -> bool {
        self.is_loopback_http
    }
}

fn is_one_path_segment(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests;
