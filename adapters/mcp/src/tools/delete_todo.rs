use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use todo_application::Todos;
use todo_application::domain::{Action, TodoId};
use todo_application::ports::Principal;

use super::arguments::{Arguments, expected_version};
use super::integer::Integer;
use super::{Annotations, Definition, Payload, Tool, result, schema};
use crate::failure::ToolError;

pub(super) struct DeleteTodo;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteArguments {
    /// The todo's id.
    #[schemars(length(equal = TodoId::CHARACTERS))]
    todo_id: String,
    /// Delete it only if it still has this version.
    #[schemars(range(min = 1))]
    expected_version: Option<Integer>,
}

#[derive(Serialize, JsonSchema)]
struct DeleteResult {
    /// The id of the todo that is gone.
    #[schemars(extend("format" = "uuid"))]
    deleted: String,
}

#[async_trait::async_trait]
impl Tool for DeleteTodo {
    fn action(&self) -> Action {
        Action::Delete
    }

    fn definition(&self) -> Definition {
        Definition {
            name: "delete_todo",
            title: "Delete a todo",
            description: "Deletes a todo for good, without undo, and returns its id. To mark a \
                          todo done, call update_todo with completed instead.",
            input_schema: schema::input::<DeleteArguments>(),
            output_schema: schema::output::<DeleteResult>(),
            annotations: Annotations::REPLACES,
        }
    }

    async fn call(
        &self,
        todos: &Todos,
        principal: &dyn Principal,
        arguments: Arguments<'_>,
    ) -> Result<Payload, ToolError> {
        let arguments: DeleteArguments = arguments.read()?;
        let expected = expected_version(arguments.expected_version)?;
        let todo_id = arguments.todo_id;
        let id: TodoId = todo_id.parse().map_err(|_| ToolError::not_found(&todo_id))?;
        todos.delete(principal, id, expected).await.map_err(ToolError::about(&todo_id))?;
        result::small(&DeleteResult { deleted: id.to_string() })
    }
}
