use todo_domain::{ReadAction, Todo, TodoId};

use super::use_cases::Todos;
use crate::error::{GetError, StorageFailure};
use crate::ports::Principal;

impl Todos {
    /// Returns one todo of the caller's workspace.
    pub async fn get(&self, principal: &dyn Principal, id: TodoId) -> Result<Todo, GetError> {
        let permit = self.permit_to_read(principal, ReadAction::Get)?;
        let found = self.repository.find(&permit, id).await.map_err(StorageFailure::from)?;
        found.ok_or(GetError::NotFound)
    }
}
