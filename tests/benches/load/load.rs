//! The load: so many connections that each wait for an answer before they ask again, or a fixed rate
//! of requests whether they are answered or not.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connection::Connection;
use crate::failure::{During as _, Failure, Result};
use crate::messages::Prepared;

/// How much longer than planned a run may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a server says that has too much to do, and how long to leave it alone then, as it asks for.
const TOO_MUCH: u16 = 503;
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Latencies are kept to three digits, up to this one.
const LONGEST: Duration = Duration::from_mins(1);

/// Requests for a server, and how to send them.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    /// Connection 1 of 32 sends the first, the 33rd and so on. If there are a multiple of 32, no two
    /// connections send the same, and so two never write to the same todo.
    pub(crate) requests: Arc<[Prepared]>,
    /// Each request takes the next one.
    pub(crate) tokens: Arc<[String]>,
    pub(crate) connections: usize,
    pub(crate) pace: Pace,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// The next request follows the answer.
    Closed,
    /// So many requests each second, spread evenly. A latency counts from when its request was due:
    /// a server that stalls is charged for all requests that had to wait.
    PerSecond(f64),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Span {
    /// What is answered in the first part does not count.
    Time { warm_up: Duration, measured: Duration },
    /// All of them count.
    Requests(u64),
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) requests: u64,
    /// Requests that the server did not take on, warm-up included.
    pub(crate) shed: u64,
    pub(crate) seconds: f64,
    /// In nanoseconds.
    latencies: Histogram<u64>,
}

impl Measured {
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    pub(crate) fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// The latency that this part of the requests did not exceed, in microseconds.
    #[expect(clippy::cast_precision_loss, reason = "a latency")]
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        self.latencies.value_at_quantile(part) as f64 / 1_000.0
    }
}

/// What the connections of a run have in common.
struct Run {
    load: Load,
    /// The number of the next request.
    next: AtomicU64,
    began: Instant,
    /// What lies between these counts.
    from: Instant,
    until: Option<Instant>,
    shed: AtomicU64,
    latencies: Mutex<Histogram<u64>>,
}

impl Load {
    /// Sends the requests. Every answer is looked at; the first that is not what was asked for ends
    /// the run.
    pub(crate) async fn run(self) -> Result<Measured> {
        // All connections are there before the first request is sent.
        let mut open = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            open.push(Connection::open(self.address).await?);
        }
        let latencies = Histogram::new_with_bounds(1, nanoseconds(LONGEST), 3)?;
        let began = Instant::now();
        let (from, until) = match self.span {
            Span::Time { warm_up, measured } => (began + warm_up, Some(began + warm_up + measured)),
            Span::Requests(_) => (began, None),
        };
        let limit = until.map_or(LONGEST, |until| until - began) + PATIENCE;
        let (next, latencies) = (AtomicU64::new(0), Mutex::new(latencies));
        let shed = AtomicU64::new(0);
        let run = Arc::new(Run { load: self, next, began, from, until, shed, latencies });
        let mut connections = JoinSet::new();
        for (number, connection) in open.into_iter().enumerate() {
            connections.spawn(Arc::clone(&run).keep_asking(number, connection));
        }
        let all = async {
            while let Some(ended) = connections.join_next().await {
                ended??;
            }
            Ok::<(), Failure>(())
        };
        timeout(limit, all).await.during(|| "a server does not answer any more".to_owned())??;
        let ended = until.unwrap_or_else(Instant::now);
        let latencies = run.latencies.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let seconds = (ended - from).as_secs_f64();
        let shed = run.shed.load(Ordering::Relaxed);
        Ok(Measured { requests: latencies.len(), shed, seconds, latencies })
    }
}

impl Run {
    /// One connection, from the first request to the last.
    async fn keep_asking(self: Arc<Self>, number: usize, mut connection: Connection) -> Result<()> {
        let mut request = Vec::new();
        let mut place = number;
        let mut now = Instant::now();
        loop {
            let count = self.next.fetch_add(1, Ordering::Relaxed);
            let due = match self.load.pace {
                Pace::Closed => now,
                Pace::PerSecond(rate) => self.due(count, rate).await,
            };
            if self.is_over(count, due) {
                return Ok(());
            }
            let prepared = &self.load.requests[place % self.load.requests.len()];
            place += self.load.connections;
            prepared.write(self.token(count), &mut request);
            let answer = connection.exchange(&request).await?;
            now = Instant::now();
            if answer.status == TOO_MUCH {
                self.shed.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(RETRY_AFTER).await;
                now = Instant::now();
                continue;
            }
            prepared.check(answer)?;
            self.record(due, now);
        }
    }

    /// Waits until request number `count` is due. It does not sleep: timers are a millisecond coarse,
    /// which would be in every latency.
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    async fn due(&self, count: u64, rate: f64) -> Instant {
        let due = self.began + Duration::from_secs_f64(count as f64 / rate);
        while Instant::now() < due {
            tokio::task::yield_now().await;
        }
        due
    }

    fn is_over(&self, count: u64, due: Instant) -> bool {
        match self.load.span {
            Span::Time { .. } => self.until.is_some_and(|until| due >= until),
            Span::Requests(requests) => count >= requests,
        }
    }

    fn token(&self, count: u64) -> &str {
        let tokens = &self.load.tokens;
        &tokens[usize::try_from(count).unwrap_or_default() % tokens.len()]
    }

    /// In a closed loop what is answered in time counts; at a fixed rate, what was due in time,
    /// however late it was answered.
    fn record(&self, due: Instant, answered: Instant) {
        let decisive = match self.load.pace {
            Pace::Closed => answered,
            Pace::PerSecond(_) => due,
        };
        if decisive >= self.from && self.until.is_none_or(|until| decisive < until) {
            let mut latencies = self.latencies.lock().unwrap_or_else(PoisonError::into_inner);
            latencies.saturating_record(nanoseconds(answered - due));
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
