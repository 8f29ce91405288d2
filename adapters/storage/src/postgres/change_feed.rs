//! Word of changes between all servers of one database.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use todo_application::domain::{TodoId, WorkspaceId};
use todo_application::ports::{BoxError, ChangeFeed, Changes};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::Notification;

use super::connector::{ConnectError, Connector};
use super::failure::reason;
use super::session::Connection;
use super::url::PostgresUrl;
use crate::InProcessChangeFeed;

/// How many changes may wait to be told to other servers. Beyond that they are told that anything may
/// have changed.
const WAITING: usize = 4_096;

/// How many are told with one statement.
const GROUP: usize = 256;

/// How often to look whether the connection still carries anything.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long to wait for an answer, and for a notification of our own to come back.
const ANSWER: Duration = Duration::from_secs(5);

/// How long to wait before another connection is made, the first time; each time twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What is not about a single todo: that anything may have changed, and whether we hear ourselves.
const ANYTHING: &str = "*";
const ECHO: &str = "?";

const LISTEN: &str = "LISTEN todo_mcp_changes";
const TELL: &str = "\
    SELECT pg_notify('todo_mcp_changes', told) FROM unnest($1::text[]) AS told";

/// Tells the subscribers of this process of the changes that any process makes that shares the
/// database: its own at once, those of others by way of `LISTEN` and `NOTIFY`.
///
/// A change is told after it is durable, and on its own: notifying in the transaction of the write
/// would make all writes of the database wait for each other. So a change by a server that dies at
/// that moment is not told. Whenever the connection was lost, everyone is told that anything may have
/// changed, so that nothing else is missed.
///
/// Where the engine has no `LISTEN` (CockroachDB), subscribers hear of the changes of their own server
/// only, and the log says so.
pub struct PostgresChangeFeed {
    local: Arc<InProcessChangeFeed>,
    /// What other servers are to be told, in the form of [`written`].
    outbox: mpsc::Sender<String>,
    /// Whether there was more than fits.
    overflow: Arc<Notify>,
    following: JoinHandle<()>,
}

impl PostgresChangeFeed {
    /// Begins to follow the changes. It connects in the background, and again whenever it has to.
    ///
    /// The error says which file of certificates cannot be used.
    pub fn start(url: &PostgresUrl) -> Result<Self, BoxError> {
        let local = Arc::new(InProcessChangeFeed::default());
        let (outbox, told) = mpsc::channel(WAITING);
        let overflow = Arc::new(Notify::new());
        let follower = Follower {
            connector: Connector::new(url)?,
            local: Arc::clone(&local),
            told,
            overflow: Arc::clone(&overflow),
            owes: false,
        };
        let following = tokio::spawn(follower.follow());
        Ok(Self { local, outbox, overflow, following })
    }
}

impl ChangeFeed for PostgresChangeFeed {
    fn publish(&self, workspace: &WorkspaceId, todo: TodoId) {
        self.local.publish(workspace, todo);
        if self.outbox.try_send(written(workspace, todo)).is_err() {
            self.overflow.notify_one();
        }
    }

    fn subscribe(&self, workspace: &WorkspaceId) -> Box<dyn Changes> {
        self.local.subscribe(workspace)
    }
}

impl Drop for PostgresChangeFeed {
    fn drop(&mut self) {
        self.following.abort();
    }
}

/// A change as servers tell each other. PostgreSQL takes 8,000 bytes, and the longest workspace has
/// 1,100.
fn written(workspace: &WorkspaceId, todo: TodoId) -> String {
    format!("{todo} {}", workspace.as_str())
}

fn read(payload: &str) -> Option<(WorkspaceId, TodoId)> {
    let (todo, workspace) = payload.split_once(' ')?;
    Some((WorkspaceId::try_from(workspace).ok()?, todo.parse().ok()?))
}

/// Why a connection is given up.
#[derive(Debug, Error)]
enum Lost {
    #[error(transparent)]
    NotConnected(#[from] ConnectError),
    #[error("{0}")]
    Failed(String),
    #[error("the database does not answer in time")]
    NoAnswer,
    #[error("the connection was closed")]
    Closed,
}

impl From<tokio_postgres::Error> for Lost {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Failed(reason(error))
    }
}

