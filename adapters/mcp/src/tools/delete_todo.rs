use std::sync::Arc;

use protected_mcp::{Call, Failure, Hints, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use todo_application::domain::{TodoId, Version};
use todo_application::{DeleteError, Todos};

use super::arguments::{self, Number};
use crate::affected::{changed, shown};
use crate::failure::AboutTodo as _;
use crate::principal::CallerPrincipal;
use crate::scopes::WriteTodos;

pub(crate) struct DeleteTodo(pub(crate) Arc<Todos>);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// The todo's id.
    #[schemars(length(equal = TodoId::CHARACTERS))]
    pub(super) todo_id: String,
    /// Delete it only if it still has this version.
    #[schemars(range(min = 1))]
    pub(super) expected_version: Option<Number<Version>>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Deleted {
    /// The id of the deleted todo.
    #[schemars(extend("format" = "uuid"))]
    deleted: String,
}

impl Arguments {
    /// The id as it was written, and the version that is expected.
    pub(super) fn into_parts(self) -> (String, Option<Version>) {
        let Self { todo_id, expected_version } = self;
        (todo_id, expected_version.map(|version| version.0))
    }
}

impl Tool for DeleteTodo {
    type Scope = WriteTodos;
    type Arguments = Arguments;
    type Output = Deleted;

    const NAME: &'static str = "delete_todo";
    const TITLE: &'static str = "Delete a todo";
    const DESCRIPTION: &'static str = "Deletes a todo and returns its id. To mark a todo done, call update_todo with completed instead. \
         Where changes are remembered, undo_change brings it back.";
    const HINTS: Hints = Hints::REPLACES;

    async fn call(&self, call: Call<WriteTodos>, arguments: Arguments) -> Result<Deleted, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        let (todo_id, expected) = arguments.into_parts();
        let id = arguments::todo_id(&todo_id)?;
        let deleted = self.0.delete(&principal, id, expected).await;
        let effect = deleted.map_err(|error| {
            if let DeleteError::Conflict(current) = &error {
                call.affects(|| shown([current.id()]));
            }
            error.about(&todo_id)
        })?;
        call.affects(|| changed(&[effect]));
        Ok(Deleted { deleted: id.to_string() })
    }
}
