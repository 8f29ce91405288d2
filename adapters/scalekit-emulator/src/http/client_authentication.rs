//! Client authentication (RFC 6749 sections 2.3 and 3.2.1).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use crate::environment::Environment;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::parameters::Parameters;
use crate::state::fingerprint::Fingerprint;
use crate::state::records::RegisteredClient;

/// The client that makes a request. A public client sends its id, a confidential one also its secret,
/// in the body or in a Basic header: Scalekit accepts both.
///
/// Fails with `invalid_client`, or with `invalid_request` if both are used at once.
pub(crate) fn authenticate(
    environment: &Environment,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<RegisteredClient, OAuthError> {
    let posted_id = parameters.optional("client_id")?;
    let posted_secret = parameters.optional("client_secret")?;
    let (client_id, secret) = match headers.get(header::AUTHORIZATION) {
        None => {
            let id = posted_id.ok_or_else(|| rejected("`client_id` is missing"))?;
            (id.to_owned(), posted_secret.map(ToOwned::to_owned))
        }
        Some(authorization) => {
            let (client_id, secret) = basic_credentials(authorization)
                .ok_or_else(|| rejected("the Authorization header holds no Basic credentials"))?;
            if posted_secret.is_some() || posted_id.is_some_and(|id| id != client_id) {
                return Err(OAuthError::invalid_request("the client authenticates twice"));
            }
            (client_id, Some(secret).filter(|secret| !secret.is_empty()))
        }
    };

    let client = environment
        .calling_client(&client_id)
        .ok_or_else(|| rejected("unable to retrieve client by id: let it register again"))?;
    let given = secret.as_deref().map(Fingerprint::of);
    if given != client.secret {
        return Err(rejected("the client secret is missing, wrong, or not needed"));
    }
    Ok(client)
}

/// The response to a client that failed. If it used the Authorization header, the response names the
/// scheme (RFC 6749 section 5.2).
pub(crate) fn error_response(error: OAuthError, headers: &HeaderMap) -> Response {
    let mut response = error.into_response();
    if response.status() == StatusCode::UNAUTHORIZED && headers.contains_key(header::AUTHORIZATION)
    {
        let challenge = HeaderValue::from_static("Basic realm=\"Local Scalekit\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn rejected(description: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, description)
}

/// Id and secret, each form-encoded (RFC 6749 section 2.3.1).
fn basic_credentials(authorization: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = authorization.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = decoded.split_once(':')?;
    Some((form_decoded(client_id), form_decoded(secret)))
}

fn form_decoded(encoded: &str) -> String {
    form_urlencoded::parse(encoded.as_bytes())
        .next()
        .map_or_else(String::new, |(decoded, _)| decoded.into_owned())
}
