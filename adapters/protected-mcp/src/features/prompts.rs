//! Prompts: what a person starts from a menu.

mod arguments;
mod prompt;

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

pub use arguments::{PromptArgument, PromptArguments, Suggestions};
pub(crate) use prompt::AnyPrompt;
pub use prompt::{Prompt, PromptMessage};

use super::authorization::Authorization;
use super::operation::Operation;
use crate::jsonrpc::{Error, Reply, excerpt, needs, string};
use crate::oauth::Scope as _;
use crate::observation::RequestRecord;
use crate::protocol::{CacheHints, Frame, errors};

/// The prompts of a server, in the order in which they are listed.
pub(crate) struct Prompts {
    prompts: Vec<Arc<dyn AnyPrompt>>,
    /// The `prompts` of `prompts/list`, written once for all callers.
    list: Box<RawValue>,
}

impl Prompts {
    pub(crate) fn new(prompts: Vec<Arc<dyn AnyPrompt>>) -> Self {
        let list: Vec<_> = prompts.iter().map(|prompt| prompt.definition()).collect();
        Self { list: to_raw_value(&list).unwrap_or_default(), prompts }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.prompts.is_empty()
    }

    pub(super) fn find(&self, name: &str) -> Result<&dyn AnyPrompt, Error> {
        let found = self.prompts.iter().find(|prompt| prompt.definition().name == name);
        found.map(|prompt| &**prompt).ok_or_else(|| {
            Error::invalid_params(format!("Unknown prompt: `{}`.", excerpt(name, 64)))
        })
    }

    /// Answers `prompts/list`: the same for everyone.
    pub(super) fn list(&self, operation: Operation<'_>, frame: &Frame) -> Result<Reply, Error> {
        #[derive(Serialize)]
        struct ListPromptsResult<'a> {
            prompts: &'a RawValue,
        }
        let Operation { era, request, .. } = operation;
        if request.params.cursor.is_some() {
            return Err(errors::invalid_cursor());
        }
        let result = ListPromptsResult { prompts: &self.list };
        frame.result(era, request.id, &result, Some(CacheHints::PUBLIC))
    }

    /// Answers `prompts/get`.
    pub(super) async fn get(
        &self,
        operation: Operation<'_>,
        authorization: &Authorization,
        frame: &Frame,
        record: &mut RequestRecord,
    ) -> Result<Reply, Error> {
        #[derive(Serialize)]
        struct GetPromptResult {
            description: &'static str,
            messages: Vec<PromptMessage>,
        }
        let Operation { era, request, .. } = operation;
        let name = request.params.name;
        let name = name.and_then(string).ok_or_else(|| {
            Error::invalid_params(needs("`prompts/get` needs `name`, the name of a prompt.", name))
        })?;
        let prompt = self.find(&name)?;
        let definition = prompt.definition();
        record.prompt(definition.name);
        operation.observed.name(definition.name);
        let messages = prompt.get(authorization.access(operation), request.params.arguments).await;
        let messages = messages
            .map_err(|failure| authorization.error(failure, Error::internal, operation, record))?;
        let result = GetPromptResult { description: definition.description, messages };
        frame.result(era, request.id, &result, None)
    }
}

/// A prompt without its type, and the scope that it requires.
pub(crate) fn registered<P: Prompt>(prompt: P) -> (&'static str, &'static str, Arc<dyn AnyPrompt>) {
    (P::NAME, P::Scope::NAME, Arc::new(prompt))
}
