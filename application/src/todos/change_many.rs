use std::collections::{BTreeMap, HashMap};

use todo_domain::{
    ChangeNumber, Edit, EditError, IdempotencyKey, Instant, QuotaExceeded, Todo, TodoId,
    TodoRecord, Version, WriteAction, WritePermit,
};

use super::create::{self, NewTodo};
use super::effect::Effects;
use super::many_changes::{ChangeFailure, ChangesMade, ManyChanges, Outcome, RequestedChange};
use super::outcome;
use super::use_cases::{ROUNDS, Todos};
use crate::change_id::ChangeId;
use crate::error::{ChangeManyError, StorageFailure};
use crate::ports::{
    CallRequest, ChangeRef, EarlierCall, Made, PlannedWrite, Principal, TodoWrite, WriteRefusal,
    WriteSet, WriteSetError, Written,
};

impl Todos {
    /// Makes several changes in the caller's workspace, in their order and in one transaction. A later change
    /// sees what an earlier one has made.
    ///
    /// One that cannot be made does not keep the others from being made, unless that was asked for. A call with
    /// a key that the caller has used within 24 hours changes nothing: with the same content its outcome is that
    /// of then, with other content [`ChangeManyError::KeyReused`].
    pub async fn change_many(
        &self,
        principal: &dyn Principal,
        asked: ManyChanges,
    ) -> Result<ChangesMade, ChangeManyError> {
        let permit = self.permit_to_write(principal, WriteAction::Change)?;
        let now = self.clock.now();
        if let Some(key) = &asked.key {
            let earlier = self.repository.find_call(&permit, key, now).await;
            if let Some(earlier) = earlier.map_err(StorageFailure::from)? {
                return self.replay(&permit, &asked, earlier).await;
            }
        }
        let mut planning = Planning::new(self, &permit, &asked, now);
        for _ in 0..ROUNDS {
            planning.plan().await?;
            let has_failed = planning.outcomes.iter().any(|it| matches!(it, Outcome::Failed(_)));
            if asked.all_or_nothing && has_failed {
                let mut outcomes = planning.outcomes;
                let others = outcomes.iter_mut().filter(|it| !matches!(it, Outcome::Failed(_)));
                others.for_each(|it| *it = Outcome::Skipped);
                return Ok(ChangesMade::none(outcomes));
            }
            if planning.writes.is_empty() {
                return Ok(ChangesMade::none(planning.outcomes));
            }
            let call = asked.key.clone().map(|key| CallRequest {
                key,
                fingerprint: outcome::fingerprint(&asked),
                forget_at: create::forget_at(now),
                outcome: outcome::encode(&planning.outcomes),
            });
            let writes = std::mem::take(&mut planning.writes);
            let is_trial = asked.dry_run;
            let set = WriteSet { writes, at: now, is_batch: true, call, is_trial };
            match self.repository.write_all(&permit, &set).await {
                Ok(Written::Now(_)) if is_trial => {
                    return Ok(ChangesMade::none(planning.into_outcomes(set)));
                }
                Ok(Written::Now(first)) => {
                    self.publish_writes(&permit, &set, None);
                    let batch = batch(&permit, first);
                    let effects = Effects::new(&permit, &set, first);
                    let outcomes = planning.into_outcomes(set);
                    return Ok(ChangesMade { outcomes, batch, effects });
                }
                Ok(Written::Earlier(earlier)) => {
                    return self.replay(&permit, &asked, earlier).await;
                }
                Err(WriteSetError::Refused { place, refusal }) => {
                    planning.refused(place, &refusal)?;
                }
                Err(WriteSetError::Storage(error)) => {
                    if !is_trial {
                        self.publish_writes(&permit, &set, Some(&error));
                    }
                    return Err(StorageFailure::from(error).into());
                }
            }
        }
        Err(ChangeManyError::Contended)
    }

    /// The outcome of an earlier call with the same key.
    async fn replay(
        &self,
        permit: &WritePermit,
        asked: &ManyChanges,
        earlier: EarlierCall,
    ) -> Result<ChangesMade, ChangeManyError> {
        let Made::Changes { first, outcome } = earlier.made else {
            return Err(ChangeManyError::KeyReused);
        };
        if earlier.fingerprint != outcome::fingerprint(asked) {
            return Err(ChangeManyError::KeyReused);
        }
        let todos = find_all(self, permit, &outcome::ids(asked)).await?;
        let create = |new: &NewTodo, id| {
            Todo::create(permit, id, new.draft.clone(), earlier.at).into_record()
        };
        let outcomes = outcome::decode(&outcome, asked, &todos, create);
        Ok(ChangesMade { batch: batch(permit, first), ..ChangesMade::none(outcomes) })
    }
}

