//! The authorization endpoint (RFC 6749 section 3.1, RFC 7636, RFC 8707, RFC 9207).

use axum::http::StatusCode;
use axum::response::Response;

use super::consent;
use crate::environment::Environment;
use crate::oauth::authorization_response::AuthorizationResponse;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::parameters::Parameters;
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::scope::Scopes;
use crate::pages::{self, Problem};
use crate::state::records::RegisteredClient;
use crate::state::tickets::PendingAuthorization;
use crate::urls::AuthorizationServer;

/// Shows the consent page, or redirects to the client at once where consent is automatic.
///
/// A request with an invalid client or redirect URI ends on an error page: redirecting it would make
/// this server an open redirector (RFC 6749 section 3.1.2.4).
pub(crate) async fn authorize(
    server: AuthorizationServer,
    environment: &Environment,
    query: &str,
) -> Response {
    let parameters = Parameters::parse(query.as_bytes());
    let (client, redirect_uri) = match identify(environment, &parameters).await {
        Ok(identified) => identified,
        Err(problem) => {
            let server = &environment.text.name;
            return pages::problem(StatusCode::BAD_REQUEST, server, &problem);
        }
    };
    let response = AuthorizationResponse {
        redirect_uri,
        // A repeated one cannot be returned; `check` rejects it.
        state: parameters.optional("state").unwrap_or_default().map(ToOwned::to_owned),
        issuer: environment.urls.issuer(server),
    };
    match check(environment, &parameters) {
        Err(error) => {
            tracing::debug!(error = error.code.as_str(), "authorization request rejected");
            consent::redirect(StatusCode::FOUND, &response.error(&error))
        }
        Ok((scopes, challenge)) => {
            let pending = PendingAuthorization {
                client_id: client.client_id.clone(),
                scopes,
                challenge,
                response,
            };
            if environment.auto_consent {
                let scopes = pending.scopes.clone();
                consent::redirect(StatusCode::FOUND, &consent::allow(environment, pending, scopes))
            } else {
                consent::ask(environment, &client, pending)
            }
        }
    }
}

/// The client and its redirect URI, or why no response can be sent to a client.
async fn identify(
    environment: &Environment,
    parameters: &Parameters,
) -> Result<(RegisteredClient, RedirectUri), Problem> {
    let required = |name| {
        parameters.required(name).map_err(|error| Problem {
            title: "The request is incomplete",
            explanation: format!(
                "An application has to say who it is and where the answer goes, and in this request \
                 {}.",
                error.description.replace('`', "")
            ),
            what_to_do: "Connect from your application instead of opening this address yourself. If \
                         the application opened it, report this to its developers."
                .to_owned(),
        })
    };
    let client_id = required("client_id")?;
    let redirect_uri = required("redirect_uri")?;
    let client = environment.authorizing_client(client_id).await.map_err(|unknown| Problem {
        title: "Unknown client",
        explanation: unknown.to_string(),
        what_to_do: unknown.what_to_do().to_owned(),
    })?;
    let redirect_uri = RedirectUri::parse(redirect_uri)
        .ok()
        .filter(|requested| {
            client.redirect_uris.iter().any(|registered| registered.allows(requested))
        })
        .ok_or_else(|| Problem {
            title: "Unknown redirect URI",
            explanation: format!(
                "The client {} requests a redirect to {redirect_uri}, which it has not registered.",
                client.display_name()
            ),
            what_to_do:
                "Clear what your application has stored for this server, and connect again: \
                         it then registers the redirect URI that it uses. If that does not help, \
                         report this to its developers."
                    .to_owned(),
        })?;
    Ok((client, redirect_uri))
}

/// The requested scopes and the PKCE challenge. These errors are returned to the client.
fn check(
    environment: &Environment,
    parameters: &Parameters,
) -> Result<(Scopes, CodeChallenge), OAuthError> {
    parameters.optional("state")?;
    if parameters.required("response_type")? != "code" {
        return Err(OAuthError::new(
            ErrorCode::UnsupportedResponseType,
            "`response_type` must be code",
        ));
    }
    let challenge = parameters.required("code_challenge")?;
    if parameters.optional("code_challenge_method")? != Some("S256") {
        return Err(OAuthError::invalid_request("`code_challenge_method` must be S256"));
    }
    let challenge = CodeChallenge::parse(challenge).ok_or_else(|| {
        OAuthError::invalid_request("`code_challenge` must be the base64url of a SHA-256")
    })?;
    environment.urls.server.check(parameters)?;
    let scopes = match parameters.optional("scope")? {
        None => environment.scopes.of_the_resource(),
        Some(requested) => environment.scopes.known(&Scopes::parse(requested)),
    };
    if scopes.is_empty() {
        return Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "`scope` names no scope of this environment",
        ));
    }
    Ok((scopes, challenge))
}
