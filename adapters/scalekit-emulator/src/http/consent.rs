//! The decision of a person on an authorization request.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

use super::{form, origin};
use crate::behavior::{AUTHORIZATION_LIFETIME, Behavior as _};
use crate::environment::{Environment, SharedEnvironment};
use crate::identifiers::identifier;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::scope::Scopes;
use crate::pages::consent::Consent;
use crate::pages::{self, Problem};
use crate::state::records::{Grant, RegisteredClient};
use crate::state::tickets::{AuthorizedCode, PendingAuthorization};

/// Where the consent form goes.
pub(super) const PATH: &str = "/oauth/consent";

const CONNECT_AGAIN: &str = "Go back to your application and connect again.";

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
        client,
        destination: pending.response.redirect_uri.destination(),
        scopes: pending.scopes.clone(),
        request: environment.pending.issue(pending, AUTHORIZATION_LIFETIME, environment.now()),
    }
    .page()
}

/// For a person who opens the address of the form, such as after an error.
pub(crate) async fn revisit(State(environment): State<SharedEnvironment>) -> Response {
    pages::problem(StatusCode::BAD_REQUEST, &environment.text.name, &incomplete())
}

/// Redirects the person back to the client with the outcome.
pub(crate) async fn decide(
    State(environment): State<SharedEnvironment>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let problem =
        |status, problem: Problem| pages::problem(status, &environment.text.name, &problem);
    if !origin::is_own(&headers) {
        tracing::warn!("a form of another site was rejected");
        return problem(StatusCode::FORBIDDEN, foreign());
    }
    let Ok(parameters) = form::read(&headers, &body) else {
        return problem(StatusCode::BAD_REQUEST, incomplete());
    };
    let Ok(request) = parameters.required("request") else {
        return problem(StatusCode::BAD_REQUEST, incomplete());
    };
    let Some(pending) = environment.pending.redeem(request, environment.now()) else {
        return problem(StatusCode::BAD_REQUEST, answered());
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

fn foreign() -> Problem {
    Problem {
        title: "This came from another page",
        explanation:
            "A page that is not the consent page of this server has sent a decision in your \
                      name. Nothing was granted."
                .to_owned(),
        what_to_do:
            "Close that page. To connect an application, start there and decide on the page \
                     that it opens."
                .to_owned(),
    }
}

fn incomplete() -> Problem {
    Problem {
        title: "There is nothing to decide here",
        explanation:
            "This address receives the decision from the consent page, and no decision was \
                      sent."
                .to_owned(),
        what_to_do: CONNECT_AGAIN.to_owned(),
    }
}

fn answered() -> Problem {
    Problem {
        title: "This request has ended",
        explanation:
            "It has been answered already, was left open for more than ten minutes, or the \
                      server was restarted."
                .to_owned(),
        what_to_do: CONNECT_AGAIN.to_owned(),
    }
}

fn deny(pending: &PendingAuthorization, description: &str) -> Url {
    pending.response.error(&OAuthError::new(ErrorCode::AccessDenied, description))
}
