//! Notices of changes between all servers of one database.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use todo_application::domain::{ReadPermit, TodoId, WorkspaceId, WritePermit};
use todo_application::ports::{BoxError, ChangeFeed, Changes};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::Notification;

use super::connector::{ConnectError, Connector};
use super::database_error::reason;
use super::session::Connection;
use super::url::PostgresUrl;
use crate::change_feed::InProcessChangeFeed;

/// How many changes may wait to be sent to other servers. Beyond that, they are sent that anything may
/// have changed.
const QUEUE: usize = 4_096;

/// How many changes one statement sends.
const GROUP: usize = 256;

/// How often to check the connection.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long to wait for a response, and for the echo of an own notification.
const RESPONSE: Duration = Duration::from_secs(5);

/// The pause before the first reconnection, which doubles with each attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Payloads that are not about a single todo: that anything may have changed, and a probe that tests
/// whether notifications arrive.
const ANYTHING: &str = "*";
const PROBE: &str = "?";

const LISTEN: &str = "LISTEN todo_mcp_changes";
const NOTIFY: &str = "\
    SELECT pg_notify('todo_mcp_changes', payload) FROM unnest($1::text[]) AS payload";

/// Notifies the subscribers of this process of the changes that any process makes that shares the
/// database: its own at once, those of others by `LISTEN` and `NOTIFY`.
///
/// A change is sent after it is durable, and separately: `NOTIFY` in the transaction of the write would
/// serialize all writes of the database. So a change by a server that dies at that moment is not sent.
/// After each reconnection all subscribers are notified that anything may have changed, so that nothing
/// else is missed.
///
/// On an engine without `LISTEN` (CockroachDB), subscribers are notified of the changes of their own
/// server only, which is logged.
pub struct PostgresChangeFeed {
    local: Arc<InProcessChangeFeed>,
    /// Changes for other servers, in the form of [`encode`].
    outbox: mpsc::Sender<String>,
    /// Notified when the outbox was full.
    overflow: Arc<Notify>,
    follower: JoinHandle<()>,
}

impl PostgresChangeFeed {
    /// Connects in the background, and again after each failure. The error is about the certificates.
    pub fn start(url: &PostgresUrl) -> Result<Self, BoxError> {
        let local = Arc::new(InProcessChangeFeed::default());
        let (outbox, queued) = mpsc::channel(QUEUE);
        let overflow = Arc::new(Notify::new());
        let follower = Follower {
            connector: Connector::new(url)?,
            local: Arc::clone(&local),
            queued,
            overflow: Arc::clone(&overflow),
            missed: false,
        };
        let follower = tokio::spawn(follower.follow());
        Ok(Self { local, outbox, overflow, follower })
    }
}

impl ChangeFeed for PostgresChangeFeed {
    fn publish(&self, permit: &WritePermit, todo: TodoId) {
        self.local.publish(permit, todo);
        if self.outbox.try_send(encode(permit.workspace(), todo)).is_err() {
            self.overflow.notify_one();
        }
    }

    fn subscribe(&self, permit: &ReadPermit) -> Box<dyn Changes> {
        self.local.subscribe(permit)
    }
}

impl Drop for PostgresChangeFeed {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

/// The payload for a change. PostgreSQL allows 8,000 bytes, and the longest workspace key has 1,100.
fn encode(workspace: &WorkspaceId, todo: TodoId) -> String {
    format!("{todo} {}", workspace.as_str())
}

fn decode(payload: &str) -> Option<(WorkspaceId, TodoId)> {
    let (todo, workspace) = payload.split_once(' ')?;
    Some((WorkspaceId::try_from(workspace).ok()?, todo.parse().ok()?))
}

/// Why a connection is closed.
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
    queued: mpsc::Receiver<String>,
    overflow: Arc<Notify>,
    /// Whether other servers have missed a change.
    missed: bool,
}

