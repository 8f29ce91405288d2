//! The decision of a person on an authorization request.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

use super::form;
use crate::behavior::{AUTHORIZATION_LIFETIME, Behavior as _};
use crate::environment::{Environment, SharedEnvironment};
use crate::identifiers::identifier;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::scope::Scopes;
use crate::pages;
use crate::pages::consent::Consent;
use crate::state::records::{Grant, RegisteredClient};
use crate::state::tickets::{AuthorizedCode, PendingAuthorization};

/// Where the consent form goes.
pub(super) const PATH: &str = "/oauth/consent";

/// Shows the consent page, which carries only the single-use id of the request: nothing of the request
/// can be changed in the browser.
pub(crate) fn ask(
    environment: &Environment,
    client: &RegisteredClient,
    pending: PendingAuthorization,
) -> Response {
    Consent {
        environment,
        action: PATH,
        client: client.display_name(),
        host: client.host(),
        destination: pending.response.redirect_uri.destination(),
        scopes: pending.scopes.clone(),
        request: environment.pending.issue(pending, AUTHORIZATION_LIFETIME, environment.now()),
    }
    .page()
}

/// Redirects the person back to the client with the outcome.
pub(crate) async fn decide(
    State(environment): State<SharedEnvironment>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let parameters = match form::read(&headers, &body) {
        Ok(parameters) => parameters,
        Err(error) => return error.into_response(),
    };
    let pending = parameters
        .required("request")
        .ok()
        .and_then(|request| environment.pending.redeem(request, environment.now()));
    let Some(pending) = pending else {
        return pages::problem(
            StatusCode::BAD_REQUEST,
            &environment.text.name,
            "This request has been answered already, or was left open for more than ten minutes. \
             Go back to your application and connect again.",
        );
    };
    let ticked: Scopes = parameters.all("scope").collect();
    let granted = pending.scopes.intersection(&ticked);
    let allowed = parameters.all("decision").eq(["allow"]);
    let location = match (allowed, granted.is_empty()) {
        (true, false) => allow(&environment, pending, granted),
        (true, true) => deny(&pending, "no permission was left ticked"),
        (false, _) => deny(&pending, "the user denied access"),
    };
    redirect(StatusCode::SEE_OTHER, &location)
}

/// Grants `scopes` to the client in a new session, and returns the redirect with the code.
pub(crate) fn allow(
    environment: &Environment,
    pending: PendingAuthorization,
    scopes: Scopes,
) -> Url {
    tracing::debug!(client_id = pending.client_id, %scopes, "access granted");
    let authorized = AuthorizedCode {
        grant: Grant {
            client_id: pending.client_id,
            subject: environment.user.subject.clone(),
            organization: Some(environment.user.organization.clone()),
            scopes,
            session: identifier("ses"),
        },
        challenge: pending.challenge,
        redirect_uri: pending.response.redirect_uri.as_str().to_owned(),
    };
    let lifetime = environment.behavior.code_lifetime();
    let code = environment.codes.issue(authorized, lifetime, environment.now());
    pending.response.code(&code)
}

/// `status` is 303 after a form, so that the browser does not send the form to the client (RFC 9700
/// section 4.12).
pub(crate) fn redirect(status: StatusCode, to: &Url) -> Response {
    let headers = [
        (header::LOCATION, to.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers).into_response()
}

fn deny(pending: &PendingAuthorization, description: &str) -> Url {
    pending.response.error(&OAuthError::new(ErrorCode::AccessDenied, description))
}
