use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::Todos;
use todo_application::domain::{Action, TodoId};
use todo_application::ports::Principal;

use super::arguments::Arguments;
use super::view::OneTodo;
use super::{Annotations, Definition, Payload, Tool, result, schema};
use crate::failure::ToolError;

pub(super) struct GetTodo;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetArguments {
    /// The todo's id.
    #[schemars(length(equal = TodoId::CHARACTERS))]
    todo_id: String,
}

#[async_trait::async_trait]
impl Tool for GetTodo {
    fn action(&self) -> Action {
        Action::Get
    }

    fn definition(&self) -> Definition {
        Definition {
            name: "get_todo",
            title: "Get a todo",
            description: "Returns one todo by its id. Use it to see how a todo is now, for instance \
                          its version before a change; list_todos returns all fields too.",
            input_schema: schema::input::<GetArguments>(),
            output_schema: schema::output::<OneTodo<'_>>(),
            annotations: Annotations::READS,
        }
    }

    async fn call(
        &self,
        todos: &Todos,
        principal: &dyn Principal,
        arguments: Arguments<'_>,
    ) -> Result<Payload, ToolError> {
        let GetArguments { todo_id } = arguments.read()?;
        let id = todo_id.parse().map_err(|_| ToolError::not_found(&todo_id))?;
        let todo = todos.get(principal, id).await.map_err(ToolError::about(&todo_id))?;
        result::small(&OneTodo::from(&todo))
    }
}
