use std::sync::Arc;

use protected_mcp::{Call, Failure, Hints, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::domain::{
    Description, Edit, LabelsEdit, Priority, TimeZone, Title, TodoId, Version, Weekday, WrittenDue,
};
use todo_application::{Todos, UpdateError, Updated};

use super::arguments::{self, DueArguments, LabelList, Number, OrEmpty, Text};
use crate::affected::{changed, shown};
use crate::failure::{AboutTodo as _, Invalid};
use crate::principal::CallerPrincipal;
use crate::scopes::WriteTodos;
use crate::view::OneTodo;

pub(crate) struct UpdateTodo(pub(crate) Arc<Todos>);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// The todo's id.
    #[schemars(length(equal = TodoId::CHARACTERS))]
    pub(super) todo_id: String,
    /// The new title, in one line.
    #[schemars(length(min = 1, max = Title::MAX_CHARACTERS))]
    pub(super) title: Option<Text<Title>>,
    /// The new description, at most 16384 bytes of UTF-8; an empty one clears it.
    #[schemars(length(max = Description::MAX_BYTES))]
    pub(super) description: Option<Text<Description>>,
    /// true: mark it done; false: open it again.
    pub(super) completed: Option<bool>,
    /// Change it only if it still has this version.
    #[schemars(range(min = 1))]
    pub(super) expected_version: Option<Number<Version>>,
    /// As for `create_todo`; an empty one clears it.
    pub(super) due: Option<OrEmpty<WrittenDue>>,
    /// As for `create_todo`.
    pub(super) due_weekday: Option<Text<Weekday>>,
    /// As for `create_todo`.
    pub(super) time_zone: Option<Text<TimeZone>>,
    /// low, normal, high or urgent.
    pub(super) priority: Option<Text<Priority>>,
    /// Replaces all labels; [] removes them.
    pub(super) labels: Option<LabelList>,
    /// Labels to add, leaving the others alone.
    pub(super) add_labels: Option<LabelList>,
    /// Labels to remove, leaving the others alone.
    pub(super) remove_labels: Option<LabelList>,
}

impl Arguments {
    /// The id as it was written, the edit that is asked for, and the version that is expected.
    pub(super) fn into_edit(
        self,
        todos: &Todos,
        principal: &CallerPrincipal,
    ) -> Result<(String, Edit, Option<Version>), Invalid> {
        let Self {
            todo_id,
            title,
            description,
            completed,
            expected_version,
            due,
            due_weekday,
            time_zone,
            priority,
            labels,
            add_labels,
            remove_labels,
        } = self;
        let edit = Edit {
            title: title.map(|title| title.0),
            description: description.map(|description| description.0),
            completed,
            due: DueArguments { due, due_weekday, time_zone }.resolve(todos, principal)?,
            priority: priority.map(|priority| priority.0),
            labels: labels_edit([labels, add_labels, remove_labels])?,
        };
        Ok((todo_id, edit, expected_version.map(|version| version.0)))
    }
}

/// The labels that are to replace all others, to be added, and to be removed.
fn labels_edit(
    [labels, add, remove]: [Option<LabelList>; 3],
) -> Result<Option<LabelsEdit>, Invalid> {
    match (labels, add, remove) {
        (None, None, None) => Ok(None),
        (Some(labels), None, None) => Ok(Some(LabelsEdit::Replace(labels.0))),
        (None, add, remove) => {
            let [add, remove] = [add, remove].map(|it| it.map(|it| it.0).unwrap_or_default());
            Ok(Some(LabelsEdit::Change { add, remove }))
        }
        (Some(_), ..) => Err(Invalid::new(
            "labels",
            "it replaces all labels, so it cannot be combined with `add_labels` or `remove_labels`",
        )),
    }
}

impl Tool for UpdateTodo {
    type Scope = WriteTodos;
    type Arguments = Arguments;
    type Output = OneTodo;

    const NAME: &'static str = "update_todo";
    const TITLE: &'static str = "Update a todo";
    const DESCRIPTION: &'static str = "Changes the fields that are given of a todo, marks it done or opens it again, and returns it \
         as it is then. Fields that are left out stay as they are. With expected_version, a todo that \
         has changed meanwhile is left alone and returned in a version_conflict error.";
    const HINTS: Hints = Hints::REPLACES;

    async fn call(&self, call: Call<WriteTodos>, arguments: Arguments) -> Result<OneTodo, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        let (todo_id, edit, expected) = arguments.into_edit(&self.0, &principal)?;
        let id = arguments::todo_id(&todo_id)?;
        let updated = self.0.update(&principal, id, edit, expected).await;
        let Updated { todo, effect } = updated.map_err(|error| {
            if let UpdateError::Conflict(current) = &error {
                call.affects(|| shown([current.id()]));
            }
            error.about(&todo_id)
        })?;
        call.affects(|| effect.map_or_else(|| shown([id]), |effect| changed(&[effect])));
        Ok(todo.into())
    }
}
