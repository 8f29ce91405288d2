//! The whole server in this process, on a free port, composed as in the program.

use std::sync::Arc;

use protected_mcp::Server;
use todo_application::ports::Clock;
use todo_mcp::compose::compose_with_clock;
use todo_mcp::config::Config;
use todo_mcp::settings::Settings;
use todo_mcp::{AuditLog, SystemClock};

use crate::client::Client;
use crate::issuer::{RESOURCE_ID, TestIssuer};

/// Starts a server with a store in memory and returns its MCP endpoint. It stops with the runtime
/// of the test.
pub async fn start<'a>(
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
    clock: Arc<dyn Clock>,
) -> String {
    start_server(settings, clock).await.0
}

/// The same, with the server.
async fn start_server<'a>(
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
    clock: Arc<dyn Clock>,
) -> (String, Server, Option<AuditLog>) {
    let all = [("PORT", "0"), ("DATABASE_URL", "memory:")].into_iter().chain(settings);
    let settings: Settings = all.collect();
    let config = Config::from_settings(&settings).unwrap();
    let composition = compose_with_clock(&config, clock).await.unwrap();
    let port = composition.address.port();
    let server = composition.server;
    tokio::spawn(server.clone().serve(composition.listeners, std::future::pending()));
    (format!("http://localhost:{port}/mcp"), server, composition.audit)
}

/// A running server with a store in memory, trusting a [`TestIssuer`].
pub struct TestServer {
    /// `http://localhost:{port}`
    pub base: String,
    /// The issuer that it trusts.
    pub issuer: TestIssuer,
    /// The server without its sockets.
    pub server: Server,
    pub audit: Option<AuditLog>,
}

impl TestServer {
    /// Starts a server with the default settings.
    pub async fn start() -> Self {
        Self::with([]).await
    }

    /// Starts a server with these additional settings. It stops with the runtime of the test.
    pub async fn with<'a>(settings: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::on_clock(settings, Arc::new(SystemClock)).await
    }

    /// Starts a server with another clock.
    pub async fn on_clock<'a>(
        settings: impl IntoIterator<Item = (&'a str, &'a str)>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let issuer = TestIssuer::start().await;
        let settings: Vec<(&str, &str)> = settings.into_iter().collect();
        let mut all =
            vec![("SCALEKIT_ENVIRONMENT_URL", issuer.url()), ("SCALEKIT_RESOURCE_ID", RESOURCE_ID)];
        all.extend_from_slice(&settings);
        let (endpoint, server, audit) = start_server(all, clock).await;
        Self { base: endpoint.trim_end_matches("/mcp").to_owned(), issuer, server, audit }
    }

    pub fn endpoint(&self) -> String {
        format!("{}/mcp", self.base)
    }

    /// A caller with a token for `subject` of the organization `org_1`.
    pub fn caller(&self, subject: &str, scope: &str) -> Client {
        let claims = self.issuer.claims(subject, Some("org_1"), scope);
        self.bearer(&self.issuer.sign(&claims))
    }

    /// A caller with both scopes.
    pub fn owner(&self) -> Client {
        self.caller("usr_owner", "todo:read todo:write")
    }

    pub fn bearer(&self, token: &str) -> Client {
        Client::new(self.endpoint(), Some(token.to_owned()))
    }

    pub fn anonymous(&self) -> Client {
        Client::new(self.endpoint(), None)
    }
}
