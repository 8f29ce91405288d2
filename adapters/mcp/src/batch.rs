//! Several messages in one body, which only MCP 2025-03-26 has (JSON-RPC 2.0 §6).

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;
use todo_application::ports::Principal;

use crate::endpoint::Service;
use crate::envelope::{self, Message};
use crate::era;
use crate::methods::{self, Call};
use crate::request_log::RequestLog;
use crate::rpc::{Reply, RpcError};

/// As many messages as a client has a reason to send at once.
const MOST_MESSAGES: usize = 100;

/// How large an answer may have become, in bytes, for another request to be answered in it: a batch
/// is small and its answers may be long.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// Answers each request of a batch, in order and one after the other, as long as the answer is of a
/// bearable size. `None` if there is nothing to answer.
///
/// HTTP has one status for them all and says 200; a request that lacks a scope is told so in its own
/// answer, without a challenge, which the revision does not have either.
pub(crate) async fn answer(
    service: &Service,
    principal: &Arc<dyn Principal>,
    headers: &HeaderMap,
    messages: &[&RawValue],
    log: &mut RequestLog,
) -> Result<Option<Reply>, RpcError> {
    if !era::allows_batches(headers)? {
        return Err(RpcError::invalid_request(
            "Send one JSON-RPC message in each request: there are no batches since MCP 2025-06-18.",
        ));
    }
    if messages.is_empty() {
        return Err(RpcError::invalid_request("A batch must have at least one message."));
    }
    if messages.len() > MOST_MESSAGES {
        let message = format!("A batch may have at most {MOST_MESSAGES} messages.");
        return Err(RpcError::transport(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    log.method("batch");
    let mut replies = Vec::new();
    let full = || {
        RpcError::too_many("The answer to this batch is long enough. Send this request again.", 0)
    };
    for (index, message) in messages.iter().enumerate() {
        // The first one is counted as every request is.
        let counted = match index {
            0 => Ok(()),
            _ => service.rate_limit.check(principal.subject()),
        };
        match envelope::read_message(message.get()) {
            Ok(Message::OneWay) => {}
            Ok(Message::Request(request)) => {
                let answered = match counted.and_then(|()| era::of(&request, headers)) {
                    Ok(_) if request.method == "initialize" => Err(RpcError::invalid_request(
                        "`initialize` must not be part of a batch (MCP 2025-03-26).",
                    )),
                    Ok(_) if replies.len() > LARGEST_ANSWER => Err(full()),
                    Ok(era) => {
                        let call = Call { service, principal, era, request: &request };
                        methods::answer(call, log).await
                    }
                    Err(error) => Err(error),
                };
                let reply = answered.unwrap_or_else(|error| error.into_reply(Some(request.id)));
                reply.append_to(&mut replies);
            }
            Err((id, error)) => error.into_reply(id).append_to(&mut replies),
        }
    }
    Ok((!replies.is_empty()).then(|| Reply::batch(replies)))
}
