//! The pictures: who may fetch them, and that they are what they are said to be.

use reqwest::header::{HeaderMap, HeaderName, IF_NONE_MATCH};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use todo_tests::server::TestServer;

/// What came back.
struct Fetched {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Fetched {
    fn header(&self, name: &'static str) -> Option<&str> {
        self.headers.get(HeaderName::from_static(name)).map(|value| value.to_str().unwrap())
    }
}

/// Fetches as a page elsewhere does, without credentials.
async fn fetch(method: Method, url: &str, seen: &str) -> Fetched {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.request(method, url).header("origin", "https://client.example");
    let response = request.header(IF_NONE_MATCH, seen).send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Fetched { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

async fn get(url: &str) -> Fetched {
    fetch(Method::GET, url, "").await
}

/// The one icon of each tool.
async fn tool_icons(server: &TestServer) -> Vec<Value> {
    let list = server.owner().modern("tools/list", json!({})).await.result();
    let tools = list["tools"].as_array().unwrap().iter();
    let icons = tools.map(|tool| {
        assert_eq!(tool["icons"].as_array().unwrap().len(), 1, "{}", tool["name"]);
        tool["icons"][0].clone()
    });
    icons.collect()
}

/// Width and height, if these are the bytes of a PNG: its signature, then its first chunk.
fn size_of_png(bytes: &[u8]) -> (u32, u32) {
    assert_eq!(&bytes[..16], b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[tokio::test]
async fn every_tool_has_an_icon_of_its_own_that_anybody_can_fetch() {
    let server = TestServer::start().await;
    let icons = tool_icons(&server).await;
    let mut pictures = Vec::new();
    for icon in &icons {
        let url = icon["src"].as_str().unwrap();
        assert!(url.starts_with(&format!("{}/icons/", server.base)), "{url}");
        let picture = get(url).await;
        assert_eq!(picture.status, 200, "{url}");
        assert_eq!(icon["mimeType"], "image/png", "{url}");
        assert_eq!(picture.header("content-type"), Some("image/png"), "{url}");
        let (width, height) = size_of_png(&picture.body);
        assert_eq!(icon["sizes"], json!([format!("{width}x{height}")]), "{url}");
        assert!(picture.body.len() < 2048, "{url}");
        pictures.push(picture.body);
    }
    pictures.sort_unstable();
    pictures.dedup();
    assert_eq!(pictures.len(), icons.len(), "no two are the same");
}

#[tokio::test]
async fn an_icon_may_be_shown_by_any_page_and_kept_for_a_day() {
    let server = TestServer::start().await;
    for name in ["todo.png", "todo.svg", "list_todos.png"] {
        let picture = get(&format!("{}/icons/{name}", server.base)).await;
        assert_eq!(picture.status, 200, "{name}");
        assert_eq!(picture.header("access-control-allow-origin"), Some("*"), "{name}");
        assert_eq!(picture.header("cache-control"), Some("public, max-age=86400"), "{name}");
        assert_eq!(picture.header("x-content-type-options"), Some("nosniff"), "{name}");
    }
}

#[tokio::test]
async fn the_icon_of_the_server_is_a_drawing_too_and_one_that_can_do_nothing() {
    let server = TestServer::start().await;
    let png = get(&format!("{}/icons/todo.png", server.base)).await;
    assert_eq!(size_of_png(&png.body), (96, 96));
    let svg = get(&format!("{}/icons/todo.svg", server.base)).await;
    assert_eq!(svg.header("content-type"), Some("image/svg+xml"));
    let policy = svg.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(svg.body.starts_with(b"<svg xmlns=\"http://www.w3.org/2000/svg\""));
}

#[tokio::test]
async fn an_icon_that_has_not_changed_is_not_sent_again() {
    let server = TestServer::start().await;
    let url = format!("{}/icons/get_todo.png", server.base);
    let first = get(&url).await;
    let tag = first.header("etag").unwrap();
    for seen in [tag.to_owned(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let again = fetch(Method::GET, &url, &seen).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{seen}");
        assert_eq!(again.header("etag"), Some(tag));
        assert_eq!(again.header("cache-control"), first.header("cache-control"));
    }
    assert_eq!(fetch(Method::GET, &url, "\"other\"").await.body, first.body);
    let other = get(&format!("{}/icons/list_todos.png", server.base)).await;
    assert_ne!(other.header("etag"), Some(tag));
}

#[tokio::test]
async fn there_is_nothing_else_among_the_icons_and_nothing_to_change() {
    let server = TestServer::start().await;
    for name in ["", "nothing.png", "../Cargo.toml", "%2e%2e%2fCargo.toml", "todo.png/"] {
        assert_eq!(get(&format!("{}/icons/{name}", server.base)).await.status, 404, "{name}");
    }
    let url = format!("{}/icons/todo.png", server.base);
    assert_eq!(fetch(Method::HEAD, &url, "").await.status, 200);
    assert_eq!(fetch(Method::DELETE, &url, "").await.status, 405);
}

#[tokio::test]
async fn behind_a_prefix_icons_are_where_the_tools_say() {
    let server = TestServer::with([
        ("MCP_URL", "https://todo.example.com/apps/todo/"),
        ("ALLOWED_HOSTS", "localhost"),
    ])
    .await;
    for icon in tool_icons(&server).await {
        let path = icon["src"].as_str().unwrap().strip_prefix("https://todo.example.com").unwrap();
        assert!(path.starts_with("/apps/todo/icons/"), "{path}");
        // A proxy keeps the prefix or strips it.
        for path in [path, path.strip_prefix("/apps/todo").unwrap()] {
            assert_eq!(get(&format!("{}{path}", server.base)).await.status, 200, "{path}");
        }
    }
}
