use std::sync::Arc;

use protected_mcp::{Call, Failure, Hints, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::Todos;
use todo_application::domain::{Description, Edit, Title, TodoId, Version};

use super::arguments::{self, Number, Text};
use crate::failure::AboutTodo as _;
use crate::principal::CallerPrincipal;
use crate::scopes::WriteTodos;
use crate::view::OneTodo;

pub(crate) struct UpdateTodo(pub(crate) Arc<Todos>);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// The todo's id.
    #[schemars(length(equal = TodoId::CHARACTERS))]
    todo_id: String,
    /// The new title, in one line.
    #[schemars(length(min = 1, max = Title::MAX_CHARACTERS))]
    title: Option<Text<Title>>,
    /// The new description, at most 16384 bytes of UTF-8; an empty one clears it.
    #[schemars(length(max = Description::MAX_BYTES))]
    description: Option<Text<Description>>,
    /// true: mark it done; false: open it again.
    completed: Option<bool>,
    /// Change it only if it still has this version.
    #[schemars(range(min = 1))]
    expected_version: Option<Number<Version>>,
}

impl Tool for UpdateTodo {
    type Scope = WriteTodos;
    type Arguments = Arguments;
    type Output = OneTodo;

    const NAME: &'static str = "update_todo";
    const TITLE: &'static str = "Update a todo";
    const DESCRIPTION: &'static str = "Changes the title or description of a todo, marks it done or opens it again, and returns it \
         as it is then. Fields that are left out stay as they are. With expected_version, a todo that \
         has changed meanwhile is left alone and returned in a version_conflict error.";
    const HINTS: Hints = Hints::REPLACES;

    async fn call(&self, call: Call<WriteTodos>, arguments: Arguments) -> Result<OneTodo, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        let Arguments { todo_id, title, description, completed, expected_version } = arguments;
        let edit = Edit {
            title: title.map(|title| title.0),
            description: description.map(|description| description.0),
            completed,
        };
        let expected = expected_version.map(|version| version.0);
        let id = arguments::todo_id(&todo_id)?;
        let todo = self.0.update(&principal, id, edit, expected).await;
        todo.map(OneTodo::from).map_err(|error| error.about(&todo_id))
    }
}
