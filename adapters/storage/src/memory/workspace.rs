//! One workspace in memory.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use todo_application::domain::{
    CallerId, Change, ChangeNumber, IdempotencyKey, Instant, Order, Place, Recorded, Sort, Term,
    TermChange, TermRange, Todo, TodoId, WritePermit,
};
use todo_application::ports::{
    CallRequest, CreationRequest, EarlierCall, Filter, Head, IdsByTerm, Made, PlannedWrite,
    TodoWrite, WriteRefusal, WriteSet, WriteSetError, Written,
};

/// One workspace and its todos. `open` and `done` index them, so that the cost of a filtered page
/// depends on the page and not on what it skips.
#[derive(Default)]
pub(super) struct Workspace {
    pub(super) head: Head,
    pub(super) todos: BTreeMap<TodoId, Todo>,
    open: BTreeSet<TodoId>,
    done: BTreeSet<TodoId>,
    /// The places of open and of done todos, in each order of [`Order::ALL`].
    orders: [[BTreeSet<Place>; 2]; 3],
    /// The todos that have a term. No set is empty.
    pub(super) terms: BTreeMap<Term, BTreeSet<TodoId>>,
    /// The creations by requests with a key, and when each is forgotten.
    creations: HashMap<(CallerId, IdempotencyKey), (EarlierCall, Instant)>,
    pub(super) changes: BTreeMap<ChangeNumber, Recorded>,
}

impl Workspace {
    fn put(&mut self, todo: &Todo) {
        if let Some(before) = self.todos.get(&todo.id()).cloned() {
            self.take_out_of_orders(&before);
            self.change_terms(todo.id(), TermChange::between(&before, todo));
        } else {
            self.change_terms(todo.id(), TermChange::adding(todo));
        }
        for (order, places) in Order::ALL.into_iter().zip(&mut self.orders) {
            let is_done = usize::from(todo.completion().is_done());
            places[is_done].insert(Sort::By(order).place(todo));
        }
        let (index, other) = if todo.completion().is_done() {
            (&mut self.done, &mut self.open)
        } else {
            (&mut self.open, &mut self.done)
        };
        index.insert(todo.id());
        other.remove(&todo.id());
        self.todos.insert(todo.id(), todo.clone());
    }

    /// Adds a todo that is imported, and its baseline if changes are remembered.
    pub(super) fn load(&mut self, todo: &Todo, at: Option<Instant>) {
        self.head.add(todo);
        self.put(todo);
        self.remember(at.map(|at| Change::baseline(todo, at)), None);
    }

    pub(super) fn write(
        &mut self,
        permit: &WritePermit,
        write: &TodoWrite,
        undoes: Option<ChangeNumber>,
        at: Instant,
    ) -> Result<Option<ChangeNumber>, WriteRefusal> {
        let change = permit.remembers().then(|| write.change(permit, at));
        let stored = self.todos.get(&write.todo().id());
        let known = change.as_ref();
        match write {
            TodoWrite::Insert { todo, request } => {
                if let Some(request) = request
                    && let Some(earlier) = self.earlier(permit, &request.key, at)
                {
                    return Err(WriteRefusal::Earlier(earlier));
                }
                if stored.is_some() {
                    return Err(WriteRefusal::Duplicate);
                }
                self.head.admits(todo, known, permit.quota())?;
                self.head.add(todo);
                self.put(todo);
                if let Some(CreationRequest { key, fingerprint, forget_at }) = request {
                    let (made, fingerprint) = (Made::Todo(todo.id()), *fingerprint);
                    let call = EarlierCall { fingerprint, at, made };
                    self.remember_call(permit, key, call, *forget_at);
                }
            }
            TodoWrite::Save { before, after } => {
                let stored = stored.filter(|it| it.version() == before.version());
                let bytes = stored.ok_or(WriteRefusal::Stale)?.bytes();
                let admitted = self.head.admits_change(bytes, after, known, permit.quota());
                admitted.map_err(WriteRefusal::QuotaExceeded)?;
                self.head.replace(bytes, after);
                self.put(after);
            }
            TodoWrite::Remove(todo) => {
                let stored = stored.filter(|it| it.version() == todo.version());
                let bytes = stored.ok_or(WriteRefusal::Stale)?.bytes();
                self.head.remove(bytes);
                self.take(todo.id());
            }
            TodoWrite::Restore(todo) => {
                if stored.is_some() {
                    return Err(WriteRefusal::Stale);
                }
                let admitted = self.head.admits_restoring(todo, known, permit.quota());
                admitted.map_err(WriteRefusal::QuotaExceeded)?;
                self.head.add(todo);
                self.put(todo);
            }
        }
        Ok(self.remember(change, undoes))
    }

    pub(super) fn write_all(
        &mut self,
        permit: &WritePermit,
        set: &WriteSet,
    ) -> Result<Written, WriteSetError> {
        if let Some(call) = &set.call
            && let Some(earlier) = self.earlier(permit, &call.key, set.at)
        {
            return Ok(Written::Earlier(earlier));
        }
        let before = self.head;
        let mut replaced = Vec::with_capacity(set.writes.len());
        for (place, PlannedWrite { write, undoes }) in set.writes.iter().enumerate() {
            let todo = self.todos.get(&write.todo().id()).cloned();
            if let Err(refusal) = self.write(permit, write, *undoes, set.at) {
                self.take_back(permit, &set.writes[..place], replaced, before);
                return Err(WriteSetError::Refused { place, refusal });
            }
            replaced.push(todo);
        }
        let first = before.latest.plus(1);
        if set.is_trial {
            self.take_back(permit, &set.writes, replaced, before);
            return Ok(Written::Now(first));
        }
        if set.is_batch {
            self.changes.range_mut(first..).for_each(|(_, it)| it.batch = Some(first));
        }
        if let Some(CallRequest { key, fingerprint, forget_at, outcome }) = &set.call {
            let made = Made::Changes { first, outcome: outcome.clone() };
            let call = EarlierCall { fingerprint: *fingerprint, at: set.at, made };
            self.remember_call(permit, key, call, *forget_at);
        }
        Ok(Written::Now(first))
    }

