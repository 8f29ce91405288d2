use axum::http::{StatusCode, header};
use serde_json::json;

use super::support::{REDIRECT_URI, World};

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
        "<dt>Note server</dt>",
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
        assert_eq!(page.header(header::REFERRER_POLICY), "no-referrer");
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
    assert!(page.body.contains("For a token on the command line: <code>notes token</code>"));
}
