//! A todo as clients see it.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use std::fmt::Display;
use todo_application::domain::{Instant, Todo, TodoId};
use todo_application::{Page, PageSize};

use crate::cursor;

/// The todo.
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
    /// One page, oldest first.
    #[schemars(length(max = PageSize::MAX))]
    todos: Vec<TodoView<'a>>,
    /// Use it as cursor for the next page; absent on the last.
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
