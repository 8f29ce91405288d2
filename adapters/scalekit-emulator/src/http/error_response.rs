//! OAuth errors as JSON, for every endpoint but the authorization endpoint.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::json::JsonBody;
use crate::oauth::error::{ErrorCode, OAuthError};

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        (status(self.code), [(header::CACHE_CONTROL, "no-store")], JsonBody(self)).into_response()
    }
}

/// RFC 6749 section 5.2.
fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidClient => StatusCode::UNAUTHORIZED,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::AccessDenied
        | ErrorCode::InvalidClientMetadata
        | ErrorCode::InvalidGrant
        | ErrorCode::InvalidRedirectUri
        | ErrorCode::InvalidRequest
        | ErrorCode::InvalidScope
        | ErrorCode::InvalidTarget
        | ErrorCode::UnauthorizedClient
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::UnsupportedResponseType => StatusCode::BAD_REQUEST,
    }
}
