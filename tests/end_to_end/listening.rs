//! The addresses on which the program listens.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use reqwest::Method;
use todo_tests::client::{Answer, Client};

use crate::installation::Installation;
use crate::process::Process;

/// A program that is ready, and its port.
async fn serve(installation: &Installation) -> (Process, u16) {
    let mut process = installation.spawn(&["serve"]);
    let ready = process.event("ready").await;
    let address: SocketAddr = ready["listen.address"].as_str().unwrap().parse().unwrap();
    (process, address.port())
}

async fn get(url: String) -> Answer {
    let client = Client::new(url, None);
    client.request(Method::GET, client.headers(), "").await
}

#[tokio::test]
#[cfg_attr(not(has_ipv6), ignore = "needs IPv6: see tests/README.md")]
async fn without_an_address_it_listens_on_both_loopback_addresses() {
    let (_running, port) = serve(&Installation::new()).await;
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        let base = format!("http://{host}:{port}");
        let document = get(format!("{base}/.well-known/oauth-protected-resource/mcp")).await;
        assert_eq!(document.json()["resource"], format!("{base}/mcp"));
        let challenge = Client::new(format!("{base}/mcp"), None).post("{}").await;
        assert_eq!(challenge.status, 401);
        let challenge = challenge.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains(&format!("\"{base}/.well-known/")), "{challenge}");
    }
}

#[tokio::test]
async fn an_address_that_is_set_is_the_only_one() {
    let (_running, port) = serve(&Installation::new().with("BIND_ADDRESS", "127.0.0.1")).await;
    assert_eq!(get(format!("http://127.0.0.1:{port}/healthz")).await.status, 200);
    // Where there is no IPv6, no program can listen there.
    if let Err(error) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
        assert_ne!(error.kind(), std::io::ErrorKind::AddrInUse);
    }
}

#[tokio::test]
#[cfg_attr(not(has_ipv6), ignore = "needs IPv6: see tests/README.md")]
async fn a_port_in_use_on_ipv6_only_is_in_use() {
    let taken = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let ended = Installation::new().with("PORT", port).run(&["serve"]).await;
    let ended = ended.with_code(69);
    assert!(ended.stderr.contains(&format!("cannot listen on [::1]:{port}")), "{ended:?}");
    assert!(ended.stderr.contains("set PORT to another port"), "{ended:?}");
    // The other half of the port is free again.
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
}
