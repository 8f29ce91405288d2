//! `todo-mcp token`: prints an access token of the local identity of a running server.

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::clock::SystemClock;
use crate::command_line::TokenArguments;
use crate::config::{Config, Identity};
use crate::console;
use crate::failure::Failure;
use crate::http::{Http, excerpt};

#[derive(Serialize)]
struct TokenRequest {
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    expires_in: i64,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
}

/// Prints the token and nothing else: scripts use it as `$(todo-mcp token)`.
pub(super) async fn run(config: &Config, arguments: TokenArguments) -> Result<(), Failure> {
    let Identity::Local { port, .. } = config.identity else {
        return Err(Failure::Usage(
            "tokens are printed for the local identity only; with Scalekit, connect an MCP client \
             or request a token from the token endpoint with a client of your own"
                .to_owned(),
        ));
    };
    if port == 0 {
        return Err(Failure::Usage(
            "EMULATOR_PORT is 0, any free port: set it to the port that the server chose"
                .to_owned(),
        ));
    }
    let token = request(port, arguments).await.map_err(Failure::Unavailable)?;
    console::print(&format!("{token}\n"))
}

async fn request(port: u16, arguments: TokenArguments) -> anyhow::Result<String> {
    let TokenArguments { scope, subject, organization, expires_in } = arguments;
    let request = TokenRequest { scope, subject, organization, expires_in };
    let url = format!("http://127.0.0.1:{port}/emulator/token").parse()?;
    let http = Http::towards(&url, &SystemClock)?;
    let answer = http.post(&url, serde_json::to_string(&request)?).await.with_context(|| {
        format!(
            "cannot reach the local identity on port {port}: start `todo-mcp` first, or set \
             EMULATOR_PORT"
        )
    })?;
    ensure!(
        answer.status == 200,
        "the local identity issues no such token (status {}): {}",
        answer.status,
        excerpt(&answer.body).escape_debug()
    );
    let response: TokenResponse = serde_json::from_str(&answer.body)
        .with_context(|| format!("the program on port {port} is not a local identity"))?;
    Ok(response.access_token)
}
