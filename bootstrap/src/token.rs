//! `todo-mcp token`: an access token of the running server's local identity.

use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::command_line::TokenArguments;
use crate::config::{Config, Identity};
use crate::console;
use crate::failure::Failure;

#[derive(Serialize)]
struct Request {
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    expires_in: i64,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
}

/// Prints a token and nothing else, so that it can stand in `$(..)`.
pub(crate) async fn print(config: &Config, arguments: TokenArguments) -> Result<(), Failure> {
    let Identity::Local { port, .. } = config.identity else {
        return Err(Failure::Usage(
            "tokens are printed for the local identity only; with Scalekit, connect an MCP client, \
             or ask its token endpoint with a client of yours"
                .to_owned(),
        ));
    };
    if port == 0 {
        return Err(Failure::Usage(
            "EMULATOR_PORT is 0, any free port: set it to the one the server chose".to_owned(),
        ));
    }
    let answer = ask(port, arguments).await.map_err(Failure::Unavailable)?;
    console::print(&format!("{}\n", answer.access_token))
}

async fn ask(port: u16, arguments: TokenArguments) -> anyhow::Result<Answer> {
    let TokenArguments { scope, subject, organization, expires_in } = arguments;
    let request = Request { scope, subject, organization, expires_in };
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
    let answer = client
        .post(format!("http://127.0.0.1:{port}/emulator/token"))
        .header("content-type", "application/json")
        .body(serde_json::to_vec(&request)?)
        .send()
        .await
        .with_context(|| {
            format!("no local identity answers on port {port}: start `todo-mcp` first, or set EMULATOR_PORT")
        })?;
    let status = answer.status();
    let body = answer.bytes().await?;
    anyhow::ensure!(
        status.is_success(),
        "the local identity gives no token ({status}): {}",
        String::from_utf8_lossy(&body)
    );
    serde_json::from_slice(&body).with_context(|| format!("port {port} is not a local identity"))
}