struct Follower {
    connector: Connector,
    local: Arc<InProcessChangeFeed>,
    told: mpsc::Receiver<String>,
    overflow: Arc<Notify>,
    /// Whether others have not been told something that they should have been.
    owes: bool,
}

impl Follower {
    async fn follow(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let Err(lost) = self.follow_on_one_connection(&mut pause).await;
            tracing::warn!(
                reason = %lost,
                "changes that other servers make are not heard of at the moment"
            );
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Ends when the connection does.
    async fn follow_on_one_connection(&mut self, pause: &mut Duration) -> Result<Infallible, Lost> {
        let (notified, mut notifications) = mpsc::unbounded_channel();
        let connection = self.connector.connect(Some(notified)).await?;
        let me: i32 =
            connection.client.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
        if let Err(error) = connection.client.batch_execute(LISTEN).await {
            return self.without_notifications(&connection, reason(error)).await;
        }
        self.tell(&connection, vec![ECHO.to_owned()]).await?;
        match timeout(ANSWER, notifications.recv()).await {
            Ok(Some(notification)) => self.hear(me, &notification),
            Ok(None) => return Err(Lost::Closed),
            Err(_elapsed) => {
                let reason = "a notification did not come back".to_owned();
                return self.without_notifications(&connection, reason).await;
            }
        }
        // What was told while nobody listened here, whoever made it.
        self.local.publish_anything();
        *pause = FIRST_PAUSE;
        tracing::debug!("changes that other servers make are heard of");

        let mut waiting = Vec::with_capacity(GROUP);
        loop {
            if self.owes {
                self.tell(&connection, vec![ANYTHING.to_owned()]).await?;
                self.owes = false;
            }
            tokio::select! {
                notification = notifications.recv() => {
                    self.hear(me, &notification.ok_or(Lost::Closed)?);
                }
                _ = self.told.recv_many(&mut waiting, GROUP) => {
                    self.tell(&connection, std::mem::take(&mut waiting)).await?;
                }
                () = self.overflow.notified() => self.owes = true,
                () = sleep(HEARTBEAT) => self.tell(&connection, vec![ECHO.to_owned()]).await?,
            }
        }
    }

    /// Tells other servers, or remembers that they have not been told.
    async fn tell(&mut self, connection: &Connection, told: Vec<String>) -> Result<(), Lost> {
        let owed = std::mem::replace(&mut self.owes, true);
        let answer = timeout(ANSWER, connection.client.execute(TELL, &[&told])).await;
        answer.map_err(|_elapsed| Lost::NoAnswer)??;
        self.owes = owed;
        Ok(())
    }

    /// Passes on what another server tells. What we tell ourselves our subscribers know already.
    fn hear(&self, me: i32, notification: &Notification) {
        if notification.process_id() == me {
            return;
        }
        match notification.payload() {
            ECHO => {}
            payload => match read(payload) {
                Some((workspace, todo)) => self.local.publish(&workspace, todo),
                // [`ANYTHING`], or the word of a newer version.
                None => self.local.publish_anything(),
            },
        }
    }

    /// Goes on without hearing of others, on an engine that has no notifications.
    async fn without_notifications(
        &mut self,
        connection: &Connection,
        reason: String,
    ) -> Result<Infallible, Lost> {
        tracing::warn!(
            reason,
            "this database has no LISTEN and NOTIFY: subscribers hear of the changes of their own \
             server only"
        );
        let mut unheard = Vec::with_capacity(GROUP);
        loop {
            tokio::select! {
                _ = self.told.recv_many(&mut unheard, GROUP) => unheard.clear(),
                () = sleep(HEARTBEAT) => {
                    let answer = timeout(ANSWER, connection.client.batch_execute("")).await;
                    answer.map_err(|_elapsed| Lost::NoAnswer)??;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_heard() {
        let (workspace, todo) =
            (WorkspaceId::try_from("a b *").unwrap(), TodoId::from_bytes([7; 16]));
        assert_eq!(read(&written(&workspace, todo)), Some((workspace, todo)));
        for other in [ANYTHING, ECHO, "", "x y"] {
            assert_eq!(read(other), None);
        }
    }
}
