//! The tools, one file for each.

mod arguments;
mod change_todos;
mod create_todo;
mod delete_todo;
mod get_todo;
mod hints;
mod list_changes;
mod list_todos;
mod undo_change;
mod update_todo;

use todo_application::domain::Permission;

pub(crate) use change_todos::ChangeTodos;
pub(crate) use create_todo::CreateTodo;
pub(crate) use delete_todo::DeleteTodo;
pub(crate) use get_todo::GetTodo;
pub use hints::{HintReasons, ToolSummary, summaries};
pub(crate) use list_changes::ListChanges;
pub(crate) use list_todos::ListTodos;
pub(crate) use undo_change::UndoChange;
pub(crate) use update_todo::UpdateTodo;

/// The names of the tools that a permission allows, to explain what a token permits.
pub fn tools_allowed_by(permission: Permission) -> impl Iterator<Item = &'static str> {
    let allowed = summaries().into_iter().filter(move |tool| tool.scope == permission.scope());
    allowed.map(|tool| tool.name)
}
