//! `POST /mcp`: one request, from the socket to the answer.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::header::{ALLOW, HOST};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use axum::response::Response;

use super::hosts::AllowedHosts;
use super::limits::Limits;
use super::origins::AllowedOrigins;
use super::{batch, body, events, media_types};
use crate::features::{Answer, Features, Operation};
use crate::jsonrpc::{Error, Message, Payload, Reply, read};
use crate::oauth::{Authentication, Caller};
use crate::protocol::{self, check_version, era_of};
use crate::record::RequestRecord;

/// The MCP endpoint.
pub(crate) struct Endpoint {
    pub(crate) hosts: AllowedHosts,
    pub(crate) origins: AllowedOrigins,
    pub(crate) authentication: Authentication,
    pub(crate) limits: Limits,
    pub(crate) features: Features,
}

impl Endpoint {
    /// Answers a POST request.
    pub(crate) async fn post(&self, request: Request<Body>) -> Response {
        let started = Instant::now();
        let mut record = RequestRecord::default();
        let (parts, mut body) = request.into_parts();
        let answered = self.answer(&parts.headers, &parts.uri, &mut body, &mut record).await;
        let response = answered.unwrap_or_else(|response| response);
        body::discard(&mut body).await;
        record.log(response.status(), started.elapsed());
        response
    }

    /// Answers a request with another method. There is no stream to open and no session to end.
    pub(crate) fn not_post(&self, headers: &HeaderMap, uri: &Uri) -> Response {
        if let Err(denied) = self.check_access(headers, uri) {
            return denied.into_response(None);
        }
        let message = "Send MCP messages with POST. This server has no sessions and no GET stream.";
        let mut response =
            Error::transport(StatusCode::METHOD_NOT_ALLOWED, message).into_response(None);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST, OPTIONS"));
        response
    }

    /// Whether the request addresses this server, and comes from where requests may come from.
    fn check_access(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Error> {
        self.hosts.check(headers, uri)?;
        self.origins.check(headers)
    }

    /// The way of a request: access, header size, caller, rate, media types, body, message, answer.
    async fn answer(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
        body: &mut Body,
        record: &mut RequestRecord,
    ) -> Result<Response, Response> {
        let without_id = |error: Error| error.into_response(None);

        self.check_access(headers, uri).map_err(without_id)?;
        body::check_header_size(headers).map_err(without_id)?;
        let caller = self.authentication.caller(headers).await.map_err(without_id)?;
        record.caller(&caller);
        self.limits.rate.check(&caller).map_err(without_id)?;
        media_types::check(headers).map_err(without_id)?;
        let body = body::read(body).await.map_err(without_id)?;

        match read(&body).map_err(|(id, error)| error.into_response(id))? {
            Payload::One(Message::OneWay) => {
                check_version(headers).map_err(without_id)?;
                Ok(accepted())
            }
            Payload::One(Message::Request(request)) => {
                let answered = async {
                    let _slot = self.limits.in_flight.begin(record)?;
                    self.answer_request(&caller, headers, &request, record).await
                };
                answered.await.map_err(|error| error.into_response(Some(request.id)))
            }
            Payload::Batch(messages) => {
                let _slot = self.limits.in_flight.begin(record).map_err(without_id)?;
                let (features, rate) = (&self.features, &self.limits.rate);
                let answered =
                    batch::answer(features, rate, &caller, headers, &messages, record).await;
                Ok(answered.map_err(without_id)?.map_or_else(accepted, Reply::into_response))
            }
        }
    }

    async fn answer_request(
        &self,
        caller: &Arc<Caller>,
        headers: &HeaderMap,
        request: &protocol::Request<'_>,
        record: &mut RequestRecord,
    ) -> Result<Response, Error> {
        record.method(&request.method);
        let era = era_of(request, headers)?;
        let operation = Operation { era, request, caller, host: headers.get(HOST) };
        match self.features.answer(operation, record).await? {
            Answer::Reply(reply) => Ok(reply.into_response()),
            Answer::Stream(listener) => {
                media_types::check_accepts_events(headers)?;
                let permit = self.limits.streams.take(caller, record)?;
                Ok(events::response(listener, permit))
            }
        }
    }
}

/// HTTP 202, for messages that have no answer.
fn accepted() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}
