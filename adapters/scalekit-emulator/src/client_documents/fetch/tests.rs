use std::net::Ipv4Addr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

/// A server that answers one request with these bytes, and with `more` until nobody listens.
async fn answering(head: &str, body: Vec<u8>, more: &'static [u8]) -> SocketAddr {
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
async fn the_connection_goes_to_the_address_that_was_checked_whatever_the_name_means() {
    // Names that mean nothing, ever (RFC 6761 section 6.4); the dot at the end makes it another name.
    for name in ["client.invalid", "client.invalid."] {
        let address = answering(JSON, b"{}".to_vec(), b"").await;
        let url = Url::parse(&format!("http://{name}:{}/id", address.port())).unwrap();

        let document = get(&url, vec![address]).await;

        assert_eq!(document.unwrap(), b"{}", "{name}");
    }
}

#[tokio::test]
async fn a_name_of_this_machine_is_found_out() {
    let url = Url::parse("https://localhost/id").unwrap();

    assert!(matches!(document(&url, false).await, Err(FetchProblem::NotPublic)));
}

#[test]
fn one_private_address_among_public_ones_is_refused() {
    let addresses: Vec<SocketAddr> =
        ["1.1.1.1:443", "192.168.1.1:443"].map(|it| it.parse().unwrap()).into();

    assert!(admit(&addresses[..1], false).is_ok());
    assert!(matches!(admit(&addresses, true), Err(FetchProblem::NotPublic)));
}

/// The clock of this test goes on by itself whenever there is nothing else to do.
#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_answer_in_time_is_given_up() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();

    let problem = document(&at(silent.local_addr().unwrap()), true).await;

    assert!(matches!(problem, Err(FetchProblem::Time)), "{problem:?}");
}

#[tokio::test]
async fn a_document_has_at_most_ten_kibibytes() {
    let largest = answering(JSON, vec![b' '; LARGEST], b"").await;
    let larger = answering(JSON, vec![b' '; LARGEST + 1], b"").await;

    assert_eq!(document(&at(largest), true).await.unwrap().len(), LARGEST);
    assert!(matches!(document(&at(larger), true).await, Err(FetchProblem::TooLarge)));
}

#[tokio::test]
async fn a_document_without_end_is_given_up() {
    let endless = answering(JSON, Vec::new(), &[b' '; 1024]).await;

    assert!(matches!(document(&at(endless), true).await, Err(FetchProblem::TooLarge)));
}

#[tokio::test]
async fn a_document_is_json_by_its_own_account() {
    for (content_type, right) in [
        ("content-type: application/json", true),
        ("content-type: Application/JSON; charset=utf-8", true),
        ("content-type: application/client-metadata+json", true),
        ("content-type: text/html", false),
        ("content-type: text/json", false),
        ("content-type: application/jsonx", false),
        ("x-content-type: application/json", false),
    ] {
        let address = answering(&format!("200 OK\r\n{content_type}"), b"{}".to_vec(), b"").await;

        let document = document(&at(address), true).await;

        assert_eq!(document.is_ok(), right, "{content_type}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_there_gave_no_answer() {
    // No system gives this port to a program that asks for any, and nobody offers its service.
    let nobody = (Ipv4Addr::LOCALHOST, 1).into();

    assert!(matches!(document(&at(nobody), true).await, Err(FetchProblem::Request(_))));
}
