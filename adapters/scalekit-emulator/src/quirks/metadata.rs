//! Deviations of the discovery documents and of registration.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::selection::{Cimd, Quirks, Registration};
use crate::json::JsonBody;
use crate::metadata::{AuthorizationServerMetadata, OpenidConfiguration};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::scope::OFFLINE_ACCESS;
use crate::urls::{AuthorizationServer, Urls};

/// `is_old_form`: that of before the migration.
pub(super) fn apply(
    quirks: &Quirks,
    is_old_form: bool,
    metadata: &AuthorizationServerMetadata,
    urls: &Urls,
) -> Value {
    let mut document = json!(metadata);
    if is_old_form {
        let issuer = urls.issuer(AuthorizationServer::OfTheEnvironment);
        document["authorization_endpoint"] = json!(format!("{issuer}/oauth/authorize"));
        document["token_endpoint"] = json!(format!("{issuer}/oauth/token"));
        document["issuer"] = json!(issuer);
    }
    if quirks.registration != Registration::Open {
        remove(&mut document, "registration_endpoint");
    }
    document["client_id_metadata_document_supported"] = json!(quirks.cimd == Cimd::On);
    reduce_capabilities(quirks, document)
}

pub(super) fn apply_to_configuration(
    quirks: &Quirks,
    configuration: &OpenidConfiguration,
) -> Value {
    reduce_capabilities(quirks, json!(configuration))
}

pub(super) fn registration_response(registration: Registration) -> Option<Response> {
    match registration {
        Registration::Open => None,
        Registration::NotFound => Some(StatusCode::NOT_FOUND.into_response()),
        Registration::Forbidden => {
            let error = OAuthError::new(ErrorCode::AccessDenied, "clients cannot register here");
            let no_store = [(header::CACHE_CONTROL, "no-store")];
            Some((StatusCode::FORBIDDEN, no_store, JsonBody(error)).into_response())
        }
    }
}

fn reduce_capabilities(quirks: &Quirks, mut document: Value) -> Value {
    if quirks.metadata_without_s256 {
        remove(&mut document, "code_challenge_methods_supported");
    }
    if quirks.metadata_without_offline_access
        && let Some(Value::Array(scopes)) = document.get_mut("scopes_supported")
    {
        scopes.retain(|scope| scope != OFFLINE_ACCESS);
    }
    document
}

fn remove(document: &mut Value, field: &str) {
    if let Value::Object(fields) = document {
        fields.remove(field);
    }
}
