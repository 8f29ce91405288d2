//! Bodies in other encodings, and ids in other notations.

use reqwest::header::HeaderValue;
use serde_json::Value;
use todo_tests::server::TestServer;

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

#[tokio::test]
async fn a_whole_number_is_an_id_and_is_returned_as_it_was_written() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let ping = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
    for id in ["1.0", "7", "-3.00", "1e3", "10e-1", "0.0"] {
        let answer = owner.post(ping(id)).await;
        assert_eq!(answer.status, 200);
        assert!(answer.text.contains(&format!(r#""id":{id},"#)), "{answer:?}");
    }
    for id in ["1.5", "-0.25", "15e-1"] {
        let answer = owner.post(ping(id)).await;
        assert_eq!((answer.status, answer.error_code()), (400, -32600));
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.ends_with(&format!("and {id} is neither.")), "{message}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_415_with_the_encoding_that_is_accepted() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec();
    let deflate = b"\x78\x9c\xab\x56\xca\x2a".to_vec();
    for (encoding, body) in [
        (Some("gzip"), gzip.clone()),
        (Some("deflate"), deflate.clone()),
        (Some("br"), PING.into()),
        (Some("gzip"), PING.into()),
        (None, gzip),
        (None, deflate),
    ] {
        let mut headers = owner.headers();
        if let Some(encoding) = encoding {
            headers.insert("content-encoding", HeaderValue::from_static(encoding));
        }
        let answer = owner.send(headers, body).await;
        assert_eq!((answer.status, answer.error_code()), (415, -32600), "{encoding:?}");
        assert_eq!(answer.header("accept-encoding"), Some("identity"));
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains("compressed"));
    }
    let mut headers = owner.headers();
    headers.insert("content-encoding", HeaderValue::from_static("identity"));
    assert_eq!(owner.send(headers, PING).await.status, 200);
}

#[tokio::test]
async fn a_byte_order_mark_is_accepted_and_utf_16_is_named() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let answer = owner.post(format!("\u{feff}{PING}")).await;
    assert_eq!(answer.result(), Value::Object(serde_json::Map::default()));
    let units = || format!("\u{feff}{PING}").encode_utf16().collect::<Vec<u16>>();
    let little: Vec<u8> = units().iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units().iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for body in [&little[..], &big, &little[2..], &big[2..]] {
        let answer = owner.post(body.to_vec()).await;
        assert_eq!((answer.status, answer.error_code()), (400, -32700));
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains("UTF-16"));
    }
}
