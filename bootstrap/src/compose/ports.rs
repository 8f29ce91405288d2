//! The ports of the server, taken before anything is created.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::anyhow;
use tokio::net::TcpListener;

use crate::config::{Config, Identity};
use crate::failure::Failure;
use crate::passed_sockets::PassedSockets;

/// How often to choose another free port, if that is free on the first address and not on the second.
const MOST_CHOICES: usize = 16;

/// What the server listens with.
pub(super) struct Taken {
    pub(super) listeners: Vec<TcpListener>,
    /// That of the first listener.
    pub(super) address: SocketAddr,
    /// For monitoring, and its address.
    pub(super) admin: Option<(TcpListener, SocketAddr)>,
}

/// The listeners, and the address of the first.
type Listening = (Vec<TcpListener>, SocketAddr);
type NotListening = (SocketAddr, io::Error);

/// Takes the sockets that were passed, or listens on `PORT`, listens on `TODO_ADMIN_ADDRESS`, and checks that
/// `EMULATOR_PORT` is free. The error names all that are not.
pub(super) async fn take(config: &Config, passed: PassedSockets) -> Result<Taken, Failure> {
    let passed = take_passed(config, passed)?;
    let server = match passed {
        Some(passed) => Ok(passed),
        None => listen(config).await,
    };
    let admin = listen_for_monitoring(config).await;
    let local_identity = check_local_identity(config).await;
    let mut problems = Vec::new();
    let mut problem = |(address, error): NotListening, setting: &str, of_address: &str| {
        let remedy = if error.kind() == io::ErrorKind::AddrNotAvailable {
            format!("set {of_address} to an address of this machine")
        } else {
            format!("set {setting} to another port, or stop the program that uses it")
        };
        problems.push(format!("cannot listen on {address} ({error}): {remedy}"));
    };
    let server = server.map_err(|error| problem(error, "PORT", "BIND_ADDRESS"));
    let admin = admin.map_err(|it| problem(it, "TODO_ADMIN_ADDRESS", "TODO_ADMIN_ADDRESS"));
    let local_identity = local_identity.map_err(|it| problem(it, "EMULATOR_PORT", "BIND_ADDRESS"));
    match (server, admin, local_identity) {
        (Ok((listeners, address)), Ok(admin), Ok(())) => Ok(Taken { listeners, address, admin }),
        _ => Err(Failure::Unavailable(anyhow!(problems.join("; ")))),
    }
}

/// `None` without passed sockets.
fn take_passed(config: &Config, passed: PassedSockets) -> Result<Option<Listening>, Failure> {
    let (mut listeners, mut addresses) = (Vec::new(), Vec::new());
    for (name, listener) in passed.0 {
        let address = listener.local_addr().map_err(Failure::other)?;
        if matches!(config.identity, Identity::Local { .. }) && !address.ip().is_loopback() {
            return Err(Failure::Usage(format!(
                "the socket `{name}` that was passed listens on {address}, which other machines can \
                 reach, and the local identity lets everyone in: set SCALEKIT_ENVIRONMENT_URL and \
                 SCALEKIT_RESOURCE_ID, or listen on 127.0.0.1"
            )));
        }
        listener.set_nonblocking(true).map_err(Failure::other)?;
        listeners.push(TcpListener::from_std(listener).map_err(Failure::other)?);
        addresses.push(address);
        tracing::info!(%name, %address, "a socket was passed: BIND_ADDRESS and PORT are not used");
    }
    Ok(addresses.first().map(|first| (listeners, *first)))
}

async fn listen_for_monitoring(
    config: &Config,
) -> Result<Option<(TcpListener, SocketAddr)>, NotListening> {
    let Some(address) = config.admin_address else { return Ok(None) };
    let listener = TcpListener::bind(address).await.map_err(|error| (address, error))?;
    let address = listener.local_addr().map_err(|error| (address, error))?;
    Ok(Some((listener, address)))
}

async fn listen(config: &Config) -> Result<Listening, NotListening> {
    let (first, second) = config.addresses();
    let choices = if first.port() == 0 { MOST_CHOICES } else { 1 };
    let mut listening = listen_on(first, second).await;
    for _ in 1..choices {
        if listening.is_ok() {
            break;
        }
        listening = listen_on(first, second).await;
    }
    listening
}

/// Listens on the first address, and on the second with the port of the first.
///
/// A machine without IPv6 cannot listen on the second, and needs not to. But if another program uses that
/// port there, a client that connects to `localhost` may reach the other program.
async fn listen_on(
    first: SocketAddr,
    second: Option<SocketAddr>,
) -> Result<Listening, NotListening> {
    let listener = TcpListener::bind(first).await.map_err(|error| (first, error))?;
    let first = listener.local_addr().map_err(|error| (first, error))?;
    let Some(mut second) = second else { return Ok((vec![listener], first)) };
    second.set_port(first.port());
    match TcpListener::bind(second).await {
        Ok(other) => Ok((vec![listener, other], first)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err((second, error)),
        Err(error) => {
            tracing::debug!(%error, address = %second, "not listening");
            Ok((vec![listener], first))
        }
    }
}

async fn check_local_identity(config: &Config) -> Result<(), NotListening> {
    match config.identity {
        Identity::Local { port, .. } => {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let listener = TcpListener::bind(address).await;
            listener.map(drop).map_err(|error| (address, error))
        }
        Identity::Scalekit(_) => Ok(()),
    }
}
