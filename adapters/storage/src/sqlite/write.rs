//! The statements that write todos.

use std::sync::LazyLock;

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, params, params_from_iter};
use todo_application::domain::{
    Change, ChangeNumber, Quota, QuotaExceeded, TermChange, Todo, TodoId, Version, WorkspaceId,
};
use todo_application::ports::{CreationRequest, EarlierCall, Refusal, WriteRefusal};

use super::heads::StoredHead;
use super::many_rows::ManyRows;
use super::{changes, creations, row, terms};

macro_rules! insert {
    () => {
        "INSERT INTO todos (workspace, id, title, description, completed_at, due, due_zone, priority, \
                            labels, created_at, created_by, updated_at, updated_by, version, fresh)"
    };
}

macro_rules! on_conflict {
    () => {
        "ON CONFLICT (workspace, id) DO NOTHING"
    };
}

const INSERT: &str = concat!(
    insert!(),
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) ",
    on_conflict!()
);

/// All in one workspace.
static INSERT_MANY: LazyLock<ManyRows<15>> =
    LazyLock::new(|| ManyRows::new(insert!(), 1, on_conflict!()));

const SAVE: &str = "\
    UPDATE todos SET title = ?3, description = ?4, completed_at = ?5, due = ?6, due_zone = ?7, \
                     priority = ?8, labels = ?9, created_at = ?10, created_by = ?11, \
                     updated_at = ?12, updated_by = ?13, version = ?14, fresh = ?15 \
    WHERE workspace = ?1 AND id = ?2 AND version = ?16";

const REMOVE: &str = "DELETE FROM todos WHERE workspace = ?1 AND id = ?2 AND version = ?3";

const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM todos WHERE workspace = ?1 AND id = ?2)";

const HAS_VERSION: &str = "\
    SELECT EXISTS (SELECT 1 FROM todos WHERE workspace = ?1 AND id = ?2 AND version = ?3)";

/// A write of one todo.
#[derive(Debug, Clone)]
pub(super) struct TodoWrite {
    pub(super) step: Step,
    pub(super) terms: TermChange,
    pub(super) quota: Quota,
    /// What is remembered of it.
    pub(super) change: Option<Change>,
    /// The change that it takes back.
    pub(super) undoes: Option<ChangeNumber>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Insert(Todo),
    /// `caller` is the [key](todo_application::domain::CallerId::key) of the caller.
    InsertOnce {
        caller: String,
        todo: Todo,
        request: CreationRequest,
    },
    Save {
        before: Before,
        todo: Todo,
    },
    Remove {
        workspace: WorkspaceId,
        id: TodoId,
        before: Before,
    },
    /// Adds a todo again that was deleted.
    Restore(Todo),
}

/// A todo that is to be replaced or removed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    version: Version,
    /// Of its texts.
    bytes: u64,
}

impl From<&Todo> for Before {
    fn from(todo: &Todo) -> Self {
        Self { version: todo.version(), bytes: todo.bytes() }
    }
}

/// What came of a [`TodoWrite`]. Unless it is `Done`, nothing was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A row was written or removed, which is remembered as a change with this number.
    Done(Option<ChangeNumber>),
    /// The id was taken.
    Duplicate,
    /// The todo had another version than expected, or did not exist; or it exists and is to be restored.
    Stale,
    /// The workspace does not take the new todo.
    Refused(Refusal),
    /// The workspace would hold more than it may.
    TooMuch(QuotaExceeded),
    /// An earlier request with the same key has created its todo.
    Earlier(EarlierCall),
}

/// What is done before its change is counted.
const DONE: Outcome = Outcome::Done(None);

impl Outcome {
    /// Why nothing was written.
    pub(super) fn refusal(self) -> Option<WriteRefusal> {
        Some(match self {
            Self::Done(_) => return None,
            Self::Duplicate => WriteRefusal::Duplicate,
            Self::Stale => WriteRefusal::Stale,
            Self::Refused(refusal) => refusal.into(),
            Self::TooMuch(exceeded) => WriteRefusal::QuotaExceeded(exceeded),
            Self::Earlier(earlier) => WriteRefusal::Earlier(earlier),
        })
    }
}

impl TodoWrite {
    pub(super) fn workspace(&self) -> &WorkspaceId {
        match &self.step {
            Step::Insert(todo)
            | Step::InsertOnce { todo, .. }
            | Step::Save { todo, .. }
            | Step::Restore(todo) => todo.workspace(),
            Step::Remove { workspace, .. } => workspace,
        }
    }

    /// The bytes of the texts that are written.
    pub(super) fn bytes(&self) -> u64 {
        match &self.step {
            Step::Insert(todo)
            | Step::InsertOnce { todo, .. }
            | Step::Save { todo, .. }
            | Step::Restore(todo) => todo.bytes(),
            Step::Remove { .. } => 0,
        }
    }

    /// Whether it can be one of those of [`insert_all`].
    pub(super) fn is_plain_insert(&self) -> bool {
        matches!(self.step, Step::Insert(_)) && self.undoes.is_none()
    }

