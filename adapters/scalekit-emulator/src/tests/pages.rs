use axum::body::Body;
use axum::http::{StatusCode, header};
use serde_json::json;

use super::support::{REDIRECT_URI, World, to};

const MCP_URL: &str = "<span class=\"url\">http://<wbr>localhost:3002/<wbr>mcp</span>";

#[tokio::test]
async fn the_consent_page_shows_client_scopes_and_destination() {
    let world = World::new().await;
    let client = world.public_client().await;

    let page = world.authorize(&client, &[("scope", "notes:read offline_access")]).await.body;

    for expected in [
        "Local Scalekit",
        "<bdi>Inspector</bdi> wants to use your notes",
        "localhost:6274",
        "See your notes",
        &format!("<dt>Note server</dt><dd>{MCP_URL}</dd>"),
        "This page comes from the note server on your own computer.",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    for (scope, shown) in [("notes:read", true), ("offline_access", true), ("notes:write", false)] {
        let checkbox = format!("type=\"checkbox\" name=\"scope\" value=\"{scope}\" checked");
        assert_eq!(page.contains(&checkbox), shown, "{scope}");
    }
}

#[tokio::test]
async fn a_page_has_no_script_and_cannot_be_framed_or_cached() {
    let world = World::new().await;
    let client = world.public_client().await;

    for page in [world.authorize(&client, &[]).await, world.get("/").await] {
        let policy = page.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("form-action"), "{policy}");
        assert_eq!(page.header(header::CACHE_CONTROL), "no-store");
        assert_eq!(page.header(header::REFERRER_POLICY), "same-origin");
        assert!(!page.body.contains("<script"));
    }
}

#[tokio::test]
async fn a_hostile_client_name_is_escaped() {
    let world = World::new().await;
    let hostile = "</title></style><script>alert(1)</script>\"'&<b onclick=x>\u{7}";
    let client = world
        .register(json!({ "client_name": hostile, "redirect_uris": [REDIRECT_URI] }))
        .await
        .text("client_id");

    let page = world.authorize(&client, &[]).await.body;
    let problem = world.authorize(&client, &[("redirect_uri", "https://<i>/")]).await.body;

    for html in [page, problem] {
        assert!(
            html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;&lt;b onclick")
        );
        for raw in ["<script", "<b onclick", "<i>", "\u{7}"] {
            assert!(!html.contains(raw), "{raw}");
        }
    }
}

#[tokio::test]
async fn an_unknown_client_id_is_escaped() {
    let world = World::new().await;

    let reply = world.authorize("<img src=x>", &[]).await;

    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.body.contains("&lt;img src=x&gt;"));
}

#[tokio::test]
async fn the_root_is_a_welcome_page() {
    let world = World::new().await;

    let page = world.get("/").await;

    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains(&world.issuer()));
    let mcp_url = format!("<dt>Note server</dt><dd><strong>{MCP_URL}</strong></dd>");
    assert!(page.body.contains(&mcp_url), "{}", page.body);
    assert!(page.body.contains("For a token on the command line: <code>notes token</code>"));
}

#[tokio::test]
async fn a_client_without_a_name_is_called_unnamed_and_its_id_is_small_print() {
    let world = World::new().await;
    let metadata = json!({ "redirect_uris": [REDIRECT_URI] });
    let client = world.register(metadata).await.text("client_id");

    let page = world.authorize(&client, &[]).await.body;

    assert!(page.contains("<h1><bdi>An unnamed client</bdi> wants to use your notes</h1>"));
    assert!(page.contains("<title>An unnamed client asks for access"));
    assert!(page.contains("<dt>Answer goes to</dt><dd><strong>localhost:6274</strong></dd>"));
    assert!(page.contains(&format!("<dt>Client id</dt><dd><code>{client}</code></dd>")));
    let named = world.authorize(&world.public_client().await, &[]).await.body;
    assert!(!named.contains("Client id"));
}

#[tokio::test]
async fn every_error_page_says_what_is_wrong_and_what_to_do() {
    let world = World::new().await;
    let client = world.public_client().await;
    let page = world.authorize(&client, &[]).await;
    world.decide(&page, &[], "deny").await;
    let browser = to("GET", "/nothing").header(header::ACCEPT, "text/html,*/*;q=0.8");

    for (reply, status, title, what_to_do) in [
        (world.authorize("m2m_1", &[]).await, 400, "Unknown client", "and connect again"),
        (world.authorize("", &[]).await, 400, "The request is incomplete", "from your application"),
        (
            world.authorize(&client, &[("redirect_uri", "")]).await,
            400,
            "The request is incomplete",
            "from your application",
        ),
        (
            world.authorize(&client, &[("redirect_uri", "https://client.example/")]).await,
            400,
            "Unknown redirect URI",
            "connect again",
        ),
        (world.decide(&page, &[], "deny").await, 400, "This request has ended", "connect again"),
        (
            world.post_form("/oauth/consent", &[]).await,
            400,
            "There is nothing to decide here",
            "connect again",
        ),
        (
            world.post_json("/oauth/consent", &json!({})).await,
            400,
            "There is nothing to decide here",
            "connect again",
        ),
        (
            world.get("/oauth/consent").await,
            400,
            "There is nothing to decide here",
            "connect again",
        ),
        (
            world.send(browser.body(Body::empty()).unwrap()).await,
            404,
            "There is no such page",
            "connect an MCP client to <span class=\"url\">http://<wbr>localhost:3002/<wbr>mcp",
        ),
    ] {
        assert_eq!(reply.status.as_u16(), status, "{title}");
        assert_eq!(reply.header(header::CONTENT_TYPE), "text/html; charset=utf-8", "{title}");
        assert!(reply.body.contains(&format!("<h1>{title}</h1>")), "{title}: {}", reply.body);
        let (_, remedy) = reply.body.split_once("<h2>What to do</h2>").unwrap();
        assert!(remedy.contains(what_to_do), "{title}: {remedy}");
    }
}
