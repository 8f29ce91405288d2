use std::sync::Arc;

use protected_mcp::{Call, Failure, Hints, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::domain::Todo;
use todo_application::{ChangeId, Todos, UndoError};

use crate::affected::{changed_and_shown, shown};
use crate::failure::{AboutChange as _, change_not_found};
use crate::principal::CallerPrincipal;
use crate::scopes::WriteTodos;
use crate::view::UndoneView;

pub(crate) struct UndoChange(pub(crate) Arc<Todos>);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// `id` or `batch_id` of a change.
    #[schemars(length(max = ChangeId::MAX_CHARACTERS))]
    change_id: String,
}

impl Tool for UndoChange {
    type Scope = WriteTodos;
    type Arguments = Arguments;
    type Output = UndoneView;

    const NAME: &'static str = "undo_change";
    const TITLE: &'static str = "Undo a change";
    const DESCRIPTION: &'static str = "Takes back one change, or all of a change_todos call by its batch_id: what was deleted is back, \
         what was created is gone, and exactly the fields that were changed are as before. Fails if they have \
         changed again since. list_changes returns ids; an undo can be undone.";
    const HINTS: Hints = Hints::REPLACES;

    async fn call(
        &self,
        call: Call<WriteTodos>,
        arguments: Arguments,
    ) -> Result<UndoneView, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        let text = arguments.change_id;
        let id = ChangeId::parse(&text).ok_or_else(|| change_not_found(&text))?;
        let undone = self.0.undo(&principal, id).await;
        let undone = undone.map_err(|error| {
            if let UndoError::Conflict(current) = &error {
                call.affects(|| shown([current.id()]));
            }
            error.about_change(&text)
        })?;
        call.affects(|| {
            changed_and_shown(&undone.effects.all(), undone.todos.iter().map(Todo::id))
        });
        Ok(undone.into())
    }
}
