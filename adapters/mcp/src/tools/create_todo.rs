use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::domain::{Action, Description, IdempotencyKey, Title};
use todo_application::ports::Principal;
use todo_application::{NewTodo, Todos};

use super::arguments::{Arguments, InvalidArgument};
use super::view::OneTodo;
use super::{Annotations, Definition, Payload, Tool, result, schema};
use crate::failure::ToolError;

pub(super) struct CreateTodo;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateArguments {
    /// What is to be done, in one line.
    #[schemars(length(min = 1, max = Title::MAX_CHARACTERS))]
    title: String,
    /// Details, if needed in several lines; at most 16384 bytes of UTF-8.
    #[schemars(length(max = Description::MAX_BYTES))]
    description: Option<String>,
    /// A name for this call, such as a UUID, of at most 255 bytes: a call repeated with it within 24
    /// hours adds nothing and returns the same todo.
    #[schemars(length(min = 1, max = IdempotencyKey::MAX_BYTES))]
    idempotency_key: Option<String>,
}

#[async_trait::async_trait]
impl Tool for CreateTodo {
    fn action(&self) -> Action {
        Action::Create
    }

    fn definition(&self) -> Definition {
        Definition {
            name: "create_todo",
            title: "Create a todo",
            description: "Adds an open todo to the user's list and returns it with its id. Each \
                          call adds one: do not repeat a call that succeeded.",
            input_schema: schema::input::<CreateArguments>(),
            output_schema: schema::output::<OneTodo<'_>>(),
            annotations: Annotations::ADDS,
        }
    }

    async fn call(
        &self,
        todos: &Todos,
        principal: &dyn Principal,
        arguments: Arguments<'_>,
    ) -> Result<Payload, ToolError> {
        let arguments: CreateArguments = arguments.read()?;
        let new = NewTodo {
            title: title(&arguments.title)?,
            description: description(arguments.description.as_deref().unwrap_or_default())?,
            key: arguments.idempotency_key.as_deref().map(key).transpose()?,
        };
        let todo = todos.create(principal, new).await?;
        result::small(&OneTodo::from(&todo))
    }
}

pub(super) fn title(text: &str) -> Result<Title, InvalidArgument> {
    Title::try_from(text).map_err(|error| InvalidArgument::new("title", &error))
}

pub(super) fn description(text: &str) -> Result<Description, InvalidArgument> {
    Description::try_from(text).map_err(|error| InvalidArgument::new("description", &error))
}

fn key(text: &str) -> Result<IdempotencyKey, InvalidArgument> {
    IdempotencyKey::try_from(text).map_err(|error| InvalidArgument::new("idempotency_key", &error))
}
