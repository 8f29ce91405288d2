//! Who a token speaks for (OpenID Connect Core 1.0, section 5.3), in brief.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::Shared;
use crate::identity::{LOCAL_USER, LOCAL_USER_EMAIL, LOCAL_USER_NAME};

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
struct UserInfo {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    oid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'static str>,
}

pub(crate) async fn userinfo(State(environment): State<Shared>, headers: HeaderMap) -> Response {
    let claims = bearer(&headers)
        .and_then(|token| environment.keys.read::<Claims>(token))
        .filter(|claims| environment.now() < claims.exp);
    let Some(claims) = claims else {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
        return (StatusCode::UNAUTHORIZED, challenge).into_response();
    };
    let about = |scope: &str, known| {
        let mut held =
            claims.scopes.iter().map(String::as_str).chain(claims.scope.split_ascii_whitespace());
        (claims.sub == LOCAL_USER && held.any(|held| held == scope)).then_some(known)
    };
    let info = UserInfo {
        name: about("profile", LOCAL_USER_NAME),
        email: about("email", LOCAL_USER_EMAIL),
        sub: claims.sub.clone(),
        oid: claims.oid.clone(),
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(info)).into_response()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
