use todo_domain::{TodoId, Version, WriteAction};

use super::use_cases::Todos;
use crate::error::{DeleteError, StorageFailure};
use crate::ports::{Principal, RemoveError};

impl Todos {
    /// Removes a todo of the caller's workspace permanently, however much that holds.
    ///
    /// With `expected`, a todo of another version stays and is a [`DeleteError::Conflict`].
    pub async fn delete(
        &self,
        principal: &dyn Principal,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<(), DeleteError> {
        let permit = self.permit_to_write(principal, WriteAction::Delete)?;
        match self.repository.remove(&permit, id, expected).await {
            Ok(true) => {
                self.publish_change(&permit, id, None);
                Ok(())
            }
            Ok(false) => Err(DeleteError::NotFound),
            Err(RemoveError::Stale) => {
                let current = self.repository.find_for_update(&permit, id).await;
                let current =
                    current.map_err(StorageFailure::from)?.ok_or(DeleteError::NotFound)?;
                Err(DeleteError::Conflict(Box::new(current)))
            }
            Err(RemoveError::Storage(error)) => {
                self.publish_change(&permit, id, Some(&error));
                Err(StorageFailure::from(error).into())
            }
        }
    }
}