    /// Runs the write in the open transaction, as one of a batch. Unless it is [`Outcome::Done`], it has changed
    /// nothing; after an error, the transaction must be rolled back.
    pub(super) fn apply(
        &self,
        connection: &Connection,
        head: &mut StoredHead,
        batch: Option<ChangeNumber>,
    ) -> rusqlite::Result<Outcome> {
        let mut outcome = match &self.step {
            Step::Insert(todo) => self.insert(connection, head, todo)?,
            Step::InsertOnce { caller, todo, request } => {
                let now = todo.created_at();
                let key =
                    creations::Key { workspace: todo.workspace(), caller, name: &request.key };
                if let Some(earlier) = creations::find(connection, &key, now)? {
                    return Ok(Outcome::Earlier(earlier));
                }
                let outcome = self.insert(connection, head, todo)?;
                if matches!(outcome, Outcome::Done(_)) {
                    creations::remember_todo(connection, &key, todo, request)?;
                }
                outcome
            }
            Step::Save { before, todo } => self.save(connection, head, *before, todo)?,
            Step::Remove { workspace, id, before } => {
                let key =
                    params![workspace.as_str(), id.as_uuid().as_bytes(), before.version.as_i64()];
                if connection.prepare_cached(REMOVE)?.execute(key)? == 0 {
                    return Ok(Outcome::Stale);
                }
                terms::change(connection, workspace, *id, &self.terms)?;
                head.change(|head| head.remove(before.bytes));
                DONE
            }
            Step::Restore(todo) => self.restore(connection, head, todo)?,
        };
        if let Outcome::Done(number) = &mut outcome {
            let (workspace, change) = (self.workspace(), self.change.as_ref());
            let belongs = changes::Belongs { batch, undoes: self.undoes };
            *number = changes::remember(connection, workspace, head, change, belongs)?;
        }
        Ok(outcome)
    }

    fn insert(
        &self,
        connection: &Connection,
        head: &mut StoredHead,
        todo: &Todo,
    ) -> rusqlite::Result<Outcome> {
        if let Err(refusal) = head.get().admits(todo, self.change.as_ref(), self.quota) {
            let is_taken = exists(connection, todo.workspace(), todo.id())?;
            return Ok(if is_taken { Outcome::Duplicate } else { Outcome::Refused(refusal) });
        }
        if !insert_new(connection, todo, &self.terms)? {
            return Ok(Outcome::Duplicate);
        }
        head.change(|head| head.add(todo));
        Ok(DONE)
    }

    fn restore(
        &self,
        connection: &Connection,
        head: &mut StoredHead,
        todo: &Todo,
    ) -> rusqlite::Result<Outcome> {
        let admitted = head.get().admits_restoring(todo, self.change.as_ref(), self.quota);
        if let Err(exceeded) = admitted {
            let exists = exists(connection, todo.workspace(), todo.id())?;
            return Ok(if exists { Outcome::Stale } else { Outcome::TooMuch(exceeded) });
        }
        if !insert_new(connection, todo, &self.terms)? {
            return Ok(Outcome::Stale);
        }
        head.change(|head| head.add(todo));
        Ok(DONE)
    }

    fn save(
        &self,
        connection: &Connection,
        head: &mut StoredHead,
        before: Before,
        todo: &Todo,
    ) -> rusqlite::Result<Outcome> {
        let (workspace, id) = (todo.workspace(), todo.id());
        let change = self.change.as_ref();
        if let Err(exceeded) = head.get().admits_change(before.bytes, todo, change, self.quota) {
            let key = params![workspace.as_str(), id.as_uuid().as_bytes(), before.version.as_i64()];
            let mut has_version = connection.prepare_cached(HAS_VERSION)?;
            let is_stored = has_version.query_row(key, |row| row.get(0))?;
            return Ok(if is_stored { Outcome::TooMuch(exceeded) } else { Outcome::Stale });
        }
        let expected = ToSqlOutput::from(before.version.as_i64());
        let values = params_from_iter(row::values(todo).into_iter().chain([expected]));
        if connection.prepare_cached(SAVE)?.execute(values)? == 0 {
            return Ok(Outcome::Stale);
        }
        terms::change(connection, workspace, id, &self.terms)?;
        head.change(|head| head.replace(before.bytes, todo));
        Ok(DONE)
    }
}

/// Makes many [plain inserts](TodoWrite::is_plain_insert) in one workspace, as [`TodoWrite::apply`] makes each of
/// them. `false` if one of them is refused: then a part of them may have been made, and must be rolled back.
pub(super) fn insert_all(
    connection: &Connection,
    workspace: &WorkspaceId,
    head: &mut StoredHead,
    writes: &[TodoWrite],
    batch: Option<ChangeNumber>,
) -> rusqlite::Result<bool> {
    let (mut todos, mut new_changes, mut new_terms) =
        (Vec::with_capacity(writes.len()), Vec::with_capacity(writes.len()), Vec::new());
    for write in writes {
        let Step::Insert(todo) = &write.step else { return Ok(false) };
        let change = write.change.as_ref();
        if head.get().admits(todo, change, write.quota).is_err() {
            return Ok(false);
        }
        let number = head.change(|head| {
            head.add(todo);
            head.count(change)
        });
        todos.push(todo);
        new_changes.extend(change.map(|change| (number, change)));
        new_terms.extend(write.terms.added.iter().map(|term| (term, todo.id())));
    }
    if INSERT_MANY.add(connection, &todos, |todo| row::values(todo))? < todos.len() {
        return Ok(false);
    }
    terms::add_many(connection, workspace, &mut new_terms)?;
    changes::add_many(connection, workspace, &new_changes, batch)?;
    Ok(true)
}

/// Adds a todo if its id is free in its workspace, and returns whether it was.
pub(super) fn insert_new(
    connection: &Connection,
    todo: &Todo,
    terms: &TermChange,
) -> rusqlite::Result<bool> {
    let values = params_from_iter(row::values(todo));
    let is_new = connection.prepare_cached(INSERT)?.execute(values)? > 0;
    if is_new {
        terms::change(connection, todo.workspace(), todo.id(), terms)?;
    }
    Ok(is_new)
}

fn exists(connection: &Connection, workspace: &WorkspaceId, id: TodoId) -> rusqlite::Result<bool> {
    let key = params![workspace.as_str(), id.as_uuid().as_bytes()];
    connection.prepare_cached(EXISTS)?.query_row(key, |row| row.get(0))
}
