//! `subscriptions/listen`: one long answer that announces changes of resources.
//!
//! A notification contains only that something changed, so a stream shows nothing that its caller would
//! have to be authorized for first. It ends when the access token expires, when the caller is revoked
//! before that, and when the server stops.

mod filter;

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::sleep;

use filter::Filter;

use super::authorization::Authorization;
use super::operation::Operation;
use super::resources::{AnyResources, ResourceChanges, ResourcesChanged};
use crate::clock::Clock;
use crate::json::to_json_line;
use crate::jsonrpc::Error;
use crate::oauth::Revocation;
use crate::observation::RequestRecord;

/// What every stream of a server needs.
pub(crate) struct Streams {
    pub(crate) clock: Arc<dyn Clock>,
    /// Becomes `true` when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
    /// Name, title and version of the server, for the result at the end.
    pub(crate) server_info: Box<RawValue>,
}

impl Streams {
    /// Answers `subscriptions/listen`.
    pub(super) fn listen(
        &self,
        resources: &dyn AnyResources,
        operation: Operation<'_>,
        authorization: &Authorization,
        record: &mut RequestRecord,
    ) -> Result<Listener, Error> {
        let Operation { request, caller, .. } = operation;
        let changes = resources.watch(authorization.access(operation));
        let changes = changes
            .map_err(|failure| authorization.error(failure, Error::internal, operation, record))?;
        let canonical = |uri: &str| resources.canonical_uri(uri);
        let filter = Filter::read(request.params.notifications, canonical)?;
        Ok(Listener {
            id: request.id.to_owned(),
            filter,
            changes,
            clock: Arc::clone(&self.clock),
            expires_at: caller.expires_at(),
            revocation: caller.revocation().cloned(),
            stopping: self.stopping.clone(),
            server_info: self.server_info.clone(),
            unsent: VecDeque::from([Unsent::Acknowledgement]),
            ended: false,
        })
    }
}

/// The messages of one stream.
pub(crate) struct Listener {
    id: Box<RawValue>,
    filter: Filter,
    changes: Box<dyn ResourceChanges>,
    clock: Arc<dyn Clock>,
    expires_at: SystemTime,
    revocation: Option<Revocation>,
    stopping: watch::Receiver<bool>,
    server_info: Box<RawValue>,
    unsent: VecDeque<Unsent>,
    ended: bool,
}

/// A message to be sent. Its text is written when it is sent, because a reader may be slow.
#[derive(Debug, Clone)]
enum Unsent {
    Acknowledgement,
    ListChanged,
    /// By the URI as the client wrote it.
    Updated(String),
    Result,
}

impl Listener {
    /// The next message as JSON; `None` after the last one.
    pub(crate) async fn next(&mut self) -> Option<String> {
        while self.unsent.is_empty() && !self.ended {
            let expires_in = self.expires_in();
            let stopping = async {
                // An error means that the sender is gone, and the server with it.
                let _ = self.stopping.wait_for(|stopping| *stopping).await;
            };
            let revoked = async {
                match &mut self.revocation {
                    Some(revocation) => revocation.revoked().await,
                    None => pending().await,
                }
            };
            let changed = tokio::select! {
                biased;
                () = stopping => None,
                () = revoked => None,
                () = sleep(expires_in) => None,
                changed = self.changes.next() => changed,
            };
            match changed {
                Some(changed) if !self.expires_in().is_zero() => self.enqueue(&changed),
                _ => {
                    self.ended = true;
                    self.unsent.push_back(Unsent::Result);
                }
            }
        }
        self.unsent.pop_front().map(|unsent| self.write(&unsent))
    }

    /// For how much longer the token is valid.
    fn expires_in(&self) -> Duration {
        self.expires_at.duration_since(self.clock.now()).unwrap_or_default()
    }

    fn enqueue(&mut self, changed: &ResourcesChanged) {
        if self.filter.wants_list_changes() {
            self.unsent.push_back(Unsent::ListChanged);
        }
        let updated = self.filter.resources().filter(|(canonical, _)| changed.includes(canonical));
        self.unsent.extend(updated.map(|(_, uri)| Unsent::Updated(uri.to_owned())));
    }

    fn write(&self, unsent: &Unsent) -> String {
        match unsent {
            Unsent::Acknowledgement => self.acknowledgement(),
            Unsent::ListChanged => self.notification("notifications/resources/list_changed", None),
            Unsent::Updated(uri) => self.notification("notifications/resources/updated", Some(uri)),
            Unsent::Result => self.result(),
        }
    }

    /// What will be announced; the first message of every stream.
    fn acknowledgement(&self) -> String {
        #[derive(Serialize)]
        struct Params<'a> {
            #[serde(rename = "_meta")]
            meta: Meta<'a>,
            notifications: &'a Filter,
        }
        let params = Params { meta: self.meta(), notifications: &self.filter };
        notification("notifications/subscriptions/acknowledged", &params)
    }

    fn notification(&self, method: &'static str, uri: Option<&str>) -> String {
        #[derive(Serialize)]
        struct Params<'a> {
            #[serde(rename = "_meta")]
            meta: Meta<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            uri: Option<&'a str>,
        }
        notification(method, &Params { meta: self.meta(), uri })
    }

    /// The answer to the request itself; the last message of every stream.
    fn result(&self) -> String {
        #[derive(Serialize)]
        struct Response<'a> {
            jsonrpc: &'static str,
            id: &'a RawValue,
            result: ListenResult<'a>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct ListenResult<'a> {
            result_type: &'static str,
            #[serde(rename = "_meta")]
            meta: ResultMeta<'a>,
        }
        #[derive(Serialize)]
        struct ResultMeta<'a> {
            #[serde(rename = "io.modelcontextprotocol/subscriptionId")]
            subscription_id: &'a RawValue,
            #[serde(rename = "io.modelcontextprotocol/serverInfo")]
            server_info: &'a RawValue,
        }
        let meta = ResultMeta { subscription_id: &self.id, server_info: &self.server_info };
        let result = ListenResult { result_type: "complete", meta };
        json(&Response { jsonrpc: "2.0", id: &self.id, result })
    }

    fn meta(&self) -> Meta<'_> {
        Meta { subscription_id: &self.id }
    }
}

/// Every message of a stream carries the id of the request that opened it.
#[derive(Serialize)]
struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/subscriptionId")]
    subscription_id: &'a RawValue,
}

fn notification(method: &'static str, params: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Notification<'a, P> {
        jsonrpc: &'static str,
        method: &'static str,
        params: &'a P,
    }
    json(&Notification { jsonrpc: "2.0", method, params })
}

fn json(message: &impl Serialize) -> String {
    // Strings and numbers in memory can always be written.
    to_json_line(message).unwrap_or_default()
}
