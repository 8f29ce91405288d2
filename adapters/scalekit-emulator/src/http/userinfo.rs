//! The user of a token (OpenID Connect Core 1.0 section 5.3), with few claims.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::environment::SharedEnvironment;
use crate::json::JsonBody;

#[derive(Clone, Deserialize)]
struct Claims {
    sub: String,
    oid: Option<String>,
    exp: i64,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    scopes: Vec<String>,
}

#[derive(Serialize)]
struct UserInfo<'a> {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    oid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

pub(crate) async fn userinfo(
    State(environment): State<SharedEnvironment>,
    headers: HeaderMap,
) -> Response {
    let claims = bearer(&headers)
        .and_then(|token| environment.keys.read::<Claims>(token))
        .filter(|claims| environment.now() < claims.exp);
    let Some(claims) = claims else {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
        return (StatusCode::UNAUTHORIZED, challenge).into_response();
    };
    let user = &environment.user;
    let with_scope = |scope: &str, value| {
        let mut granted =
            claims.scopes.iter().map(String::as_str).chain(claims.scope.split_ascii_whitespace());
        (claims.sub == user.subject && granted.any(|granted| granted == scope)).then_some(value)
    };
    let info = UserInfo {
        name: with_scope("profile", user.name.as_str()),
        email: with_scope("email", user.email.as_str()),
        sub: claims.sub.clone(),
        oid: claims.oid.clone(),
    };
    ([(header::CACHE_CONTROL, "no-store")], JsonBody(info)).into_response()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
