//! The thread that writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::{io, iter, slice};

use rusqlite::Connection;
use thiserror::Error;
use todo_application::ports::{QueuedWrites, StorageError};
use tokio::sync::{Mutex, oneshot};

use super::backlog::{Backlog, Share};
use super::checkpoints::Checkpoints;
use super::failure::{damaged, failure, is_damage, log_truncated, may_pass, unavailable};
use super::files::Files;
use super::heads::Heads;
use super::job::{Answer, Write};
use super::log_marker;
use super::pinned_reader::PinnedReader;
use super::recent::{AllWrites, Writing};
use super::schema;
use super::transaction::Transaction;

/// How many prepared statements are kept: more than the writer has. One that adds many rows takes long to
/// prepare.
const STATEMENTS: usize = 48;

/// How many writes may wait. The bytes of their texts are limited by the [`Backlog`].
const QUEUE: usize = 1024;

/// The most writes of one commit, which costs the same for 1 row and for 128.
const GROUP: usize = 128;

/// Sends writes to the thread that owns the writing connection.
///
/// Dropping it blocks until the queued writes are committed.
pub(super) struct Writer {
    // Both are `Some` until the drop.
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    backlog: Arc<Backlog>,
    writes: Arc<AllWrites>,
    waiting: Arc<AtomicUsize>,
    /// Whether a commit has failed, and no [probe](Self::probe) has been committed since.
    is_failing: Arc<AtomicBool>,
    /// The reply to a probe that is still waited for.
    probe: Mutex<Option<Reply>>,
}

type Reply = oneshot::Receiver<Result<Answer, StorageError>>;

struct Job {
    write: Write,
    reply: oneshot::Sender<Result<Answer, StorageError>>,
    /// Held until the write is committed.
    held: (Option<Share>, Option<Writing>, Waiting),
}

