use std::sync::Arc;

use protected_mcp::{Call, Failure, Hints, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::domain::{
    Description, Draft, IdempotencyKey, Priority, TimeZone, Title, Weekday, WrittenDue,
};
use todo_application::{NewTodo, Todos};

use super::arguments::{DueArguments, LabelList, OrEmpty, Text};
use crate::affected::{changed, shown};
use crate::failure::{IntoFailure, Invalid};
use crate::principal::CallerPrincipal;
use crate::scopes::WriteTodos;
use crate::view::OneTodo;

pub(crate) struct CreateTodo(pub(crate) Arc<Todos>);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// What is to be done, in one line.
    #[schemars(length(min = 1, max = Title::MAX_CHARACTERS))]
    pub(super) title: Text<Title>,
    /// Details, if needed in several lines; at most 16384 bytes of UTF-8.
    #[schemars(length(max = Description::MAX_BYTES))]
    pub(super) description: Option<Text<Description>>,
    /// A key for this call, such as a UUID, of at most 255 bytes: a call repeated with it within 24
    /// hours adds nothing and returns the same todo.
    #[schemars(length(min = 1, max = IdempotencyKey::MAX_BYTES))]
    pub(super) idempotency_key: Option<Text<IdempotencyKey>>,
    /// A day (2026-12-24), a local time in `time_zone` (2026-12-24T17:30), or an instant (with Z or an
    /// offset). Work out "next Friday" from `as_of` of `list_todos`.
    pub(super) due: Option<OrEmpty<WrittenDue>>,
    /// The weekday that due is meant to be, such as Friday; another one is an error.
    pub(super) due_weekday: Option<Text<Weekday>>,
    /// IANA name such as Europe/Berlin, for a local time; left out: the user's own, if it is known.
    pub(super) time_zone: Option<Text<TimeZone>>,
    /// low, normal (default), high or urgent.
    pub(super) priority: Option<Text<Priority>>,
    /// At most 20, of at most 50 characters each; case does not matter.
    pub(super) labels: Option<LabelList>,
}

impl Arguments {
    /// The todo that is asked for.
    pub(super) fn into_new_todo(
        self,
        todos: &Todos,
        principal: &CallerPrincipal,
    ) -> Result<NewTodo, Invalid> {
        let Self {
            title,
            description,
            idempotency_key,
            due,
            due_weekday,
            time_zone,
            priority,
            labels,
        } = self;
        let due = DueArguments { due, due_weekday, time_zone }.resolve(todos, principal)?;
        let draft = Draft {
            title: title.0,
            description: description.map_or(Description::NONE, |description| description.0),
            due: due.flatten(),
            priority: priority.map(|priority| priority.0).unwrap_or_default(),
            labels: labels.map(|labels| labels.0).unwrap_or_default(),
        };
        Ok(NewTodo { draft, key: idempotency_key.map(|key| key.0) })
    }
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
        let new = arguments.into_new_todo(&self.0, &principal)?;
        let created = self.0.create(&principal, new).await.map_err(IntoFailure::into_failure)?;
        let effect = created.effect();
        let record = created.into_record();
        call.affects(|| effect.map_or_else(|| shown([record.id]), |effect| changed(&[effect])));
        Ok(record.into())
    }
}
