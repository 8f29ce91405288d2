use std::sync::Arc;

use protected_mcp::{Call, Failure, Hints, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::Todos;
use todo_application::domain::TodoId;

use super::arguments;
use crate::affected::shown;
use crate::failure::AboutTodo as _;
use crate::principal::CallerPrincipal;
use crate::scopes::ReadTodos;
use crate::view::OneTodo;

pub(crate) struct GetTodo(pub(crate) Arc<Todos>);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// The todo's id.
    #[schemars(length(equal = TodoId::CHARACTERS))]
    todo_id: String,
}

impl Tool for GetTodo {
    type Scope = ReadTodos;
    type Arguments = Arguments;
    type Output = OneTodo;

    const NAME: &'static str = "get_todo";
    const TITLE: &'static str = "Get a todo";
    const DESCRIPTION: &'static str = "Returns one todo by its id. Use it to see how a todo is now, for instance its version before \
         a change; list_todos returns all fields too.";
    const HINTS: Hints = Hints::READS;

    async fn call(&self, call: Call<ReadTodos>, arguments: Arguments) -> Result<OneTodo, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        let id = arguments::todo_id(&arguments.todo_id)?;
        let todo = self.0.get(&principal, id).await;
        let todo = todo.map_err(|error| error.about(&arguments.todo_id))?;
        call.affects(|| shown([id]));
        Ok(todo.into())
    }
}
