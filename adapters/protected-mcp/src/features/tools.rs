//! Tools: what a model calls.

mod arguments;
mod content;
mod integer;
mod registered;
mod schema;
mod tool;

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use content::Content;
pub use content::PreparedJson;
pub use integer::Integer;
pub(crate) use registered::AnyTool;
use registered::Running;
pub use tool::{Hints, Tool};

use super::authorization::Authorization;
use super::operation::Operation;
use crate::jsonrpc::{Error, Reply, excerpt, is_object, needs, string};
use crate::observation::RequestRecord;
use crate::protocol::{CacheHints, Frame, errors};

/// The tools of a server, in the order in which they are listed.
pub(crate) struct Tools {
    tools: Vec<Arc<dyn AnyTool>>,
    /// The `tools` of `tools/list`, written once for all callers.
    list: Box<RawValue>,
}

impl Tools {
    pub(crate) fn new(tools: Vec<Arc<dyn AnyTool>>) -> Self {
        let list: Vec<_> = tools.iter().map(|tool| tool.definition()).collect();
        Self { list: to_raw_value(&list).unwrap_or_default(), tools }
    }

    pub(super) fn find(&self, name: &str) -> Option<&Arc<dyn AnyTool>> {
        self.tools.iter().find(|tool| tool.name() == name)
    }

    /// Answers `tools/list`. A tool that the token does not allow is listed, and calling it leads to the
    /// scope it requires.
    pub(super) fn list(&self, operation: Operation<'_>, frame: &Frame) -> Result<Reply, Error> {
        #[derive(Serialize)]
        struct ListToolsResult<'a> {
            tools: &'a RawValue,
        }
        let Operation { era, request, .. } = operation;
        // The list has one page, so every cursor is invalid.
        if request.params.cursor.is_some() {
            return Err(errors::invalid_cursor());
        }
        let result = ListToolsResult { tools: &self.list };
        frame.result(era, request.id, &result, Some(CacheHints::PUBLIC))
    }

    /// Answers `tools/call`.
    pub(super) async fn call(
        &self,
        operation: Operation<'_>,
        authorization: &Authorization,
        frame: &Frame,
        record: &mut RequestRecord,
    ) -> Result<Reply, Error> {
        let Operation { era, request, share, observed, .. } = operation;
        let name = request.params.name;
        let name = name.and_then(string).ok_or_else(|| {
            Error::invalid_params(needs("`tools/call` needs `name`, the name of a tool.", name))
        })?;
        let Some(tool) = self.find(&name) else {
            let name = excerpt(&name, 64);
            return Err(Error::invalid_params(format!("Unknown tool: `{name}`.")));
        };
        record.tool(tool.name());
        observed.name(tool.name());
        let arguments = match request.params.arguments {
            Some(arguments) if is_object(arguments) => arguments.get(),
            None => "{}",
            Some(arguments) if arguments.get() == "null" => "{}",
            Some(_) => return Err(Error::invalid_params("`arguments` must be an object.")),
        };
        let started = Arc::clone(tool).start(authorization.access(operation), share, arguments);
        let may_change = matches!(started, Ok(Running::Spawned(_)));
        let outcome = match started {
            Ok(running) => {
                let _turn = if may_change { None } else { share.turn_to_read().await };
                running.outcome().await
            }
            Err(failure) => Err(failure),
        };
        let (content, is_error, meta) = match outcome {
            Ok(content) => (content, false, None),
            Err(failure) => {
                let (failure, meta) = authorization.tool_failure(failure, operation, record)?;
                let content = Content::write(&failure, 512).map_err(|_| Error::internal())?;
                (content, true, meta)
            }
        };
        let write = |json: &mut Vec<u8>| {
            content.append_result(is_error, json);
            Ok(())
        };
        let reply =
            frame.write(era, request.id, content.result_size(), write, None, meta.as_deref())?;
        Ok(if may_change { reply.reporting_a_change() } else { reply })
    }

    /// Calls every tool with the same arguments, without a request.
    #[cfg(feature = "fuzzing")]
    pub(crate) async fn call_each(
        &self,
        authorization: &Authorization,
        caller: &Arc<crate::oauth::Caller>,
        arguments: &str,
    ) -> Vec<Result<String, String>> {
        let mut outcomes = Vec::new();
        let share = crate::limits::Share::unlimited();
        let observed = &crate::observation::Observed::default();
        let access = super::authorization::Access { authorization, caller, observed };
        for tool in &self.tools {
            let started = Arc::clone(tool).start(access, &share, arguments);
            let outcome = match started {
                Ok(running) => running.outcome().await,
                Err(failure) => Err(failure),
            };
            let outcome = outcome.map(Content::into_string);
            outcomes.push(outcome.map_err(|failure| failure.sentence().to_owned()));
        }
        outcomes
    }
}

/// A tool without its types.
pub(crate) fn registered(tool: impl Tool) -> (&'static str, &'static str, Arc<dyn AnyTool>) {
    registered::registered(tool)
}
