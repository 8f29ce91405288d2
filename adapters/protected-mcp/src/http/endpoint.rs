//! `POST /mcp`: one request, from the socket to the answer.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{ALLOW, HOST};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use axum::response::Response;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::batch::{self, Batch};
use super::connections::{Busy, Connection};
use super::events::Kept;
use super::hosts::AllowedHosts;
use super::origins::AllowedOrigins;
use super::page::Page;
use super::{body, events, media_types};
use crate::features::{Answer, Features, Operation};
use crate::jsonrpc::{Error, Message, Payload, Reply, read};
use crate::limits::{Limits, Scarce, Share, Slot, overload};
use crate::oauth::{Authentication, Caller};
use crate::observation::{Observers, RequestRecord};
use crate::protocol::{self, check_version, era_of};
use crate::readiness::Draining;

/// The MCP endpoint.
pub(crate) struct Endpoint {
    pub(crate) hosts: AllowedHosts,
    pub(crate) origins: AllowedOrigins,
    pub(crate) authentication: Authentication,
    pub(crate) limits: Limits,
    pub(crate) features: Features,
    pub(crate) observers: Observers,
    pub(crate) page: Arc<Page>,
    pub(crate) draining: Arc<Draining>,
}

impl Endpoint {
    /// Answers a POST request.
    pub(crate) async fn post(
        &self,
        request: Request<Body>,
        connection: Option<&Arc<Connection>>,
    ) -> Response {
        let mut record = RequestRecord::default();
        let started = Instant::now();
        let (parts, mut body) = request.into_parts();
        let arriving = Arriving { headers: &parts.headers, uri: &parts.uri, connection, started };
        let answered = self.answer(arriving, &mut body, &mut record).await;
        let response = answered.unwrap_or_else(|response| response);
        body::discard(&mut body, &parts.headers).await;
        self.answered(&record, &response, started);
        response
    }

    /// Answers a request with another method. There is no stream to open and no session to end.
    pub(crate) fn not_post(&self, method: &Method, headers: &HeaderMap, uri: &Uri) -> Response {
        let mut record = RequestRecord::of_http(method, uri);
        let started = Instant::now();
        let response = if let Err(denied) = self.check_access(headers, uri) {
            refuse(&mut record, denied, None)
        } else {
            let mut response = self.page.or_error(StatusCode::METHOD_NOT_ALLOWED, headers, || {
                "Send MCP messages with POST. This server has no sessions and no GET stream.".into()
            });
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST, OPTIONS"));
            response
        };
        self.answered(&record, &response, started);
        response
    }

    fn answered(&self, record: &RequestRecord, response: &Response, started: Instant) {
        let elapsed = started.elapsed();
        record.log(response.status(), elapsed);
        self.observers.answered(record, response.status(), elapsed);
    }

