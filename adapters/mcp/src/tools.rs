//! The tools, one file for each.

mod arguments;
mod change_todos;
mod create_todo;
mod delete_todo;
mod get_todo;
mod list_changes;
mod list_todos;
mod undo_change;
mod update_todo;

use protected_mcp::{Scope, Tool};
use todo_application::domain::Permission;

pub(crate) use change_todos::ChangeTodos;
pub(crate) use create_todo::CreateTodo;
pub(crate) use delete_todo::DeleteTodo;
pub(crate) use get_todo::GetTodo;
pub(crate) use list_changes::ListChanges;
pub(crate) use list_todos::ListTodos;
pub(crate) use undo_change::UndoChange;
pub(crate) use update_todo::UpdateTodo;

/// The names of the tools that a permission allows, to explain what a token permits.
pub fn tools_allowed_by(permission: Permission) -> impl Iterator<Item = &'static str> {
    const fn tool<T: Tool>() -> (&'static str, &'static str) {
        (T::NAME, T::Scope::NAME)
    }
    let tools = [
        tool::<ListTodos>(),
        tool::<GetTodo>(),
        tool::<CreateTodo>(),
        tool::<UpdateTodo>(),
        tool::<DeleteTodo>(),
        tool::<ChangeTodos>(),
        tool::<ListChanges>(),
        tool::<UndoChange>(),
    ];
    let allowed = tools.into_iter().filter(move |(_, scope)| *scope == permission.scope());
    allowed.map(|(name, _)| name)
}
