//! Todos as clients see them.

use std::fmt::Display;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use todo_application::domain::{Due, Instant, Label, Labels, TimeZone, Todo, TodoId, TodoRecord};
use todo_application::{Page, PageSize};

use crate::cursor;

#[derive(Serialize, JsonSchema)]
pub(crate) struct TodoView<'a> {
    /// Use it as `todo_id`.
    #[serde(serialize_with = "display")]
    #[schemars(with = "String", extend("format" = "uuid"))]
    id: TodoId,
    /// What is to be done.
    title: &'a str,
    /// Details, or null.
    description: Option<&'a str>,
    /// Whether it is done.
    completed: bool,
    /// Time of creation.
    #[serde(serialize_with = "display")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: Instant,
    /// Time of the last change.
    #[serde(serialize_with = "display")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    updated_at: Instant,
    /// When it was done; absent while open.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"), default)]
    completed_at: Option<Instant>,
    /// Use it as `expected_version`.
    #[schemars(range(min = 1))]
    version: i64,
    /// low, normal, high or urgent.
    priority: &'static str,
    /// Its labels.
    #[serde(serialize_with = "texts")]
    #[schemars(with = "Vec<String>")]
    labels: &'a Labels,
    /// When it is due, as it was meant; absent if it is not.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    due: Option<Due>,
    /// The zone of a local time.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    time_zone: Option<TimeZone>,
    /// The instant of a time.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"), default)]
    due_at: Option<Instant>,
}

impl<'a> From<&'a TodoRecord> for TodoView<'a> {
    fn from(record: &'a TodoRecord) -> Self {
        // Without `..`: a new field must be shown, or hidden on purpose.
        let TodoRecord {
            id,
            workspace: _,
            title,
            description,
            completion,
            due,
            priority,
            labels,
            created_at,
            created_by: _,
            updated_at,
            updated_by: _,
            version,
        } = record;
        Self {
            id: *id,
            title: title.as_str(),
            description: description.as_deref(),
            completed: completion.is_done(),
            created_at: *created_at,
            updated_at: *updated_at,
            completed_at: completion.at(),
            version: version.as_i64(),
            priority: priority.name(),
            labels,
            due: due.clone(),
            time_zone: due.as_ref().and_then(Due::time_zone).cloned(),
            due_at: due.as_ref().and_then(Due::at),
        }
    }
}

/// `{"todo": {..}}`: the result of most tools.
#[derive(Serialize, JsonSchema)]
pub(crate) struct OneTodo {
    /// The todo.
    #[serde(serialize_with = "view")]
    #[schemars(with = "TodoView<'_>")]
    todo: TodoRecord,
}

impl From<Todo> for OneTodo {
    fn from(todo: Todo) -> Self {
        todo.into_record().into()
    }
}

impl From<TodoRecord> for OneTodo {
    fn from(todo: TodoRecord) -> Self {
        Self { todo }
    }
}

/// `{"todos": [{..}], "next_cursor"?}`: a page of a list.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TodoList {
    /// One page, oldest first.
    #[serde(serialize_with = "views")]
    #[schemars(with = "Vec<TodoView<'_>>", length(max = PageSize::MAX))]
    todos: Vec<Todo>,
    /// Use it as cursor for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    next_cursor: Option<String>,
}

impl TodoList {
    pub(crate) fn len(&self) -> usize {
        self.todos.len()
    }
}

impl From<Page> for TodoList {
    fn from(Page { todos, next }: Page) -> Self {
        Self { todos, next_cursor: next.map(cursor::encode) }
    }
}

fn view<S: Serializer>(todo: &TodoRecord, serializer: S) -> Result<S::Ok, S::Error> {
    TodoView::from(todo).serialize(serializer)
}

fn views<S: Serializer>(todos: &[Todo], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(todos.iter().map(|todo| TodoView::from(todo.record())))
}

fn texts<S: Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(labels.iter().map(Label::as_str))
}

fn display<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn display_some<S: Serializer>(
    value: &Option<impl Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
