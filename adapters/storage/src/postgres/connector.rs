//! Making connections.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use thiserror::Error;
use todo_application::ports::BoxError;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_postgres::config::LoadBalanceHosts;
use tokio_postgres::{AsyncMessage, Config, Notification};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::database_error::reason;
use super::isolation::SLOW;
use super::session::{Connection, Session};
use super::tls;
use super::url::{CONNECT_TIMEOUT, PostgresUrl};

/// Connects to the first host that accepts writes.
pub(super) struct Connector {
    hosts: Vec<Config>,
    /// The index of the host to try first.
    first: AtomicUsize,
    tls: MakeRustlsConnect,
}

#[derive(Debug, Error)]
pub(super) enum ConnectError {
    /// The host refuses, or cannot be reached.
    #[error("no connection to the database")]
    Driver(#[from] tokio_postgres::Error),
    /// The host does not respond in time.
    #[error("the database does not answer in time")]
    NoAnswer,
}

impl Connector {
    /// Does not connect yet. The error is about the certificates.
    pub(super) fn new(url: &PostgresUrl) -> Result<Self, BoxError> {
        let tls = tls::connector(&url.verification)?;
        Ok(Self { hosts: url.hosts.clone(), first: AtomicUsize::new(0), tls })
    }

    /// Tries the hosts in turn, beginning with the one that worked last. The error is that of the last
    /// host. Notifications on the connection are sent to `notified`.
    pub(super) async fn connect(
        &self,
        notified: Option<mpsc::UnboundedSender<Notification>>,
    ) -> Result<Connection, ConnectError> {
        self.connect_to_any(notified, true).await
    }

    /// Two connections to one host, without settings.
    pub(super) async fn connect_twice(&self) -> Result<[Connection; 2], ConnectError> {
        let one = self.connect_to_any(None, false).await?;
        let host = self.hosts.get(one.host).ok_or(ConnectError::NoAnswer)?;
        let other = self.connect_to(one.host, host, None, false);
        let other = timeout(limit(host), Box::pin(other)).await;
        Ok([one, other.map_err(|_elapsed| ConnectError::NoAnswer)??])
    }

    async fn connect_to_any(
        &self,
        notified: Option<mpsc::UnboundedSender<Notification>>,
        with_settings: bool,
    ) -> Result<Connection, ConnectError> {
        let first = self.first.load(Ordering::Relaxed);
        let hosts = self.hosts.iter().enumerate().cycle().skip(first).take(self.hosts.len());
        let mut last_error = ConnectError::NoAnswer;
        for (index, host) in hosts {
            // Boxed: it is large and rare, and would be part of every future that runs a statement.
            let connection = self.connect_to(index, host, notified.clone(), with_settings);
            match timeout(limit(host), Box::pin(connection)).await {
                Ok(Ok(connection)) => {
                    let spread = host.get_load_balance_hosts() == LoadBalanceHosts::Random;
                    let next = if spread { index + 1 } else { index };
                    self.first.store(next % self.hosts.len(), Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok(Err(error)) => last_error = error.into(),
                Err(_elapsed) => last_error = ConnectError::NoAnswer,
            }
        }
        Err(last_error)
    }

    /// Tries the next host first, if that is the one which does not answer.
    pub(super) fn leave(&self, host: usize) {
        let next = (host + 1) % self.hosts.len();
        // Otherwise another one has been found by now.
        let _ = self.first.compare_exchange(host, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    async fn connect_to(
        &self,
        index: usize,
        host: &Config,
        notified: Option<mpsc::UnboundedSender<Notification>>,
        with_settings: bool,
    ) -> Result<Connection, tokio_postgres::Error> {
        let (client, mut connection) = host.connect(self.tls.clone()).await?;
        let driver = tokio::spawn(async move {
            while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
                match message {
                    Ok(AsyncMessage::Notification(notification)) => {
                        if let Some(notified) = &notified {
                            // A receiver that is dropped also closes the connection.
                            let _ = notified.send(notification);
                        }
                    }
                    Ok(_) => {}
                    Err(error) => {
                        let reason = reason(error);
                        tracing::warn!(reason, "database connection lost");
                        return;
                    }
                }
            }
        });
        let connection = Connection::new(client, index, driver);
        if with_settings {
            connection.apply_settings().await?;
        }
        Ok(connection)
    }
}

/// How long connecting may take. The driver's own limit ends when the host accepts, which a host that hangs
/// does too.
fn limit(host: &Config) -> Duration {
    host.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT)
}

impl Manager for Connector {
    type Type = Session;
    type Error = ConnectError;

    async fn create(&self) -> Result<Session, ConnectError> {
        let connection = self.connect(None).await?;
        Ok(Box::pin(Session::new(connection)).await?)
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<ConnectError> {
        if session.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        if session.is_busy {
            let settled = timeout(SLOW, session.settle()).await;
            settled
                .map_err(|_elapsed| RecycleError::message("busy"))?
                .map_err(ConnectError::from)?;
        }
        Ok(())
    }
}
