//! Completion: what somebody may mean who has begun to type.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use todo_application::domain::Todo;
use todo_application::ports::Principal;
use todo_application::{Prefix, UseCaseError};

use crate::endpoint::Service;
use crate::envelope::object;
use crate::failure;
use crate::methods::Call;
use crate::prompts::{self, Suggested};
use crate::request_log::RequestLog;
use crate::resources::{TODO_TEMPLATE, TODOS};
use crate::rpc::{Reply, RpcError};
use crate::server_info::ResultFrame;

/// As many values as the protocol allows in one answer.
const MOST_VALUES: usize = 100;

/// How much of what was typed is looked at, in characters: no title is longer.
const LONGEST: usize = todo_application::domain::Title::MAX_CHARACTERS;

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

/// Which part of it, and what was typed.
#[derive(Deserialize)]
struct Argument<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

/// The values, the best first (MCP `CompleteResult.completion`).
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Completion {
    values: Vec<String>,
    has_more: bool,
}

/// Answers `completion/complete`.
pub(crate) async fn complete(call: Call<'_>, log: &mut RequestLog) -> Result<Reply, RpcError> {
    #[derive(Serialize)]
    struct CompleteResult {
        completion: Completion,
        #[serde(flatten)]
        frame: ResultFrame,
    }
    let Call { service, era, request, .. } = call;
    let principal = call.caller();
    let reference = request.params.reference.and_then(|raw| object(raw).ok()).ok_or_else(|| {
        RpcError::invalid_params(
            "`completion/complete` needs `ref`: a `ref/prompt` with a `name` or a `ref/resource` \
             with a `uri`.",
        )
    })?;
    let argument: Argument<'_> =
        request.params.argument.and_then(|raw| object(raw).ok()).ok_or_else(|| {
            RpcError::invalid_params(
                "`completion/complete` needs `argument` with a `name` and a `value`, both strings.",
            )
        })?;
    let typed: String = argument.value.chars().take(LONGEST).collect();

    let completed = match suggested(&reference, &argument.name)? {
        Source::Fixed(values) => Ok(fixed(values, &typed)),
        Source::Todos(write) => todos(service, principal, &typed, write).await,
    };
    let completion =
        completed.map_err(|error| failure::refuse(service, error, RpcError::internal, log))?;
    let frame = ResultFrame::of(era);
    Ok(Reply::result(request.id, &CompleteResult { completion, frame }))
}

/// Where values come from.
enum Source {
    /// The same for everyone.
    Fixed(&'static [&'static str]),
    /// The caller's open todos whose title fits, written so.
    Todos(fn(&Todo) -> String),
}

fn suggested(reference: &Reference<'_>, argument: &str) -> Result<Source, RpcError> {
    let unknown = || {
        let argument: String = argument.chars().take(64).collect();
        RpcError::invalid_params(format!("There is no argument `{argument}` to complete."))
    };
    match reference {
        Reference::Prompt { name } => {
            let prompt = prompts::find(name).ok_or_else(|| prompts::unknown(name))?;
            match prompt.argument(argument).ok_or_else(unknown)?.suggestions {
                Suggested::These(values) => Ok(Source::Fixed(values)),
                Suggested::Titles => Ok(Source::Todos(|todo| todo.title().as_str().to_owned())),
            }
        }
        Reference::Resource { uri } if *uri == TODO_TEMPLATE => match argument {
            "id" => Ok(Source::Todos(|todo| todo.id().to_string())),
            _ => Err(unknown()),
        },
        Reference::Resource { uri } if *uri == TODOS => Err(unknown()),
        Reference::Resource { .. } => Err(RpcError::invalid_params(format!(
            "`ref` must name a resource template: there is `{TODO_TEMPLATE}`."
        ))),
    }
}

fn fixed(values: &[&str], typed: &str) -> Completion {
    let typed = typed.trim_start().to_lowercase();
    let fitting = values.iter().filter(|value| value.to_lowercase().starts_with(&typed));
    Completion { values: fitting.map(|value| (*value).to_owned()).collect(), has_more: false }
}

async fn todos(
    service: &Service,
    principal: &dyn Principal,
    typed: &str,
    write: fn(&Todo) -> String,
) -> Result<Completion, UseCaseError> {
    let prefix = Prefix::from(typed);
    let suggestions = service.todos.suggest(principal, &prefix, MOST_VALUES).await?;
    let mut values = Vec::with_capacity(suggestions.todos.len());
    for value in suggestions.todos.iter().map(write) {
        // Two todos may have one title, which helps nobody twice.
        if !values.contains(&value) {
            values.push(value);
        }
    }
    Ok(Completion { values, has_more: suggestions.more })
}
