//! Writes in groups: those that come while others are being committed are committed together, as a commit
//! costs the same for 1 row and for 64.

mod queue;
mod statements;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use todo_application::domain::{ChangeNumber, WorkspaceId};
use todo_application::ports::StorageError;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_postgres::{Client, Error};

use super::citus;
use super::connections::{Connections, Work};
use super::failure::{Failure, Fate};
use super::session::Session;
use super::write::Write;
use queue::{Job, Queue};
use statements::Statements;

/// The most writes of one transaction.
const SIZE: usize = 64;

/// How long a write waits to be begun.
const WAIT: Duration = Duration::from_secs(3);

/// Which writes may be in one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    AnyWorkspaces,
    /// The tables are partitioned by the workspace.
    OneWorkspace,
    /// Only one: the tables are distributed by Citus, where adding a todo is a transaction of its own.
    OneWrite,
}

impl Extent {
    pub(super) async fn of_tables(client: &Client) -> Result<Self, Error> {
        const IS_PARTITIONED: &str =
            "SELECT relkind = 'p' FROM pg_class WHERE oid = 'todo_items'::regclass";
        const IS_DISTRIBUTED: &str = "\
            SELECT EXISTS (SELECT FROM pg_dist_partition \
                           WHERE logicalrelid = 'todo_items'::regclass)";
        let is = async |sql| client.query_one(sql, &[]).await?.try_get(0);
        if citus::is_in(client).await? && is(IS_DISTRIBUTED).await? {
            return Ok(Self::OneWrite);
        }
        Ok(if is(IS_PARTITIONED).await? { Self::OneWorkspace } else { Self::AnyWorkspaces })
    }
}

/// Runs writes. Those of one workspace follow each other, in the order in which they came, so that they
/// neither wait for its head on several connections nor are refused because a later one was faster.
pub(super) struct Groups(Arc<Shared>);

struct Shared {
    connections: Arc<Connections>,
    queue: Mutex<Queue>,
}

impl Groups {
    /// At most `groups` groups run at the same time.
    pub(super) fn new(connections: Arc<Connections>, groups: usize, extent: Extent) -> Self {
        let size = if extent == Extent::OneWrite { 1 } else { SIZE };
        let queue = Mutex::new(Queue::new(groups, size, extent == Extent::AnyWorkspaces));
        Self(Arc::new(Shared { connections, queue }))
    }

    /// Runs a write, and returns the number that it has in its workspace if it had its effect.
    pub(super) async fn write(&self, write: Write) -> Result<Option<ChangeNumber>, StorageError> {
        let workspace = write.workspace().clone();
        let (reply, mut replied) = oneshot::channel();
        let number = self.0.queue().push(write, reply);
        self.0.start();
        let answer = match timeout(WAIT, &mut replied).await {
            Ok(answer) => answer,
            Err(_elapsed) if self.0.queue().withdraw(&workspace, number) => {
                return Err(StorageError::Unavailable("too many writes are waiting".into()));
            }
            Err(_elapsed) => replied.await,
        };
        answer.unwrap_or_else(|_| Err(Failure::no_answer().into()))
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins as many groups as may run.
    fn start(self: &Arc<Self>) {
        // A statement of its own, so that the lock is not held.
        let next = || self.queue().next();
        while let Some(jobs) = next() {
            let running = Running::new(Arc::clone(self), &jobs);
            // A write goes on if its caller does not wait for it.
            tokio::spawn(running.run(jobs));
        }
    }
}

/// A group that is running, until it is dropped.
struct Running {
    shared: Arc<Shared>,
    workspaces: Vec<WorkspaceId>,
}

impl Running {
    fn new(shared: Arc<Shared>, jobs: &[Job]) -> Self {
        let mut workspaces: Vec<_> = jobs.iter().map(|job| job.write.workspace().clone()).collect();
        workspaces.dedup();
        Self { shared, workspaces }
    }

    async fn run(self, mut jobs: Vec<Job>) {
        let connections = &self.shared.connections;
        if jobs.len() == 1
            && let Some(Job { write, reply, .. }) = jobs.pop()
        {
            // A caller that no longer waits needs no reply.
            let _ = reply.send(connections.execute(&write).await);
            return;
        }
        match connections.attempt(&Group(&jobs)).await {
            Ok(Some(numbers)) => {
                for (job, number) in jobs.into_iter().zip(numbers) {
                    connections.evidence.record(Some(job.write.key()), false, true);
                    let _ = job.reply.send(Ok(number));
                }
            }
            // The one that fails is to fail alone.
            Ok(None) | Err(Failure { fate: Fate::RolledBack, .. }) => {
                self.shared.queue().put_back(jobs);
            }
            Err(failure) => {
                for job in &jobs {
                    connections.evidence.record(Some(job.write.key()), false, false);
                }
                let failure = Arc::new(StorageError::from(failure));
                for job in jobs {
                    let _ = job.reply.send(Err(StorageError::Unavailable(failure.clone().into())));
                }
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.queue().finish(&self.workspaces);
        self.shared.start();
    }
}

/// Several writes in one transaction.
struct Group<'a>(&'a [Job]);

impl Work for Group<'_> {
    /// The number of each that had its effect. `None` if a statement failed, and so all were rolled back.
    type Output = Option<Vec<Option<ChangeNumber>>>;

    fn is_a_read(&self) -> bool {
        false
    }

    fn workspace(&self) -> Option<&[u8]> {
        let mut keys = self.0.iter().map(|job| job.write.key());
        let first = keys.next()?;
        keys.all(|key| key == first).then_some(first)
    }

    /// The statement may have failed because it did not wait for a lock.
    fn is_an_answer(output: &Self::Output) -> bool {
        output.is_some()
    }

    async fn on(&self, session: &mut Session) -> Result<Self::Output, Error> {
        let writes: Vec<_> = self.0.iter().map(|job| &job.write).collect();
        let statements = Statements::of(&writes);
        // Where all are of one workspace, a lock would also be in the way of each alone.
        let patient = self.workspace().is_some();
        let rows = session.run_together(&statements.list, patient).await?;
        rows.map(|rows| statements.numbers(&writes, &rows)).transpose()
    }
}
