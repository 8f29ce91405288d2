//! What a caller without the right token is told: RFC 6750 challenges that lead to one.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use todo_application::domain::{Permission, Permissions};

/// How long a client should wait while the issuer's keys are not to be had, in seconds.
const RETRY_AFTER_SECONDS: &str = "5";

/// Writes challenges for one protected resource.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    resource_metadata: String,
}

/// The body that goes with a challenge, in the words of RFC 6749 §5.2.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

impl Challenge {
    /// `resource_metadata` is the URL of the RFC 9728 document.
    pub(crate) fn new(resource_metadata: String) -> Self {
        Self { resource_metadata }
    }

    /// 401 for a request without credentials: no error code, as nothing was wrong with what was not
    /// there (RFC 6750 §3.1).
    pub(crate) fn missing_token(&self) -> Response {
        let challenge = format!(
            "Bearer resource_metadata=\"{}\", scope=\"{}\"",
            self.resource_metadata,
            all_scopes()
        );
        let sentence = "This server needs an access token: send `Authorization: Bearer <token>`. \
                        An MCP client gets one by itself, following the resource_metadata of the \
                        WWW-Authenticate header.";
        refusal(StatusCode::UNAUTHORIZED, &challenge, "unauthorized", sentence)
    }

    /// 401 for a token that failed. `reason` completes "The access token was refused: ".
    pub(crate) fn invalid_token(&self, reason: &str) -> Response {
        let sentence = format!(
            "The access token was refused: {reason}. Get a new one from the authorization server \
             and try again."
        );
        let challenge = format!(
            "Bearer error=\"invalid_token\", error_description=\"{}\", resource_metadata=\"{}\", \
             scope=\"{}\"",
            quotable(&sentence),
            self.resource_metadata,
            all_scopes()
        );
        refusal(StatusCode::UNAUTHORIZED, &challenge, "invalid_token", &sentence)
    }

    /// The challenge of a 403 (RFC 6750 §3.1 `insufficient_scope`), which asks for what the
    /// operation needs and for what the token has already: a client that asks for exactly these does
    /// not lose one while it gets the other.
    pub(crate) fn insufficient_scope(
        &self,
        required: Permission,
        granted: Permissions,
        sentence: &str,
    ) -> HeaderValue {
        let challenge = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{}\", resource_metadata=\"{}\", \
             error_description=\"{}\"",
            scopes(granted.with(required)),
            self.resource_metadata,
            quotable(sentence)
        );
        header_value(&challenge)
    }
}

/// 503: the token could not be judged. Never 401, which would make clients throw it away.
pub(crate) fn keys_unavailable() -> Response {
    let sentence = "The authorization server's signing keys cannot be reached at the moment, so \
                    access tokens cannot be checked. Keep the token and try again in a few seconds.";
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", sentence);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    response
}

/// Scopes as OAuth writes them: separated by spaces (RFC 6749 §3.3).
pub(crate) fn scopes(permissions: Permissions) -> String {
    permissions.iter().map(Permission::scope).collect::<Vec<_>>().join(" ")
}

fn all_scopes() -> String {
    scopes(Permission::ALL.into_iter().collect())
}

fn refusal(status: StatusCode, challenge: &str, error: &str, sentence: &str) -> Response {
    let mut response = json(status, error, sentence);
    response.headers_mut().insert(WWW_AUTHENTICATE, header_value(challenge));
    response
}

fn json(status: StatusCode, error: &str, sentence: &str) -> Response {
    let body = ErrorBody { error, error_description: sentence };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
}

/// The characters that RFC 6750 §3 allows in an `error_description`; the others become `'`.
fn quotable(text: &str) -> String {
    text.chars()
        .map(|c| if matches!(c, ' '..='~') && c != '"' && c != '\\' { c } else { '\'' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge() -> Challenge {
        Challenge::new("https://h/.well-known/oauth-protected-resource/mcp".into())
    }

    fn header(response: &Response) -> &str {
        response.headers()[WWW_AUTHENTICATE].to_str().unwrap()
    }

    #[test]
    fn a_request_without_a_token_is_challenged_without_an_error() {
        let response = challenge().missing_token();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(
            header(&response),
            "Bearer resource_metadata=\"https://h/.well-known/oauth-protected-resource/mcp\", \
             scope=\"todo:read todo:write\""
        );
    }

    #[test]
    fn a_refused_token_is_challenged_with_the_reason() {
        let response = challenge().invalid_token("it has no `exp` claim");
        let header = header(&response);
        assert!(header.starts_with("Bearer error=\"invalid_token\", error_description=\"The "));
        assert!(header.contains("it has no `exp` claim"), "{header}");
    }

    #[test]
    fn a_reason_cannot_break_out_of_its_quotes() {
        let response = challenge().invalid_token("\", scope=\"admin\\\r\nSet-Cookie: ü");
        let header = header(&response);
        assert_eq!(header.matches("scope=\"").count(), 1, "{header}");
        assert_eq!(header.matches('"').count() % 2, 0, "{header}");
    }

    #[test]
    fn a_step_up_keeps_what_the_token_has() {
        let granted = Permissions::from_iter([Permission::Read]);
        let header = challenge().insufficient_scope(Permission::Write, granted, "No.");
        assert!(header.to_str().unwrap().contains("scope=\"todo:read todo:write\""));
        let none = Permissions::default();
        let header = challenge().insufficient_scope(Permission::Write, none, "No.");
        assert!(header.to_str().unwrap().contains("scope=\"todo:write\""));
    }
}
