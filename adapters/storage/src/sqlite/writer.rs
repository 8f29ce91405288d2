//! The thread that writes.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::{io, iter, slice};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use thiserror::Error;
use todo_application::ports::StorageError;
use tokio::sync::oneshot;

use super::anchor::Anchor;
use super::checkpoints::Checkpoints;
use super::files::Files;
use super::write::{Verdict, Write};
use super::{is_damage, schema, unavailable};

/// How many writes may wait. Each is below 20 KiB, so a full queue is at most 20 MiB.
const QUEUE: usize = 1024;

/// How many writes one commit carries at most: a commit costs the same for 1 row and for 128.
const GROUP: usize = 128;

/// Hands writes to the thread that owns the writing connection.
///
/// Dropping it waits until what is queued is committed.
pub(super) struct Writer {
    // Both are there until the drop.
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

struct Job {
    write: Write,
    answer: oneshot::Sender<Verdict>,
}

/// A commit failed, and with it every write that it carried.
#[derive(Debug, Error)]
#[error("the write could not be committed")]
struct NotCommitted(#[source] Arc<rusqlite::Error>);

impl Writer {
    pub(super) fn start(
        connection: Connection,
        anchor: Anchor,
        checkpoints: Checkpoints,
        files: Arc<Files>,
    ) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let thread = thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || serve(connection, anchor, checkpoints, &files, &jobs))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Answers once the write is on disk, or when it is sure not to get there.
    pub(super) async fn write(&self, write: Write) -> Verdict {
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.try_send(Job { write, answer }).map_err(|refusal| match refusal {
            TrySendError::Full(_) => unavailable("too many writes are waiting"),
            TrySendError::Disconnected(_) => stopped(),
        })?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    pub(super) fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

fn stopped() -> StorageError {
    unavailable("the database's writer has stopped")
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the database's writer stopped before its work was done");
        }
    }
}

/// Commits what is queued, in groups, until the queue is closed and empty.
fn serve(
    mut connection: Connection,
    anchor: Anchor,
    mut checkpoints: Checkpoints,
    files: &Files,
    jobs: &Receiver<Job>,
) {
    let next = || {
        anchor.hold();
        let job = jobs.recv();
        anchor.release();
        job
    };
    while let Ok(first) = next() {
        let group = iter::once(first).chain(jobs.try_iter()).take(GROUP);
        let (writes, answers): (Vec<_>, Vec<_>) = group.map(|job| (job.write, job.answer)).unzip();
        let mut verdicts = commit(&mut connection, &writes);
        if !files.are_in_place() {
            verdicts.fill_with(|| Err(unavailable("the database file has been moved or removed")));
        }
        let failed = verdicts.iter().any(|it| matches!(it, Err(StorageError::Unavailable(_))));
        for (answer, verdict) in answers.into_iter().zip(verdicts) {
            // A caller that no longer waits needs no answer.
            let _ = answer.send(verdict);
        }
        checkpoints.after_commit(&connection, failed);
    }
    // The writer is the last to leave, and tidies up.
    drop(anchor);
    checkpoints.at_the_end(&connection);
}

/// Why a transaction came to nothing.
enum Lost {
    /// One of its writes took all the others along.
    Midway(rusqlite::Error),
    /// It could not begin, or not be committed.
    Whole(rusqlite::Error),
}

/// Makes all changes durable, if possible in one transaction, and says for each write how it went.
fn commit(connection: &mut Connection, writes: &[Write]) -> Vec<Verdict> {
    match try_commit(connection, writes) {
        Ok(verdicts) => verdicts,
        Err(Lost::Midway(_)) if writes.len() > 1 => {
            writes.iter().flat_map(|write| commit(connection, slice::from_ref(write))).collect()
        }
        Err(Lost::Midway(error) | Lost::Whole(error)) => {
            let damaged = is_damage(&error);
            let error = Arc::new(error);
            let failed = || {
                let error = NotCommitted(Arc::clone(&error)).into();
                Err(if damaged { StorageError::Damaged(error) } else { unavailable(error) })
            };
            iter::repeat_with(failed).take(writes.len()).collect()
        }
    }
}

fn try_commit(connection: &mut Connection, writes: &[Write]) -> Result<Vec<Verdict>, Lost> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = transaction.map_err(Lost::Whole)?;
    let verdicts = writes
        .iter()
        .map(|write| apply_alone(&transaction, write))
        .collect::<rusqlite::Result<_>>()
        .map_err(Lost::Midway)?;
    let committed = transaction.commit();
    if committed.is_err() {
        settle(connection);
    }
    committed.map(|()| verdicts).map_err(Lost::Whole)
}

/// Makes sure that a commit which failed has failed for good, before anybody looks.
///
/// If the disk has only not confirmed it, all of it is in the write-ahead log, and if the process
/// were killed now, the next one would find it there. So another commit takes its place in the log,
/// which need not be confirmed for that, and which changes nothing.
fn settle(connection: &Connection) {
    let _ = connection.pragma_update(None, "user_version", schema::CURRENT);
}

/// Makes one change so that, if it fails, the others of the transaction stay. An error means that
/// the transaction is gone.
fn apply_alone(transaction: &Transaction<'_>, write: &Write) -> rusqlite::Result<Verdict> {
    run(transaction, "SAVEPOINT alone")?;
    match write.apply(transaction) {
        Ok(verdict) => run(transaction, "RELEASE alone").map(|()| verdict),
        // A full disk and the like end the transaction on their own (SQLite, "ROLLBACK"), and after
        // damage SQLite takes no more writes in it.
        Err(error) if transaction.is_autocommit() || is_damage(&error) => Err(error),
        Err(error) => {
            run(transaction, "ROLLBACK TO alone")?;
            run(transaction, "RELEASE alone").map(|()| Err(unavailable(error)))
        }
    }
}

/// Runs a statement that is prepared once, unlike those of `rusqlite`'s own savepoints.
fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests;
