use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use protected_mcp::Server;
use tokio::net::TcpListener;

use super::registry::Metrics;

/// The listener for monitoring, and what it serves.
pub(crate) struct Admin {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Metrics,
}

impl Admin {
    /// Serves the metrics, and the probes of a server, until `stop` is ready.
    pub(crate) async fn serve(self, server: Server, stop: impl Future<Output = ()>) {
        let metrics = Arc::new(self.metrics);
        server.serve_admin(self.listener, move || metrics.text(), stop).await;
    }
}
