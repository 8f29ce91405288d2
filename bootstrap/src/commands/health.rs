//! `todo-mcp health`: asks the running server what an orchestrator would ask, where there is no other program to do
//! so, as in a container.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::clock::SystemClock;
use crate::command_line::HealthArguments;
use crate::config::Config;
use crate::console;
use crate::failure::Failure;
use crate::http::Http;

/// The answer of `/healthz` and `/readyz`.
#[derive(Deserialize)]
struct Health {
    status: String,
    #[serde(default)]
    waiting_for: Vec<String>,
}

/// A server that is not well is exit code 1.
pub(super) async fn run(config: &Config, arguments: &HealthArguments) -> Result<(), Failure> {
    if config.listen.port() == 0 {
        return Err(Failure::Usage(
            "PORT is 0, any free port: set it to the port that the server chose".to_owned(),
        ));
    }
    let address = reachable(config.listen);
    let path = if arguments.live { "healthz" } else { "readyz" };
    let status = ask(address, path).await.map_err(Failure::Other)?;
    console::print(&format!("{status}\n"))
}

/// The server's own word for how it is.
async fn ask(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    let url = format!("http://{address}/{path}").parse()?;
    let http = Http::on_this_machine(&url, &SystemClock)?;
    let answer = http.get(&url).await.with_context(|| {
        format!(
            "no server at {address}: start `todo-mcp`, or set BIND_ADDRESS and PORT as it has them"
        )
    })?;
    let health: Option<Health> = serde_json::from_str(&answer.body).ok();
    match (answer.status, health) {
        (200, Some(health)) => Ok(health.status),
        (503, Some(health)) => {
            let waiting_for = health.waiting_for.join(" and ");
            bail!(
                "the server at {address} is {}, waiting for {waiting_for}: see its log",
                health.status
            )
        }
        (status, _) => bail!("another program answers at {address} (status {status})"),
    }
}

/// A server that listens on all addresses is asked on loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let address = match listen.ip() {
        address if !address.is_unspecified() => address,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(address, listen.port())
}
