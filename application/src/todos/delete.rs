use todo_domain::{Action, TodoId, Version};

use super::Todos;
use crate::error::UseCaseError;
use crate::ports::{Principal, StorageError};

impl Todos {
    /// Removes a todo of the caller's workspace for good.
    ///
    /// With `expected`, a todo of another version stays and is a [`UseCaseError::Conflict`].
    pub async fn delete(
        &self,
        principal: &dyn Principal,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<(), UseCaseError> {
        let permit = self.permit(principal, Action::Delete)?;
        let workspace = permit.workspace();
        let removed = self.repository.remove(workspace, id, expected).await;
        if !matches!(removed, Ok(false)) {
            self.tell(workspace, id, &removed);
        }
        match removed {
            Ok(true) => Ok(()),
            Ok(false) => Err(UseCaseError::NotFound),
            Err(StorageError::StaleVersion) => {
                let current = self.load(workspace, id).await?;
                Err(UseCaseError::Conflict(Box::new(current)))
            }
            Err(error) => Err(error.into()),
        }
    }
}
