//! The tools: one registry, one file for each.
//!
//! To add one: write `tools/<name>.rs` with a unit struct that implements [`Tool`], put it into
//! [`TOOLS`], and draw it an icon (`icons.rs`). The tests take the list from the server, so they will
//! ask for an expectation for each persona; `README.md` walks through an example.

mod arguments;
mod create_todo;
mod delete_todo;
mod get_todo;
mod integer;
mod list_todos;
mod result;
mod schema;
mod update_todo;
mod view;

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use todo_application::Todos;
use todo_application::domain::{Action, Permission};
use todo_application::ports::Principal;

pub(crate) use arguments::{Arguments, InvalidArgument};
pub(crate) use result::{Payload, result};
pub(crate) use view::{OneTodo, TodoList, TodoView};

use crate::envelope::{is_object, string};
use crate::failure::{self, ToolError};
use crate::icons::{Icon, Icons};
use crate::methods::Call;
use crate::request_log::RequestLog;
use crate::rpc::{Reply, RpcError};

/// Every tool, in the order in which it is listed.
static TOOLS: [&dyn Tool; 5] = [
    &list_todos::ListTodos,
    &get_todo::GetTodo,
    &create_todo::CreateTodo,
    &update_todo::UpdateTodo,
    &delete_todo::DeleteTodo,
];

/// Something that a model can do.
#[async_trait::async_trait]
trait Tool: Sync {
    /// What the caller wants to do by calling it; its permission is checked before its arguments.
    fn action(&self) -> Action;

    /// How it is listed.
    fn definition(&self) -> Definition;

    /// Does it. The payload becomes the structured content and, word for word, the text.
    async fn call(
        &self,
        todos: &Todos,
        principal: &dyn Principal,
        arguments: Arguments<'_>,
    ) -> Result<Payload, ToolError>;
}

/// A tool as its file describes it.
struct Definition {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    input_schema: serde_json::Value,
    output_schema: serde_json::Value,
    annotations: Annotations,
}

/// A tool as `tools/list` shows it (MCP `Tool`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    input_schema: serde_json::Value,
    output_schema: serde_json::Value,
    annotations: ListedAnnotations,
    icons: [Icon; 1],
}

/// Annotations with the title: clients of 2025-03-26 look for it only here.
#[derive(Serialize)]
struct ListedAnnotations {
    title: &'static str,
    #[serde(flatten)]
    hints: Annotations,
}

impl Definition {
    fn listed(self, icons: &Icons) -> Listed {
        let Self { name, title, description, input_schema, output_schema, annotations } = self;
        let annotations = ListedAnnotations { title, hints: annotations };
        let icons = icons.for_tool(name);
        Listed { name, title, description, input_schema, output_schema, annotations, icons }
    }
}

/// What a client may assume about a tool (MCP `ToolAnnotations`). Every hint is given, because the
/// defaults are the opposite of what most of ours need.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the protocol has four hints")]
struct Annotations {
    read_only_hint: bool,
    destructive_hint: bool,
    idempotent_hint: bool,
    open_world_hint: bool,
}

impl Annotations {
    /// It only looks.
    const READS: Self = Self {
        read_only_hint: true,
        destructive_hint: false,
        idempotent_hint: true,
        open_world_hint: false,
    };
    /// It adds, and once more with each call.
    const ADDS: Self = Self {
        read_only_hint: false,
        destructive_hint: false,
        idempotent_hint: false,
        open_world_hint: false,
    };
    /// It replaces or removes what was there; a second call finds nothing more to do.
    const REPLACES: Self = Self {
        read_only_hint: false,
        destructive_hint: true,
        idempotent_hint: true,
        open_world_hint: false,
    };
}

/// Every tool with its place in the list, ready to be called.
pub(crate) struct Catalog {
    tools: Vec<(&'static str, &'static dyn Tool)>,
    json: Box<RawValue>,
}

