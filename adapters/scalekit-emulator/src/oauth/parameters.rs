//! The parameters of a query or of a form body.

use url::form_urlencoded;

use super::error::OAuthError;

/// Request parameters by the rules of RFC 6749 section 3.1: one without a value counts as omitted, and
/// none may be repeated, unless its own specification allows it.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Parses `application/x-www-form-urlencoded` bytes. That format has no invalid input.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(
            form_urlencoded::parse(encoded)
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// Every value of a parameter that may be repeated.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Fails with `invalid_request` for a repeated parameter.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.0.iter().filter(|(given, _)| given == name);
        let first = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            None => Ok(first),
            Some(_) => Err(OAuthError::invalid_request(format!("`{name}` is given twice"))),
        }
    }

    /// Fails with `invalid_request` for a missing or a repeated parameter.
    pub(crate) fn required(&self, name: &str) -> Result<&str, OAuthError> {
        self.optional(name)?
            .ok_or_else(|| OAuthError::invalid_request(format!("`{name}` is missing")))
    }
}
