use axum::routing::any;
use http_body_util::channel::Channel;
use reqwest::header::HeaderMap;
use serde_json::json;

use super::*;
use crate::client::{Client, MODERN};

/// A proxy with this token in front of a server.
async fn in_front_of(server: Router, token: Option<&str>) -> ValidatingProxy {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, server).into_future());
    Port::take(0).await.lead_to(address, token)
}

fn client(proxy: &ValidatingProxy) -> Client {
    Client::new(format!("{}/mcp", proxy.url), None)
}

fn answering(answer: &'static str) -> Router {
    let json = [(CONTENT_TYPE, "application/json")];
    Router::new().fallback(any(async move || (json, answer)))
}

#[tokio::test]
async fn a_request_is_forwarded_unchanged_with_the_token() {
    let echo = async |request: Request| format!("{request:?}");
    let proxy = in_front_of(Router::new().fallback(any(echo)), Some("secret")).await;
    let mut headers = HeaderMap::new();
    headers.insert("host", "evil.example.com".parse().unwrap());
    headers.insert("origin", "http://evil.example.com".parse().unwrap());
    headers.append("x-twice", "one".parse().unwrap());
    headers.append("x-twice", "two".parse().unwrap());
    let client = Client::new(format!("{}/other?a=b%20c", proxy.url), None);
    let answer = client.request(Method::PUT, headers, "body").await;
    for arrived in [
        "method: PUT",
        "/other?a=b%20c",
        r#""host": "evil.example.com""#,
        r#""origin": "http://evil.example.com""#,
        r#""x-twice": "one", "x-twice": "two""#,
        r#""authorization": "Bearer secret""#,
    ] {
        assert!(answer.text.contains(arrived), "{arrived} in {}", answer.text);
    }
}

#[tokio::test]
async fn an_exchange_that_violates_the_schema_is_reported() {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let proxy = in_front_of(answering(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), None).await;
    client(&proxy).post(call).await;
    let complaints = proxy.complaints();
    assert!(complaints[0].contains("\"tools\" is a required property"), "{complaints:?}");
    assert_eq!(proxy.complaints(), [""; 0], "each is reported once");

    client(&proxy).post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
    assert_eq!(proxy.complaints(), [""; 0]);
}

#[tokio::test]
async fn unread_complaints_fail_the_test() {
    let test = tokio::spawn(async {
        let proxy = in_front_of(answering("{}"), None).await;
        client(&proxy).post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
    });
    assert!(test.await.unwrap_err().is_panic());
}

#[tokio::test]
async fn a_stream_is_forwarded_event_by_event_and_ends_with_its_client() {
    let (mut sender, stream) = Channel::<Bytes>::new(1);
    let stream = Mutex::new(Some(stream));
    let answer = move || {
        let body = Body::new(stream.lock().unwrap().take().unwrap());
        ([(CONTENT_TYPE, "text/event-stream")], body)
    };
    let answer = Arc::new(answer);
    let server = Router::new().fallback(any(async move || answer()));
    let proxy = in_front_of(server, None).await;

    let listen = json!({ "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen" });
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(format!("{}/mcp", proxy.url)).header("mcp-protocol-version", MODERN);
    let mut response = request.body(listen.to_string()).send().await.unwrap();
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        sender.send_data(event.into()).await.unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), event);
    }
    assert_eq!(proxy.complaints().len(), 2, "of an unfinished stream");
    drop(response);
    // One chunk is buffered after the client has left.
    while sender.send_data("data: 3\n\n".into()).await.is_ok() {}
}
