//! A person decides.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use url::Url;

use super::{Shared, form};
use crate::{
    environment::Environment,
    identifiers::identifier,
    identity::{LOCAL_ORGANIZATION, LOCAL_USER},
    oauth::{
        error::{ErrorCode, OAuthError},
        scope::Scopes,
    },
    pages::{self, consent::Consent},
    state::{
        authorization::{AuthorizedCode, PendingAuthorization},
        records::{Grant, RegisteredClient},
    },
};

/// Where the consent form goes.
pub(super) const PATH: &str = "/oauth/consent";

/// Shows the consent page. The request stays here; the page carries only its single-use id, so that
/// nothing in it can be changed on the way.
pub(crate) fn ask(
    environment: &Environment,
    client: &RegisteredClient,
    pending: PendingAuthorization,
) -> Response {
    Consent {
        action: PATH,
        client: client.display_name().to_owned(),
        vouched_for_by: client.host(),
        destination: pending.response.redirect_uri.destination(),
        server_url: environment.server_url.as_str().to_owned(),
        scopes: pending.scopes.clone(),
        request: environment.pending.issue(pending, environment.now()),
    }
    .into_response()
}

/// Takes the decision and sends the person back to the client.
pub(crate) async fn decide(
    State(environment): State<Shared>,
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
        .and_then(|request| environment.pending.take(request, environment.now()));
    let Some(pending) = pending else {
        return pages::problem(
            StatusCode::BAD_REQUEST,
            "This request has been answered already, or was left open for more than ten minutes. \
             Go back to your application and connect again.",
        );
    };
    let ticked: Scopes = parameters.all("scope").collect();
    let granted = pending.scopes.intersection(&ticked);
    let allowed = parameters.all("decision").eq(["allow"]);
    let answer = match (allowed, granted.is_empty()) {
        (true, false) => allow(&environment, pending, granted),
        (true, true) => deny(&pending, "no permission was left ticked"),
        (false, _) => deny(&pending, "the user said no"),
    };
    redirect(StatusCode::SEE_OTHER, &answer)
}

/// Grants `scopes` to the client in a new session, and says where to take the code.
pub(crate) fn allow(
    environment: &Environment,
    pending: PendingAuthorization,
    scopes: Scopes,
) -> Url {
    tracing::debug!(client_id = pending.client_id, %scopes, "granted access");
    let authorized = AuthorizedCode {
        grant: Grant {
            client_id: pending.client_id,
            subject: LOCAL_USER.to_owned(),
            organization: Some(LOCAL_ORGANIZATION.to_owned()),
            scopes,
            session: identifier("ses"),
        },
        challenge: pending.challenge,
        redirect_uri: pending.response.redirect_uri.as_str().to_owned(),
    };
    let now = environment.now();
    let code = match environment.quirks.current().code_lifetime {
        None => environment.codes.issue(authorized, now),
        Some(lifetime) => environment.codes.issue_for(lifetime, authorized, now),
    };
    pending.response.code(&code)
}

/// Sends the browser to a client. `status` is 303 after a form, so that the form does not travel
/// along (RFC 9700 section 4.12).
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
