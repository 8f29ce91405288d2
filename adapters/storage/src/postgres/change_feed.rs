//! Notices of changes between all servers of one database.

mod payload;
mod sender;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use payload::{Mark, News, PROBE};
use sender::{Sender, Sent};
use thiserror::Error;
use todo_application::domain::{ReadPermit, TodoId, WritePermit};
use todo_application::ports::{BoxError, ChangeFeed, Changes};
use tokio::sync::{Notify, mpsc, watch};
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

/// How often to check the connection, and how long to wait for a response.
const HEARTBEAT: Duration = Duration::from_secs(5);
const RESPONSE: Duration = Duration::from_secs(3);

/// How often to check that notifications arrive, if none does, and how long to wait for one.
const SILENCE: Duration = Duration::from_mins(1);
const ECHO: Duration = Duration::from_secs(5);

/// The pause before the first reconnection, which doubles with each attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

const LISTEN: &str = "LISTEN todo_mcp_changes";

/// Notifies the subscribers of this process of the changes that any process makes that shares the
/// database: its own at once, those of others by `LISTEN` and `NOTIFY`, on all nodes of a Citus cluster.
///
/// A change is sent after it is durable, and separately: `NOTIFY` in the transaction of the write would
/// serialize all writes of the database. So a change by a server that dies at that moment is not sent.
/// After each reconnection all subscribers are notified that anything may have changed, so that nothing
/// else is missed.
///
/// Where notifications do not arrive, as on an engine without `LISTEN` (CockroachDB) or through a pooler
/// that shares sessions, subscribers are notified of the changes of their own server only. That is found
/// out by sending one over another connection, is logged, and is its [reach](Self::reach).
pub struct PostgresChangeFeed {
    local: Arc<InProcessChangeFeed>,
    mark: Arc<Mark>,
    /// Payloads for other servers.
    outbox: mpsc::Sender<String>,
    /// Notified when the outbox was full.
    overflow: Arc<Notify>,
    reach: watch::Receiver<Option<ChangeReach>>,
    follower: JoinHandle<()>,
}

/// Which changes subscribers are notified of. `Display` is a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeReach {
    /// Those of all servers.
    AllServers,
    /// Those of all servers, and servers connected to some nodes of the cluster not of those of this one.
    SomeNodes { missed: i64, nodes: i64 },
    /// Those of their own server: others are seen only by asking.
    OwnServer(String),
}

impl fmt::Display for ChangeReach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllServers => {
                formatter.write_str("subscribers are notified of the changes of all servers")
            }
            Self::SomeNodes { missed, nodes } => write!(
                formatter,
                "{missed} of {nodes} nodes of the database cannot be notified: subscribers of servers \
                 that are connected to those see changes only when they ask; check that the nodes run and \
                 accept connections of this user from each other"
            ),
            Self::OwnServer(reason) => write!(
                formatter,
                "subscribers are notified of the changes of their own server only, and see those of \
                 others when they ask ({reason}): with several servers, connect them to PostgreSQL or \
                 Citus directly, or through a pooler that gives each connection a session"
            ),
        }
    }
}

impl PostgresChangeFeed {
    /// Connects in the background, and again after each failure. The error is about the certificates.
    pub fn start(url: &PostgresUrl) -> Result<Self, BoxError> {
        let local = Arc::new(InProcessChangeFeed::default());
        let mark = Arc::new(Mark::new());
        let (outbox, queued) = mpsc::channel(QUEUE);
        let overflow = Arc::new(Notify::new());
        let (reached, reach) = watch::channel(None);
        let follower = Follower {
            connector: Connector::new(url)?,
            local: Arc::clone(&local),
            mark: Arc::clone(&mark),
            queued,
            overflow: Arc::clone(&overflow),
            missed: false,
            reach: reached,
        };
        let follower = tokio::spawn(follower.follow());
        Ok(Self { local, mark, outbox, overflow, reach, follower })
    }

