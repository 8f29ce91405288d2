//! What a person sees who opens the environment's URL.

use axum::extract::State;

use super::Shared;
use crate::{environment::AuthorizationServer, pages::welcome::Welcome};

pub(crate) async fn welcome(State(environment): State<Shared>) -> Welcome {
    Welcome {
        environment_url: environment.url.clone(),
        issuer: environment.issuer(AuthorizationServer::OfTheResource),
        server_url: environment.server_url.as_str().to_owned(),
        resource_id: environment.resource_id.clone(),
        auto_consent: environment.auto_consent,
    }
}
