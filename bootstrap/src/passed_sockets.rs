//! Sockets that the service manager listens on and passes to this process (`sd_listen_fds(3)`).

use std::net::TcpListener;

use crate::failure::Failure;

/// TCP listeners with the names that the service manager gives them.
#[derive(Debug, Default)]
pub(crate) struct PassedSockets(pub(crate) Vec<(String, TcpListener)>);

impl PassedSockets {
    /// Takes the sockets that `LISTEN_FDS` counts, if `LISTEN_PID` is this process. Must be called before
    /// there are other threads, because it removes these variables.
    #[cfg(unix)]
    pub(crate) fn take() -> Result<Self, Failure> {
        let named = sd_notify::listen_fds_with_names().map_err(|error| {
            Failure::Usage(format!(
                "LISTEN_FDS does not count the sockets that were passed: {error}"
            ))
        })?;
        if named.len() == 0 {
            return Ok(Self::default());
        }
        let mut passed = listenfd::ListenFd::from_env();
        let listeners = named.enumerate().map(|(index, (descriptor, name))| {
            match passed.take_tcp_listener(index) {
                Ok(Some(listener)) if listens(&listener) => Ok((name, listener)),
                _ => Err(Failure::Usage(format!(
                    "the socket `{name}` that was passed (descriptor {descriptor}) is no TCP listener: its \
                     unit needs ListenStream= with an address and a port, and Accept=no"
                ))),
            }
        });
        listeners.collect::<Result<_, _>>().map(Self)
    }

    /// No other platform passes sockets.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
    pub(crate) fn take() -> Result<Self, Failure> {
        Ok(Self::default())
    }
}

/// A socket of the right type may be a connection.
#[cfg(all(unix, not(target_vendor = "apple")))]
fn listens(listener: &TcpListener) -> bool {
    rustix::net::sockopt::socket_acceptconn(listener).unwrap_or(false)
}

/// These systems do not report it.
#[cfg(target_vendor = "apple")]
fn listens(_: &TcpListener) -> bool {
    true
}
