//! What becomes of a workspace by writes that are made together.

use std::collections::{BTreeMap, HashMap};

use todo_application::domain::{Change, ChangeNumber, Recorded, Todo, TodoId, WritePermit};
use todo_application::ports::{EarlierCall, Head, PlannedWrite, TodoWrite, WriteRefusal, WriteSet};

/// What is stored of that which the writes are about.
#[derive(Default)]
pub(super) struct Found {
    pub(super) head: Head,
    pub(super) todos: HashMap<TodoId, Todo>,
    /// The changes that are taken back.
    pub(super) undone: Vec<Recorded>,
    /// An earlier call with the key of the set.
    pub(super) earlier_call: Option<EarlierCall>,
    /// Those with the keys of insertions, by the places of these.
    pub(super) earlier: HashMap<usize, EarlierCall>,
}

/// What is to be written.
pub(super) struct Plan {
    pub(super) first: ChangeNumber,
    pub(super) head: Head,
    pub(super) todos: BTreeMap<TodoId, Outcome>,
    pub(super) changes: Vec<Numbered>,
    /// Changes, and those that take them back.
    pub(super) undone: Vec<(ChangeNumber, ChangeNumber)>,
}

/// What a todo was before all writes, and what it is after them.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) before: Option<Todo>,
    pub(super) after: Option<Todo>,
}

pub(super) struct Numbered {
    pub(super) number: ChangeNumber,
    pub(super) change: Change,
    pub(super) undoes: Option<ChangeNumber>,
}

impl Plan {
    /// The error is that of the first write that is refused, and its place.
    pub(super) fn of(
        permit: &WritePermit,
        set: &WriteSet,
        found: Found,
    ) -> Result<Self, (usize, WriteRefusal)> {
        let Found { head, todos, undone, earlier_call: _, mut earlier } = found;
        let stored = |todo: Todo| {
            let id = todo.id();
            (id, Outcome { before: Some(todo.clone()), after: Some(todo) })
        };
        let mut plan = Self {
            first: head.latest.plus(1),
            head,
            todos: todos.into_values().map(stored).collect(),
            changes: Vec::with_capacity(set.writes.len()),
            undone: Vec::new(),
        };
        for (place, PlannedWrite { write, undoes }) in set.writes.iter().enumerate() {
            let earlier =
                earlier.remove(&place).map_or(Ok(()), |it| Err(WriteRefusal::Earlier(it)));
            let change = permit.remembers().then(|| write.change(permit, set.at));
            earlier
                .and_then(|()| plan.make(permit, write, change.as_ref()))
                .map_err(|refusal| (place, refusal))?;
            plan.remember(change, *undoes, &undone);
        }
        Ok(plan)
    }

    fn make(
        &mut self,
        permit: &WritePermit,
        write: &TodoWrite,
        change: Option<&Change>,
    ) -> Result<(), WriteRefusal> {
        let Self { head, todos, .. } = self;
        let todo = write.todo();
        // A todo of another workspace does not exist.
        todo.check(permit).map_err(|_| WriteRefusal::Stale)?;
        let stored = &mut todos.entry(todo.id()).or_default().after;
        let of_version = |expected: &Todo| {
            let stored = stored.as_ref().filter(|it| it.version() == expected.version());
            stored.map(Todo::bytes).ok_or(WriteRefusal::Stale)
        };
        let after = match write {
            TodoWrite::Insert { todo, request: _ } => {
                if stored.is_some() {
                    return Err(WriteRefusal::Duplicate);
                }
                head.admits(todo, change, permit.quota())?;
                head.add(todo);
                Some(todo)
            }
            TodoWrite::Save { before, after } => {
                let bytes = of_version(before)?;
                let admitted = head.admits_change(bytes, after, change, permit.quota());
                admitted.map_err(WriteRefusal::QuotaExceeded)?;
                head.replace(bytes, after);
                Some(after)
            }
            TodoWrite::Remove(todo) => {
                head.remove(of_version(todo)?);
                None
            }
            TodoWrite::Restore(todo) => {
                if stored.is_some() {
                    return Err(WriteRefusal::Stale);
                }
                let admitted = head.admits_restoring(todo, change, permit.quota());
                admitted.map_err(WriteRefusal::QuotaExceeded)?;
                head.add(todo);
                Some(todo)
            }
        };
        *stored = after.cloned();
        Ok(())
    }

    fn remember(
        &mut self,
        change: Option<Change>,
        undoes: Option<ChangeNumber>,
        undone: &[Recorded],
    ) {
        let number = self.head.count(change.as_ref());
        if let Some(undone) = undone.iter().find(|it| Some(it.number) == undoes) {
            if undone.change.is_deletion() {
                self.head.undo_deletion();
            }
            self.undone.push((undone.number, number));
        }
        self.changes.extend(change.map(|change| Numbered { number, change, undoes }));
    }
}
