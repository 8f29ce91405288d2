//! The settings of the quickstart, with an authorization server that is not ours.

use serde_json::json;
use todo_tests::issuer::{RESOURCE_ID, TestIssuer};
use tokio::net::TcpSocket;

use crate::installation::Installation;

/// The quickstart's `.env` for an environment at `url`.
fn installation(url: &str) -> Installation {
    Installation::without_settings().with("LOG_FORMAT", "json").with_file(
        ".env",
        &format!(
            "PORT=0\n\
             SCALEKIT_ENVIRONMENT_URL={url}\n\
             SCALEKIT_CLIENT_ID=your_client_id\n\
             SCALEKIT_RESOURCE_ID={RESOURCE_ID}\n"
        ),
    )
}

#[tokio::test]
async fn tokens_of_the_environment_are_accepted_and_no_other_host_is_contacted() {
    let issuer = TestIssuer::start().await;
    let server = installation(issuer.url()).serve().await;
    let expected = format!("{}/resources/{RESOURCE_ID}", issuer.url());
    assert_eq!(server.issuer, expected);

    let claims = issuer.claims("usr_1", Some("org_1"), "todo:read todo:write");
    let caller = server.bearer(&issuer.sign(&claims));
    let id = caller.create("Buy milk").await;
    let read = caller.call("get_todo", json!({ "todo_id": id })).await;
    assert_eq!(read.structured()["todo"]["title"], "Buy milk");
    assert_eq!(server.get("/readyz").await.0, 200);

    let (status, metadata) = server.get("/.well-known/oauth-protected-resource").await;
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!(status, 200);
    assert_eq!(metadata["resource"], json!(server.endpoint));
    assert_eq!(metadata["authorization_servers"], json!([expected]));
}

#[tokio::test]
async fn it_starts_while_scalekit_is_down_and_answers_503_instead_of_401() {
    // A reserved port that refuses connections.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let environment = format!("http://{}", socket.local_addr().unwrap());
    let server = installation(&environment).serve().await;

    assert_eq!(server.get("/healthz").await.0, 200);
    assert_eq!(server.get("/readyz").await.0, 503);
    let issuer = TestIssuer::start().await;
    let mut claims = issuer.claims("usr_1", Some("org_1"), "todo:read todo:write");
    claims["iss"] = json!(environment);
    let answer = server.bearer(&issuer.sign(&claims)).call("list_todos", json!({})).await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    assert_eq!(answer.header("www-authenticate"), None);

    let (status, body) = server.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(status, 502);
    serde_json::from_str::<serde_json::Value>(&body).unwrap();
}
