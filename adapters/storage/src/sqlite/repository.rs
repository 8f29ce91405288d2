//! The repository.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use todo_application::domain::{
    Change, ChangeNumber, IdempotencyKey, Instant, Order, OtherWorkspace, Place, ReadPermit, Term,
    TermChange, TermRange, Todo, TodoId, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    self, ChangeError, CreationRequest, EarlierCall, Filter, IdsByTerm, InsertError, Inserted,
    PlannedWrite, RemoveError, StorageError, StorageHealth, StorageLoad, TodoRepository, WriteSet,
    WriteSetError, Written, in_one_line,
};
use tokio::time::timeout;

use super::failure::{failure, log_truncated, unavailable};
use super::files::Files;
use super::job::{AllRefused, Answer, Together, Write};
use super::lock::Lock;
use super::open::{self, Opened};
use super::open_error::OpenError;
use super::readers::Readers;
use super::recent::{Key, Read, Recent};
use super::write::{Outcome, Step, TodoWrite};
use super::writer::Writer;
use super::{creations, lists, queries, terms};

/// How long a health check waits. The port promises a result within a second.
const PROBE_TIME: Duration = Duration::from_millis(900);

/// Keeps todos in one SQLite file that no other process uses at the same time.
///
/// Its methods need a Tokio runtime with time enabled. Cancelling a write leaves its outcome unknown and
/// has no other effect. Dropping the repository blocks until the queued writes are on disk.
pub struct SqliteTodoRepository {
    // Dropped in this order: end the reads, write what is queued and close the file, release the lock.
    pub(super) readers: Readers,
    pub(super) writer: Writer,
    recent: Recent,
    files: Arc<Files>,
    _lock: Lock,
}

impl SqliteTodoRepository {
    /// Opens the database at `path`, which is created if it does not exist, and migrates it to the
    /// current schema. Blocks on the disk.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let Opened { readers, writer, recent, files, lock } = open::server(path)?;
        Ok(Self { readers, writer, recent, files, _lock: lock })
    }

    /// Keeps about so many bytes of what was read, to be served again until its list changes; 8 MiB if this is not
    /// called. With zero, every read asks the database, and so sees what other programs change in the file.
    #[must_use]
    pub fn keep_recent_reads(mut self, bytes: u64) -> Self {
        self.recent.set_capacity(bytes);
        self
    }
}

#[async_trait]
impl TodoRepository for SqliteTodoRepository {
    async fn find(&self, permit: &ReadPermit, id: TodoId) -> Result<Option<Todo>, StorageError> {
        self.find_in(permit.workspace(), id).await
    }

    async fn find_for_update(
        &self,
        permit: &WritePermit,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        self.find_in(permit.workspace(), id).await
    }

    async fn list(
        &self,
        permit: &ReadPermit,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        let key = Key {
            workspace: permit.workspace().clone(),
            read: Read::List { filter, after, limit },
        };
        let workspace = permit.workspace().clone();
        let list = move |connection: &Connection| {
            queries::list(connection, &workspace, filter, after, limit)
        };
        self.recent.read(key, self.readers.read(list)).await
    }

    async fn list_by(
        &self,
        permit: &ReadPermit,
        order: Order,
        filter: Filter,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        let key = Key {
            workspace: permit.workspace().clone(),
            read: Read::ListBy { order, filter, after, limit },
        };
        let workspace = permit.workspace().clone();
        let list = move |connection: &Connection| {
            lists::list_by(connection, &workspace, order, filter, after, limit)
        };
        self.recent.read(key, self.readers.read(list)).await
    }

    async fn find_all(
        &self,
        permit: &ReadPermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        self.find_all_in(permit.workspace(), ids).await
    }

