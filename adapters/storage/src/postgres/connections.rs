//! The pool of connections, and retries.

use std::pin::pin;
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::Status;
use deadpool::managed::{Object, Pool, QueueMode};
use todo_application::ports::{ConnectionLoad, StorageError};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use tokio_postgres::{Error, Row};

use super::connector::Connector;
use super::evidence::Evidence;
use super::failure::{Failure, Fate};
use super::isolation::{Ending, Isolation, Running};
use super::open_error::PostgresOpenProblem;
use super::parameter::Parameter;
use super::pool::{PostgresPool, close_unused};
use super::probe::{self, KEYS};
use super::queries::Query;
use super::session::{Connection, Session};
use super::vacancy::Vacancy;

/// How long to wait for a free connection, and for a new one, whichever of the hosts it leads to.
const WAIT: Duration = Duration::from_secs(3);
const CREATE: Duration = Duration::from_secs(8);

/// How long to wait for a response. The server cancels a statement before that, see
/// [`session`](super::session); this is for a server that cannot be reached.
const RESPONSE: Duration = Duration::from_secs(6);

/// How long to wait for a connection apart from the pool, and for a response on it.
const ELSEWHERE: Duration = Duration::from_secs(1);

/// How often work is retried that the database rolled back, and the first pause before that, which
/// doubles with each retry.
const RETRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// What to run on one connection.
pub(super) trait Work: Sync {
    type Output: Send;

    fn is_a_read(&self) -> bool;

    /// The key of its only workspace, if it has one.
    fn workspace(&self) -> Option<&[u8]>;

    /// Whether its output shows that the database answers. Otherwise it may be what it gave up by itself.
    fn is_an_answer(_output: &Self::Output) -> bool {
        true
    }

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

    /// The `$1` of every statement.
    fn workspace(&self) -> Option<&[u8]> {
        self.parameters.first().and_then(Parameter::as_bytes)
    }

    async fn on(&self, session: &mut Session) -> Result<Vec<Row>, Error> {
        session.query(self.query, self.parameters).await
    }
}

/// A pool of connections. Lost connections are replaced.
pub(super) struct Connections {
    pool: Pool<Connector>,
    vacancy: Vacancy,
    isolation: Isolation,
    /// The index of the key to ask for elsewhere.
    elsewhere: Mutex<usize>,
    pub(super) evidence: Evidence,
}

impl Connections {
    /// Makes the first connection, to check that the database can be used.
    pub(super) async fn open(
        connector: Connector,
        options: PostgresPool,
    ) -> Result<Self, PostgresOpenProblem> {
        let pool = Pool::builder(connector)
            .max_size(options.size.get())
            // So that those which are not needed stay unused.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CREATE))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| PostgresOpenProblem::Other(error.to_string()))?;
        drop(pool.get().await?);
        close_unused(&pool, options.idle);
        Ok(Self {
            pool,
            vacancy: Vacancy::new(WAIT),
            isolation: Isolation::new(options.size.get()),
            elsewhere: Mutex::default(),
            evidence: Evidence::default(),
        })
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
        let output = self.attempts(work).await;
        let is_served = match &output {
            Ok(_) => true,
            // By other writes, which succeed.
            Err(failure) => failure.fate == Fate::RolledBack,
        };
        self.evidence.record(work.workspace(), work.is_a_read(), is_served);
        Ok(output?)
    }

    async fn attempts<W: Work>(&self, work: &W) -> Result<W::Output, Failure> {
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
                    None => return Err(failure),
                },
                // Once, because an idle connection may turn out to be dead only when it is used.
                Fate::Unknown if retry_unknown => retry_unknown = false,
                Fate::Unknown | Fate::Refused | Fate::TooSlow => return Err(failure),
            }
        }
    }

    /// Runs work once.
    pub(super) async fn attempt<W: Work>(&self, work: &W) -> Result<W::Output, Failure> {
        let admission = self.isolation.admit(work.workspace())?;
        // Dropped after the session.
        let _announcement = self.vacancy.announcement();
        let mut session = self.vacancy.get(&self.pool).await?;
        let mut running = self.isolation.begin(admission, work.is_a_read())?;
        let began = Instant::now();
        session.is_busy = true;
        let answer = self.answer(work.on(&mut session), &mut running, work.is_a_read()).await;
        let Some(answer) = answer else {
            let host = session.host();
            // Closed, not returned to the pool. The statement is not cancelled: the server could report
            // a cancelled commit as one that the standbys have.
            drop(Object::take(session));
            if !running.end(Ending::NotAnswered) {
                self.leave(host, began);
            }
            return Err(Failure::no_answer());
        };
        session.is_busy = false;
        let output = answer.map_err(Failure::from);
        running.end(match &output {
            Ok(output) if W::is_an_answer(output) => Ending::Answered,
            Ok(_) => Ending::Failed,
            Err(failure) => failure.ending(),
        });
        if output.as_ref().is_err_and(|failure| !failure.keeps_the_connection_usable()) {
            drop(Object::take(session));
        }
        output
    }

    /// How many connections of the pool are in use, and how many requests wait for one.
    pub(super) fn load(&self) -> ConnectionLoad {
        let Status { max_size: limit, size, available, waiting } = self.pool.status();
        ConnectionLoad { in_use: size.saturating_sub(available), waiting, limit }
    }

    /// A connection that does not count among those of the pool.
    pub(super) async fn connect_apart(&self) -> Result<Connection, Failure> {
        Ok(self.pool.manager().connect(None).await?)
    }

    /// Closes the idle connections to a host that has answered nothing since then, instead of waiting for
    /// each of them in turn.
    fn leave(&self, host: usize, since: Instant) {
        self.pool.manager().leave(host);
        self.pool.retain(|session, metrics| session.host() != host || metrics.created > since);
    }

    /// The answer to a statement, unless it is given up.
    async fn answer<T>(
        &self,
        statement: impl Future<Output = T>,
        running: &mut Running<'_>,
        is_a_read: bool,
    ) -> Option<T> {
        let mut statement = pin!(statement);
        let began = Instant::now();
        while began.elapsed() < RESPONSE {
            if let Ok(answer) = timeout(running.patience(), &mut statement).await {
                return Some(answer);
            }
            if running.may_be_slow() {
                continue;
            }
            if !running.is_overtaken() {
                tokio::select! {
                    answer = &mut statement => return Some(answer),
                    // Boxed: it is large and rare.
                    () = Box::pin(self.ask_elsewhere(running, is_a_read)) => {}
                }
            }
            if running.is_overtaken() && running.may_be_left_behind() {
                return None;
            }
        }
        None
    }

    /// Lets a statement that hangs be overtaken, if the database answers anything at all. All connections of
    /// the pool may hang.
    async fn ask_elsewhere(&self, hanging: &Running<'_>, is_a_read: bool) {
        let mut index = self.elsewhere.lock().await;
        if hanging.is_overtaken() {
            return;
        }
        let key = KEYS[*index];
        let ask = async {
            let connection = self.connect_apart().await?;
            let admission = self.isolation.admit(Some(key))?;
            let running = self.isolation.begin(admission, is_a_read)?;
            let answer = probe::ask(&connection.client, key, is_a_read).await;
            if answer.is_ok() {
                running.end(Ending::Answered);
            }
            Ok::<_, Failure>(answer?)
        };
        if !matches!(timeout(ELSEWHERE, ask).await, Ok(Ok(()))) {
            *index = (*index + 1) % KEYS.len();
        }
    }
}
