//! The connections, and how a statement gets through one.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use deadpool_postgres::{
    Connect, Manager, ManagerConfig, Object, Pool, PoolError, Runtime, Timeouts,
};
use todo_application::ports::{BoxError, StorageError};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{Failure, Fate};
use super::parameter::Parameter;
use super::tls;
use super::url::PostgresUrl;

/// How many connections there are at most. Each is a process of the server, which has room for a
/// hundred as it comes: ten replicas fit.
const SIZE: usize = 8;

/// How often a statement is sent again that the database took back, and how long to let the other
/// transaction go first; each time twice as long.
const RETRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// How long things may take.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// Until one of the connections is free.
    wait: Duration,
    /// Until a new connection can be used, whichever of the hosts it leads to.
    create: Duration,
    /// Until there is an answer.
    answer: Duration,
}

/// For what a caller waits for. The server gives a statement up before we do, see [`SESSION`]; we do
/// only where the server is out of reach.
pub(super) const CALL: Patience = Patience {
    wait: Duration::from_secs(3),
    create: Duration::from_secs(8),
    answer: Duration::from_secs(6),
};

/// For a readiness check, which has a second.
pub(super) const PROBE: Patience = Patience {
    wait: Duration::from_millis(300),
    create: Duration::from_millis(300),
    answer: Duration::from_millis(300),
};

/// What each session is told, as far as the engine knows these settings: `pg_settings` has no row
/// for those that it does not.
///
/// * A statement that takes 5 seconds is given up, unless the operator has set another limit.
/// * A commit is on disk before it is answered, also where the operator's default is `off`.
/// * Each statement has one right plan, along an index that is in the order that it asks for. A
///   planner guesses, and with old statistics it guesses that a long list is short. The plan is made
///   once for each connection.
const SESSION: &str = "\
    SELECT set_config(name, CASE name WHEN 'statement_timeout' THEN '5s' \
                                      WHEN 'synchronous_commit' THEN 'on' \
                                      WHEN 'plan_cache_mode' THEN 'force_generic_plan' \
                                      ELSE 'off' END, false) \
    FROM pg_settings \
    WHERE (name = 'statement_timeout' AND setting = '0') \
       OR (name = 'synchronous_commit' AND setting = 'off') \
       OR name IN ('plan_cache_mode', 'enable_seqscan', 'enable_bitmapscan', 'enable_sort')";

/// Whether a statement changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

/// Something to do on one connection, from beginning to end.
pub(super) trait Work: Sync {
    type Output: Send;

    fn kind(&self) -> Kind;

    fn on(
        &self,
        connection: &mut Object,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// A statement in a transaction of its own, for the rows that it returns.
pub(super) struct Statement<'a> {
    pub(super) kind: Kind,
    pub(super) sql: &'static str,
    pub(super) parameters: &'a [Parameter<'a>],
}

impl Work for Statement<'_> {
    type Output = Vec<Row>;

    fn kind(&self) -> Kind {
        self.kind
    }

    async fn on(&self, connection: &mut Object) -> Result<Vec<Row>, Error> {
        let statement = connection.prepare_cached(self.sql).await?;
        connection.query(&statement, &to_sql(self.parameters)).await
    }
}

/// Parameters as the driver wants them.
pub(super) fn to_sql<'a>(parameters: &'a [Parameter<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    parameters.iter().map(|parameter| parameter as &(dyn ToSql + Sync)).collect()
}

/// A few connections that are lent to one statement each, and replaced when they are lost.
pub(super) struct Connections(Pool);

impl Connections {
    /// Prepares to connect, and does not yet.
    pub(super) fn new(url: &PostgresUrl) -> Result<Self, BoxError> {
        let connector = Connector { tls: tls::connector(&url.verification)? };
        let config = ManagerConfig::default();
        let manager = Manager::from_connect(url.config.clone(), connector, config);
        Ok(Self(Pool::builder(manager).max_size(SIZE).runtime(Runtime::Tokio1).build()?))
    }

    /// A connection for something that is more than a statement.
    pub(super) async fn get(&self, patience: Patience) -> Result<Object, PoolError> {
        let timeouts = Timeouts {
            wait: Some(patience.wait),
            create: Some(patience.create),
            recycle: Some(patience.create),
        };
        self.0.timeout_get(&timeouts).await
    }

    /// Runs a statement in a transaction of its own and gives the rows that it returns.
    pub(super) async fn run(
        &self,
        kind: Kind,
        sql: &'static str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, StorageError> {
        self.carry_out(&Statement { kind, sql, parameters }).await
    }

    /// Does some work. It is done again only if it is known to have had no effect, or can have none.
    pub(super) async fn carry_out<W: Work>(&self, work: &W) -> Result<W::Output, StorageError> {
        let mut pauses = (0..RETRIES).map(|retry| FIRST_PAUSE * 2_u32.pow(retry));
        let mut may_get_lost = work.kind() == Kind::Read;
        loop {
            let failure = match self.attempt(CALL, work).await {
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
    pub(super) async fn attempt<W: Work>(
        &self,
        patience: Patience,
        work: &W,
    ) -> Result<W::Output, Failure> {
        let mut connection = self.get(patience).await?;
        let answer = timeout(patience.answer, work.on(&mut connection)).await;
        let answer = answer.map_or_else(|_| Err(Failure::no_answer()), |it| it.map_err(Into::into));
        if answer.as_ref().is_err_and(|failure| !failure.leaves_the_connection_sound()) {
            // Out of the pool, and closed. The statement is not cancelled: the server could answer
            // a cancelled commit as one that the standbys have.
            drop(Object::take(connection));
        }
        answer
    }
}

/// Makes connections.
struct Connector {
    tls: MakeRustlsConnect,
}

type Connecting<'a> =
    Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

impl Connect for Connector {
    fn connect(&self, config: &Config) -> Connecting<'_> {
        let config = config.clone();
        Box::pin(async move {
            let (client, connection) = config.connect(self.tls.clone()).await?;
            let carrying = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    let reason = super::failure::reason(error);
                    tracing::warn!(reason, "a connection to the database is lost");
                }
            });
            client.batch_execute(SESSION).await?;
            Ok((client, carrying))
        })
    }
}
