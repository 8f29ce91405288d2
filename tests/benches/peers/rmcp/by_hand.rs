//! `ServerHandler` without macros and without a router.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::schemars::JsonSchema;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::protection::check_scope;
use super::store::{
    CreateTodo, DeleteTodo, Deleted, GetTodo, ListTodos, OneTodo, Store, TodoList, UpdateTodo,
};

const READ: &str = "todo:read";
const WRITE: &str = "todo:write";

#[derive(Default)]
pub(crate) struct ByHand {
    store: Store,
}

impl ServerHandler for ByHand {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![
            tool::<ListTodos, TodoList>(
                "list_todos",
                "Lists the todos, oldest first, a page at a time.",
            ),
            tool::<GetTodo, OneTodo>("get_todo", "Returns a todo."),
            tool::<CreateTodo, OneTodo>(
                "create_todo",
                "Adds an open todo and returns it with its id.",
            ),
            tool::<UpdateTodo, OneTodo>("update_todo", "Changes a todo and returns the new state."),
            tool::<DeleteTodo, Deleted>("delete_todo", "Deletes a todo."),
        ]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = &*request.name;
        let (tool, scope) = match name {
            "list_todos" => ("list_todos", READ),
            "get_todo" => ("get_todo", READ),
            "create_todo" => ("create_todo", WRITE),
            "update_todo" => ("update_todo", WRITE),
            "delete_todo" => ("delete_todo", WRITE),
            _ => return Err(ErrorData::invalid_params(format!("Unknown tool: `{name}`."), None)),
        };
        if let Err(error) = check_scope(&context.extensions, tool, scope) {
            return Ok(CallToolResult::error(vec![ContentBlock::text(error)]).into());
        }
        let arguments = request.arguments;
        match tool {
            "list_todos" => response(self.store.list(&read(arguments)?)),
            "get_todo" => response(self.store.get(&read(arguments)?)),
            "create_todo" => response(Ok(self.store.create(read(arguments)?))),
            "update_todo" => response(self.store.update(read(arguments)?)),
            _ => response(self.store.delete(read(arguments)?)),
        }
    }
}

fn tool<Arguments, Answer>(name: &'static str, description: &'static str) -> Tool
where
    Arguments: JsonSchema + 'static,
    Answer: JsonSchema + 'static,
{
    Tool::new(name, description, JsonObject::new())
        .with_input_schema::<Arguments>()
        .with_output_schema::<Answer>()
}

fn read<T: DeserializeOwned>(arguments: Option<JsonObject>) -> Result<T, ErrorData> {
    let arguments = Value::Object(arguments.unwrap_or_default());
    serde_json::from_value(arguments)
        .map_err(|error| ErrorData::invalid_params(error.to_string(), None))
}

fn response(outcome: Result<impl Serialize, String>) -> Result<CallToolResponse, ErrorData> {
    let result = match outcome.map(serde_json::to_value) {
        Ok(Ok(value)) => CallToolResult::structured(value),
        Ok(Err(error)) => return Err(ErrorData::internal_error(error.to_string(), None)),
        Err(error) => CallToolResult::error(vec![ContentBlock::text(error)]),
    };
    Ok(result.into())
}
