//! How work gets done on one of a few connections.

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

/// How many connections there are at most. Each is a process of the server, which has room for a
/// hundred as it comes: ten replicas fit.
const SIZE: usize = 8;

/// How long to wait for one of them: until it is free, and until it is made, whichever of the hosts
/// it leads to.
const WAIT: Duration = Duration::from_secs(3);
const CREATE: Duration = Duration::from_secs(8);

/// How long to wait for an answer. The server gives a statement up before that, see
/// [`session`](super::session); this is for a server that is out of reach.
const ANSWER: Duration = Duration::from_secs(6);

/// How often a statement is sent again that the database took back, and how long to let the other
/// transaction go first; each time twice as long.
const RETRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// Something to do on one connection, from beginning to end.
pub(super) trait Work: Sync {
    type Output: Send;

    /// Whether it changes nothing.
    fn is_a_read(&self) -> bool;

    fn on(&self, session: &mut Session)
    -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// A statement in a transaction of its own, for the rows that it returns.
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

/// A few connections, each lent to one who has work for it, and replaced when it is lost.
pub(super) struct Connections(Pool<Connector>);

impl Connections {
    /// Makes the first connection, to see whether the database can be used.
    pub(super) async fn open(connector: Connector) -> Result<Self, PostgresOpenProblem> {
        let pool = Pool::builder(connector)
            .max_size(SIZE)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CREATE))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| PostgresOpenProblem::Other(error.to_string()))?;
        drop(pool.get().await?);
        Ok(Self(pool))
    }

    /// Runs a statement in a transaction of its own and gives the rows that it returns.
    pub(super) async fn run(
        &self,
        query: Query,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, StorageError> {
        self.carry_out(&Single { query, parameters }).await
    }

    /// Does some work. It is done again only if it is known to have had no effect, or can have none.
    pub(super) async fn carry_out<W: Work>(&self, work: &W) -> Result<W::Output, StorageError> {
        let mut pauses = (0..RETRIES).map(|retry| FIRST_PAUSE * 2_u32.pow(retry));
        let mut may_get_lost = work.is_a_read();
        loop {
            let failure = match self.attempt(work).await {
                Ok(output) => return Ok(output),
                Err(failure) => failure,
            };
            match failure.fate {
                Fate::TakenBack => match pauses.next() {
                    Some(pause) => sleep(pause).await,
                    None => return Err(failure.into()),
                },
                // Once, because a connection that was idle may be found dead only when it is used.
                Fate::Unknown if may_get_lost => may_get_lost = false,
                Fate::Unknown | Fate::Refused | Fate::TooSlow => return Err(failure.into()),
            }
        }
    }

    /// Does some work once.
    pub(super) async fn attempt<W: Work>(&self, work: &W) -> Result<W::Output, Failure> {
        let mut session = self.0.get().await?;
        let answer = timeout(ANSWER, work.on(&mut session)).await;
        let answer = answer.map_or_else(|_| Err(Failure::no_answer()), |it| it.map_err(Into::into));
        if answer.as_ref().is_err_and(|failure| !failure.leaves_the_connection_sound()) {
            // Out of the pool, and closed. The statement is not cancelled: the server could answer
            // a cancelled commit as one that the standbys have.
            drop(Object::take(session));
        }
        answer
    }
}
