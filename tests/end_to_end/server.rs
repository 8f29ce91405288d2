use std::net::SocketAddr;

use serde_json::{Value, json};
use todo_tests::client::Client;
use todo_tests::proxy::{Port, ValidatingProxy};
use tokio::time::timeout;
use url::Url;

use crate::process::{Ended, PATIENCE, Process};

/// A running server. All clients reach it through a proxy, so that a test fails if an exchange
/// violates the schema.
pub(crate) struct Server {
    process: Process,
    proxy: ValidatingProxy,
    /// The address of the program itself, behind the proxy.
    pub(crate) address: SocketAddr,
    /// Where monitoring reads, if it may.
    pub(crate) admin: Option<String>,
    /// The MCP endpoint, through the proxy.
    pub(crate) endpoint: String,
    /// The issuer of access tokens.
    pub(crate) issuer: String,
    /// Requests tokens.
    minting: Client,
}

impl Server {
    pub(crate) async fn ready(mut process: Process, port: Port) -> Self {
        let ready = process.event("ready").await;
        let text = |field: &str| ready[field].as_str().expect(field).to_owned();
        let address = text("listen.address").parse().unwrap();
        let proxy = port.lead_to(address, None);
        let (endpoint, issuer) = (text("mcp.url"), text("authorization_server"));
        let minting =
            Client::new(format!("http://127.0.0.1:{}/emulator/token", port_of(&issuer)), None);
        let admin = ready["admin.address"].as_str().map(str::to_owned);
        Self { process, proxy, address, admin, endpoint, issuer, minting }
    }

    /// The port of the proxy.
    pub(crate) fn port(&self) -> u16 {
        port_of(&self.endpoint)
    }

    /// The port of its local identity.
    pub(crate) fn emulator_port(&self) -> u16 {
        port_of(&self.issuer)
    }

    pub(crate) fn bearer(&self, token: &str) -> Client {
        Client::new(self.endpoint.clone(), Some(token.to_owned()))
    }

    /// A client with a token of the server's own local identity.
    pub(crate) async fn caller(&self) -> Client {
        self.bearer(&self.token().await)
    }

    /// A client for another subject than the test user.
    pub(crate) async fn caller_named(&self, subject: &str) -> Client {
        self.bearer(&self.token_for(&json!({ "subject": subject })).await)
    }

    pub(crate) async fn token(&self) -> String {
        self.token_for(&json!({})).await
    }

    /// A token, requested as `todo-mcp token` does.
    pub(crate) async fn token_for(&self, request: &Value) -> String {
        let answer = self.minting.post(request.to_string()).await;
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The status and the body of a page of the server.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let url = Url::parse(&self.endpoint).unwrap().join(path).unwrap();
        let client = Client::new(url.into(), None);
        let answer = client.request(reqwest::Method::GET, client.headers(), "").await;
        (answer.status, answer.text)
    }

    /// Waits until the log has an event with this message.
    pub(crate) async fn event(&mut self, message: &str) -> Value {
        self.process.event(message).await
    }

    /// Sends a signal.
    #[cfg(unix)]
    pub(crate) async fn signal(&self, name: &str) {
        self.process.signal(name).await;
    }

    /// Waits for the end.
    pub(crate) async fn ended(self) -> Ended {
        let ended = self.process.ended().await;
        timeout(PATIENCE, self.proxy.stop()).await.expect("the proxy stops");
        ended
    }

    /// Stops it, and waits for the end.
    #[cfg(unix)]
    pub(crate) async fn stop(self) -> Ended {
        self.signal("TERM").await;
        self.ended().await.with_code(0)
    }
}

fn port_of(url: &str) -> u16 {
    Url::parse(url).unwrap().port().expect(url)
}
