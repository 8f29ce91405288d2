use todo_domain::{ChangeNumber, TodoId, Version, WorkspaceId, WritePermit};

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
        workspace: &WorkspaceId,
        todo: TodoId,
        [before, after]: [Option<Version>; 2],
        number: Option<ChangeNumber>,
    ) -> Self {
        let id = |number| ChangeId::new(workspace, ChangeRef::One(number));
        Self { todo, before, after, change: number.map(id) }
    }
}

/// What writes that were made together have done, which is worked out only where it is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects(Option<Together>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Together {
    workspace: WorkspaceId,
    /// The number of the first change. `None` if changes are not remembered.
    first: Option<ChangeNumber>,
    /// The todo, and its versions before and after.
    writes: Vec<(TodoId, [Option<Version>; 2])>,
}

impl Effects {
    pub(super) fn new(permit: &WritePermit, set: &WriteSet, first: ChangeNumber) -> Self {
        let writes = set.writes.iter().map(|planned| &planned.write);
        Self(Some(Together {
            workspace: permit.workspace().clone(),
            first: permit.remembers().then_some(first),
            writes: writes.map(|write| (write.todo().id(), write.versions())).collect(),
        }))
    }

    /// Of each write, in their order.
    pub fn all(&self) -> Vec<Effect> {
        let Some(Together { workspace, first, writes }) = &self.0 else { return Vec::new() };
        let effect = |(place, &(todo, versions)): (i64, &(TodoId, _))| {
            Effect::new(workspace, todo, versions, first.map(|first| first.plus(place)))
        };
        (0..).zip(writes).map(effect).collect()
    }
}
