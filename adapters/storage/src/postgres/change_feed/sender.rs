//! Sending payloads to all servers of a database.

use std::time::{Duration, Instant};

use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::lost::Lost;
use crate::postgres::connector::Connector;
use crate::postgres::session::Connection;

const NOTIFY: &str = "\
    SELECT pg_notify('todo_mcp_changes', payload) FROM unnest($1::text[]) AS payload";

/// `NOTIFY` reaches the sessions of one node of a Citus cluster, and this those of all. Returns the nodes
/// that it did not reach, and all.
const NOTIFY_ALL_NODES: &str = "\
    SELECT count(*) FILTER (WHERE NOT success), count(*) FROM run_command_on_all_nodes(format( \
        'SELECT count(pg_notify(''todo_mcp_changes'', payload)::text) \
         FROM unnest(%L::text[]) AS payload', $1::text[]))";

const HAS_NODES: &str = "SELECT FROM pg_proc WHERE proname = 'run_command_on_all_nodes'";

/// One node that does not answer must not keep the others waiting.
const SHORT_PATIENCE: &str = "SELECT set_config('citus.node_connection_timeout', '1000', false)";

/// How long to wait for a response.
const RESPONSE: Duration = Duration::from_secs(5);

/// How long nothing is sent to all nodes after there was none: what was asked may still be waited for by
/// the server.
const PAUSE: Duration = Duration::from_secs(30);

/// How changes reach the other servers.
pub(super) enum Sender {
    /// On the connection that listens.
    Notify,
    /// On a connection apart: a node that hangs must not keep it from listening.
    AllNodes { connection: Option<Connection>, not_before: Option<Instant> },
}

/// What became of payloads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    ToAll,
    /// A part of the nodes could not be reached.
    ToSomeNodes {
        missed: i64,
        nodes: i64,
    },
    /// Perhaps to none.
    NotNow,
}

impl Sender {
    pub(super) async fn new(listening: &Connection) -> Result<Self, Lost> {
        let nodes = listening.client.query_typed(HAS_NODES, &[]);
        let nodes = timeout(RESPONSE, nodes).await.map_err(|_elapsed| Lost::NoAnswer)??;
        Ok(if nodes.is_empty() {
            Self::Notify
        } else {
            Self::AllNodes { connection: None, not_before: None }
        })
    }

    /// Whether there is something to be gained by sending now.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Notify | Self::AllNodes { not_before: None, .. } => true,
            Self::AllNodes { not_before: Some(then), .. } => *then <= Instant::now(),
        }
    }

    /// The error is about the connection that listens.
    pub(super) async fn send(
        &mut self,
        connector: &Connector,
        listening: &Connection,
        payloads: &[String],
    ) -> Result<Sent, Lost> {
        if !self.is_ready() {
            return Ok(Sent::NotNow);
        }
        match self {
            Self::Notify => {
                notify(&listening.client, payloads).await?;
                Ok(Sent::ToAll)
            }
            Self::AllNodes { connection, not_before } => {
                let all = async {
                    if connection.is_none() {
                        let new = connector.connect(None).await?;
                        new.client.batch_execute(SHORT_PATIENCE).await?;
                        *connection = Some(new);
                    }
                    let Some(connection) = connection else { return Err(Lost::Closed) };
                    notify_all_nodes(&connection.client, payloads).await
                };
                let sent = timeout(RESPONSE, all).await.unwrap_or(Err(Lost::NoAnswer));
                *not_before = None;
                sent.or_else(|lost| {
                    tracing::warn!(reason = %lost, "the nodes of the database could not be notified");
                    *connection = None;
                    *not_before = Some(Instant::now() + PAUSE);
                    Ok(Sent::NotNow)
                })
            }
        }
    }

    /// Sends a payload on a new connection, which tells nothing about the one that listens.
    pub(super) async fn send_apart(
        &self,
        connector: &Connector,
        payload: &str,
    ) -> Result<(), Lost> {
        let payloads = [payload.to_owned()];
        let send = async {
            let connection = connector.connect(None).await?;
            match self {
                Self::Notify => notify(&connection.client, &payloads).await,
                Self::AllNodes { .. } => {
                    connection.client.batch_execute(SHORT_PATIENCE).await?;
                    notify_all_nodes(&connection.client, &payloads).await.map(drop)
                }
            }
        };
        timeout(RESPONSE, send).await.unwrap_or(Err(Lost::NoAnswer))
    }
}

async fn notify(client: &Client, payloads: &[String]) -> Result<(), Lost> {
    // Prepared without a name: a pooler in between may forget a name.
    let payloads: [(&(dyn ToSql + Sync), _); 1] = [(&payloads, Type::TEXT_ARRAY)];
    timeout(RESPONSE, client.execute_typed(NOTIFY, &payloads))
        .await
        .map_err(|_elapsed| Lost::NoAnswer)??;
    Ok(())
}

async fn notify_all_nodes(client: &Client, payloads: &[String]) -> Result<Sent, Lost> {
    let row = client.query_typed_one(NOTIFY_ALL_NODES, &[(&payloads, Type::TEXT_ARRAY)]).await?;
    Ok(match (row.try_get(0)?, row.try_get(1)?) {
        (0, _) => Sent::ToAll,
        (missed, nodes) => Sent::ToSomeNodes { missed, nodes },
    })
}
