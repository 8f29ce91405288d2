//! Resource indicators (RFC 8707).

use url::Url;

use super::{
    error::{ErrorCode, OAuthError},
    parameters::Parameters,
};

/// The registered Server URL, which the `resource` parameter has to mean.
#[derive(Clone, Debug)]
pub(crate) struct ServerUrl {
    written: String,
    url: Url,
}

impl ServerUrl {
    /// `None` for what is not an absolute http or https URL.
    pub(crate) fn parse(written: &str) -> Option<Self> {
        let url = Url::parse(written).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| Self { written: written.to_owned(), url })
    }

    /// As it was registered, byte for byte: this is what goes into `aud`.
    pub(crate) fn as_str(&self) -> &str {
        &self.written
    }

    /// Refuses a request for some other resource. None named is fine: the path of the endpoint
    /// names it already.
    ///
    /// # Errors
    ///
    /// `invalid_target`.
    pub(crate) fn check(&self, parameters: &Parameters) -> Result<(), OAuthError> {
        match parameters.all("resource").find(|resource| !self.is_meant_by(resource)) {
            None => Ok(()),
            Some(_) => Err(OAuthError::new(
                ErrorCode::InvalidTarget,
                format!("`resource` is not the server of this environment, {}", self.written),
            )),
        }
    }

    /// Clients send the URL of the endpoint (`…/mcp`) where the base is registered, and add or drop
    /// a slash: Scalekit lets them.
    fn is_meant_by(&self, resource: &str) -> bool {
        Url::parse(resource).is_ok_and(|asked| {
            asked.origin() == self.url.origin()
                && asked.fragment().is_none()
                && asked.query() == self.url.query()
                && base_path(&asked) == base_path(&self.url)
        })
    }
}

fn base_path(url: &Url) -> &str {
    let path = url.path().trim_end_matches('/');
    path.strip_suffix("/mcp").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_the_endpoint_path_make_no_difference() {
        for registered in ["http://localhost:3002/", "http://localhost:3002/mcp"] {
            let server = ServerUrl::parse(registered).unwrap();
            for resource in
                ["http://localhost:3002", "http://localhost:3002/", "http://LOCALHOST:3002/mcp/"]
            {
                assert!(server.is_meant_by(resource), "{registered} {resource}");
            }
        }
    }

    #[test]
    fn another_server_is_foreign() {
        let server = ServerUrl::parse("http://localhost:3002/").unwrap();

        for resource in [
            "http://localhost:3003/mcp",
            "https://localhost:3002/mcp",
            "http://localhost:3002/other",
            "http://localhost:3002/mcp#part",
            "http://localhost:3002.client.example/mcp",
            "res_1",
        ] {
            assert!(!server.is_meant_by(resource), "{resource}");
        }
    }
}
