use todo_domain::{Action, Description, Title, Todo};

use super::Todos;
use crate::error::UseCaseError;
use crate::ports::Principal;

/// What a new todo is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTodo {
    /// What is to be done.
    pub title: Title,
    /// More about it.
    pub description: Description,
}

impl Todos {
    /// Adds an open todo to the caller's workspace.
    pub async fn create(
        &self,
        principal: &dyn Principal,
        new: NewTodo,
    ) -> Result<Todo, UseCaseError> {
        let permit = self.permit(principal, Action::Create)?;
        let now = self.clock.now();
        let id = self.ids.todo_id(now);
        let todo = Todo::create(&permit, id, new.title, new.description, now);
        self.repository.insert(&todo).await?;
        self.changes.publish(todo.workspace(), id);
        Ok(todo)
    }
}
