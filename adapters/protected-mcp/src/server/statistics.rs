use super::Server;
use crate::http::connections::ConnectionStatistics;
use crate::limits::Usage;

/// What a server is doing at one moment, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Those of the endpoint.
    pub connections: ConnectionStatistics,
    /// Answers that go on: subscriptions.
    pub streams: Usage,
    /// Requests that have a place at work.
    pub requests: Usage,
    /// Bytes of requests that arrive and of answers that were not taken yet.
    pub bytes: Usage,
}

impl Server {
    /// What it is doing now. Costs as much as a request or less, and nothing in between.
    pub fn statistics(&self) -> Statistics {
        let limits = &self.endpoint.limits;
        Statistics {
            connections: self.connections.statistics(),
            streams: limits.open_streams(),
            requests: limits.requests_at_work(),
            bytes: limits.bytes_in_flight(),
        }
    }
}