    /// Waits until it is connected, and returns which changes subscribers are notified of.
    pub async fn reach(&self) -> ChangeReach {
        let mut reach = self.reach.clone();
        loop {
            if let Some(reach) = reach.borrow_and_update().clone() {
                return reach;
            }
            if reach.changed().await.is_err() {
                return ChangeReach::OwnServer("its task has ended".to_owned());
            }
        }
    }
}

impl ChangeFeed for PostgresChangeFeed {
    fn publish(&self, permit: &WritePermit, todo: TodoId) {
        self.local.publish(permit, todo);
        if self.outbox.try_send(self.mark.changed(permit.workspace(), todo)).is_err() {
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
    /// It cannot listen.
    #[error("{0}")]
    Deaf(String),
}

impl From<tokio_postgres::Error> for Lost {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Failed(reason(error))
    }
}

/// A connection that listens.
struct Line {
    connection: Connection,
    /// The process that serves it.
    process: i32,
    notifications: mpsc::UnboundedReceiver<Notification>,
    sender: Sender,
    /// Whether it is not known to hear anything.
    is_deaf: bool,
    /// When it last heard a notification that was sent on another connection.
    heard: Instant,
    next_check: Instant,
}

struct Follower {
    connector: Connector,
    local: Arc<InProcessChangeFeed>,
    mark: Arc<Mark>,
    queued: mpsc::Receiver<String>,
    overflow: Arc<Notify>,
    /// Whether other servers have missed a change.
    missed: bool,
    reach: watch::Sender<Option<ChangeReach>>,
}

impl Follower {
    async fn follow(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let Err(lost) = self.follow_on_one_connection(&mut pause).await;
            if let Lost::Deaf(reason) = lost {
                self.set_reach(ChangeReach::OwnServer(reason));
                self.discard_for(SILENCE).await;
                continue;
            }
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
        let mut line = self.listen().await?;
        let host = line.connection.host;
        let Err(lost) = self.follow_on(&mut line, pause).await;
        if matches!(lost, Lost::NoAnswer) {
            self.connector.leave(host);
        }
        Err(lost)
    }

    async fn listen(&self) -> Result<Line, Lost> {
        let (notified, notifications) = mpsc::unbounded_channel();
        let connection = self.connector.connect(Some(notified)).await?;
        let prepare = async {
            let process = "SELECT pg_backend_pid()";
            let process = connection.client.query_typed_one(process, &[]).await?.try_get(0)?;
            let listens = connection.client.batch_execute(LISTEN).await;
            listens.map_err(|error| Lost::Deaf(reason(error)))?;
            Ok::<_, Lost>((process, Sender::new(&connection).await?))
        };
        let prepared = timeout(RESPONSE, prepare).await;
        let (process, sender) = prepared.map_err(|_elapsed| Lost::NoAnswer)??;
        let now = Instant::now();
        let (is_deaf, heard, next_check) = (true, now, now);
        Ok(Line { connection, process, notifications, sender, is_deaf, heard, next_check })
    }

    async fn follow_on(
        &mut self,
        line: &mut Line,
        pause: &mut Duration,
    ) -> Result<Infallible, Lost> {
        self.check(line).await?;
        // Notifications before this were not received.
        self.local.notify_all();
        *pause = FIRST_PAUSE;

        let mut group = Vec::with_capacity(GROUP);
        loop {
            if self.missed && line.sender.is_ready() {
                self.send(line, vec![self.mark.anything()]).await?;
            }
            tokio::select! {
                notification = line.notifications.recv() => {
                    self.receive(line, &notification.ok_or(Lost::Closed)?);
                }
                _ = self.queued.recv_many(&mut group, GROUP) => {
                    self.send(line, std::mem::take(&mut group)).await?;
                }
                () = self.overflow.notified() => self.missed = true,
                () = sleep(HEARTBEAT) => {
                    let checked = timeout(RESPONSE, line.connection.client.batch_execute("")).await;
                    checked.map_err(|_elapsed| Lost::NoAnswer)??;
                }
            }
            if line.next_check <= Instant::now() {
                let was_deaf = line.is_deaf;
                self.check(line).await?;
                if was_deaf && !line.is_deaf {
                    self.local.notify_all();
                }
            }
        }
    }