/// What takes back all changes of a call, the first of which has this number. `None` if they are not remembered.
fn batch(permit: &WritePermit, first: ChangeNumber) -> Option<ChangeId> {
    permit.remembers().then(|| ChangeId::new(permit.workspace(), ChangeRef::Batch(first)))
}

async fn find_all(
    todos: &Todos,
    permit: &WritePermit,
    ids: &[TodoId],
) -> Result<BTreeMap<TodoId, Todo>, StorageFailure> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = todos.repository.find_all_for_update(permit, ids).await?;
    Ok(found.into_iter().map(|todo| (todo.id(), todo)).collect())
}

/// What the changes would do, worked out again for each round.
struct Planning<'a> {
    todos: &'a Todos,
    permit: &'a WritePermit,
    asked: &'a ManyChanges,
    now: Instant,
    /// The id of each todo that is created, once it is known.
    minted: Vec<Option<TodoId>>,
    /// What the store has refused.
    refused: HashMap<usize, QuotaExceeded>,
    outcomes: Vec<Outcome>,
    writes: Vec<PlannedWrite>,
    /// The places of outcomes, in their order, and the writes whose todos they are when these are made: a todo is
    /// long, and not kept twice.
    created: Vec<(usize, usize)>,
    /// Which change each write makes.
    places: Vec<usize>,
}

impl<'a> Planning<'a> {
    fn new(
        todos: &'a Todos,
        permit: &'a WritePermit,
        asked: &'a ManyChanges,
        now: Instant,
    ) -> Self {
        Self {
            todos,
            permit,
            asked,
            now,
            minted: vec![None; asked.changes.len()],
            refused: HashMap::new(),
            outcomes: Vec::new(),
            writes: Vec::new(),
            created: Vec::new(),
            places: Vec::new(),
        }
    }

    async fn plan(&mut self) -> Result<(), ChangeManyError> {
        let named = outcome::ids(self.asked);
        let mut current = find_all(self.todos, self.permit, &named).await?;
        let mut created: HashMap<&IdempotencyKey, (u64, TodoRecord)> = HashMap::new();
        let count = self.asked.changes.len();
        self.outcomes = Vec::with_capacity(count);
        self.writes = Vec::with_capacity(count);
        self.created = Vec::with_capacity(count);
        self.places = Vec::with_capacity(count);
        for (place, change) in self.asked.changes.iter().enumerate() {
            let outcome = match (self.refused.get(&place), change) {
                (Some(exceeded), _) => Outcome::Failed(ChangeFailure::QuotaExceeded(*exceeded)),
                (None, RequestedChange::Create(new)) => {
                    self.create(place, new, &named, &mut current, &mut created).await?
                }
                (None, RequestedChange::Update { id, edit, expected }) => {
                    self.update(place, *id, edit, *expected, &mut current)
                }
                (None, RequestedChange::Delete { id, expected }) => {
                    self.delete(place, *id, *expected, &mut current)
                }
            };
            self.outcomes.push(outcome);
        }
        Ok(())
    }

    async fn create(
        &mut self,
        place: usize,
        new: &'a NewTodo,
        named: &[TodoId],
        current: &mut BTreeMap<TodoId, Todo>,
        created: &mut HashMap<&'a IdempotencyKey, (u64, TodoRecord)>,
    ) -> Result<Outcome, StorageFailure> {
        let fingerprint = new.key.is_some().then(|| create::fingerprint(new));
        if let Some((key, fingerprint)) = new.key.as_ref().zip(fingerprint) {
            if let Some((of_first, record)) = created.get(key) {
                let same = *of_first == fingerprint;
                let replayed = || Outcome::Created(record.clone());
                return Ok(if same {
                    replayed()
                } else {
                    Outcome::Failed(ChangeFailure::KeyReused)
                });
            }
            let earlier = self.todos.repository.find_call(self.permit, key, self.now).await?;
            if let Some(EarlierCall { fingerprint: of_then, at, made }) = earlier {
                let Made::Todo(id) = made else {
                    return Ok(Outcome::Failed(ChangeFailure::KeyReused));
                };
                if of_then != fingerprint {
                    return Ok(Outcome::Failed(ChangeFailure::KeyReused));
                }
                let then = Todo::create(self.permit, id, new.draft.clone(), at);
                return Ok(Outcome::Created(then.into_record()));
            }
        }
        let id = *self.minted[place].get_or_insert_with(|| self.todos.ids.todo_id(self.now));
        let todo = Todo::create(self.permit, id, new.draft.clone(), self.now);
        let outcome = if self.asked.key.is_none() && fingerprint.is_none() {
            self.created.push((place, self.writes.len()));
            Outcome::Skipped
        } else {
            Outcome::Created(todo.record().clone())
        };
        if let Some((key, fingerprint)) = new.key.as_ref().zip(fingerprint) {
            created.insert(key, (fingerprint, todo.record().clone()));
        }
        let request = create::request(new, self.now);
        // Only an id that was guessed is among those of the other changes.
        if named.binary_search(&id).is_ok() {
            current.insert(id, todo.clone());
        }
        self.push(place, TodoWrite::Insert { todo, request });
        Ok(outcome)
    }