    async fn ids_by_term(
        &self,
        permit: &ReadPermit,
        ranges: &[TermRange],
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Option<IdsByTerm>, StorageError> {
        let (workspace, ranges) = (permit.workspace().clone(), ranges.to_vec());
        let find = move |connection: &Connection| {
            terms::ids(connection, &workspace, &ranges, after, limit)
        };
        self.readers.read(find).await
    }

    async fn terms(
        &self,
        permit: &ReadPermit,
        range: &TermRange,
        limit: usize,
    ) -> Result<Vec<Term>, StorageError> {
        let (workspace, range) = (permit.workspace().clone(), range.clone());
        let find =
            move |connection: &Connection| terms::find(connection, &workspace, &range, limit);
        self.readers.read(find).await
    }

    async fn insert(
        &self,
        permit: &WritePermit,
        todo: &Todo,
    ) -> Result<Option<ChangeNumber>, InsertError> {
        todo.check(permit)?;
        let step = Step::Insert(todo.clone());
        let change = permit.remembers().then(|| Change::created(permit, todo));
        let write = write(permit, step, TermChange::adding(todo), change);
        match inserted(todo, self.write_one(write).await?)? {
            Inserted::Now(number) => Ok(number),
            Inserted::Earlier(_) => Err(InsertError::Duplicate(todo.id())),
        }
    }

    async fn insert_once(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Inserted, InsertError> {
        todo.check(permit)?;
        let (caller, request) = (permit.caller().key(), request.clone());
        let step = Step::InsertOnce { caller, todo: todo.clone(), request };
        let change = permit.remembers().then(|| Change::created(permit, todo));
        let write = write(permit, step, TermChange::adding(todo), change);
        inserted(todo, self.write_one(write).await?)
    }

    async fn save(
        &self,
        permit: &WritePermit,
        before: &Todo,
        after: &Todo,
    ) -> Result<Option<ChangeNumber>, ChangeError> {
        after.check(permit).map_err(|OtherWorkspace| ChangeError::Stale)?;
        let step = Step::Save { before: before.into(), todo: after.clone() };
        let change = permit.remembers().then(|| Change::updated(permit, before, after));
        let write = write(permit, step, TermChange::between(before, after), change);
        match self.write_one(write).await? {
            Outcome::Done(number) => Ok(number),
            Outcome::TooMuch(exceeded) => Err(exceeded.into()),
            Outcome::Duplicate | Outcome::Stale | Outcome::Refused(_) | Outcome::Earlier(_) => {
                Err(ChangeError::Stale)
            }
        }
    }

    async fn remove(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        at: Instant,
    ) -> Result<Option<ChangeNumber>, RemoveError> {
        let (workspace, id) = (permit.workspace().clone(), todo.id());
        let step = Step::Remove { workspace, id, before: todo.into() };
        let change = permit.remembers().then(|| Change::deleted(permit, todo, at));
        let write = write(permit, step, TermChange::removing(todo), change);
        match self.write_one(write).await? {
            Outcome::Done(number) => Ok(number),
            Outcome::Duplicate
            | Outcome::Stale
            | Outcome::Refused(_)
            | Outcome::TooMuch(_)
            | Outcome::Earlier(_) => Err(RemoveError::Stale),
        }
    }

    async fn find_all_for_update(
        &self,
        permit: &WritePermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        self.find_all_in(permit.workspace(), ids).await
    }

    async fn find_call(
        &self,
        permit: &WritePermit,
        key: &IdempotencyKey,
        now: Instant,
    ) -> Result<Option<EarlierCall>, StorageError> {
        let (workspace, caller) = (permit.workspace().clone(), permit.caller().key());
        let key = key.clone();
        let find = move |connection: &Connection| {
            let key = creations::Key { workspace: &workspace, caller: &caller, name: &key };
            creations::find(connection, &key, now).map_err(failure)
        };
        self.readers.read(find).await
    }

    async fn write_all(
        &self,
        permit: &WritePermit,
        set: &WriteSet,
    ) -> Result<Written, WriteSetError> {
        set.check(permit)?;
        let WriteSet { writes, at, is_batch, call, is_trial } = set;
        let together = Together {
            workspace: permit.workspace().clone(),
            writes: writes.iter().map(|planned| planned_write(permit, planned, *at)).collect(),
            is_batch: *is_batch,
            is_trial: *is_trial,
            at: *at,
            call: call.clone().map(|call| (permit.caller().key(), call)),
        };
        let answer = self.writer.write(Write::All(together)).await?;
        let Answer::All(written) = answer else { return Err(other(&answer).into()) };
        match written {
            Ok(first) => Ok(Written::Now(first)),
            Err(AllRefused::Earlier(earlier)) => Ok(Written::Earlier(earlier)),
            Err(AllRefused::At(place, refusal)) => Err(WriteSetError::Refused { place, refusal }),
        }
    }
}

fn write(permit: &WritePermit, step: Step, terms: TermChange, change: Option<Change>) -> TodoWrite {
    TodoWrite { step, terms, quota: permit.quota(), change, undoes: None }
}

fn planned_write(permit: &WritePermit, planned: &PlannedWrite, at: Instant) -> TodoWrite {
    let PlannedWrite { write: planned, undoes } = planned;
    let (step, terms) = match planned {
        ports::TodoWrite::Insert { todo, request } => {
            let step = match request.clone() {
                None => Step::Insert(todo.clone()),
                Some(request) => {
                    let caller = permit.caller().key();
                    Step::InsertOnce { caller, todo: todo.clone(), request }
                }
            };
            (step, TermChange::adding(todo))
        }
        ports::TodoWrite::Save { before, after } => {
            let step = Step::Save { before: before.into(), todo: after.clone() };
            (step, TermChange::between(before, after))
        }
        ports::TodoWrite::Remove(todo) => {
            let (workspace, id) = (permit.workspace().clone(), todo.id());
            (Step::Remove { workspace, id, before: todo.into() }, TermChange::removing(todo))
        }
        ports::TodoWrite::Restore(todo) => (Step::Restore(todo.clone()), TermChange::adding(todo)),
    };
    let change = permit.remembers().then(|| planned.change(permit, at));
    TodoWrite { undoes: *undoes, ..write(permit, step, terms, change) }
}

/// The answer to an insertion.
fn inserted(todo: &Todo, outcome: Outcome) -> Result<Inserted, InsertError> {
    match outcome {
        Outcome::Done(number) => Ok(Inserted::Now(number)),
        Outcome::Earlier(earlier) => Ok(Inserted::Earlier(earlier.into())),
        Outcome::Duplicate | Outcome::Stale => Err(InsertError::Duplicate(todo.id())),
        Outcome::Refused(refusal) => Err(refusal.into()),
        Outcome::TooMuch(exceeded) => Err(exceeded.into()),
    }
}

/// The writer has answered something else than it was asked.
pub(super) fn other(answer: &Answer) -> StorageError {
    unavailable(format!("the database's writer has answered {answer:?}"))
}

impl SqliteTodoRepository {
    async fn write_one(&self, write: TodoWrite) -> Result<Outcome, StorageError> {
        let answer = self.writer.write(Write::One(write)).await?;
        let Answer::One(outcome) = answer else { return Err(other(&answer)) };
        Ok(outcome)
    }

    async fn find_all_in(
        &self,
        workspace: &WorkspaceId,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        let (workspace, mut ids) = (workspace.clone(), ids.to_vec());
        ids.sort_unstable();
        ids.dedup();
        let find = move |connection: &Connection| queries::find_all(connection, &workspace, &ids);
        self.readers.read(find).await
    }

    async fn find_in(
        &self,
        workspace: &WorkspaceId,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        let key = Key { workspace: workspace.clone(), read: Read::Find(id) };
        let workspace = workspace.clone();
        let find = self.readers.read(move |connection| queries::find(connection, &workspace, id));
        self.recent.read(key, find).await.map(|mut found| found.pop())
    }
}

#[async_trait]
impl StorageHealth for SqliteTodoRepository {
    async fn check(&self) -> Result<(), StorageError> {
        if !self.writer.is_alive() {
            return Err(unavailable("the database's writer has stopped"));
        }
        if !self.files.are_in_place() {
            return Err(unavailable("the database file has been moved or removed"));
        }
        if self.files.is_truncated() {
            return Err(log_truncated());
        }
        let probe = async {
            let failed = |verb: &str, error: StorageError| {
                let cause = error.source().map_or_else(String::new, in_one_line);
                unavailable(format!("the database cannot be {verb}: {cause}"))
            };
            self.readers.read(queries::probe).await.map_err(|error| failed("read", error))?;
            self.writer.probe().await.map_err(|error| failed("written", error))
        };
        let late = |_| Err(unavailable("the database does not answer in time"));
        timeout(PROBE_TIME, probe).await.unwrap_or_else(late)
    }

    fn load(&self) -> StorageLoad {
        StorageLoad { writes: Some(self.writer.queued()), ..StorageLoad::default() }
    }
}

#[cfg(test)]
mod tests;
