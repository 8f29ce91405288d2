//! What the writing thread is asked to do.

use rusqlite::Connection;
use todo_application::domain::{ChangeNumber, Instant, WorkspaceId};
use todo_application::ports::{CallRequest, EarlierCall, Erased, Head, WriteRefusal};

use super::heads::{Heads, StoredHead};
use super::many_rows::MIN_ROWS;
use super::write::{Outcome, TodoWrite};
use super::{creations, forgetting, schema, write};

/// A part of a transaction.
#[expect(clippy::large_enum_variant, reason = "most writes are of one todo")]
pub(super) enum Write {
    One(TodoWrite),
    All(Together),
    /// Removes the oldest changes of a workspace that were made before an instant, so many at most.
    Forget {
        workspace: WorkspaceId,
        until: Instant,
        limit: usize,
    },
    /// Removes all of a workspace.
    Erase(WorkspaceId),
    /// Changes nothing, to see whether writes are committed.
    Probe,
}

/// Writes to one workspace that are made together.
pub(super) struct Together {
    pub(super) workspace: WorkspaceId,
    pub(super) writes: Vec<TodoWrite>,
    pub(super) is_batch: bool,
    pub(super) is_trial: bool,
    pub(super) at: Instant,
    /// The key of the caller, and its call.
    pub(super) call: Option<(String, CallRequest)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    One(Outcome),
    All(Result<ChangeNumber, AllRefused>),
    /// How many changes were removed.
    Forgotten(u64),
    Erased(Erased),
    Committed,
}

/// Why none of several writes was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AllRefused {
    At(usize, WriteRefusal),
    Earlier(EarlierCall),
}

impl Write {
    /// The workspace, and the bytes of the texts that are written to it; `None` for a write without texts.
    pub(super) fn texts(&self) -> Option<(&WorkspaceId, u64)> {
        match self {
            Self::One(write) => Some((write.workspace(), write.bytes())),
            Self::All(Together { workspace, writes, .. }) => {
                Some((workspace, writes.iter().map(TodoWrite::bytes).sum()))
            }
            Self::Forget { .. } | Self::Erase(_) | Self::Probe => None,
        }
    }

    /// The workspace whose todos it may change.
    pub(super) fn workspace(&self) -> Option<&WorkspaceId> {
        match self {
            Self::One(write) => Some(write.workspace()),
            Self::All(Together { workspace, .. }) | Self::Erase(workspace) => Some(workspace),
            Self::Forget { .. } | Self::Probe => None,
        }
    }

    /// Runs the write in the open transaction. What was refused has changed nothing; after an error, the
    /// transaction must be rolled back.
    ///
    /// `None`, only if it `is_alone` in the transaction: that must be rolled back too, and the write run as if it
    /// were not alone.
    pub(super) fn apply(
        &self,
        connection: &Connection,
        heads: &mut Heads<'_>,
        is_alone: bool,
    ) -> rusqlite::Result<Option<Answer>> {
        Ok(Some(match self {
            Self::One(write) => {
                Answer::One(write.apply(connection, heads.of(write.workspace())?, None)?)
            }
            Self::All(together) => {
                let Some(made) = together.apply(connection, heads, is_alone)? else {
                    return Ok(None);
                };
                Answer::All(made)
            }
            Self::Forget { workspace, until, limit } => {
                let head = heads.of(workspace)?;
                Answer::Forgotten(forgetting::forget(connection, workspace, head, *until, *limit)?)
            }
            Self::Erase(workspace) => {
                heads.remove(workspace);
                Answer::Erased(forgetting::erase(connection, workspace)?)
            }
            Self::Probe => schema::rewrite(connection).map(|()| Answer::Committed)?,
        }))
    }
}

impl Together {
    fn apply(
        &self,
        connection: &Connection,
        heads: &mut Heads<'_>,
        is_alone: bool,
    ) -> rusqlite::Result<Option<Result<ChangeNumber, AllRefused>>> {
        let key = self.call.as_ref().map(|(caller, call)| creations::Key {
            workspace: &self.workspace,
            caller,
            name: &call.key,
        });
        if let Some(key) = &key
            && let Some(earlier) = creations::find(connection, key, self.at)?
        {
            return Ok(Some(Err(AllRefused::Earlier(earlier))));
        }
        let head = heads.of(&self.workspace)?;
        let before = *head.get();
        let first = before.latest.plus(1);
        let batch = self.is_batch.then_some(first);
        // Other writes of the transaction stay when these are refused. Without a savepoint, SQLite need not keep
        // each page that it changes.
        let has_savepoint = !is_alone || self.is_trial;
        if has_savepoint {
            connection.execute_batch("SAVEPOINT together")?;
        }
        let refused = match self.write_in_runs(connection, head, batch)? {
            Runs::Ended(None) => None,
            Runs::Ended(Some(_)) | Runs::RefusedAmongMany if !has_savepoint => return Ok(None),
            Runs::Ended(refused) => refused,
            Runs::RefusedAmongMany => {
                take_back(connection, head, before)?;
                write_each(connection, head, &self.writes, 0, batch)?
            }
        };
        if refused.is_some() || self.is_trial {
            take_back(connection, head, before)?;
        } else if let Some((key, (_, call))) = key.zip(self.call.as_ref()) {
            creations::remember_call(connection, &key, call, first, self.at)?;
        }
        if has_savepoint {
            connection.execute_batch("RELEASE together")?;
        }
        Ok(Some(refused.map_or(Ok(first), Err)))
    }

    /// Makes the writes up to the first that is refused, and many new todos in a row with a statement for each
    /// table.
    fn write_in_runs(
        &self,
        connection: &Connection,
        head: &mut StoredHead,
        batch: Option<ChangeNumber>,
    ) -> rusqlite::Result<Runs> {
        let mut place = 0;
        for run in self.writes.chunk_by(|a, b| a.is_plain_insert() && b.is_plain_insert()) {
            if run.len() < MIN_ROWS {
                let refused = write_each(connection, head, run, place, batch)?;
                if refused.is_some() {
                    return Ok(Runs::Ended(refused));
                }
            } else if !write::insert_all(connection, &self.workspace, head, run, batch)? {
                return Ok(Runs::RefusedAmongMany);
            }
            place += run.len();
        }
        Ok(Runs::Ended(None))
    }
}

enum Runs {
    Ended(Option<AllRefused>),
    /// Which one is refused shows when they are made one by one.
    RefusedAmongMany,
}

/// Makes writes, the first of which has this place, up to the first that is refused.
fn write_each(
    connection: &Connection,
    head: &mut StoredHead,
    writes: &[TodoWrite],
    first: usize,
    batch: Option<ChangeNumber>,
) -> rusqlite::Result<Option<AllRefused>> {
    for (place, write) in (first..).zip(writes) {
        if let Some(refusal) = write.apply(connection, head, batch)?.refusal() {
            return Ok(Some(AllRefused::At(place, refusal)));
        }
    }
    Ok(None)
}

/// Makes the database what it was before the writes that are made together.
fn take_back(connection: &Connection, head: &mut StoredHead, before: Head) -> rusqlite::Result<()> {
    connection.execute_batch("ROLLBACK TO together")?;
    head.change(|head| *head = before);
    Ok(())
}
