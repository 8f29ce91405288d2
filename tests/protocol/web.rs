//! Browsers: the allowed hosts, origins and methods.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::json;
use todo_tests::client::{Answer, Client};
use todo_tests::server::TestServer;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

async fn ping(client: &Client, header: &'static str, value: &str) -> Answer {
    let mut headers = client.headers();
    headers.insert(header, value.parse().unwrap());
    client.send(headers, PING).await
}

#[tokio::test]
async fn an_unknown_host_or_origin_is_rejected_and_the_setting_named() {
    let server = TestServer::start().await;
    let client = server.owner();
    let host = ping(&client, "host", "evil.example.com").await;
    assert_eq!((host.status, host.error_code()), (403, 403));
    assert!(host.text.contains("ALLOWED_HOSTS"), "{host:?}");
    let origin = ping(&client, "origin", "https://evil.example.com").await;
    assert_eq!((origin.status, origin.error_code()), (403, 403));
    assert!(origin.text.contains("ALLOWED_ORIGINS"), "{origin:?}");
    assert!(origin.header("access-control-allow-origin").is_none());
    // Before the token is looked at, so that a page learns nothing by probing.
    let anonymous = ping(&server.anonymous(), "origin", "https://evil.example.com").await;
    assert_eq!(anonymous.status, 403);
}

#[tokio::test]
async fn the_documents_are_served_under_our_own_hosts_only() {
    let server = TestServer::start().await;
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server"]
    {
        let client = Client::new(format!("{}{path}", server.base), None);
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("evil.example.com"));
        assert_eq!(client.request(Method::GET, headers, "").await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn loopback_hosts_and_origins_are_allowed() {
    let server = TestServer::start().await;
    let client = server.owner();
    for origin in ["http://localhost:6274", "http://127.0.0.1:6274", "http://[::1]:5173"] {
        let answer = ping(&client, "origin", origin).await;
        assert_eq!(answer.status, 200, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
    for host in ["127.0.0.1", "[::1]:3002", "localhost"] {
        assert_eq!(ping(&client, "host", host).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn hosts_and_origins_of_the_settings_are_allowed() {
    let server = TestServer::with([
        ("MCP_URL", "https://todo.example.com/"),
        ("ALLOWED_HOSTS", "localhost, inside.example"),
        ("ALLOWED_ORIGINS", "http://localhost:6274"),
    ])
    .await;
    let client = server.owner();
    for host in ["todo.example.com", "inside.example:8080"] {
        assert_eq!(ping(&client, "host", host).await.status, 200, "{host}");
    }
    assert_eq!(ping(&client, "origin", "http://localhost:6274").await.status, 200);
    assert_eq!(ping(&client, "origin", "http://localhost:9999").await.status, 403);
}

#[tokio::test]
async fn a_preflight_is_answered_without_a_token() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    let mut headers = HeaderMap::new();
    headers.insert("origin", HeaderValue::from_static("http://localhost:6274"));
    headers.insert("access-control-request-method", HeaderValue::from_static("POST"));
    let asked = "authorization,content-type,mcp-protocol-version,mcp-method,mcp-name,mcp-param-x";
    headers.insert("access-control-request-headers", HeaderValue::from_static(asked));
    let answer = client.request(Method::OPTIONS, headers, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:6274"));
    assert_eq!(answer.header("access-control-allow-headers"), Some(asked));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
}

#[tokio::test]
async fn a_page_can_read_the_challenge() {
    let server = TestServer::start().await;
    let answer = ping(&server.anonymous(), "origin", "http://localhost:6274").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:6274"));
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("www-authenticate"), "{exposed}");
}

#[tokio::test]
async fn get_and_delete_are_not_allowed() {
    let server = TestServer::start().await;
    let client = server.owner();
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        let answer = client.request(method.clone(), client.headers(), "").await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("POST, OPTIONS"), "{method}");
        assert_eq!(answer.json()["jsonrpc"], json!("2.0"), "{method}");
    }
}

/// One HTTP connection, written to byte by byte.
struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(server: &TestServer) -> Self {
        let address = server.base.strip_prefix("http://").unwrap();
        Self(BufReader::new(TcpStream::connect(address).await.unwrap()))
    }

    async fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Returns the status line, and skips the headers and the body that they announce.
    async fn status(&mut self) -> String {
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line: &String| line != "\r\n") {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).await.unwrap(), 0, "closed after {lines:?}");
            lines.push(line);
        }
        let length = lines.iter().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
        self.0.read_exact(&mut body).await.unwrap();
        lines.swap_remove(0)
    }
}

#[tokio::test]
async fn a_connection_stays_usable_after_an_answer_before_the_body() {
    let server = TestServer::start().await;
    let mut connection = Connection::open(&server).await;
    let head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let length = PING.len();
    connection.write(&format!("{head}content-length: {length}\r\n\r\n")).await;
    connection.write(PING).await;
    assert_eq!(connection.status().await, "HTTP/1.1 401 Unauthorized\r\n");

    connection.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert_eq!(connection.status().await, "HTTP/1.1 200 OK\r\n");
}

/// RFC 9110 section 10.1.1: what the client would send is not asked for if the answer is known.
#[tokio::test]
async fn nothing_is_asked_for_before_the_token_is_good() {
    let server = TestServer::start().await;
    let head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                expect: 100-continue\r\n";
    let length = PING.len();
    let mut stranger = Connection::open(&server).await;
    stranger.write(&format!("{head}content-length: {length}\r\n\r\n")).await;
    assert_eq!(stranger.status().await, "HTTP/1.1 401 Unauthorized\r\n");

    let headers = server.owner().headers();
    let token = headers["authorization"].to_str().unwrap();
    let mut owner = Connection::open(&server).await;
    let authorization = format!("authorization: {token}\r\n");
    owner.write(&format!("{head}{authorization}content-length: {length}\r\n\r\n")).await;
    assert_eq!(owner.status().await, "HTTP/1.1 100 Continue\r\n");
    owner.write(PING).await;
    assert_eq!(owner.status().await, "HTTP/1.1 200 OK\r\n");
}

/// A person opens the URL that they were given.
#[tokio::test]
async fn a_browser_gets_a_page_that_says_how_to_connect() {
    let server = TestServer::start().await;
    for (path, status) in [("/", 200), ("/mcp", 405)] {
        let client = Client::new(format!("{}{path}", server.base), None);
        let mut headers = HeaderMap::new();
        headers.insert("accept", "text/html,application/xhtml+xml,*/*;q=0.8".parse().unwrap());
        let answer = client.request(Method::GET, headers, "").await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert!(answer.text.contains(&format!("<code>{}</code>", server.endpoint())), "{path}");
        assert!(answer.header("content-security-policy").unwrap().contains("default-src 'none'"));
    }
}
