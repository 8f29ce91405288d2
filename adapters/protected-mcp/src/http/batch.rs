//! Several messages in one body, which only MCP 2025-03-26 has (JSON-RPC 2.0 section 6).

use std::sync::Arc;
use std::time::Instant;

use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;
use tokio::task::yield_now;

use crate::features::{Answer, Features, Operation};
use crate::jsonrpc::{Error, Message, Reply, read_message};
use crate::limits::{Limits, Share};
use crate::oauth::Caller;
use crate::observation::{Observed, Observers, RequestRecord};
use crate::protocol::{self, Era, Params, allows_batches, era_of};

/// The most messages of a batch.
const MOST_MESSAGES: usize = 100;

/// The size of the answer, in bytes, from which on no further request of the batch is answered: a batch is
/// small and its answers may be long.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// Whether the client may send these messages at once.
pub(crate) fn check<'a>(
    headers: &HeaderMap,
    messages: Vec<&'a RawValue>,
) -> Result<Vec<&'a RawValue>, Error> {
    if !allows_batches(headers)? {
        return Err(Error::invalid_request(
            "Send one JSON-RPC message in each request: there are no batches since MCP 2025-06-18.",
        ));
    }
    if messages.is_empty() {
        return Err(Error::invalid_request("A batch must have at least one message."));
    }
    if messages.len() > MOST_MESSAGES {
        let message = format!("A batch may have at most {MOST_MESSAGES} messages.");
        return Err(Error::transport(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    Ok(messages)
}

/// Whose batch it is, and what answers it.
pub(crate) struct Batch<'a> {
    pub(crate) features: &'a Features,
    pub(crate) limits: &'a Limits,
    pub(crate) observers: &'a Observers,
    pub(crate) caller: &'a Arc<Caller>,
    pub(crate) share: &'a Arc<Share>,
    pub(crate) headers: &'a HeaderMap,
}

impl Batch<'_> {
    /// Answers the requests of a batch in order, one after the other, while the answer is within the size
    /// limit. `None` if there is nothing to answer.
    ///
    /// If the token lacks a scope that one of the requests requires whatever its arguments are, none is
    /// answered: HTTP 403 with one challenge that names the scopes of them all, so that the client steps up once and
    /// sends it again.
    pub(crate) async fn answer(
        &self,
        messages: &[&RawValue],
        record: &mut RequestRecord,
    ) -> Result<Option<Reply>, Error> {
        let Self { features, limits, observers, caller, share, headers } = *self;
        record.batch();
        let messages: Vec<Result<Message<'_, Params<'_>>, _>> =
            messages.iter().map(|message| read_message(message.get())).collect();
        let unobserved = Observed::default();
        let operations = messages.iter().filter_map(|message| match message {
            Ok(Message::Request(request)) => {
                Some(self.operation(Era::Legacy, request, &unobserved))
            }
            _ => None,
        });
        features.check_scopes(operations, record)?;
        let mut replies = Vec::new();
        for (index, message) in messages.into_iter().enumerate() {
            // The first message was counted as the request that carries them all.
            let counted = if index == 0 {
                Ok(())
            } else {
                // The answers of a batch take as long as that many requests: others are served in between.
                yield_now().await;
                let now = Instant::now();
                limits.charge(share, now);
                limits.count(share.account(), now)
            };
            let reply = match message {
                Ok(Message::OneWay) => continue,
                Ok(Message::Request(request)) => {
                    let observed = observers.begin(caller, &request, Era::Legacy, headers);
                    let era = counted
                        .and_then(|()| check_room(replies.len()))
                        .and_then(|()| check_request(&request, headers));
                    let answered = match era {
                        Ok(era) => {
                            self.answer_one(self.operation(era, &request, &observed), record).await
                        }
                        Err(error) => {
                            observed.rejected(&error);
                            let mut own = record.of_operation();
                            own.error(&error);
                            record.add(own);
                            Err(error)
                        }
                    };
                    answered.unwrap_or_else(|error| error.into_reply(Some(request.id)))
                }
                Err((id, error)) => error.into_reply(id),
            };
            replies.push(if replies.is_empty() { b'[' } else { b',' });
            replies.extend_from_slice(reply.as_json());
        }
        if replies.is_empty() {
            return Ok(None);
        }
        replies.push(b']');
        Ok(Some(Reply::of_json(StatusCode::OK, replies)))
    }

    fn operation<'a>(
        &'a self,
        era: Era,
        request: &'a protocol::Request<'a>,
        observed: &'a Observed,
    ) -> Operation<'a> {
        let Self { caller, share, headers, .. } = *self;
        Operation { era, request, caller, share, observed, host: headers.get(HOST) }
    }

    async fn answer_one(
        &self,
        operation: Operation<'_>,
        record: &mut RequestRecord,
    ) -> Result<Reply, Error> {
        match self.features.answer(operation, record).await? {
            Answer::Reply(reply) => Ok(reply),
            Answer::Stream(_) => {
                Err(Error::invalid_request("A stream must not be opened by a batch."))
            }
        }
    }
}

/// Whether another answer may be added to one of this size, in bytes.
fn check_room(answered: usize) -> Result<(), Error> {
    if answered > LARGEST_ANSWER {
        return Err(Error::too_many(
            "The answer to this batch is long enough. Send this request again.",
            0,
        ));
    }
    Ok(())
}

/// Whether a request may be part of a batch.
fn check_request(request: &protocol::Request<'_>, headers: &HeaderMap) -> Result<Era, Error> {
    let era = era_of(request, headers)?;
    if request.method == "initialize" {
        return Err(Error::invalid_request(
            "`initialize` must not be part of a batch (MCP 2025-03-26).",
        ));
    }
    Ok(era)
}