    /// Makes the workspace what it was before these writes, which replaced these todos.
    fn take_back(
        &mut self,
        permit: &WritePermit,
        writes: &[PlannedWrite],
        replaced: Vec<Option<Todo>>,
        head: Head,
    ) {
        for (PlannedWrite { write, undoes }, before) in writes.iter().zip(replaced).rev() {
            match before {
                Some(todo) => self.put(&todo),
                None => self.take(write.todo().id()),
            }
            if let TodoWrite::Insert { request: Some(request), .. } = write {
                self.creations.remove(&(permit.caller().clone(), request.key.clone()));
            }
            if let Some(undone) = undoes.and_then(|undone| self.changes.get_mut(&undone)) {
                undone.undone_by = None;
            }
        }
        self.changes.split_off(&head.latest.plus(1));
        self.head = head;
    }

    /// What is remembered of a request, unless it is forgotten by now.
    pub(super) fn earlier(
        &self,
        permit: &WritePermit,
        key: &IdempotencyKey,
        now: Instant,
    ) -> Option<EarlierCall> {
        let (earlier, forget_at) = self.creations.get(&(permit.caller().clone(), key.clone()))?;
        (*forget_at > now).then(|| earlier.clone())
    }

    fn remember_call(
        &mut self,
        permit: &WritePermit,
        key: &IdempotencyKey,
        call: EarlierCall,
        forget_at: Instant,
    ) {
        self.creations.retain(|_, (_, forget_at)| *forget_at > call.at);
        self.creations.insert((permit.caller().clone(), key.clone()), (call, forget_at));
    }

    /// Counts a write, and returns the number of its change if that is to be remembered.
    fn remember(
        &mut self,
        change: Option<Change>,
        undoes: Option<ChangeNumber>,
    ) -> Option<ChangeNumber> {
        let number = self.head.count(change.as_ref());
        if let Some(undone) = undoes.and_then(|undone| self.changes.get_mut(&undone)) {
            undone.undone_by = Some(number);
            if undone.change.is_deletion() {
                self.head.undo_deletion();
            }
        }
        let change = change?;
        let recorded = Recorded { number, change, batch: None, undoes, undone_by: None };
        self.changes.insert(number, recorded);
        Some(number)
    }

    fn take(&mut self, id: TodoId) {
        if let Some(removed) = self.todos.remove(&id) {
            self.take_out_of_orders(&removed);
            self.change_terms(id, TermChange::removing(&removed));
        }
        self.open.remove(&id);
        self.done.remove(&id);
    }

    fn take_out_of_orders(&mut self, todo: &Todo) {
        for (order, places) in Order::ALL.into_iter().zip(&mut self.orders) {
            let is_done = usize::from(todo.completion().is_done());
            places[is_done].remove(&Sort::By(order).place(todo));
        }
    }

    fn change_terms(&mut self, id: TodoId, TermChange { removed, added }: TermChange) {
        for term in removed {
            if let Entry::Occupied(mut of_term) = self.terms.entry(term) {
                of_term.get_mut().remove(&id);
                if of_term.get().is_empty() {
                    of_term.remove();
                }
            }
        }
        for term in added {
            self.terms.entry(term).or_default().insert(id);
        }
    }

    pub(super) fn ids_by_term(
        &self,
        ranges: &[TermRange],
        after: Option<TodoId>,
        limit: usize,
    ) -> Option<IdsByTerm> {
        let of_range = |range: &TermRange| self.terms.range(range.bounds()).map(|(_, ids)| ids);
        let terms = || ranges.iter().flat_map(of_range);
        let count = terms().take(IdsByTerm::MAX_TERMS + 1).count();
        let ids = |of_term: &BTreeSet<TodoId>| {
            let rest =
                of_term.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
            rest.take(limit).copied().collect()
        };
        (count <= IdsByTerm::MAX_TERMS).then(|| IdsByTerm::merge(terms().map(ids), limit))
    }

    pub(super) fn list_by(
        &self,
        order: Order,
        filter: Filter,
        after: Place,
        limit: usize,
    ) -> Vec<Todo> {
        let places = Order::ALL.iter().position(|it| *it == order).unwrap_or_default();
        let [open, done] = &self.orders[places];
        let rest = |places: &'_ BTreeSet<Place>, wanted| -> Vec<Place> {
            let is_left_out = filter.completed.is_some_and(|completed| completed != wanted);
            let limit = if is_left_out { 0 } else { limit };
            let rest = places.range((Bound::Excluded(after), Bound::Unbounded));
            rest.take(limit).copied().collect()
        };
        let mut places = [rest(open, false), rest(done, true)].concat();
        places.sort_unstable();
        places.truncate(limit);
        places.iter().filter_map(|place| self.todos.get(&place.id)).cloned().collect()
    }

    pub(super) fn list(&self, filter: Filter, after: Option<TodoId>, limit: usize) -> Vec<Todo> {
        let range = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let selected = match filter.completed {
            None => {
                let todos = self.todos.range(range).map(|(_, todo)| todo);
                return todos.take(limit).cloned().collect();
            }
            Some(false) => &self.open,
            Some(true) => &self.done,
        };
        let ids = selected.range(range).take(limit);
        ids.filter_map(|id| self.todos.get(id)).cloned().collect()
    }
}
