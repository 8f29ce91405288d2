//! What a server offers, and the methods by which a client asks for it.

mod authorization;
mod completion;
mod completions;
mod failure;
mod lifecycle;
mod operation;
pub(crate) mod prompts;
pub(crate) mod resources;
mod subscriptions;
pub(crate) mod tools;

use std::sync::Arc;

pub(crate) use authorization::{Authorization, BeyondScopes};
pub use authorization::{Call, ScopeDenial};
pub use completion::Completion;
pub use failure::Failure;
pub(crate) use lifecycle::Lifecycle;
pub(crate) use operation::Operation;
pub(crate) use prompts::{AnyPrompt, Prompts};
pub(crate) use resources::AnyResources;
pub(crate) use subscriptions::{Listener, Streams};
pub(crate) use tools::Tools;
use tracing::Instrument as _;

use crate::jsonrpc::{Error, Reply, string};
use crate::observation::RequestRecord;
use crate::protocol::{Era, Frame, Method, errors};

/// Everything that a server offers.
pub(crate) struct Features {
    pub(crate) tools: Tools,
    pub(crate) resources: Option<Arc<dyn AnyResources>>,
    pub(crate) prompts: Prompts,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) streams: Streams,
    pub(crate) authorization: Authorization,
    /// Of every result but that of `server/discover`.
    pub(crate) frame: Frame,
    /// Of `server/discover`, with the complete description of the server.
    pub(crate) discovery_frame: Frame,
}

/// The answer to a request.
pub(crate) enum Answer {
    Reply(Reply),
    /// Messages over time, the last of which is the response.
    Stream(Box<Listener>),
}

impl Features {
    /// Fails if the caller lacks a scope that one of the operations requires, with all that they require.
    pub(crate) fn check_scopes<'a>(
        &self,
        operations: impl Iterator<Item = Operation<'a>> + Clone,
        record: &mut RequestRecord,
    ) -> Result<(), Error> {
        let mut required = Vec::new();
        for scope in operations.clone().filter_map(|operation| self.required_scope(operation)) {
            if !required.contains(&scope) {
                required.push(scope);
            }
        }
        let error = operations
            .take(1)
            .find_map(|operation| self.authorization.batch_error(operation, &required, record));
        error.map_or(Ok(()), Err)
    }

    /// The scope that an operation requires whatever its arguments are. `None` if it requires none, or
    /// does not exist.
    fn required_scope(&self, operation: Operation<'_>) -> Option<&'static str> {
        let params = &operation.request.params;
        let resources = self.resources.as_deref();
        match Method::of(&operation.request.method)? {
            Method::ToolsCall => self.tools.find(&string(params.name?)?).map(|tool| tool.scope()),
            Method::PromptsGet => {
                self.prompts.find(&string(params.name?)?).ok().map(AnyPrompt::scope)
            }
            Method::ResourcesList | Method::ResourcesRead => resources.map(AnyResources::scope),
            Method::CompletionComplete => {
                completions::required_scope(&self.prompts, resources, params)
            }
            Method::ToolsList
            | Method::ResourcesTemplatesList
            | Method::PromptsList
            | Method::ServerDiscover
            | Method::SubscriptionsListen
            | Method::Initialize
            | Method::LoggingSetLevel
            | Method::Ping => None,
        }
    }

    /// Answers one request. A method that is not here is not advertised, and is answered with -32601.
    pub(crate) async fn answer(
        &self,
        operation: Operation<'_>,
        record: &mut RequestRecord,
    ) -> Result<Answer, Error> {
        let mut own = record.of_operation();
        let span = operation.observed.span();
        let answer = self.answer_observed(operation, &mut own).instrument(span).await;
        operation.observed.answered(&own, &answer);
        own.trace_id(operation.observed.trace_id());
        record.add(own);
        answer
    }

    async fn answer_observed(
        &self,
        operation: Operation<'_>,
        record: &mut RequestRecord,
    ) -> Result<Answer, Error> {
        let Self { tools, prompts, lifecycle, authorization, frame, .. } = self;
        let unknown = || errors::method_not_found(operation.era, &operation.request.method);
        let resources = || self.resources.as_deref().ok_or_else(unknown);
        let prompts = || if prompts.is_empty() { Err(unknown()) } else { Ok(prompts) };
        let method = Method::of(&operation.request.method).ok_or_else(unknown)?;
        // A tool may change something, which takes no turn; the others read nothing.
        let reads = matches!(
            method,
            Method::ResourcesRead
                | Method::ResourcesList
                | Method::PromptsGet
                | Method::CompletionComplete
        );
        let _turn = if reads { operation.share.turn_to_read().await } else { None };
        let reply = match (operation.era, method) {
            (_, Method::ToolsCall) => tools.call(operation, authorization, frame, record).await,
            (_, Method::ToolsList) => tools.list(operation, frame),
            (_, Method::ResourcesRead) => {
                resources::read(resources()?, operation, authorization, frame, record).await
            }
            (_, Method::ResourcesList) => {
                resources::list(resources()?, operation, authorization, frame, record).await
            }
            (_, Method::ResourcesTemplatesList) => {
                resources::templates(resources()?, operation, frame)
            }
            (_, Method::PromptsGet) => {
                prompts()?.get(operation, authorization, frame, record).await
            }
            (_, Method::PromptsList) => prompts()?.list(operation, frame),
            (_, Method::CompletionComplete) if lifecycle.has_resources || lifecycle.has_prompts => {
                let resources = self.resources.as_deref();
                let prompts = &self.prompts;
                completions::complete(prompts, resources, operation, authorization, frame, record)
                    .await
            }
            (Era::Modern, Method::ServerDiscover) => {
                lifecycle.discover(operation, &self.discovery_frame)
            }
            (Era::Modern, Method::SubscriptionsListen) => {
                let streams = &self.streams;
                let listener = streams.listen(resources()?, operation, authorization, record)?;
                return Ok(Answer::Stream(Box::new(listener)));
            }
            (Era::Legacy, Method::Initialize) => lifecycle.initialize(operation, frame),
            (Era::Legacy, Method::LoggingSetLevel) => lifecycle::set_log_level(operation, frame),
            (Era::Legacy, Method::Ping) => lifecycle::ping(operation, frame),
            _ => Err(unknown()),
        };
        let reply = reply?;
        let size = reply.as_json().len();
        if reply.reports_a_change() {
            operation.share.add(size);
        } else {
            operation.share.grow(size)?;
        }
        Ok(Answer::Reply(reply))
    }
}