/// Counts as a write that waits, until it is dropped.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn one_of(waiting: &Arc<AtomicUsize>) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(waiting))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A commit failed, and with it every write of its group.
#[derive(Debug, Error)]
#[error("the write could not be committed")]
struct NotCommitted(#[source] Arc<rusqlite::Error>);

/// A workspace was erased, and what was deleted before may still be in the file.
#[derive(Debug, Error)]
#[error("the list was removed, and the file could not be written anew: erase it again")]
struct NotCompacted(#[source] Arc<rusqlite::Error>);

impl Writer {
    pub(super) fn start(
        connection: Connection,
        pinned: PinnedReader,
        checkpoints: Checkpoints,
        files: Arc<Files>,
        writes: Arc<AllWrites>,
    ) -> io::Result<Self> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let (queue, jobs) = sync_channel(QUEUE);
        let is_failing = Arc::new(AtomicBool::new(false));
        let failing = Arc::clone(&is_failing);
        let thread = thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || serve(connection, pinned, checkpoints, &files, &jobs, &failing))?;
        let (queue, thread) = (Some(queue), Some(thread));
        let (backlog, waiting, probe) = (Arc::default(), Arc::default(), Mutex::default());
        Ok(Self { queue, thread, backlog, writes, waiting, is_failing, probe })
    }

    /// Returns once the write is on disk, or is certain never to be.
    pub(super) async fn write(&self, write: Write) -> Result<Answer, StorageError> {
        self.begin(write)?.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Whether writes are committed: if a commit has failed, only once a write that changes nothing has
    /// been. Dropping the future leaves that to the next call.
    pub(super) async fn probe(&self) -> Result<(), StorageError> {
        if !self.is_failing.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut probe = self.probe.lock().await;
        let running = match probe.take() {
            Some(running) => running,
            None => self.begin(Write::Probe)?,
        };
        let answer = probe.insert(running).await.unwrap_or_else(|_| Err(stopped()));
        *probe = None;
        answer?;
        self.is_failing.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn begin(&self, write: Write) -> Result<Reply, StorageError> {
        let (reply, replied) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        let share = match write.texts() {
            None => None,
            Some((workspace, bytes)) => {
                Some(self.backlog.share(workspace, bytes).ok_or_else(full)?)
            }
        };
        let writing = write.workspace().map(|workspace| self.writes.begin(workspace));
        let held = (share, writing, Waiting::one_of(&self.waiting));
        queue.try_send(Job { write, reply, held }).map_err(|error| match error {
            TrySendError::Full(_) => full(),
            TrySendError::Disconnected(_) => stopped(),
        })?;
        Ok(replied)
    }

    /// The writes that are not committed yet.
    pub(super) fn queued(&self) -> QueuedWrites {
        let (waiting, bytes) = (self.waiting.load(Ordering::Relaxed), self.backlog.bytes());
        QueuedWrites { waiting, bytes }
    }

    pub(super) fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

fn full() -> StorageError {
    unavailable("too many writes are waiting")
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
            tracing::error!("the database's writer panicked");
        }
    }
}

/// Commits the queued writes in groups, until the queue is closed and empty.
fn serve(
    mut connection: Connection,
    pinned: PinnedReader,
    mut checkpoints: Checkpoints,
    files: &Files,
    jobs: &Receiver<Job>,
    is_failing: &AtomicBool,
) {
    while let Ok(first) = pinned.hold(|| jobs.recv()) {
        let group = iter::once(first).chain(jobs.try_iter()).take(GROUP);
        let split = |job: Job| (job.write, (job.reply, job.held));
        let (writes, replies): (Vec<_>, Vec<_>) = group.map(split).unzip();
        let marks = checkpoints.marks_the_next_commit();
        // Another program may have made a checkpoint that emptied the log.
        let is_complete = files.has_log(checkpoints.known_pages())
            || files.has_log_of(checkpoints.pages(&connection));
        let mut results =
            if is_complete { commit(&mut connection, &writes, marks) } else { vec![] };
        if !is_complete || !files.has_log_of(checkpoints.pages(&connection)) {
            results.clear();
            results.resize_with(writes.len(), || Err(log_truncated()));
            // It would copy what is left of the log to the file.
            checkpoints.suspend(&connection);
        } else if !files.are_in_place() {
            results.fill_with(|| Err(unavailable("the database file has been moved or removed")));
        }
        if results.iter().any(|it| matches!(it, Ok(Answer::Erased(_)))) {
            compact(&connection, &mut results);
        }
        let failed = results.iter().any(|it| matches!(it, Err(StorageError::Unavailable(_))));
        if results.iter().any(is_not_committed) {
            is_failing.store(true, Ordering::Relaxed);
        }
        for ((reply, held), result) in replies.into_iter().zip(results) {
            drop(held);
            // A caller that no longer waits needs no reply.
            let _ = reply.send(result);
        }
        checkpoints.after_commit(&connection, failed);
    }
    // The writer is the last to close, and truncates the log.
    drop(pinned);
    checkpoints.at_the_end(&connection);
}

/// Writes the database anew: what was deleted before it was erased may be in unused parts of its pages.
fn compact(connection: &Connection, results: &mut [Result<Answer, StorageError>]) {
    let Err(error) = connection.execute_batch("VACUUM") else { return };
    let error = Arc::new(error);
    for result in results.iter_mut().filter(|it| matches!(it, Ok(Answer::Erased(_)))) {
        *result = Err(unavailable(NotCompacted(Arc::clone(&error))));
    }
}

fn is_not_committed(result: &Result<Answer, StorageError>) -> bool {
    matches!(result, Err(StorageError::Unavailable(cause)) if cause.is::<NotCommitted>())
}

/// Why a transaction failed.
enum Failed {
    /// The marker of the log could not be changed.
    ByMarker(rusqlite::Error),
    /// One of its writes ended it.
    ByWrite(rusqlite::Error),
    /// One of its writes failed, and would leave a part of itself among the others.
    InWrite(rusqlite::Error),
    /// It could not begin, or not be committed.
    AsAWhole(rusqlite::Error),
    /// Its only write is to be made again, in a transaction that can keep others.
    Again,
}

/// Commits all writes, if possible in one transaction, and returns the outcome of each.
fn commit(
    connection: &mut Connection,
    writes: &[Write],
    marks: bool,
) -> Vec<Result<Answer, StorageError>> {
    commit_as(connection, writes, marks, writes.len() == 1)
}

fn commit_as(
    connection: &mut Connection,
    writes: &[Write],
    marks: bool,
    is_alone: bool,
) -> Vec<Result<Answer, StorageError>> {
    match try_commit(connection, writes, marks, is_alone) {
        Ok(results) => results,
        Err(Failed::Again) => commit_as(connection, writes, marks, false),
        // The writes do not depend on it.
        Err(Failed::ByMarker(_)) if marks => commit(connection, writes, false),
        Err(Failed::ByWrite(_) | Failed::InWrite(_)) if writes.len() > 1 => {
            let alone = |write| commit(connection, slice::from_ref(write), marks);
            writes.iter().flat_map(alone).collect()
        }
        Err(Failed::InWrite(error)) => vec![Err(failure(error))],
        Err(Failed::ByMarker(error) | Failed::ByWrite(error) | Failed::AsAWhole(error)) => {
            let may_pass = may_pass(&error);
            let error = Arc::new(error);
            let failed = || {
                let error = NotCommitted(Arc::clone(&error));
                Err(if may_pass { unavailable(error) } else { damaged(error) })
            };
            iter::repeat_with(failed).take(writes.len()).collect()
        }
    }
}

fn try_commit(
    connection: &mut Connection,
    writes: &[Write],
    marks: bool,
    is_alone: bool,
) -> Result<Vec<Result<Answer, StorageError>>, Failed> {
    let transaction = Transaction::begin(connection).map_err(Failed::AsAWhole)?;
    if marks {
        log_marker::change(&transaction).map_err(Failed::ByMarker)?;
    }
    let mut heads = Heads::new(&transaction);
    let mut results = Vec::with_capacity(writes.len());
    for write in writes {
        match write.apply(&transaction, &mut heads, is_alone) {
            Ok(Some(answer)) => results.push(Ok(answer)),
            Ok(None) => return Err(Failed::Again),
            // Errors such as a full disk end the transaction (SQLite, "ROLLBACK"), and after damage SQLite
            // accepts no more writes in it.
            Err(error) if transaction.is_autocommit() || is_damage(&error) => {
                return Err(Failed::ByWrite(error));
            }
            Err(error) => return Err(Failed::InWrite(error)),
        }
    }
    heads.store().map_err(Failed::ByWrite)?;
    let committed = transaction.commit();
    if committed.is_err() {
        settle(connection);
    }
    committed.map(|()| results).map_err(Failed::AsAWhole)
}

/// Makes a failed commit final, before anything reads the database.
///
/// If only the sync to the disk failed, the whole commit is in the write-ahead log, and after a crash
/// the next process would find it there. So another commit, which changes nothing, overwrites it in the
/// log; that one need not reach the disk.
fn settle(connection: &Connection) {
    let _ = schema::rewrite(connection);
}

#[cfg(test)]
mod tests;
