use todo_domain::{Action, Todo, TodoId};

use super::Todos;
use crate::error::UseCaseError;
use crate::ports::Principal;

impl Todos {
    /// One todo of the caller's workspace.
    pub async fn get(&self, principal: &dyn Principal, id: TodoId) -> Result<Todo, UseCaseError> {
        let permit = self.permit(principal, Action::Get)?;
        self.load(permit.workspace(), id).await
    }
}