impl Catalog {
    /// Writes the definitions, once for all callers.
    pub(crate) fn new(icons: &Icons) -> Self {
        let list = TOOLS.map(|tool| tool.definition().listed(icons));
        let tools = list.iter().map(|tool| tool.name).zip(TOOLS).collect();
        Self { tools, json: to_raw_value(&list).unwrap_or_default() }
    }

    /// The list of definitions.
    pub(crate) fn as_json(&self) -> &RawValue {
        &self.json
    }

    fn find(&self, name: &str) -> Option<(&'static str, &'static dyn Tool)> {
        self.tools.iter().copied().find(|(known, _)| *known == name)
    }
}

/// The names of the tools that a permission allows, for people who wonder what a token is good for.
pub fn tools_allowed_by(permission: Permission) -> impl Iterator<Item = &'static str> {
    let allowed = TOOLS.into_iter().filter(move |tool| tool.action().permission() == permission);
    allowed.map(|tool| tool.definition().name)
}

/// Answers `tools/call`.
pub(crate) async fn call(call: Call<'_>, log: &mut RequestLog) -> Result<Reply, RpcError> {
    let Call { service, principal, era, request } = call;
    let name = request.params.name.and_then(string);
    let name = name.ok_or_else(|| {
        RpcError::invalid_params("`tools/call` needs `name`, the name of a tool.")
    })?;
    let Some((name, tool)) = service.tools.find(&name) else {
        let name: String = name.chars().take(64).collect();
        return Err(RpcError::invalid_params(format!("Unknown tool: `{name}`.")));
    };
    log.tool(name);
    let arguments = match request.params.arguments {
        Some(arguments) if is_object(arguments) => arguments.get(),
        None => "{}",
        Some(arguments) if arguments.get() == "null" => "{}",
        Some(_) => return Err(RpcError::invalid_params("`arguments` must be an object.")),
    };

    let action = tool.action();
    let outcome = match (service.todos.permit(&**principal, action), action.permission()) {
        // Asked again by the use case; asked here so that a caller who lacks a scope is told so
        // before anything about arguments.
        (Err(denied), _) => Err(ToolError::UseCase(denied.into())),
        (Ok(_), Permission::Read) => {
            tool.call(&service.todos, &**principal, Arguments::new(arguments)).await
        }
        (Ok(_), Permission::Write) => {
            carry_through(tool, &service.todos, principal, arguments).await
        }
    };
    match outcome {
        Ok(payload) => result(request.id, era, &payload, false),
        Err(error) => failure::answer(service, era, request.id, error, log),
    }
}

/// Calls a tool that writes, to the end: a client that goes away in between does not keep others from
/// being told of what is written.
async fn carry_through(
    tool: &'static dyn Tool,
    todos: &Arc<Todos>,
    principal: &Arc<dyn Principal>,
    arguments: &str,
) -> Result<Payload, ToolError> {
    let (todos, principal) = (Arc::clone(todos), Arc::clone(principal));
    let arguments = arguments.to_owned();
    let call = async move { tool.call(&todos, &*principal, Arguments::new(&arguments)).await };
    tokio::spawn(call).await.unwrap_or_else(|error| Err(ToolError::Broken(error)))
}

/// Calls each tool with the same arguments, for fuzzing.
#[cfg(feature = "fuzzing")]
pub(crate) async fn call_each(
    todos: &Todos,
    principal: &dyn Principal,
    arguments: &str,
) -> Vec<Result<String, String>> {
    let mut answers = Vec::new();
    for tool in TOOLS {
        let answer = tool.call(todos, principal, Arguments::new(arguments)).await;
        answers.push(answer.map(Payload::into_string).map_err(|error| match error {
            ToolError::InvalidArgument(invalid) => invalid.to_string(),
            error @ (ToolError::NotFound(_)
            | ToolError::UseCase(_)
            | ToolError::Unwritable(_)
            | ToolError::Broken(_)) => {
                format!("{error:?}")
            }
        }));
    }
    answers
}
