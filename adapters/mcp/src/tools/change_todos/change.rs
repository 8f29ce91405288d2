//! One of several changes: an action, and the arguments of its tool.

use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::domain::{
    Description, IdempotencyKey, Priority, TimeZone, Title, TodoId, TodoIdError, Version, Weekday,
    WrittenDue,
};
use todo_application::{RequestedChange, Todos};

use crate::failure::Invalid;
use crate::principal::CallerPrincipal;
use crate::tools::arguments::{LabelList, Number, OrEmpty, Text};
use crate::tools::{create_todo, delete_todo, update_todo};

// It is flat, so that the path of an argument that breaks a rule is known, and because that is the schema that
// every model understands. What the arguments mean is said once, by the tools that have them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// create, update or delete; the rest are the arguments of `create_todo`, `update_todo` or
    /// `delete_todo`.
    action: Text<Action>,
    todo_id: Option<String>,
    title: Option<Text<Title>>,
    description: Option<Text<Description>>,
    completed: Option<bool>,
    #[schemars(with = "Option<i64>")]
    expected_version: Option<Number<Version>>,
    idempotency_key: Option<Text<IdempotencyKey>>,
    due: Option<OrEmpty<WrittenDue>>,
    due_weekday: Option<Text<Weekday>>,
    time_zone: Option<Text<TimeZone>>,
    priority: Option<Text<Priority>>,
    #[schemars(with = "Option<Vec<String>>")]
    labels: Option<LabelList>,
    #[schemars(with = "Option<Vec<String>>")]
    add_labels: Option<LabelList>,
    #[schemars(with = "Option<Vec<String>>")]
    remove_labels: Option<LabelList>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Update,
    Delete,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl TryFrom<&str> for Action {
    type Error = &'static str;

    fn try_from(name: &str) -> Result<Self, &'static str> {
        let actions = [Self::Create, Self::Update, Self::Delete];
        let named = actions.into_iter().find(|action| action.name() == name);
        named.ok_or("must be create, update or delete")
    }
}

impl Change {
    pub(super) fn into_requested(
        self,
        todos: &Todos,
        principal: &CallerPrincipal,
    ) -> Result<RequestedChange, Invalid> {
        self.check_arguments()?;
        let Self {
            action: Text(action),
            todo_id,
            title,
            description,
            completed,
            expected_version,
            idempotency_key,
            due,
            due_weekday,
            time_zone,
            priority,
            labels,
            add_labels,
            remove_labels,
        } = self;
        let todo_id = || todo_id.ok_or_else(|| required("todo_id"));
        match action {
            Action::Create => {
                let title = title.ok_or_else(|| required("title"))?;
                let arguments = create_todo::Arguments {
                    title,
                    description,
                    idempotency_key,
                    due,
                    due_weekday,
                    time_zone,
                    priority,
                    labels,
                };
                arguments.into_new_todo(todos, principal).map(RequestedChange::Create)
            }
            Action::Update => {
                let arguments = update_todo::Arguments {
                    todo_id: todo_id()?,
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
                };
                let (id, edit, expected) = arguments.into_edit(todos, principal)?;
                Ok(RequestedChange::Update { id: parse_id(&id)?, edit, expected })
            }
            Action::Delete => {
                let arguments = delete_todo::Arguments { todo_id: todo_id()?, expected_version };
                let (id, expected) = arguments.into_parts();
                Ok(RequestedChange::Delete { id: parse_id(&id)?, expected })
            }
        }
    }

    /// Fails if an argument is given that the tool of the action does not have.
    fn check_arguments(&self) -> Result<(), Invalid> {
        use Action::{Create, Delete, Update};
        let Self {
            action: Text(action),
            todo_id,
            title,
            description,
            completed,
            expected_version,
            idempotency_key,
            due,
            due_weekday,
            time_zone,
            priority,
            labels,
            add_labels,
            remove_labels,
        } = self;
        let arguments: [(&str, bool, &[Action]); 13] = [
            ("todo_id", todo_id.is_some(), &[Update, Delete]),
            ("title", title.is_some(), &[Create, Update]),
            ("description", description.is_some(), &[Create, Update]),
            ("completed", completed.is_some(), &[Update]),
            ("expected_version", expected_version.is_some(), &[Update, Delete]),
            ("idempotency_key", idempotency_key.is_some(), &[Create]),
            ("due", due.is_some(), &[Create, Update]),
            ("due_weekday", due_weekday.is_some(), &[Create, Update]),
            ("time_zone", time_zone.is_some(), &[Create, Update]),
            ("priority", priority.is_some(), &[Create, Update]),
            ("labels", labels.is_some(), &[Create, Update]),
            ("add_labels", add_labels.is_some(), &[Update]),
            ("remove_labels", remove_labels.is_some(), &[Update]),
        ];
        let foreign = arguments.iter().find(|(_, is_given, of)| *is_given && !of.contains(action));
        foreign.map_or(Ok(()), |(name, ..)| {
            let action = action.name();
            Err(Invalid::new(name, format!("{action}_todo has no such argument; leave it out")))
        })
    }
}

fn required(argument: &'static str) -> Invalid {
    Invalid::new(argument, "it is required")
}

/// Unlike a todo that does not exist, which is the result of one change, a text that cannot be an id keeps all
/// changes from being made: it was invented.
fn parse_id(text: &str) -> Result<TodoId, Invalid> {
    text.parse().map_err(|error: TodoIdError| {
        Invalid::new("todo_id", format!("{error}; list_todos and create_todo return ids"))
    })
}
