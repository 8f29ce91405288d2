//! A todo as clients see it.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use std::fmt::Display;
use todo_application::Page;
use todo_application::domain::{Instant, Todo, TodoId};

use crate::cursor;

/// A todo on the wire.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TodoView<'a> {
    #[serde(serialize_with = "display")]
    #[schemars(with = "String", extend("format" = "uuid"))]
    id: TodoId,
    title: &'a str,
    description: Option<&'a str>,
    completed: bool,
    #[serde(serialize_with = "display")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: Instant,
    #[serde(serialize_with = "display")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    updated_at: Instant,
    /// Only where completed is true.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"), default)]
    completed_at: Option<Instant>,
    /// One more with each change; see `expected_version`.
    #[schemars(range(min = 1))]
    version: i64,
}

impl<'a> From<&'a Todo> for TodoView<'a> {
    fn from(todo: &'a Todo) -> Self {
        Self {
            id: todo.id(),
            title: todo.title().as_str(),
            description: todo.description().as_deref(),
            completed: todo.completion().is_done(),
            created_at: todo.created_at(),
            updated_at: todo.updated_at(),
            completed_at: todo.completion().at(),
            version: todo.version().as_i64(),
        }
    }
}

/// `{"todo": {..}}`: what most tools answer with.
#[derive(Serialize, JsonSchema)]
pub(crate) struct OneTodo<'a> {
    todo: TodoView<'a>,
}

impl<'a> From<&'a Todo> for OneTodo<'a> {
    fn from(todo: &'a Todo) -> Self {
        Self { todo: todo.into() }
    }
}

/// `{"todos": [{..}], "next_cursor"?}`: a page of a list.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TodoList<'a> {
    todos: Vec<TodoView<'a>>,
    /// Pass it as cursor for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    next_cursor: Option<String>,
}

impl<'a> From<&'a Page> for TodoList<'a> {
    fn from(page: &'a Page) -> Self {
        let todos = page.todos.iter().map(TodoView::from).collect();
        Self { todos, next_cursor: page.next.map(cursor::encode) }
    }
}

fn display<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
fn display_some<S: Serializer>(
    value: &Option<impl Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
