//! `subscriptions/listen`: one long answer that tells of changes as they are made.
//!
//! Each notification says that something changed and not what became of it, so a stream shows
//! nothing that its caller would have to be allowed to see first. It ends when the access token
//! does, and when the server stops.

mod filter;
mod stream_limit;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::Serialize;
use serde_json::value::RawValue;
use todo_application::Watch;
use todo_application::ports::Changed;
use tokio::sync::watch;
use tokio::time::sleep;

use filter::Filter;
pub(crate) use stream_limit::StreamLimit;
use stream_limit::{MOST_STREAMS, StreamPermit};

use crate::era::Era;
use crate::failure;
use crate::methods::Call;
use crate::request_log::RequestLog;
use crate::resources::ResourceUri;
use crate::rpc::RpcError;
use crate::server_info::{SERVER_INFO, ServerInfo};

/// How often something is sent where nothing happens, so that no proxy takes the stream for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Whether the request asks for a stream.
pub(crate) fn is_listen(call: Call<'_>) -> bool {
    call.era == Era::Modern && call.request.method == "subscriptions/listen"
}

/// Answers `subscriptions/listen`.
pub(crate) fn listen(call: Call<'_>, log: &mut RequestLog) -> Result<Response, RpcError> {
    let Call { service, request, .. } = call;
    let principal = call.caller();
    let filter = Filter::read(request.params.notifications)?;
    let watch = service.todos.watch(principal);
    let watch = watch.map_err(|error| failure::refuse(service, error, RpcError::internal, log))?;
    let permit = service.streams.take(principal.subject()).ok_or_else(|| {
        log.code("too_many_streams");
        let message =
            format!("You have {MOST_STREAMS} open streams already. Close one, or share one.");
        RpcError::too_many(message, 1)
    })?;

    let listener = Listener {
        id: request.id.to_owned(),
        filter,
        watch,
        stopping: service.stopping.clone(),
        unsent: VecDeque::from([Unsent::Acknowledgement]),
        ended: false,
        _permit: permit,
    };
    let events = stream::unfold(listener, |mut listener| async {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("still here");
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // nginx would collect events until a buffer is full.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    response.headers_mut().insert(unbuffered, HeaderValue::from_static("no"));
    Ok(response)
}

/// One who listens.
struct Listener {
    id: Box<RawValue>,
    filter: Filter,
    watch: Watch,
    stopping: watch::Receiver<bool>,
    unsent: VecDeque<Unsent>,
    ended: bool,
    _permit: StreamPermit,
}

/// What is still to be sent. It is written when it is sent: a reader may be slow.
#[derive(Debug, Clone, Copy)]
enum Unsent {
    Acknowledgement,
    ListChanged,
    Updated(ResourceUri),
    Result,
}

impl Listener {
    /// The next event; `None` after the last one.
    async fn next(&mut self) -> Option<Event> {
        while self.unsent.is_empty() && !self.ended {
            let stopping = async {
                // An error means that nobody is there to say so, and all is over as well.
                let _ = self.stopping.wait_for(|stopping| *stopping).await;
            };
            let expired = sleep(self.watch.expires_in());
            let changed = tokio::select! {
                biased;
                () = stopping => None,
                () = expired => None,
                changed = self.watch.next() => changed,
            };
            if let Some(changed) = changed {
                self.take_note(&changed);
            } else {
                self.ended = true;
                self.unsent.push_back(Unsent::Result);
            }
        }
        self.unsent.pop_front().map(|unsent| self.write(unsent))
    }

    fn take_note(&mut self, changed: &Changed) {
        if self.filter.wants_list_changes() {
            self.unsent.push_back(Unsent::ListChanged);
        }
        let concerned = self.filter.resources().filter(|uri| match uri {
            ResourceUri::Todos => true,
            ResourceUri::Todo(id) => changed.includes(*id),
        });
        self.unsent.extend(concerned.map(Unsent::Updated));
    }

    fn write(&self, unsent: Unsent) -> Event {
        match unsent {
            Unsent::Acknowledgement => self.acknowledgement(),
            Unsent::ListChanged => self.notification("notifications/resources/list_changed", None),
            Unsent::Updated(uri) => {
                let uri = self.filter.text_of(uri);
                self.notification("notifications/resources/updated", uri)
            }
            Unsent::Result => self.result(),
        }
    }

    /// What will be told, before anything is.
    fn acknowledgement(&self) -> Event {
        #[derive(Serialize)]
        struct Params<'a> {
            #[serde(rename = "_meta")]
            meta: Meta<'a>,
            notifications: &'a Filter,
        }
        let params = Params { meta: self.meta(), notifications: &self.filter };
        notification("notifications/subscriptions/acknowledged", &params)
    }

    fn notification(&self, method: &'static str, uri: Option<&str>) -> Event {
        #[derive(Serialize)]
        struct Params<'a> {
            #[serde(rename = "_meta")]
            meta: Meta<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            uri: Option<&'a str>,
        }
        notification(method, &Params { meta: self.meta(), uri })
    }

    /// The answer to the request itself, which is the last thing on its stream.
    fn result(&self) -> Event {
        #[derive(Serialize)]
        struct Answer<'a> {
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
            #[serde(flatten)]
            subscription: Meta<'a>,
            #[serde(rename = "io.modelcontextprotocol/serverInfo")]
            server_info: ServerInfo,
        }
        let meta = ResultMeta { subscription: self.meta(), server_info: SERVER_INFO };
        let result = ListenResult { result_type: "complete", meta };
        event(&Answer { jsonrpc: "2.0", id: &self.id, result })
    }

    fn meta(&self) -> Meta<'_> {
        Meta { subscription_id: &self.id }
    }
}

/// What every message of a stream carries: the id of the request that opened it.
#[derive(Serialize)]
struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/subscriptionId")]
    subscription_id: &'a RawValue,
}

fn notification(method: &'static str, params: &impl Serialize) -> Event {
    #[derive(Serialize)]
    struct Notification<'a, P> {
        jsonrpc: &'static str,
        method: &'static str,
        params: &'a P,
    }
    event(&Notification { jsonrpc: "2.0", method, params })
}

fn event(message: &impl Serialize) -> Event {
    // Writing strings and numbers to memory has no way to fail.
    Event::default().data(serde_json::to_string(message).unwrap_or_default())
}
