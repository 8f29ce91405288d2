//! The whole server in this process, on a free port, put together as the program does it.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use todo_adapter_mcp::Server;
use todo_application::ports::Clock;
use todo_mcp::SystemClock;
use todo_mcp::compose::compose_with_clock;
use todo_mcp::config::Config;
use todo_mcp::settings::Settings;
use tokio::sync::watch;

use crate::client::Client;
use crate::issuer::{RESOURCE_ID, TestIssuer};

/// Starts a server with a store in memory and gives its MCP endpoint. It stops with the runtime of
/// the test.
pub async fn start<'a>(
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
    clock: Arc<dyn Clock>,
) -> String {
    let Started { endpoint, stop, .. } = start_to_stop(settings, clock).await;
    tokio::spawn(async move { stop.closed().await });
    endpoint
}

struct Started {
    endpoint: String,
    server: Server,
    stop: watch::Sender<bool>,
}

/// The same, with what tells it that it is going to stop.
async fn start_to_stop<'a>(
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
    clock: Arc<dyn Clock>,
) -> Started {
    let all = [("PORT", "0"), ("DATABASE_URL", "memory:")].into_iter().chain(settings);
    let settings: Settings = all.collect();
    let config = Config::from_settings(&settings).unwrap();
    let composition = compose_with_clock(&config, clock).await.unwrap();
    let port = composition.listener.local_addr().unwrap().port();
    let server = composition.server;
    let answering = server.clone();
    let router = Router::new().fallback(move |request: Request| {
        let server = answering.clone();
        async move { server.answer(request).await }
    });
    tokio::spawn(axum::serve(composition.listener, router).into_future());
    Started { endpoint: format!("http://localhost:{port}/mcp"), server, stop: composition.stop }
}

/// A running server with a store in memory, trusting a [`TestIssuer`].
pub struct TestServer {
    /// `http://localhost:{port}`
    pub base: String,
    /// Who signs the tokens that it trusts.
    pub issuer: TestIssuer,
    /// The server without its sockets.
    pub server: Server,
    /// Told `true`, it ends what goes on for long.
    pub stop: watch::Sender<bool>,
}

impl TestServer {
    /// Starts a server with the settings of a newcomer.
    pub async fn start() -> Self {
        Self::with([]).await
    }

    /// Starts a server with these settings on top. It stops with the runtime of the test.
    pub async fn with<const N: usize>(settings: [(&str, &str); N]) -> Self {
        Self::on_clock(settings, Arc::new(SystemClock)).await
    }

    /// Starts a server that goes by another clock.
    pub async fn on_clock<const N: usize>(
        settings: [(&str, &str); N],
        clock: Arc<dyn Clock>,
    ) -> Self {
        let issuer = TestIssuer::start().await;
        let mut all =
            vec![("SCALEKIT_ENVIRONMENT_URL", issuer.url()), ("SCALEKIT_RESOURCE_ID", RESOURCE_ID)];
        all.extend(settings);
        let Started { endpoint, server, stop } = start_to_stop(all, clock).await;
        Self { base: endpoint.trim_end_matches("/mcp").to_owned(), issuer, server, stop }
    }

    /// The MCP endpoint.
    pub fn endpoint(&self) -> String {
        format!("{}/mcp", self.base)
    }

    /// A caller with a token for `subject` of the organization `org_1`.
    pub fn caller(&self, subject: &str, scope: &str) -> Client {
        let claims = self.issuer.claims(subject, Some("org_1"), scope);
        self.bearer(&self.issuer.sign(&claims))
    }

    /// A caller who may do everything.
    pub fn owner(&self) -> Client {
        self.caller("usr_owner", "todo:read todo:write")
    }

    /// A caller with this token.
    pub fn bearer(&self, token: &str) -> Client {
        Client::new(self.endpoint(), Some(token.to_owned()))
    }

    /// A caller without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(self.endpoint(), None)
    }
}
