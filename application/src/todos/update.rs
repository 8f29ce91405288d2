use todo_domain::{Edit, EditError, OtherWorkspace, Todo, TodoId, Version, WriteAction};

use super::effect::Effect;
use super::use_cases::{ROUNDS, Todos};
use crate::error::{StorageFailure, UpdateError};
use crate::ports::{ChangeError, Principal};

/// A todo as an edit has left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    pub todo: Todo,
    /// `None` if the edit changes nothing.
    pub effect: Option<Effect>,
}

impl Todos {
    /// Edits a todo of the caller's workspace and returns its new state.
    ///
    /// With `expected`, a todo of another version is an [`UpdateError::Conflict`]. Without it the edit
    /// applies to the current state, whatever that is: of two concurrent edits of different fields
    /// both survive.
    pub async fn update(
        &self,
        principal: &dyn Principal,
        id: TodoId,
        edit: Edit,
        expected: Option<Version>,
    ) -> Result<Updated, UpdateError> {
        let permit = self.permit_to_write(principal, WriteAction::Update)?;
        for _ in 0..ROUNDS {
            let found = self.repository.find_for_update(&permit, id).await;
            let before = found.map_err(StorageFailure::from)?.ok_or(UpdateError::NotFound)?;
            if expected.is_some_and(|expected| expected != before.version()) {
                return Err(UpdateError::Conflict(before));
            }
            let mut todo = before.clone();
            match todo.edit(&permit, edit.clone(), self.clock.now()) {
                Ok(true) => {}
                Ok(false) => return Ok(Updated { todo, effect: None }),
                Err(EditError::OtherWorkspace(OtherWorkspace)) => {
                    return Err(UpdateError::NotFound);
                }
                Err(EditError::TooManyLabels(error)) => return Err(error.into()),
            }
            match self.repository.save(&permit, &before, &todo).await {
                Ok(number) => {
                    self.publish_change(&permit, id, None);
                    let versions = [&before, &todo].map(|it| Some(it.version()));
                    let effect = Some(Effect::new(permit.workspace(), id, versions, number));
                    return Ok(Updated { todo, effect });
                }
                Err(ChangeError::Stale) => {}
                Err(ChangeError::QuotaExceeded(error)) => return Err(error.into()),
                Err(ChangeError::Storage(error)) => {
                    self.publish_change(&permit, id, Some(&error));
                    return Err(StorageFailure::from(error).into());
                }
            }
        }
        Err(UpdateError::Contended)
    }
}
