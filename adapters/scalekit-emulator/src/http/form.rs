//! Form bodies.

use axum::http::{HeaderMap, header};

use crate::oauth::error::OAuthError;
use crate::oauth::parameters::Parameters;

/// The parameters of a form body. Fails with `invalid_request` for another content type.
pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Parameters, OAuthError> {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
    if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Ok(Parameters::parse(body))
    } else {
        Err(OAuthError::invalid_request(
            "the content type must be application/x-www-form-urlencoded",
        ))
    }
}