impl Follower {
    async fn follow(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let Err(lost) = self.follow_on_one_connection(&mut pause).await;
            tracing::warn!(
                reason = %lost,
                "subscribers are not notified of changes by other servers at the moment"
            );
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Returns when the connection fails.
    async fn follow_on_one_connection(&mut self, pause: &mut Duration) -> Result<Infallible, Lost> {
        let (notified, mut notifications) = mpsc::unbounded_channel();
        let connection = self.connector.connect(Some(notified)).await?;
        let own_pid: i32 =
            connection.client.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
        if let Err(error) = connection.client.batch_execute(LISTEN).await {
            return self.without_notifications(&connection, reason(error)).await;
        }
        self.notify(&connection, vec![PROBE.to_owned()]).await?;
        match timeout(RESPONSE, notifications.recv()).await {
            Ok(Some(notification)) => self.receive(own_pid, &notification),
            Ok(None) => return Err(Lost::Closed),
            Err(_elapsed) => {
                let reason = "a notification did not come back".to_owned();
                return self.without_notifications(&connection, reason).await;
            }
        }
        // Notifications before this were not received.
        self.local.notify_all();
        *pause = FIRST_PAUSE;
        tracing::debug!("listening for changes by other servers");

        let mut group = Vec::with_capacity(GROUP);
        loop {
            if self.missed {
                self.notify(&connection, vec![ANYTHING.to_owned()]).await?;
                self.missed = false;
            }
            tokio::select! {
                notification = notifications.recv() => {
                    self.receive(own_pid, &notification.ok_or(Lost::Closed)?);
                }
                _ = self.queued.recv_many(&mut group, GROUP) => {
                    self.notify(&connection, std::mem::take(&mut group)).await?;
                }
                () = self.overflow.notified() => self.missed = true,
                () = sleep(HEARTBEAT) => self.notify(&connection, vec![PROBE.to_owned()]).await?,
            }
        }
    }

    /// Sends payloads to other servers, or records that they have missed them.
    async fn notify(&mut self, connection: &Connection, payloads: Vec<String>) -> Result<(), Lost> {
        let missed = std::mem::replace(&mut self.missed, true);
        let sent = timeout(RESPONSE, connection.client.execute(NOTIFY, &[&payloads])).await;
        sent.map_err(|_elapsed| Lost::NoAnswer)??;
        self.missed = missed;
        Ok(())
    }

    /// Publishes a change by another server. The local subscribers know of our own changes already.
    fn receive(&self, own_pid: i32, notification: &Notification) {
        if notification.process_id() == own_pid {
            return;
        }
        match notification.payload() {
            PROBE => {}
            payload => match decode(payload) {
                Some((workspace, todo)) => self.local.notify(&workspace, todo),
                // [`ANYTHING`], or the payload of a newer version.
                None => self.local.notify_all(),
            },
        }
    }

    /// Continues without other servers, on an engine without notifications.
    async fn without_notifications(
        &mut self,
        connection: &Connection,
        reason: String,
    ) -> Result<Infallible, Lost> {
        tracing::warn!(
            reason,
            "this database has no LISTEN and NOTIFY: subscribers are notified of the changes of their \
             own server only"
        );
        let mut discarded = Vec::with_capacity(GROUP);
        loop {
            tokio::select! {
                _ = self.queued.recv_many(&mut discarded, GROUP) => discarded.clear(),
                () = sleep(HEARTBEAT) => {
                    let checked = timeout(RESPONSE, connection.client.batch_execute("")).await;
                    checked.map_err(|_elapsed| Lost::NoAnswer)??;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_can_be_decoded() {
        let (workspace, todo) =
            (WorkspaceId::try_from("a b *").unwrap(), TodoId::from_bytes([7; 16]));
        assert_eq!(decode(&encode(&workspace, todo)), Some((workspace, todo)));
        for other in [ANYTHING, PROBE, "", "x y"] {
            assert_eq!(decode(other), None);
        }
    }
}
