use std::sync::Arc;

use protected_mcp::{Call, Failure, Hints, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::domain::{Description, IdempotencyKey, Title};
use todo_application::{NewTodo, Todos};

use super::arguments::Text;
use crate::failure::IntoFailure;
use crate::principal::CallerPrincipal;
use crate::scopes::WriteTodos;
use crate::view::OneTodo;

pub(crate) struct CreateTodo(pub(crate) Arc<Todos>);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// What is to be done, in one line.
    #[schemars(length(min = 1, max = Title::MAX_CHARACTERS))]
    title: Text<Title>,
    /// Details, if needed in several lines; at most 16384 bytes of UTF-8.
    #[schemars(length(max = Description::MAX_BYTES))]
    description: Option<Text<Description>>,
    /// A key for this call, such as a UUID, of at most 255 bytes: a call repeated with it within 24
    /// hours adds nothing and returns the same todo.
    #[schemars(length(min = 1, max = IdempotencyKey::MAX_BYTES))]
    idempotency_key: Option<Text<IdempotencyKey>>,
}

impl Tool for CreateTodo {
    type Scope = WriteTodos;
    type Arguments = Arguments;
    type Output = OneTodo;

    const NAME: &'static str = "create_todo";
    const TITLE: &'static str = "Create a todo";
    const DESCRIPTION: &'static str = "Adds an open todo to the user's list and returns it with its id. Each call adds one: do not \
         repeat a call that succeeded.";
    const HINTS: Hints = Hints::ADDS;

    async fn call(&self, call: Call<WriteTodos>, arguments: Arguments) -> Result<OneTodo, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        let Arguments { title, description, idempotency_key } = arguments;
        let new = NewTodo {
            title: title.0,
            description: description.map_or(Description::NONE, |description| description.0),
            key: idempotency_key.map(|key| key.0),
        };
        let created = self.0.create(&principal, new).await;
        created.map(|created| created.into_record().into()).map_err(IntoFailure::into_failure)
    }
}
