//! The pool of connections, and retries.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Object, Pool};
use todo_application::ports::StorageError;
use tokio::time::{sleep, timeout};
use tokio_postgres::{Error, Row};

use super::connector::Connector;
use super::failure::{Failure, Fate};
use super::open_error::PostgresOpenProblem;
use super::parameter::Parameter;
use super::queries::Query;
use super::session::Session;

/// The most connections. Each is a process of the server, which allows 100 by default: enough for ten
/// replicas.
pub(super) const SIZE: usize = 8;

/// How long to wait for a free connection, and for a new one, whichever of the hosts it leads to.
const WAIT: Duration = Duration::from_secs(3);
const CREATE: Duration = Duration::from_secs(8);

/// How long to wait for a response. The server cancels a statement before that, see
/// [`session`](super::session); this is for a server that cannot be reached.
const RESPONSE: Duration = Duration::from_secs(6);

/// How often work is retried that the database rolled back, and the first pause before that, which
/// doubles with each retry.
const RETRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// What to run on one connection.
pub(super) trait Work: Sync {
    type Output: Send;

    fn is_a_read(&self) -> bool;

    fn on(&self, session: &mut Session)
    -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// A single statement in a transaction of its own. Its output is the rows that it returns.
pub(super) struct Single<'a> {
    pub(super) query: Query,
    pub(super) parameters: &'a [Parameter<'a>],
}

impl Work for Single<'_> {
    type Output = Vec<Row>;

    fn is_a_read(&self) -> bool {
        self.query.is_a_read()
    }

    async fn on(&self, session: &mut Session) -> Result<Vec<Row>, Error> {
        session.query(self.query, self.parameters).await
    }
}

/// A pool of connections. Lost connections are replaced.
pub(super) struct Connections {
    pool: Pool<Connector>,
    /// Whether a write has failed, and none of the health check has succeeded since.
    pub(super) is_failing: AtomicBool,
}

impl Connections {
    /// Makes the first connection, to check that the database can be used.
    pub(super) async fn open(connector: Connector) -> Result<Self, PostgresOpenProblem> {
        let pool = Pool::builder(connector)
            .max_size(SIZE)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CREATE))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| PostgresOpenProblem::Other(error.to_string()))?;
        drop(pool.get().await?);
        Ok(Self { pool, is_failing: AtomicBool::new(false) })
    }

    /// Runs a statement in a transaction of its own, and returns its rows.
    pub(super) async fn run(
        &self,
        query: Query,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, StorageError> {
        self.execute(&Single { query, parameters }).await
    }

    /// Runs work, and retries it only if it is known to have had no effect, or can have none.
    pub(super) async fn execute<W: Work>(&self, work: &W) -> Result<W::Output, StorageError> {
        let mut pauses = (0..RETRIES).map(|retry| FIRST_PAUSE * 2_u32.pow(retry));
        let mut retry_unknown = work.is_a_read();
        loop {
            let failure = match self.attempt(work).await {
                Ok(output) => return Ok(output),
                Err(failure) => failure,
            };
            match failure.fate {
                Fate::RolledBack | Fate::Outdated => match pauses.next() {
                    Some(pause) => sleep(pause).await,
                    // Rolled back by other writes, which succeed.
                    None => return Err(failure.into()),
                },
                // Once, because an idle connection may turn out to be dead only when it is used.
                Fate::Unknown if retry_unknown => retry_unknown = false,
                Fate::Unknown | Fate::Refused | Fate::TooSlow => {
                    if !work.is_a_read() {
                        self.note_failed_write();
                    }
                    return Err(failure.into());
                }
            }
        }
    }

    /// Lets the health check write until it succeeds.
    pub(super) fn note_failed_write(&self) {
        self.is_failing.store(true, Ordering::Relaxed);
    }

    /// Runs work once.
    pub(super) async fn attempt<W: Work>(&self, work: &W) -> Result<W::Output, Failure> {
        let mut session = self.pool.get().await?;
        let output = timeout(RESPONSE, work.on(&mut session)).await;
        let output = output.map_or_else(|_| Err(Failure::no_answer()), |it| it.map_err(Into::into));
        if output.as_ref().is_err_and(|failure| !failure.keeps_the_connection_usable()) {
            // Closed, not returned to the pool. The statement is not cancelled: the server could report
            // a cancelled commit as one that the standbys have.
            drop(Object::take(session));
        }
        output
    }
}
