use std::pin::Pin;

use serde::Serialize;
use serde_json::value::RawValue;

use super::arguments::{PromptArgument, PromptArguments};
use crate::features::authorization::{Access, Call};
use crate::features::completion::Completion;
use crate::features::failure::Failure;
use crate::features::resources::ResourceContents;
use crate::oauth::Scope;

/// Something that a person begins a conversation with.
pub trait Prompt: Send + Sync + 'static {
    /// What a token must grant. It is checked before the arguments are read.
    type Scope: Scope;

    const NAME: &'static str;
    const TITLE: &'static str;
    const DESCRIPTION: &'static str;
    const ARGUMENTS: &'static [PromptArgument];

    /// The messages that begin the conversation.
    fn messages(
        &self,
        call: Call<Self::Scope>,
        arguments: PromptArguments,
    ) -> impl Future<Output = Result<Vec<PromptMessage>, Failure>> + Send;

    /// Values for an argument with [`OfTheCaller`](super::Suggestions::OfTheCaller) that fit what was
    /// typed, the best first.
    fn complete(
        &self,
        _call: Call<Self::Scope>,
        _argument: &str,
        _typed: &str,
    ) -> impl Future<Output = Result<Completion, Failure>> + Send {
        async { Ok(Completion::default()) }
    }
}

/// One message of a conversation, said by the user (MCP `PromptMessage`).
#[derive(Debug, Serialize)]
pub struct PromptMessage {
    role: &'static str,
    content: Content,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Content {
    Text { text: String },
    Resource { resource: ResourceContents },
}

impl PromptMessage {
    pub fn text(text: impl Into<String>) -> Self {
        Self { role: "user", content: Content::Text { text: text.into() } }
    }

    /// Embeds a resource.
    pub fn resource(resource: ResourceContents) -> Self {
        Self { role: "user", content: Content::Resource { resource } }
    }
}

/// A prompt in `prompts/list` (MCP `Prompt`).
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Definition {
    pub(super) name: &'static str,
    title: &'static str,
    pub(super) description: &'static str,
    arguments: &'static [PromptArgument],
}

impl Definition {
    pub(in crate::features) fn argument(&self, name: &str) -> Option<&'static PromptArgument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }
}

type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// A [`Prompt`] of any type. Each method that asks for the caller checks the scope first.
pub(crate) trait AnyPrompt: Send + Sync {
    fn scope(&self) -> &'static str;
    fn definition(&self) -> Definition;
    fn get<'a>(
        &'a self,
        access: Access<'a>,
        arguments: Option<&'a RawValue>,
    ) -> Answering<'a, Vec<PromptMessage>>;
    fn complete<'a>(
        &'a self,
        access: Access<'a>,
        argument: &'a str,
        typed: &'a str,
    ) -> Answering<'a, Completion>;
}

impl<P: Prompt> AnyPrompt for P {
    fn scope(&self) -> &'static str {
        P::Scope::NAME
    }

    fn definition(&self) -> Definition {
        Definition {
            name: P::NAME,
            title: P::TITLE,
            description: P::DESCRIPTION,
            arguments: P::ARGUMENTS,
        }
    }

    fn get<'a>(
        &'a self,
        access: Access<'a>,
        arguments: Option<&'a RawValue>,
    ) -> Answering<'a, Vec<PromptMessage>> {
        Box::pin(async move {
            let call = access.authorize()?;
            let arguments = PromptArguments::read(P::ARGUMENTS, arguments)?;
            Prompt::messages(self, call, arguments).await
        })
    }

    fn complete<'a>(
        &'a self,
        access: Access<'a>,
        argument: &'a str,
        typed: &'a str,
    ) -> Answering<'a, Completion> {
        Box::pin(async move {
            let call = access.authorize()?;
            Prompt::complete(self, call, argument, typed).await
        })
    }
}
