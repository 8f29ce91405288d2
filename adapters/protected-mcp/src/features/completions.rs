//! Completion: values for an argument that a person has begun to type.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::authorization::Authorization;
use super::completion::Completion;
use super::failure::Failure;
use super::operation::Operation;
use super::prompts::{Prompts, Suggestions};
use super::resources::{AnyResources, TemplateVariable};
use crate::jsonrpc::{Error, Reply, excerpt, needs, object};
use crate::observation::RequestRecord;
use crate::protocol::{Frame, Params};

/// How much of the typed text is used, in characters.
const LONGEST: usize = 500;

/// What is being filled in (MCP `PromptReference`, `ResourceTemplateReference`).
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Reference<'a> {
    #[serde(rename = "ref/prompt")]
    Prompt {
        #[serde(borrow)]
        name: Cow<'a, str>,
    },
    #[serde(rename = "ref/resource")]
    Resource {
        #[serde(borrow)]
        uri: Cow<'a, str>,
    },
}

/// Which argument of it, and what was typed.
#[derive(Deserialize)]
struct Argument<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

/// The scope that a completion requires, if it depends on the caller.
pub(super) fn required_scope(
    prompts: &Prompts,
    resources: Option<&dyn AnyResources>,
    params: &Params<'_>,
) -> Option<&'static str> {
    let argument: Argument<'_> = object(params.argument?).ok()?;
    match object(params.reference?).ok()? {
        Reference::Prompt { name } => {
            let prompt = prompts.find(&name).ok()?;
            match prompt.definition().argument(&argument.name)?.suggestions {
                Suggestions::Fixed(_) => None,
                Suggestions::OfTheCaller => Some(prompt.scope()),
            }
        }
        Reference::Resource { .. } => resources.map(AnyResources::scope),
    }
}

/// Answers `completion/complete`.
pub(super) async fn complete(
    prompts: &Prompts,
    resources: Option<&dyn AnyResources>,
    operation: Operation<'_>,
    authorization: &Authorization,
    frame: &Frame,
    record: &mut RequestRecord,
) -> Result<Reply, Error> {
    #[derive(Serialize)]
    struct CompleteResult {
        completion: Completion,
    }
    let Operation { era, request, .. } = operation;
    let access = authorization.access(operation);
    let reference = request.params.reference;
    let reference = reference.and_then(|raw| object(raw).ok()).ok_or_else(|| {
        let need = "`completion/complete` needs `ref`: a `ref/prompt` with a `name` or a \
                    `ref/resource` with a `uri`.";
        Error::invalid_params(needs(need, reference))
    })?;
    let argument = request.params.argument;
    let argument: Argument<'_> = argument.and_then(|raw| object(raw).ok()).ok_or_else(|| {
        let need = "`completion/complete` needs `argument` with a `name` and a `value`, both \
                        strings.";
        Error::invalid_params(needs(need, argument))
    })?;
    let typed = excerpt(&argument.value, LONGEST);
    let unknown = || {
        let argument = excerpt(&argument.name, 64);
        Error::invalid_params(format!("There is no argument `{argument}` to complete."))
    };
    let completion: Result<Completion, Failure> = match &reference {
        Reference::Prompt { name } => {
            let prompt = prompts.find(name)?;
            let argument = prompt.definition().argument(&argument.name).ok_or_else(unknown)?;
            match argument.suggestions {
                Suggestions::Fixed(values) => Ok(starting_with(&typed, values)),
                Suggestions::OfTheCaller => prompt.complete(access, argument.name, &typed).await,
            }
        }
        Reference::Resource { uri } => {
            let resources = resources.ok_or_else(unknown)?;
            let templates = resources.templates();
            let Some(template) = templates.iter().find(|template| template.uri_template == *uri)
            else {
                let known: Vec<_> =
                    templates.iter().map(|it| format!("`{}`", it.uri_template)).collect();
                return Err(Error::invalid_params(format!(
                    "`ref` must name a resource template: there is {}.",
                    known.join(", ")
                )));
            };
            if !template.has_variable(&argument.name) {
                return Err(unknown());
            }
            let variable =
                TemplateVariable { uri_template: template.uri_template, variable: &argument.name };
            resources.complete(access, variable, &typed).await
        }
    };
    let completion = completion
        .map_err(|failure| authorization.error(failure, Error::internal, operation, record))?;
    operation.share.note_looked_at(completion.bytes_looked_at());
    frame.result(era, request.id, &CompleteResult { completion }, None)
}

/// The values that begin with what was typed, whatever its case.
fn starting_with(typed: &str, values: &[&str]) -> Completion {
    let typed = typed.trim_start().to_lowercase();
    let fitting = values.iter().filter(|value| value.to_lowercase().starts_with(&typed));
    Completion::new(fitting.map(|value| (*value).to_owned()), false)
}
