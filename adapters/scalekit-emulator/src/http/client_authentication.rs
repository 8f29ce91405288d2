//! Who calls the token endpoint (RFC 6749 sections 2.3 and 3.2.1).

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::form_urlencoded;

use crate::{
    environment::Environment,
    oauth::{
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
    },
    state::{fingerprint::Fingerprint, records::RegisteredClient},
};

/// The client behind a request. A public client names itself, a confidential one proves
/// itself by its secret, in the body or in a Basic header as it likes: Scalekit takes both.
///
/// # Errors
///
/// `invalid_client` where that fails, `invalid_request` for two identities at once.
pub(crate) fn authenticate(
    environment: &Environment,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<RegisteredClient, OAuthError> {
    let named = parameters.optional("client_id")?;
    let posted = parameters.optional("client_secret")?;
    let (client_id, secret) = match headers.get(header::AUTHORIZATION) {
        None => {
            let named = named.ok_or_else(|| refused("`client_id` is missing"))?;
            (named.to_owned(), posted.map(ToOwned::to_owned))
        }
        Some(authorization) => {
            let (client_id, secret) = basic_credentials(authorization)
                .ok_or_else(|| refused("the Authorization header holds no Basic credentials"))?;
            if posted.is_some() || named.is_some_and(|named| named != client_id) {
                return Err(OAuthError::invalid_request("the client authenticates twice"));
            }
            (client_id, Some(secret).filter(|secret| !secret.is_empty()))
        }
    };

    let client = environment
        .client_that_calls(&client_id)
        .ok_or_else(|| refused("unable to retrieve client by id: let it register again"))?;
    let given = secret.as_deref().map(Fingerprint::of);
    if given != client.secret {
        return Err(refused("the client secret is missing, wrong, or not needed"));
    }
    Ok(client)
}

/// An error of an endpoint that authenticates clients: one that tried the Authorization header is
/// told which scheme goes there (RFC 6749 section 5.2).
pub(crate) fn refusal(error: OAuthError, headers: &HeaderMap) -> Response {
    let mut response = error.into_response();
    if response.status() == StatusCode::UNAUTHORIZED && headers.contains_key(header::AUTHORIZATION)
    {
        let challenge = HeaderValue::from_static("Basic realm=\"Local Scalekit\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn refused(description: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, description)
}

/// Id and secret, each of which the client has form-encoded first (RFC 6749 section 2.3.1).
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
