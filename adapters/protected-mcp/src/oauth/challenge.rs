//! RFC 6750 challenges: what leads a caller without the right token to one.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode};

use super::{PublicUrl, Scopes};
use crate::jsonrpc::Error;

/// Writes the challenges of one protected resource.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    public_url: PublicUrl,
    /// Every scope of the resource.
    scopes: Vec<&'static str>,
    /// What nearly every request without a token gets, written once: strangers send as many as they like.
    missing_token: HeaderValue,
}

impl Challenge {
    /// `scopes` is every scope of the resource.
    pub(crate) fn new(public_url: PublicUrl, scopes: Vec<&'static str>) -> Self {
        let missing_token = missing_token(&public_url, &scopes);
        Self { public_url, scopes, missing_token }
    }

    /// The URL of the RFC 9728 document, for a request to this host.
    fn resource_metadata(&self, host: Option<&HeaderValue>) -> String {
        self.public_url.as_requested(host).resource_metadata()
    }

    /// 401 for a request without credentials: without an error code (RFC 6750 section 3.1).
    pub(crate) fn missing_token(&self, host: Option<&HeaderValue>) -> Error {
        let challenge = match self.public_url.as_requested(host) {
            Cow::Borrowed(_) => self.missing_token.clone(),
            Cow::Owned(requested) => missing_token(&requested, &self.scopes),
        };
        let sentence = "This server needs an access token: send `Authorization: Bearer <token>`. \
                        An MCP client gets one by itself, following the resource_metadata of the \
                        WWW-Authenticate header.";
        Error::oauth(StatusCode::UNAUTHORIZED, "unauthorized", sentence)
            .with_challenge(challenge)
            .with_log_code("missing_token")
    }

    /// 401 for a token that was rejected. `reason` completes "The access token was refused: ".
    pub(crate) fn invalid_token(&self, reason: &str, host: Option<&HeaderValue>) -> Error {
        let sentence = format!(
            "The access token was refused: {reason}. Get a new one from the authorization server \
             and try again."
        );
        let challenge = format!(
            "Bearer error=\"invalid_token\", error_description=\"{}\", resource_metadata=\"{}\", \
             scope=\"{}\"",
            quotable(&sentence),
            self.resource_metadata(host),
            self.scopes.join(" ")
        );
        Error::oauth(StatusCode::UNAUTHORIZED, "invalid_token", sentence)
            .with_challenge(header_value(&challenge))
    }

    /// 403 for a caller who may do nothing here although the token is valid.
    ///
    /// None of the codes of RFC 6750 section 3.1 is true of it. `invalid_token`, with its 401, would make
    /// clients log in again, and get a token that is refused again, for ever; `insufficient_scope` would
    /// make them ask for scopes. So the challenge, which section 3 requires of every refusal, has no
    /// code; RFC 9110 section 15.5.4 tells clients not to repeat such a request by themselves.
    pub(crate) fn forbidden(
        &self,
        sentence: Cow<'static, str>,
        host: Option<&HeaderValue>,
    ) -> Error {
        let challenge = format!("Bearer resource_metadata=\"{}\"", self.resource_metadata(host));
        Error::oauth(StatusCode::FORBIDDEN, "forbidden", sentence)
            .with_challenge(header_value(&challenge))
    }

    /// The challenge of a 403 (RFC 6750 section 3.1 `insufficient_scope`). It asks for all that is
    /// `required`, and for the scopes of this resource among `granted`.
    pub(crate) fn insufficient_scope(
        &self,
        required: &[&'static str],
        granted: Option<&Scopes>,
        sentence: &str,
        host: Option<&HeaderValue>,
    ) -> HeaderValue {
        let is_granted = |scope: &str| granted.is_some_and(|granted| granted.contains(scope));
        let is_asked_for = |scope: &&str| required.contains(scope) || is_granted(scope);
        let mut scopes: Vec<_> = self.scopes.iter().copied().filter(is_asked_for).collect();
        scopes.extend(required.iter().filter(|scope| !self.scopes.contains(scope)));
        let challenge = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{}\", resource_metadata=\"{}\", \
             error_description=\"{}\"",
            scopes.join(" "),
            self.resource_metadata(host),
            quotable(sentence)
        );
        header_value(&challenge)
    }
}