    /// Finds out whether notifications arrive. The error is about the connection.
    async fn check(&self, line: &mut Line) -> Result<(), Lost> {
        if line.is_deaf {
            let listens = timeout(RESPONSE, line.connection.client.batch_execute(LISTEN)).await;
            listens.map_err(|_elapsed| Lost::NoAnswer)??;
        }
        while let Ok(notification) = line.notifications.try_recv() {
            self.receive(line, &notification);
        }
        // On another connection: a notification that is sent on the same may come back although the
        // session listens no longer.
        if let Err(lost) = line.sender.send_apart(&self.connector, PROBE).await {
            tracing::debug!(reason = %lost, "not checked whether notifications arrive");
            line.next_check = Instant::now() + HEARTBEAT;
            return Ok(());
        }
        line.is_deaf = !self.hears(line).await?;
        line.next_check = Instant::now() + SILENCE;
        self.set_reach(if line.is_deaf {
            ChangeReach::OwnServer("notifications do not arrive".to_owned())
        } else {
            ChangeReach::AllServers
        });
        Ok(())
    }

    /// Waits for a notification that was sent on another connection.
    async fn hears(&self, line: &mut Line) -> Result<bool, Lost> {
        let since = Instant::now();
        while line.heard < since {
            let left = ECHO.saturating_sub(since.elapsed());
            match timeout(left, line.notifications.recv()).await {
                Ok(Some(notification)) => self.receive(line, &notification),
                Ok(None) => return Err(Lost::Closed),
                Err(_elapsed) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Sends payloads to other servers, or records that they have missed them.
    async fn send(&mut self, line: &mut Line, payloads: Vec<String>) -> Result<(), Lost> {
        let missed = std::mem::replace(&mut self.missed, true);
        let sent = line.sender.send(&self.connector, &line.connection, &payloads).await?;
        let makes_up_for_it = payloads == [self.mark.anything()];
        match sent {
            Sent::NotNow => return Ok(()),
            Sent::ToAll | Sent::ToSomeNodes { .. } if line.is_deaf => {}
            Sent::ToAll => self.set_reach(ChangeReach::AllServers),
            Sent::ToSomeNodes { missed, nodes } => {
                self.set_reach(ChangeReach::SomeNodes { missed, nodes });
            }
        }
        self.missed = missed && !makes_up_for_it;
        Ok(())
    }

    /// Publishes a change by another server. The local subscribers know of our own changes already.
    fn receive(&self, line: &mut Line, notification: &Notification) {
        if notification.process_id() != line.process {
            line.heard = Instant::now();
            if !line.is_deaf {
                line.next_check = line.heard + SILENCE;
            }
        }
        match self.mark.read(notification.payload()) {
            News::Nothing => {}
            News::Changed(workspace, todo) => self.local.notify(&workspace, todo),
            News::Anything => self.local.notify_all(),
        }
    }

    /// Logs a change of it.
    fn set_reach(&self, reach: ChangeReach) {
        self.reach.send_if_modified(|known| {
            let is_new = known.as_ref() != Some(&reach);
            if is_new {
                match &reach {
                    ChangeReach::AllServers => tracing::debug!("{reach}"),
                    ChangeReach::SomeNodes { .. } | ChangeReach::OwnServer(_) => {
                        tracing::warn!("{reach}");
                    }
                }
                *known = Some(reach);
            }
            is_new
        });
    }

    /// Leaves changes unsent.
    async fn discard_for(&mut self, duration: Duration) {
        self.missed = true;
        let mut discarded = Vec::with_capacity(GROUP);
        let discard = async {
            while self.queued.recv_many(&mut discarded, GROUP).await > 0 {
                discarded.clear();
            }
        };
        // Ends with the feed.
        let _ = timeout(duration, discard).await;
    }
}
