//! Dynamic client registration (RFC 7591), with the fields of Scalekit's answer.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::Shared;
use crate::{
    environment::Environment,
    identifiers::{identifier, unguessable},
    oauth::{
        client_name,
        error::{ErrorCode, OAuthError},
        redirect_uri::RedirectUri,
        scope::Scopes,
    },
    quirks::Registration,
    state::{fingerprint::Fingerprint, records::RegisteredClient},
};

const MOST_REDIRECT_URIS: usize = 20;

/// What a client says of itself. Scalekit ignores every other field, and so does this.
#[derive(Debug, Deserialize)]
pub(crate) struct ClientMetadata {
    client_name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    scope: Option<String>,
    #[serde(default)]
    token_endpoint_auth_method: AuthenticationMethod,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AuthenticationMethod {
    #[default]
    None,
    ClientSecretPost,
    ClientSecretBasic,
}

/// Scalekit's client object, and the three RFC 7591 fields that it lacks and clients like to see.
#[derive(Serialize)]
struct ClientInformation {
    client_id: String,
    secrets: Vec<SecretInformation>,
    name: String,
    description: String,
    create_time: String,
    update_time: String,
    scopes: Vec<String>,
    audience: Vec<String>,
    custom_claims: [&'static str; 0],
    /// Seconds. A string, as protobuf JSON writes 64-bit integers.
    expiry: String,
    resource_id: String,
    redirect_uris: Vec<RedirectUri>,
    #[serde(flatten)]
    secret: Option<IssuedSecret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<String>,
    token_endpoint_auth_method: AuthenticationMethod,
    client_id_issued_at: i64,
}

#[derive(Serialize)]
struct SecretInformation {
    id: String,
    create_time: String,
}

#[derive(Serialize)]
struct IssuedSecret {
    client_secret: String,
    /// Never.
    client_secret_expires_at: i32,
}

/// Registers a client and answers 201 once it is on disk, where registration is open.
pub(crate) async fn register(
    State(environment): State<Shared>,
    metadata: Result<Json<ClientMetadata>, JsonRejection>,
) -> Response {
    match environment.quirks.current().registration {
        Registration::Open => add(&environment, metadata).await.into_response(),
        Registration::NotFound => super::not_found().await,
        Registration::Forbidden => {
            let error = OAuthError::new(ErrorCode::AccessDenied, "clients cannot register here");
            let no_store = [(header::CACHE_CONTROL, "no-store")];
            (StatusCode::FORBIDDEN, no_store, Json(error)).into_response()
        }
    }
}

/// # Errors
///
/// `invalid_redirect_uri`, `invalid_client_metadata` (RFC 7591 section 3.2.2).
async fn add(
    environment: &Environment,
    metadata: Result<Json<ClientMetadata>, JsonRejection>,
) -> Result<impl IntoResponse, OAuthError> {
    let Json(metadata) = metadata.map_err(|rejection| {
        OAuthError::new(ErrorCode::InvalidClientMetadata, rejection.body_text())
    })?;
    let confidential = metadata.token_endpoint_auth_method != AuthenticationMethod::None;
    let redirect_uris = redirect_uris(&metadata.redirect_uris)?;
    if redirect_uris.is_empty() && !confidential {
        return Err(OAuthError::new(
            ErrorCode::InvalidRedirectUri,
            "a client without a secret needs a redirect URI",
        ));
    }

    let secret = confidential.then(unguessable);
    let client = RegisteredClient {
        client_id: identifier("m2m"),
        name: metadata.client_name.as_deref().and_then(client_name::presentable),
        redirect_uris,
        secret: secret.as_deref().map(Fingerprint::of),
        registered_at: environment.now(),
    };
    let kept = client.clone();
    environment
        .ledger
        .change(move |records| {
            records.add_client(kept);
            Ok(())
        })
        .await?;
    tracing::debug!(client_id = client.client_id, "registered a client");

    let created = jiff::Timestamp::from_second(client.registered_at).unwrap_or_default();
    let scopes = match &metadata.scope {
        Some(asked) => Scopes::parse(asked).known(),
        None => Scopes::of_the_resource(),
    };
    let information = ClientInformation {
        secrets: secret
            .iter()
            .map(|_| SecretInformation { id: identifier("sks"), create_time: created.to_string() })
            .collect(),
        name: client.display_name().to_owned(),
        description: metadata.description.unwrap_or_default(),
        create_time: created.to_string(),
        update_time: created.to_string(),
        scopes: scopes.to_names(),
        audience: vec![environment.server_url.as_str().to_owned(), environment.resource_id.clone()],
        custom_claims: [],
        expiry: environment.token_lifetime().to_string(),
        resource_id: environment.resource_id.clone(),
        redirect_uris: client.redirect_uris,
        secret: secret
            .map(|client_secret| IssuedSecret { client_secret, client_secret_expires_at: 0 }),
        client_name: client.name,
        token_endpoint_auth_method: metadata.token_endpoint_auth_method,
        client_id_issued_at: client.registered_at,
        client_id: client.client_id,
    };
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, no_store, Json(information)))
}

fn redirect_uris(written: &[String]) -> Result<Vec<RedirectUri>, OAuthError> {
    let refused = |description| OAuthError::new(ErrorCode::InvalidRedirectUri, description);
    if written.len() > MOST_REDIRECT_URIS {
        return Err(refused(format!("more than {MOST_REDIRECT_URIS} redirect URIs")));
    }
    written
        .iter()
        .enumerate()
        .map(|(index, uri)| {
            RedirectUri::parse(uri)
                .map_err(|problem| refused(format!("`redirect_uris[{index}]` {problem}")))
        })
        .collect()
}
