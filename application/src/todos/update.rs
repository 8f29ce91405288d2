use todo_domain::{Action, Edit, Todo, TodoId, Version};

use super::Todos;
use crate::error::UseCaseError;
use crate::ports::{Principal, StorageError};

/// How often an edit is put on top of somebody else's before we give up. Each round means that
/// another writer got through, so as many may write to one todo at once as there are rounds.
const ROUNDS: usize = 256;

impl Todos {
    /// Changes a todo of the caller's workspace and returns it as it is then.
    ///
    /// With `expected`, a todo of another version is a [`UseCaseError::Conflict`]. Without it the
    /// edit goes on top of whatever is there, so of two at once that touch different fields both
    /// survive.
    pub async fn update(
        &self,
        principal: &dyn Principal,
        id: TodoId,
        edit: Edit,
        expected: Option<Version>,
    ) -> Result<Todo, UseCaseError> {
        let permit = self.permit(principal, Action::Update)?;
        for _ in 0..ROUNDS {
            let mut todo = self.load(permit.workspace(), id).await?;
            let version = todo.version();
            if expected.is_some_and(|expected| expected != version) {
                return Err(UseCaseError::Conflict(Box::new(todo)));
            }
            if !todo.edit(&permit, edit.clone(), self.clock.now()) {
                return Ok(todo);
            }
            let stored = self.repository.save(&todo, version).await;
            self.tell(todo.workspace(), id, &stored);
            match stored {
                Ok(()) => return Ok(todo),
                Err(StorageError::StaleVersion) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(UseCaseError::Contended)
    }
}
