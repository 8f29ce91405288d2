//! The whole server in this process, on a free port, put together as the program does it.

use std::future::pending;

use todo_mcp::compose::compose;
use todo_mcp::config::Config;
use todo_mcp::settings::Settings;

use crate::client::Client;
use crate::issuer::{RESOURCE_ID, TestIssuer};

/// A running server with a store in memory, trusting a [`TestIssuer`].
pub struct TestServer {
    /// `http://localhost:{port}`
    pub base: String,
    /// Who signs the tokens that it trusts.
    pub issuer: TestIssuer,
}

impl TestServer {
    /// Starts a server with the settings of a newcomer.
    pub async fn start() -> Self {
        Self::with([]).await
    }

    /// Starts a server with these settings on top. It stops with the runtime of the test.
    pub async fn with<const N: usize>(settings: [(&str, &str); N]) -> Self {
        let issuer = TestIssuer::start().await;
        let mut all = vec![
            ("PORT", "0"),
            ("DATABASE_URL", "memory:"),
            ("SCALEKIT_ENVIRONMENT_URL", issuer.url()),
            ("SCALEKIT_RESOURCE_ID", RESOURCE_ID),
        ];
        all.extend(settings);
        let config = Config::from_settings(&Settings::from_iter(all)).unwrap();
        let composition = compose(&config).await.unwrap();
        let port = composition.listener.local_addr().unwrap().port();
        let server = axum::serve(composition.listener, composition.router);
        tokio::spawn(server.with_graceful_shutdown(pending()).into_future());
        Self { base: format!("http://localhost:{port}"), issuer }
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
