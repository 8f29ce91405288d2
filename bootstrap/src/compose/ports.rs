//! The ports of the server, taken before anything is created.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::anyhow;
use tokio::net::TcpListener;

use crate::config::{Config, Identity};
use crate::failure::Failure;

/// Listens on `PORT`, and checks that `EMULATOR_PORT` is free. The error names both if neither is.
pub(super) async fn take(config: &Config) -> Result<TcpListener, Failure> {
    let server = TcpListener::bind(config.listen).await;
    let local_identity = check_local_identity(config).await;
    let problem = |address: SocketAddr, setting: &str, error: &io::Error| {
        let remedy = if error.kind() == io::ErrorKind::AddrNotAvailable {
            "set BIND_ADDRESS to an address of this machine".to_owned()
        } else {
            format!("set {setting} to another port, or stop the program that uses it")
        };
        format!("cannot listen on {address} ({error}): {remedy}")
    };
    let server = server.map_err(|error| problem(config.listen, "PORT", &error));
    let local_identity =
        local_identity.map_err(|(address, error)| problem(address, "EMULATOR_PORT", &error));
    let failure = |text: String| Failure::Unavailable(anyhow!(text));
    match (server, local_identity) {
        (Ok(listener), Ok(())) => Ok(listener),
        (Err(one), Err(other)) => Err(failure(format!("{one}; {other}"))),
        (Err(one), Ok(())) | (Ok(_), Err(one)) => Err(failure(one)),
    }
}

async fn check_local_identity(config: &Config) -> Result<(), (SocketAddr, io::Error)> {
    match config.identity {
        Identity::Local { port, .. } => {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let listener = TcpListener::bind(address).await;
            listener.map(drop).map_err(|error| (address, error))
        }
        Identity::Scalekit(_) => Ok(()),
    }
}
