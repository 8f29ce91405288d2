//! The example of the engine as a process.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A public URL on loopback whose port is free. The example listens where its URL says, so the port must be
/// known before it starts.
pub fn free_url() -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("http://localhost:{port}")
}

/// Starts `program`, the example, and returns when it accepts connections. It ends with the result.
pub async fn start(program: &str, url: &str, environment: &str, resource_id: &str) -> Child {
    let mut process = Command::new(program)
        .args([url, environment, resource_id])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let address = url.trim_start_matches("http://");
    let accepts = async {
        while TcpStream::connect(address).await.is_err() {
            assert!(process.try_wait().unwrap().is_none(), "the example has ended");
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_mins(1), accepts).await.expect("the example accepts connections");
    process
}
