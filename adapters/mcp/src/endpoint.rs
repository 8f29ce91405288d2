//! `POST /mcp`: one request, from the socket to the answer.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use axum::response::Response;
use serde_json::value::RawValue;
use todo_application::Todos;
use todo_application::ports::{AuthorizationServer, Principal, Readiness, TokenVerifier};
use tokio::sync::watch;

use crate::access::{AccessDenied, AllowedHosts, AllowedOrigins};
use crate::challenge::Challenge;
use crate::discovery::ProtectedResource;
use crate::envelope::{self, Message, Payload};
use crate::failure::ScopeDenial;
use crate::in_flight::InFlight;
use crate::methods::{self, Call};
use crate::rate_limit::RateLimit;
use crate::request_log::RequestLog;
use crate::rpc::{Reply, RpcError};
use crate::subscriptions::{self, StreamLimit};
use crate::tools::Catalog;
use crate::{batch, bearer, body, era};

/// Everything that answering needs, made once.
pub(crate) struct Service {
    pub(crate) todos: Arc<Todos>,
    pub(crate) verifier: Arc<dyn TokenVerifier>,
    pub(crate) authorization_server: Arc<dyn AuthorizationServer>,
    pub(crate) readiness: Vec<Arc<dyn Readiness>>,
    pub(crate) resource: ProtectedResource,
    pub(crate) challenge: Challenge,
    pub(crate) hosts: AllowedHosts,
    pub(crate) origins: AllowedOrigins,
    pub(crate) scope_denial: ScopeDenial,
    pub(crate) tools: Catalog,
    pub(crate) prompts: Box<RawValue>,
    pub(crate) introduction: Box<RawValue>,
    pub(crate) rate_limit: RateLimit,
    pub(crate) in_flight: InFlight,
    pub(crate) streams: StreamLimit,
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Service {
    /// Whether the request is meant for this server and may come from where it comes from.
    pub(crate) fn check_access(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), AccessDenied> {
        self.hosts.check(headers, uri)?;
        self.origins.check(headers)
    }
}

/// The handler of the route.
pub(crate) async fn post(State(service): State<Arc<Service>>, request: Request<Body>) -> Response {
    let started = Instant::now();
    let mut log = RequestLog::default();
    let (parts, mut body) = request.into_parts();
    let answered = answer(&service, &parts.headers, &parts.uri, &mut body, &mut log).await;
    let response = answered.unwrap_or_else(|refusal| refusal);
    body::discard(&mut body).await;
    log.write(response.status(), started.elapsed());
    response
}

/// Every other method on the route. There is no stream to open and no session to end.
pub(crate) async fn not_post(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    if let Err(denied) = service.check_access(&headers, &uri) {
        return RpcError::forbidden(denied.to_string()).into_response(None);
    }
    let message = "Send MCP messages with POST. This server has no sessions and no GET stream.";
    let mut response =
        RpcError::transport(StatusCode::METHOD_NOT_ALLOWED, message).into_response(None);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    response
}

async fn answer(
    service: &Service,
    headers: &HeaderMap,
    uri: &Uri,
    body: &mut Body,
    log: &mut RequestLog,
) -> Result<Response, Response> {
    let without_id = |error: RpcError| error.into_response(None);

    service
        .check_access(headers, uri)
        .map_err(|denied| without_id(RpcError::forbidden(denied.to_string())))?;
    body::check_header_size(headers).map_err(without_id)?;
    let principal = bearer::authenticate(headers, &*service.verifier, &service.challenge).await?;
    log.caller(&principal);
    service.rate_limit.check(principal.subject()).map_err(without_id)?;
    body::check_media_types(headers).map_err(without_id)?;
    let body = body::read(body).await.map_err(without_id)?;

    match envelope::read(&body).map_err(|(id, error)| error.into_response(id))? {
        Payload::One(Message::OneWay) => {
            era::check_version(headers).map_err(without_id)?;
            Ok(accepted())
        }
        Payload::One(Message::Request(request)) => {
            let answered = async {
                let _permit = service.in_flight.begin(log)?;
                answer_request(service, &principal, headers, &request, log).await
            };
            answered.await.map_err(|error| error.into_response(Some(request.id)))
        }
        Payload::Batch(messages) => {
            let _permit = service.in_flight.begin(log).map_err(without_id)?;
            let answered = batch::answer(service, &principal, headers, &messages, log).await;
            Ok(answered.map_err(without_id)?.map_or_else(accepted, Reply::into_response))
        }
    }
}

async fn answer_request(
    service: &Service,
    principal: &Arc<dyn Principal>,
    headers: &HeaderMap,
    request: &envelope::Request<'_>,
    log: &mut RequestLog,
) -> Result<Response, RpcError> {
    log.method(&request.method);
    let era = era::of(request, headers)?;
    let call = Call { service, principal, era, request };
    if subscriptions::is_listen(call) {
        body::check_accepts_events(headers)?;
        return subscriptions::listen(call, log);
    }
    methods::answer(call, log).await.map(Reply::into_response)
}

/// There is nothing to answer.
fn accepted() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}