/// 503 for a token that cannot be verified. Not 401, which would make clients discard it.
pub(super) fn keys_unavailable() -> Error {
    unverified(
        "The authorization server's signing keys cannot be reached at the moment, so access tokens \
         cannot be checked. Keep the token and try again in a few seconds.",
        5,
    )
    .with_log_code("keys_unavailable")
}

/// The same, for want of time.
pub(super) fn overloaded() -> Error {
    unverified(
        "This server checks as many new access tokens at the moment as it can. Keep the token and try \
         again in a second.",
        1,
    )
    .with_log_code("overloaded_verification")
}

/// `retry_after` is how long a client should wait, in seconds.
fn unverified(sentence: &'static str, retry_after: u32) -> Error {
    Error::oauth(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", sentence)
        .retry_after(retry_after)
}

fn missing_token(public_url: &PublicUrl, scopes: &[&str]) -> HeaderValue {
    let resource_metadata = public_url.resource_metadata();
    header_value(&format!(
        "Bearer resource_metadata=\"{resource_metadata}\", scope=\"{}\"",
        scopes.join(" ")
    ))
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
}

/// Replaces the characters that RFC 6750 section 3 does not allow in an `error_description` by `'`.
fn quotable(text: &str) -> String {
    text.chars()
        .map(|c| if matches!(c, ' '..='~') && c != '"' && c != '\\' { c } else { '\'' })
        .collect()
}

#[cfg(test)]
mod tests {
    use axum::http::header::WWW_AUTHENTICATE;

    use super::*;

    fn challenge() -> Challenge {
        Challenge::new("https://h".parse().unwrap(), vec!["notes:read", "notes:write"])
    }

    /// Status and challenge of the answer.
    fn answer(error: Error) -> (StatusCode, String) {
        let response = error.into_response(None);
        let challenge = response.headers()[WWW_AUTHENTICATE].to_str().unwrap().to_owned();
        (response.status(), challenge)
    }

    #[test]
    fn a_request_without_a_token_is_challenged_without_an_error_code() {
        let challenge = "Bearer resource_metadata=\"https://h/.well-known/oauth-protected-resource/mcp\", \
                         scope=\"notes:read notes:write\"";
        let expected = (StatusCode::UNAUTHORIZED, challenge.to_owned());
        assert_eq!(answer(self::challenge().missing_token(None)), expected);
    }

    #[test]
    fn a_rejected_token_is_challenged_with_the_reason() {
        let (_, header) = answer(challenge().invalid_token("it has no `exp` claim", None));
        assert!(header.starts_with("Bearer error=\"invalid_token\", error_description=\"The "));
        assert!(header.contains("it has no `exp` claim"), "{header}");
    }

    #[test]
    fn a_reason_cannot_escape_its_quotes() {
        let reason = "\", scope=\"admin\\\r\nSet-Cookie: ü";
        let (_, header) = answer(challenge().invalid_token(reason, None));
        assert_eq!(header.matches("scope=\"").count(), 1, "{header}");
        assert_eq!(header.matches('"').count() % 2, 0, "{header}");
    }

    #[test]
    fn a_step_up_keeps_the_scopes_that_the_token_has() {
        let asked_for = |required: &[&'static str], granted: Option<&str>| {
            let granted = granted.map(Scopes::from);
            let challenge = challenge();
            let header = challenge.insufficient_scope(required, granted.as_ref(), "No.", None);
            header.to_str().unwrap().to_owned()
        };
        let both = "scope=\"notes:read notes:write\"";
        assert!(asked_for(&["notes:write"], Some("openid notes:read")).contains(both));
        assert!(asked_for(&["notes:write"], Some("openid")).contains("scope=\"notes:write\""));
        assert!(asked_for(&["notes:write"], None).contains("scope=\"notes:write\""));
        assert!(asked_for(&["notes:write", "notes:read"], None).contains(both));
        let further = asked_for(&["notes:read", "notes:export"], None);
        assert!(further.contains("scope=\"notes:read notes:export\""), "{further}");
    }
}
