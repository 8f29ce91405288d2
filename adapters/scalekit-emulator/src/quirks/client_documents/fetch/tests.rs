use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A server that responds to one request with these bytes, and with `more` until the client disconnects.
async fn responding(head: &str, body: Vec<u8>, more: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let head = format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
        while !more.is_empty() && stream.write_all(more).await.is_ok() {}
    });
    address
}

fn at(address: SocketAddr) -> Url {
    Url::parse(&format!("http://{address}/id")).unwrap()
}

const JSON: &str = "200 OK\r\ncontent-type: application/json";

#[tokio::test]
async fn the_connection_is_to_the_checked_address_whatever_the_name_resolves_to() {
    // Names that never resolve (RFC 6761 section 6.4); the trailing dot makes it another name.
    for name in ["client.invalid", "client.invalid."] {
        let address = responding(JSON, b"{}".to_vec(), b"").await;
        let url = Url::parse(&format!("http://{name}:{}/id", address.port())).unwrap();

        let document = get(&url, vec![address]).await;

        assert_eq!(document.unwrap(), b"{}", "{name}");
    }
}

#[tokio::test]
async fn a_name_of_this_machine_is_rejected() {
    let url = Url::parse("https://localhost/id").unwrap();

    assert!(matches!(fetch(&url, false).await, Err(FetchProblem::NotPublic)));
}

#[test]
fn one_private_address_among_public_ones_is_rejected() {
    let addresses: Vec<SocketAddr> =
        ["1.1.1.1:443", "192.168.1.1:443"].map(|it| it.parse().unwrap()).into();

    assert!(check_addresses(&addresses[..1], false).is_ok());
    assert!(matches!(check_addresses(&addresses, true), Err(FetchProblem::NotPublic)));
}

/// The paused clock advances whenever there is nothing else to do.
#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_respond_in_time_is_an_error() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();

    let problem = fetch(&at(silent.local_addr().unwrap()), true).await;

    assert!(matches!(problem, Err(FetchProblem::Time)), "{problem:?}");
}

#[tokio::test]
async fn a_document_has_at_most_ten_kibibytes() {
    let largest = responding(JSON, vec![b' '; MAX_BYTES], b"").await;
    let larger = responding(JSON, vec![b' '; MAX_BYTES + 1], b"").await;

    assert_eq!(fetch(&at(largest), true).await.unwrap().len(), MAX_BYTES);
    assert!(matches!(fetch(&at(larger), true).await, Err(FetchProblem::TooLarge)));
}

#[tokio::test]
async fn a_document_without_end_is_an_error() {
    let endless = responding(JSON, Vec::new(), &[b' '; 1024]).await;

    assert!(matches!(fetch(&at(endless), true).await, Err(FetchProblem::TooLarge)));
}

#[tokio::test]
async fn a_document_must_have_a_json_content_type() {
    for (content_type, is_accepted) in [
        ("content-type: application/json", true),
        ("content-type: Application/JSON; charset=utf-8", true),
        ("content-type: application/client-metadata+json", true),
        ("content-type: text/html", false),
        ("content-type: text/json", false),
        ("content-type: application/jsonx", false),
        ("x-content-type: application/json", false),
    ] {
        let address = responding(&format!("200 OK\r\n{content_type}"), b"{}".to_vec(), b"").await;

        let document = fetch(&at(address), true).await;

        assert_eq!(document.is_ok(), is_accepted, "{content_type}");
    }
}

#[tokio::test]
async fn a_host_without_a_server_is_an_error() {
    // No system assigns this port, and nothing listens there.
    let unused = (Ipv4Addr::LOCALHOST, 1).into();

    assert!(matches!(fetch(&at(unused), true).await, Err(FetchProblem::Request(_))));
}
