use todo_domain::{TodoId, Version, WriteAction};

use super::effect::Effect;
use super::use_cases::{ROUNDS, Todos};
use crate::error::{DeleteError, StorageFailure};
use crate::ports::{Principal, RemoveError};

impl Todos {
    /// Removes a todo of the caller's workspace, however much that holds. It is lost unless changes are
    /// remembered.
    ///
    /// With `expected`, a todo of another version stays and is a [`DeleteError::Conflict`].
    pub async fn delete(
        &self,
        principal: &dyn Principal,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<Effect, DeleteError> {
        let permit = self.permit_to_write(principal, WriteAction::Delete)?;
        for _ in 0..ROUNDS {
            let found = self.repository.find_for_update(&permit, id).await;
            let todo = found.map_err(StorageFailure::from)?.ok_or(DeleteError::NotFound)?;
            if expected.is_some_and(|expected| expected != todo.version()) {
                return Err(DeleteError::Conflict(todo));
            }
            match self.repository.remove(&permit, &todo, self.clock.now()).await {
                Ok(number) => {
                    self.publish_change(&permit, id, None);
                    return Ok(Effect::new(
                        permit.workspace(),
                        id,
                        [Some(todo.version()), None],
                        number,
                    ));
                }
                Err(RemoveError::Stale) => {}
                Err(RemoveError::Storage(error)) => {
                    self.publish_change(&permit, id, Some(&error));
                    return Err(StorageFailure::from(error).into());
                }
            }
        }
        Err(DeleteError::Contended)
    }
}
