//! Todos as resources (R56 to R60, R69 to R72, R85).

use serde_json::{Value, json};
use todo_tests::client::{Answer, Client};
use todo_tests::server::TestServer;

const TODOS: &str = "todo://todos";
const TODAY: &str = "todo://today";
const CHANGES: &str = "todo://changes";
const UNKNOWN: &str = "todo://todos/0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b";

async fn read(client: &Client, uri: &str) -> Answer {
    client.modern("resources/read", json!({ "uri": uri })).await
}

/// The content of a resource, which is JSON.
async fn content(client: &Client, uri: &str) -> Value {
    let contents = read(client, uri).await.result()["contents"].clone();
    let [content] = contents.as_array().unwrap().as_slice() else { panic!("{contents}") };
    assert_eq!(content["mimeType"], "application/json");
    assert_eq!(content["uri"], uri);
    serde_json::from_str(content["text"].as_str().unwrap()).unwrap()
}

async fn complete(client: &Client, id: &str) {
    let arguments = json!({ "todo_id": id, "completed": true });
    assert_eq!(client.call("update_todo", arguments).await.status, 200);
}

#[tokio::test]
async fn the_list_resource_comes_first_and_then_the_open_todos() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let (one, two) = (owner.create("one").await, owner.create("two").await);
    complete(&owner, &one).await;
    let result = owner.modern("resources/list", json!({})).await.result();
    let resources = result["resources"].as_array().unwrap();
    let uris: Vec<&str> = resources.iter().map(|it| it["uri"].as_str().unwrap()).collect();
    assert_eq!(uris, [TODOS, TODAY, CHANGES, &format!("{TODOS}/{two}")]);
    assert_eq!(resources[3]["name"], "two");
    assert_eq!(resources[3]["mimeType"], "application/json");
    assert!(resources[3]["annotations"]["lastModified"].is_string());
    assert_eq!((&result["cacheScope"], &result["ttlMs"]), (&json!("private"), &json!(0)));

    let legacy = owner.legacy("resources/list", json!({})).await.result();
    assert_eq!(legacy, json!({ "resources": resources }));
}

#[tokio::test]
async fn a_long_list_of_resources_is_paged() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let mut expected = [TODOS, TODAY, CHANGES].map(str::to_owned).to_vec();
    for number in 0..120 {
        expected.push(format!("{TODOS}/{}", owner.create(&format!("todo {number}")).await));
    }
    let (mut seen, mut pages, mut params) = (Vec::new(), 0, json!({}));
    loop {
        let result = owner.modern("resources/list", params).await.result();
        let resources = result["resources"].as_array().unwrap();
        seen.extend(resources.iter().map(|it| it["uri"].as_str().unwrap().to_owned()));
        pages += 1;
        assert_eq!(result["cacheScope"], "private", "on every page");
        let Some(cursor) = result.get("nextCursor") else { break };
        params = json!({ "cursor": cursor });
    }
    assert_eq!((seen, pages), (expected, 3));
}

#[tokio::test]
async fn an_invalid_cursor_or_one_of_another_list_is_rejected() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for number in 0..60 {
        owner.create(&format!("todo {number}")).await;
    }
    let all = owner.call("list_todos", json!({})).await.structured()["next_cursor"].clone();
    for cursor in [all, json!(""), json!("x"), json!(5), json!({})] {
        for method in ["resources/list", "resources/templates/list", "prompts/list", "tools/list"] {
            let answer = owner.modern(method, json!({ "cursor": cursor })).await;
            assert_eq!(answer.error_code(), -32602, "{method} {cursor}");
            let answer = owner.legacy(method, json!({ "cursor": cursor })).await;
            assert_eq!((answer.status, answer.error_code()), (200, -32602), "{method} {cursor}");
        }
    }
}

#[tokio::test]
async fn a_resource_has_the_content_that_its_tool_returns() {
    let server = TestServer::start().await;
    let owner = server.owner();
    assert_eq!(content(&owner, TODOS).await, json!({ "todos": [] }));
    let (one, two) = (owner.create("one").await, owner.create("two").await);
    complete(&owner, &one).await;
    let open = owner.call("list_todos", json!({ "completed": false })).await.structured();
    assert_eq!(content(&owner, TODOS).await, open);
    for id in [one, two] {
        let todo = owner.call("get_todo", json!({ "todo_id": id })).await.structured();
        assert_eq!(content(&owner, &format!("{TODOS}/{id}")).await, todo);
        let upper = format!("TODO://todos/{}", id.to_uppercase());
        let read = read(&owner, &upper).await.result();
        assert_eq!(read["contents"][0]["uri"], format!("{TODOS}/{id}"), "its one name");
        assert_eq!((&read["cacheScope"], &read["ttlMs"]), (&json!("private"), &json!(0)));
    }
}

