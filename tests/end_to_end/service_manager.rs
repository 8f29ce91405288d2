//! What the program does under a service manager with the protocol of systemd: `sd_notify(3)`,
//! `sd_listen_fds(3)`.

use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixDatagram;
use tokio::time::timeout;

use crate::installation::{Installation, PROGRAM};
use crate::process::{PATIENCE, Process};

/// The end of a service manager to which the program sends.
struct Manager(UnixDatagram);

impl Manager {
    async fn next(&self) -> String {
        let mut message = [0; 1024];
        let received = timeout(PATIENCE, self.0.recv(&mut message)).await;
        let size = received.expect("the program sends").unwrap();
        String::from_utf8(message[..size].to_vec()).unwrap()
    }

    /// Waits for a message that is no sign of life.
    async fn next_state(&self) -> String {
        loop {
            let message = self.next().await;
            if message != "WATCHDOG=1\n" {
                return message;
            }
        }
    }
}

#[tokio::test]
async fn the_service_manager_is_told_when_it_is_ready_alive_and_stopping() {
    let installation = Installation::new();
    let path = installation.path("notify");
    let manager = Manager(UnixDatagram::bind(&path).unwrap());
    let installation =
        installation.with("NOTIFY_SOCKET", path.display()).with("WATCHDOG_USEC", 40_000);
    let mut process = installation.spawn(&["serve"]);

    let ready = manager.next().await;
    assert!(ready.starts_with("READY=1\nSTATUS=serving at http://localhost:"), "{ready}");
    let address = process.event("ready").await["listen.address"].as_str().unwrap().to_owned();
    assert!(answers(TcpStream::connect(address).unwrap()).await);
    for _ in 0..3 {
        assert_eq!(manager.next().await, "WATCHDOG=1\n");
    }
    process.signal("TERM").await;
    let stopping = manager.next_state().await;
    assert!(stopping.starts_with("STOPPING=1\nSTATUS="), "{stopping}");
    process.ended().await.with_code(0);
}

#[tokio::test]
async fn a_service_manager_that_is_gone_changes_nothing() {
    let missing = Installation::new().with("NOTIFY_SOCKET", "/nowhere");
    let mut process = missing.spawn(&["serve"]);
    process.event("the service manager cannot be notified").await;
    process.signal("TERM").await;
    process.ended().await.with_code(0);
}

#[tokio::test]
async fn it_serves_on_the_sockets_that_are_passed() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let installation = Installation::new();
    let pass = || passed(&installation, listener.try_clone().unwrap(), "web");
    let mut first = pass();
    let ready = first.event("ready").await;
    assert_eq!(ready["listen.address"], address.to_string());
    assert_eq!(ready["mcp.url"], format!("http://localhost:{}/mcp", address.port()));
    let taken = first.event("a socket was passed: BIND_ADDRESS and PORT are not used").await;
    assert_eq!(taken["name"], "web");
    assert!(answers(TcpStream::connect(address).unwrap()).await);
    first.signal("TERM").await;
    first.ended().await.with_code(0);

    // A client that connects while no server runs is answered by the next one.
    let waiting = TcpStream::connect(address).unwrap();
    let second = pass();
    assert!(answers(waiting).await);
    second.signal("TERM").await;
    second.ended().await.with_code(0);
}

#[tokio::test]
async fn another_process_is_passed_no_sockets() {
    let mut process =
        Installation::new().with("LISTEN_PID", 1).with("LISTEN_FDS", 1).spawn(&["serve"]);
    process.event("ready").await;
}

#[tokio::test]
async fn a_passed_socket_must_be_a_tcp_listener() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    for wrong in [OwnedFd::from(datagrams), OwnedFd::from(connection)] {
        let ended = passed(&Installation::new(), wrong, "web").ended().await.with_code(64);
        let sentence = "the socket `web` that was passed (descriptor 3) is no TCP listener";
        assert!(ended.stderr.contains(sentence), "{ended:?}");
    }
    let ended = Installation::new().with("LISTEN_FDS", "x");
    let ended = passed(&ended, listener, "web:other").ended().await.with_code(64);
    assert!(ended.stderr.contains("LISTEN_FDS does not count"), "{ended:?}");
}

#[tokio::test]
async fn the_local_identity_is_not_served_to_other_machines_on_a_passed_socket() {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let ended = passed(&Installation::new(), listener, "web").ended().await.with_code(64);
    assert!(ended.stderr.contains("the local identity lets everyone in"), "{ended:?}");
}

/// Starts the program with this socket as its descriptor 3.
fn passed(installation: &Installation, socket: impl Into<OwnedFd>, names: &str) -> Process {
    // The shell becomes the program, and so its id is the program's.
    const LAUNCH: &str = "export LISTEN_PID=$$ LISTEN_FDS=${LISTEN_FDS:-1} LISTEN_FDNAMES=\"$0\"; \
                          exec \"$@\" 3<&0 </dev/null";
    let mut command = installation.command_of("sh", &["-c", LAUNCH, names, PROGRAM, "serve"]);
    command.stdin(Stdio::from(socket.into()));
    installation.spawn_command(command)
}

/// Whether a request on this connection is answered.
async fn answers(connection: TcpStream) -> bool {
    connection.set_nonblocking(true).unwrap();
    let mut connection = tokio::net::TcpStream::from_std(connection).unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    connection.write_all(request).await.unwrap();
    let mut answer = String::new();
    let read = timeout(PATIENCE, connection.read_to_string(&mut answer)).await;
    read.expect("the server answers").unwrap();
    answer.starts_with("HTTP/1.1 200 OK\r\n")
}
