//! Tools without their types, so that a server can hold them in one list.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use serde::Serialize;
use serde_json::json;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use super::super::authorization::Access;
use super::super::failure::Failure;
use super::content::Content;
use super::tool::{Hints, Tool};
use super::{arguments, schema};
use crate::limits::{Share, Slot};
use crate::oauth::Scope as _;

/// When to try again a change that was not admitted.
const RETRY_AFTER_SECONDS: u32 = 5;

/// A [`Tool`] of any type.
pub(crate) trait AnyTool: Send + Sync {
    fn name(&self) -> &'static str;

    fn scope(&self) -> &'static str;

    fn definition(&self) -> Definition;

    /// Checks the scope, then the arguments (the JSON text of an object), and starts the call. One that
    /// goes on by itself keeps the share and the slot until it is done.
    fn start(
        self: Arc<Self>,
        access: Access<'_>,
        share: &Arc<Share>,
        arguments: &str,
    ) -> Result<Running, Failure>;
}

/// A call that has started.
pub(crate) enum Running {
    /// Runs while it is awaited.
    Here(Pin<Box<dyn Future<Output = Result<Content, Failure>> + Send>>),
    /// Runs to its end whether or not it is awaited: a client that goes away must not interrupt a change
    /// between storing it and announcing it.
    Spawned(JoinHandle<Result<Content, Failure>>),
}

impl Running {
    pub(super) async fn outcome(self) -> Result<Content, Failure> {
        match self {
            // A panic must not take the connection with it, nor the other requests of a batch.
            Self::Here(mut call) => {
                poll_fn(|context| {
                    let polled = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context)));
                    polled.unwrap_or_else(|_| {
                        tracing::error!("a tool panicked");
                        Poll::Ready(Err(Failure::internal()))
                    })
                })
                .await
            }
            Self::Spawned(call) => call.await.unwrap_or_else(|cause| {
                tracing::error!(%cause, "a tool did not complete");
                Err(Failure::internal())
            }),
        }
    }
}

/// A tool in `tools/list` (MCP `Tool`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Definition {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    input_schema: serde_json::Value,
    output_schema: serde_json::Value,
    annotations: Annotations,
    /// Which scope leads to the tool, for clients that ask before they call (OpenAI Apps SDK).
    security_schemes: [SecurityScheme; 1],
    /// `securitySchemes` again, where some of these clients look for it.
    #[serde(rename = "_meta")]
    meta: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct SecurityScheme {
    #[serde(rename = "type")]
    kind: &'static str,
    scopes: [&'static str; 1],
}

/// The hints, and the title again: clients of 2025-03-26 look for it only here.
#[derive(Serialize)]
struct Annotations {
    title: &'static str,
    #[serde(flatten)]
    hints: Hints,
}

/// A tool, and what is known about its type.
struct Registered<T> {
    tool: T,
    /// Whether its arguments may be a map, which would keep the last of several members of one name. A
    /// struct accepts none twice.
    is_open: bool,
}

impl<T: Tool> AnyTool for Registered<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn scope(&self) -> &'static str {
        T::Scope::NAME
    }

    fn definition(&self) -> Definition {
        let scopes = [T::Scope::NAME];
        let mut meta = match self.tool.meta() {
            Some(serde_json::Value::Object(meta)) => meta,
            _ => serde_json::Map::new(),
        };
        let schemes = json!([{ "type": "oauth2", "scopes": scopes }]);
        meta.insert("securitySchemes".to_owned(), schemes);
        Definition {
            name: T::NAME,
            title: T::TITLE,
            description: T::DESCRIPTION,
            input_schema: schema::input::<T::Arguments>(),
            output_schema: schema::output::<T::Output>(),
            annotations: Annotations { title: T::TITLE, hints: T::HINTS },
            security_schemes: [SecurityScheme { kind: "oauth2", scopes }],
            meta,
        }
    }

    fn start(
        self: Arc<Self>,
        access: Access<'_>,
        share: &Arc<Share>,
        arguments: &str,
    ) -> Result<Running, Failure> {
        let call = access.authorize::<T::Scope>()?;
        if self.is_open {
            arguments::check_repeated(arguments)?;
        }
        let arguments: T::Arguments = arguments::read(arguments)?;
        let further = self.tool.further_scopes(&arguments);
        access.check_further::<T::Scope>(further)?;
        share.note_further_units(T::further_cost(&arguments));
        let call = async move {
            let output = self.tool.call(call, arguments).await?;
            Content::write(&output, T::size_hint(&output)).map_err(|cause| {
                tracing::error!(%cause, tool = T::NAME, "a result could not be written as JSON");
                Failure::internal()
            })
        };
        Ok(if T::HINTS.read_only {
            Running::Here(Box::pin(call))
        } else {
            let (kept, observed) = ((Arc::clone(share), Slot::of(share)), access.observed.clone());
            let span = observed.span();
            let call = async move {
                let outcome = match observed.admit_change().await {
                    Ok(()) => call.await,
                    Err(sentence) => Err(Failure::unavailable(sentence, RETRY_AFTER_SECONDS)),
                };
                observed.call_ended(outcome.as_ref().err().map(Failure::code));
                drop((kept, observed));
                outcome
            };
            Running::Spawned(tokio::spawn(call.instrument(span)))
        })
    }
}

/// The name of a tool, the scope it requires, and the tool.
pub(super) fn registered<T: Tool>(tool: T) -> (&'static str, &'static str, Arc<dyn AnyTool>) {
    let is_open = schema::is_open(&schema::input::<T::Arguments>());
    (T::NAME, T::Scope::NAME, Arc::new(Registered { tool, is_open }))
}