    fn update(
        &mut self,
        place: usize,
        id: TodoId,
        edit: &Edit,
        expected: Option<Version>,
        current: &mut BTreeMap<TodoId, Todo>,
    ) -> Outcome {
        let before = match as_expected(id, expected, current) {
            Ok(before) => before,
            Err(failure) => return Outcome::Failed(failure),
        };
        let mut after = before.clone();
        match after.edit(self.permit, edit.clone(), self.now) {
            Ok(false) => {}
            Ok(true) => {
                self.push(place, TodoWrite::Save { before, after: after.clone() });
                current.insert(id, after.clone());
            }
            Err(EditError::TooManyLabels(error)) => {
                return Outcome::Failed(ChangeFailure::TooManyLabels(error));
            }
            Err(EditError::OtherWorkspace(_)) => {
                return Outcome::Failed(ChangeFailure::NotFound(id));
            }
        }
        Outcome::Updated(id, Some(after))
    }

    fn delete(
        &mut self,
        place: usize,
        id: TodoId,
        expected: Option<Version>,
        current: &mut BTreeMap<TodoId, Todo>,
    ) -> Outcome {
        match as_expected(id, expected, current) {
            Ok(todo) => {
                self.push(place, TodoWrite::Remove(todo));
                current.remove(&id);
                Outcome::Deleted(id)
            }
            Err(failure) => Outcome::Failed(failure),
        }
    }

    /// The outcomes, now that the writes are made.
    fn into_outcomes(self, set: WriteSet) -> Vec<Outcome> {
        let mut outcomes = self.outcomes;
        let mut created = self.created.into_iter().peekable();
        for (number, planned) in set.writes.into_iter().enumerate() {
            if let Some((place, _)) = created.next_if(|(_, write)| *write == number)
                && let TodoWrite::Insert { todo, .. } = planned.write
            {
                outcomes[place] = Outcome::Created(todo.into_record());
            }
        }
        outcomes
    }

    fn push(&mut self, place: usize, write: TodoWrite) {
        self.writes.push(PlannedWrite { write, undoes: None });
        self.places.push(place);
    }

    /// The store has refused a write: prepares the next round.
    fn refused(&mut self, write: usize, refusal: &WriteRefusal) -> Result<(), StorageFailure> {
        let place = self.places.get(write).copied().unwrap_or_default();
        match refusal {
            WriteRefusal::Stale | WriteRefusal::Earlier(_) => Ok(()),
            WriteRefusal::QuotaExceeded(exceeded) => {
                self.refused.insert(place, *exceeded);
                Ok(())
            }
            WriteRefusal::Behind(last) => {
                let mut last = *last;
                // All of them, so that they stay in the order in which they are created.
                for minted in self.minted.iter_mut().filter(|it| it.is_some()) {
                    last = self.todos.ids.todo_id_after(last, self.now);
                    *minted = Some(last);
                }
                Ok(())
            }
            WriteRefusal::Duplicate => {
                Err(StorageFailure::Inconsistent("a new todo has the id of another one".into()))
            }
        }
    }
}

/// The todo, if it is as the caller expects.
fn as_expected(
    id: TodoId,
    expected: Option<Version>,
    current: &BTreeMap<TodoId, Todo>,
) -> Result<Todo, ChangeFailure> {
    let todo = current.get(&id).cloned().ok_or(ChangeFailure::NotFound(id))?;
    if expected.is_some_and(|expected| expected != todo.version()) {
        return Err(ChangeFailure::Conflict(todo));
    }
    Ok(todo)
}
