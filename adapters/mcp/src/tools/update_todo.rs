use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::Todos;
use todo_application::domain::{Action, Description, Edit, Title, TodoId};
use todo_application::ports::Principal;

use super::arguments::{Arguments, expected_version};
use super::create_todo::{description, title};
use super::integer::Integer;
use super::view::OneTodo;
use super::{Annotations, Definition, Payload, Tool, result, schema};
use crate::failure::ToolError;

pub(super) struct UpdateTodo;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateArguments {
    /// The todo's id.
    #[schemars(length(equal = TodoId::CHARACTERS))]
    todo_id: String,
    /// The new title, in one line.
    #[schemars(length(min = 1, max = Title::MAX_CHARACTERS))]
    title: Option<String>,
    /// The new description, at most 16384 bytes of UTF-8; an empty one clears it.
    #[schemars(length(max = Description::MAX_BYTES))]
    description: Option<String>,
    /// true: mark it done; false: open it again.
    completed: Option<bool>,
    /// Change it only if it still has this version.
    #[schemars(range(min = 1))]
    expected_version: Option<Integer>,
}

#[async_trait::async_trait]
impl Tool for UpdateTodo {
    fn action(&self) -> Action {
        Action::Update
    }

    fn definition(&self) -> Definition {
        Definition {
            name: "update_todo",
            title: "Update a todo",
            description: "Changes the title or description of a todo, marks it done or opens it \
                          again, and returns it as it is then. What is left out stays as it is. \
                          With expected_version, a todo that somebody changed meanwhile is left \
                          alone and returned in a version_conflict error.",
            input_schema: schema::input::<UpdateArguments>(),
            output_schema: schema::output::<OneTodo<'_>>(),
            annotations: Annotations::REPLACES,
        }
    }

    async fn call(
        &self,
        todos: &Todos,
        principal: &dyn Principal,
        arguments: Arguments<'_>,
    ) -> Result<Payload, ToolError> {
        let arguments: UpdateArguments = arguments.read()?;
        let edit = Edit {
            title: arguments.title.as_deref().map(title).transpose()?,
            description: arguments.description.as_deref().map(description).transpose()?,
            completed: arguments.completed,
        };
        let expected = expected_version(arguments.expected_version)?;
        let todo_id = arguments.todo_id;
        let id = todo_id.parse().map_err(|_| ToolError::not_found(&todo_id))?;
        let todo = todos.update(principal, id, edit, expected).await;
        let todo = todo.map_err(ToolError::about(&todo_id))?;
        result::small(&OneTodo::from(&todo))
    }
}