    /// Whether the request addresses this server, and comes from where requests may come from.
    fn check_access(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Error> {
        self.hosts.check(headers, uri)?;
        self.origins.check(headers)
    }

    /// The way of a request: access, caller, rate, media types, body, message, answer.
    async fn answer(
        &self,
        arriving: Arriving<'_>,
        body: &mut Body,
        record: &mut RequestRecord,
    ) -> Result<Response, Response> {
        let (caller, share) =
            self.admit(arriving, record).await.map_err(|error| refuse(record, error, None))?;
        let _charge = Charge { limits: &self.limits, share: &share, started: arriving.started };
        self.answer_admitted(arriving, &caller, &share, body, record).await
    }

    async fn answer_admitted(
        &self,
        arriving: Arriving<'_>,
        caller: &Arc<Caller>,
        share: &Arc<Share>,
        body: &mut Body,
        record: &mut RequestRecord,
    ) -> Result<Response, Response> {
        let headers = arriving.headers;
        let body = body::read(body, share, arriving.started).await;
        let body = body.map_err(|error| refuse(record, error, None))?;
        match read(&body) {
            Err((id, error)) => Err(refuse(record, error, id)),
            Ok(Payload::One(Message::OneWay)) => {
                let checked = check_version(headers);
                checked.map(|()| accepted()).map_err(|error| refuse(record, error, None))
            }
            Ok(Payload::One(Message::Request(request))) => {
                let answered = async {
                    let _work = self.begin(arriving, share).await?;
                    self.answer_request(arriving, caller, share, &request, record).await
                };
                answered.await.map_err(|error| refuse(record, error, Some(request.id)))
            }
            Ok(Payload::Batch(messages)) => {
                let answered = async {
                    // Before it waits: a body of 1 MiB may be a list of half a million.
                    let messages = batch::check(headers, messages)?;
                    let _work = self.begin(arriving, share).await?;
                    let batch = Batch {
                        features: &self.features,
                        limits: &self.limits,
                        observers: &self.observers,
                        caller,
                        share,
                        headers,
                    };
                    batch.answer(&messages, record).await
                };
                let reply = answered.await.map_err(|error| refuse(record, error, None))?;
                Ok(reply.map_or_else(accepted, |reply| held(reply, share)))
            }
        }
    }

    /// Waits for a place at work, and keeps the connection for as long.
    async fn begin(
        &self,
        arriving: Arriving<'_>,
        share: &Arc<Share>,
    ) -> Result<(Slot, Option<Busy>), Error> {
        let slot = self.limits.begin(share).await?;
        Ok((slot, arriving.keep_busy()?))
    }

    /// Whether the request may be read: who calls, and what is held for it from now on.
    async fn admit(
        &self,
        arriving: Arriving<'_>,
        record: &mut RequestRecord,
    ) -> Result<(Arc<Caller>, Arc<Share>), Error> {
        let Arriving { headers, uri, connection, started } = arriving;
        self.check_access(headers, uri)?;
        let caller = self.authentication.caller(headers).await?;
        record.caller(&caller);
        let share = self.limits.admit(&caller, started.into_std())?;
        if let Some(connection) = connection {
            connection.is_of(share.account());
        }
        media_types::check(headers)?;
        Ok((caller, share))
    }

    async fn answer_request(
        &self,
        arriving: Arriving<'_>,
        caller: &Arc<Caller>,
        share: &Arc<Share>,
        request: &protocol::Request<'_>,
        record: &mut RequestRecord,
    ) -> Result<Response, Error> {
        let headers = arriving.headers;
        record.method(&request.method);
        let era = era_of(request, headers)?;
        let observed = &self.observers.begin(caller, request, era, headers);
        let operation =
            Operation { era, request, caller, share, observed, host: headers.get(HOST) };
        match self.features.answer(operation, record).await? {
            Answer::Reply(reply) => Ok(held(reply, share)),
            Answer::Stream(listener) => {
                let kept = self.keep_stream(arriving, share);
                if let Err(error) = &kept {
                    observed.rejected(error);
                }
                Ok(events::response(listener, kept?))
            }
        }
    }

    /// What a stream keeps, if it may be opened.
    fn keep_stream(&self, arriving: Arriving<'_>, share: &Arc<Share>) -> Result<Kept, Error> {
        media_types::check_accepts_events(arriving.headers)?;
        let permit = self.limits.admit_stream(share)?;
        Ok(Kept { _permit: permit, _share: Arc::clone(share), busy: arriving.keep_busy()? })
    }
}

/// Charges a request when it is answered, or when the client goes away before: a call may go on by itself.
struct Charge<'a> {
    limits: &'a Limits,
    share: &'a Share,
    started: Instant,
}

impl Drop for Charge<'_> {
    fn drop(&mut self) {
        self.limits.charge(self.share, self.started.into_std());
    }
}

/// A request whose body may still be on its way.
#[derive(Clone, Copy)]
struct Arriving<'a> {
    headers: &'a HeaderMap,
    uri: &'a Uri,
    /// `None` if it came in another way.
    connection: Option<&'a Arc<Connection>>,
    started: Instant,
}

impl Arriving<'_> {
    /// Keeps the connection from being closed to make room for another.
    fn keep_busy(&self) -> Result<Option<Busy>, Error> {
        let kept =
            |it: &Arc<Connection>| it.keep_busy().ok_or_else(|| overload(Scarce::Connections));
        self.connection.map(kept).transpose()
    }
}

/// The response to a request that is not answered with a result.
fn refuse(record: &mut RequestRecord, error: Error, id: Option<&RawValue>) -> Response {
    record.error(&error);
    error.into_response(id)
}

/// The response, whose bytes stay counted until the client has taken the last of them.
fn held(reply: Reply, share: &Arc<Share>) -> Response {
    reply.map_json(|json| Arc::clone(share).hold(json)).into_response()
}

/// HTTP 202, for messages that have no answer.
fn accepted() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}
