use todo_domain::{ChangeNumber, TodoId, Version, WritePermit};

use crate::change_id::ChangeId;
use crate::ports::{ChangeRef, WriteSet};

/// What a use case has written of one todo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    pub todo: TodoId,
    /// `None` if it did not exist.
    pub before: Option<Version>,
    /// `None` if it does not exist any more.
    pub after: Option<Version>,
    /// `None` if changes are not remembered.
    pub change: Option<ChangeId>,
}

impl Effect {
    pub(super) fn new(
        permit: &WritePermit,
        todo: TodoId,
        [before, after]: [Option<Version>; 2],
        number: Option<ChangeNumber>,
    ) -> Self {
        let id = |number| ChangeId::new(permit.workspace(), ChangeRef::One(number));
        Self { todo, before, after, change: number.map(id) }
    }

    /// Of writes that were made together, the first one with this number.
    pub(super) fn all(permit: &WritePermit, set: &WriteSet, first: ChangeNumber) -> Vec<Self> {
        let numbers = (0..).map(|place| permit.remembers().then(|| first.plus(place)));
        let writes = set.writes.iter().map(|planned| &planned.write).zip(numbers);
        writes
            .map(|(write, number)| Self::new(permit, write.todo().id(), write.versions(), number))
            .collect()
    }
}