#[tokio::test]
async fn a_list_resource_longer_than_a_page_names_the_next_cursor() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for number in 0..201 {
        owner.create(&format!("todo {number}")).await;
    }
    let list = content(&owner, TODOS).await;
    assert_eq!(list["todos"].as_array().unwrap().len(), 200);
    let rest = json!({ "completed": false, "cursor": list["next_cursor"] });
    let rest = owner.call("list_todos", rest).await.structured();
    assert_eq!(rest["todos"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn there_are_two_templates_and_they_are_the_same_for_every_caller() {
    let server = TestServer::start().await;
    for client in [server.owner(), server.caller("usr_other", "openid")] {
        let result = client.modern("resources/templates/list", json!({})).await.result();
        let templates = result["resourceTemplates"].as_array().unwrap().iter();
        let uris: Vec<_> = templates.map(|template| &template["uriTemplate"]).collect();
        assert_eq!(uris, ["todo://todos/{id}", "todo://labels/{label}"]);
        assert_eq!(result["cacheScope"], "public");
    }
}

#[tokio::test]
async fn an_unknown_resource_gets_the_error_of_its_era() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for uri in [UNKNOWN, "todo://todos/", "todo://", "test://elsewhere", "file:///etc/passwd", ""] {
        let modern = read(&owner, uri).await;
        assert_eq!(modern.error_code(), -32602, "{uri}");
        let legacy = owner.legacy("resources/read", json!({ "uri": uri })).await;
        assert_eq!((legacy.status, legacy.error_code()), (200, -32002), "{uri}");
        for answer in [modern, legacy] {
            assert_eq!(answer.json()["error"]["data"], json!({ "uri": uri }));
        }
    }
    for params in [json!({}), json!({ "uri": 5 })] {
        let answer = owner.legacy("resources/read", params).await;
        assert_eq!(answer.error_code(), -32602);
    }
}

#[tokio::test]
async fn a_todo_of_another_workspace_is_byte_for_byte_not_found() {
    let server = TestServer::start().await;
    let hidden = format!("{TODOS}/{}", server.owner().create("mine").await);
    let stranger = server.caller("usr_stranger", "todo:read todo:write");
    let answers = [read(&stranger, &hidden).await, read(&stranger, UNKNOWN).await];
    let [hidden_answer, missing] = answers.map(|answer| (answer.status, answer.text));
    let missing = (missing.0, missing.1.replace(UNKNOWN, &hidden));
    assert_eq!(hidden_answer, missing);
    assert_eq!(content(&stranger, TODOS).await, json!({ "todos": [] }));
    // The three lists.
    let listed = stranger.modern("resources/list", json!({})).await.result();
    assert_eq!(listed["resources"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_read_scope_is_checked_before_anything_else() {
    let server = TestServer::start().await;
    let writer = server.caller("usr_writer", "todo:write");
    for uri in [TODOS, UNKNOWN, "test://elsewhere"] {
        let answer = read(&writer, uri).await;
        assert_eq!(answer.status, 403, "{uri}");
        // Since 2026-07-28 the challenge asks for what the operation needs.
        assert!(answer.challenge().contains("scope=\"todo:read\""), "{uri}");
    }
    let answer = writer.modern("resources/list", json!({})).await;
    assert_eq!(answer.status, 403);
    let server = TestServer::with([("TODO_SCOPE_DENIAL", "tool_error")]).await;
    let answer = read(&server.caller("usr_writer", "todo:write"), TODOS).await;
    assert_eq!((answer.status, answer.error_code()), (200, 403));
    assert!(answer.header("www-authenticate").is_none(), "such clients do not step up");
    let sentence = "Insufficient permissions: `todo:read` scope required.";
    assert_eq!(answer.json()["error"]["message"], sentence);
}

#[tokio::test]
async fn the_name_header_of_a_read_is_its_uri() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for (name, status) in [(Some(TODOS), 200), (Some(UNKNOWN), 400), (None, 400)] {
        let (mut headers, body) = owner.modern_parts("resources/read", json!({ "uri": TODOS }));
        headers.remove("mcp-name");
        if let Some(name) = name {
            headers.insert("mcp-name", name.parse().unwrap());
        }
        let answer = owner.send(headers, body.to_string()).await;
        assert_eq!(answer.status, status, "{name:?}");
        if status == 400 {
            assert_eq!(answer.error_code(), -32020);
        }
    }
}

#[tokio::test]
async fn the_resource_of_today_shows_what_is_due_and_overdue_in_the_zone_of_the_caller() {
    let server = TestServer::with([("TODO_TIME_ZONE", "Europe/Berlin")]).await;
    let owner = server.owner();
    for (title, due) in [("later", "9999-12-31"), ("old", "1999-12-31"), ("never", "")] {
        owner.call("create_todo", json!({ "title": title, "due": due })).await.structured();
    }
    let today = content(&owner, TODAY).await;
    assert_eq!(today["todos"].as_array().unwrap().len(), 1);
    assert_eq!(today["todos"][0]["title"], "old");
    assert_eq!(today["as_of"]["time_zone"], "Europe/Berlin");
}

#[tokio::test]
async fn the_resource_of_today_needs_a_time_zone() {
    let server = TestServer::start().await;
    assert_eq!(read(&server.owner(), TODAY).await.error_code(), -32602);
}
