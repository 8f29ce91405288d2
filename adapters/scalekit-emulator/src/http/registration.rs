//! Dynamic client registration (RFC 7591), with the fields of Scalekit's response.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::origin;
use crate::behavior::Behavior as _;
use crate::environment::{Environment, SharedEnvironment};
use crate::identifiers::{identifier, unguessable};
use crate::json::JsonBody;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::scope::Scopes;
use crate::state::fingerprint::Fingerprint;
use crate::state::records::{RegisteredClient, presentable_name};

const MOST_REDIRECT_URIS: usize = 20;

/// Of all redirect URIs of a client together, in bytes.
const LONGEST_REDIRECT_URIS: usize = 8000;

/// The request of a client. Other fields are ignored, as by Scalekit.
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

/// Scalekit's client object, and the three RFC 7591 fields that it lacks and some clients expect.
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

/// Registers a client and responds with 201 once it is on disk. A website gets 403: it could register
/// clients without end while a person looks at its page.
pub(crate) async fn register(
    State(environment): State<SharedEnvironment>,
    headers: HeaderMap,
    metadata: Result<Json<ClientMetadata>, JsonRejection>,
) -> Response {
    if !origin::is_of_this_machine(&headers) {
        let error = OAuthError::new(
            ErrorCode::AccessDenied,
            "the local Scalekit registers no clients for websites: register from a program on this \
             computer, or from a page on localhost",
        );
        let no_store = [(header::CACHE_CONTROL, "no-store")];
        return (StatusCode::FORBIDDEN, no_store, JsonBody(error)).into_response();
    }
    match environment.behavior.registration_response() {
        Some(response) => response,
        None => add(&environment, metadata).await.into_response(),
    }
}

/// Fails with `invalid_redirect_uri` or `invalid_client_metadata` (RFC 7591 section 3.2.2).
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
        name: metadata.client_name.as_deref().and_then(presentable_name),
        redirect_uris,
        secret: secret.as_deref().map(Fingerprint::of),
        registered_at: environment.now(),
        is_used: false,
    };
    let kept = client.clone();
    environment
        .ledger
        .change(move |records| {
            records.add_client(kept);
            Ok(())
        })
        .await?;
    tracing::debug!(client_id = client.client_id, "client registered");

    let created = jiff::Timestamp::from_second(client.registered_at).unwrap_or_default();
    let scopes = match &metadata.scope {
        Some(requested) => environment.scopes.known(&Scopes::parse(requested)),
        None => environment.scopes.of_the_resource(),
    };
    let urls = &environment.urls;
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
        audience: vec![urls.server.as_str().to_owned(), urls.resource_id.clone()],
        custom_claims: [],
        expiry: environment.behavior.token_lifetime().to_string(),
        resource_id: urls.resource_id.clone(),
        redirect_uris: client.redirect_uris,
        secret: secret
            .map(|client_secret| IssuedSecret { client_secret, client_secret_expires_at: 0 }),
        client_name: client.name,
        token_endpoint_auth_method: metadata.token_endpoint_auth_method,
        client_id_issued_at: client.registered_at,
        client_id: client.client_id,
    };
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, no_store, JsonBody(information)))
}

fn redirect_uris(written: &[String]) -> Result<Vec<RedirectUri>, OAuthError> {
    let invalid = |description| OAuthError::new(ErrorCode::InvalidRedirectUri, description);
    if written.len() > MOST_REDIRECT_URIS {
        return Err(invalid(format!("more than {MOST_REDIRECT_URIS} redirect URIs")));
    }
    if written.iter().map(String::len).sum::<usize>() > LONGEST_REDIRECT_URIS {
        return Err(invalid(format!(
            "the redirect URIs exceed {LONGEST_REDIRECT_URIS} bytes in all"
        )));
    }
    written
        .iter()
        .enumerate()
        .map(|(index, uri)| {
            RedirectUri::parse(uri)
                .map_err(|problem| invalid(format!("`redirect_uris[{index}]` {problem}")))
        })
        .collect()
}
