//! Completion (R76).

use serde_json::{Value, json};
use todo_tests::client::{Answer, Client};
use todo_tests::server::TestServer;

fn todo() -> Value {
    json!({ "type": "ref/resource", "uri": "todo://todos/{id}" })
}

pub(crate) fn prompt(name: &str) -> Value {
    json!({ "type": "ref/prompt", "name": name })
}

async fn complete(client: &Client, reference: &Value, argument: &str, typed: &str) -> Answer {
    let argument = json!({ "name": argument, "value": typed });
    client.modern("completion/complete", json!({ "ref": reference, "argument": argument })).await
}

pub(crate) async fn values(
    client: &Client,
    reference: &Value,
    argument: &str,
    typed: &str,
) -> Vec<String> {
    let completion = complete(client, reference, argument, typed).await.result();
    let values = completion["completion"]["values"].as_array().unwrap();
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_id_is_completed_from_the_prefix_of_a_title_or_of_a_word_in_it() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let buy = owner.create("Buy milk").await;
    let grind = owner.create("Mill the flour").await;
    let done = owner.create("Milk the cow").await;
    owner.call("update_todo", json!({ "todo_id": done, "completed": true })).await;
    assert_eq!(values(&owner, &todo(), "id", "MIL").await, [grind.clone(), buy.clone()]);
    assert_eq!(values(&owner, &todo(), "id", "buy m").await, [buy.as_str()]);
    assert_eq!(values(&owner, &todo(), "id", "").await, [buy, grind]);
    assert!(values(&owner, &todo(), "id", "x").await.is_empty());
}

#[tokio::test]
async fn an_argument_of_a_prompt_is_completed_with_matching_values() {
    let server = TestServer::start().await;
    let owner = server.owner();
    owner.create("Learn to swim").await;
    owner.create("Learn to swim").await;
    let goal = values(&owner, &prompt("break_down_goal"), "goal", "learn").await;
    assert_eq!(goal, ["Learn to swim"], "each value once");
    let time = values(&owner, &prompt("plan_my_day"), "available_time", "ha").await;
    assert_eq!(time, ["half a day"]);
    assert_eq!(values(&owner, &prompt("plan_my_day"), "focus", "L").await, ["Learn to swim"]);
}

#[tokio::test]
async fn a_completion_has_at_most_100_values_and_reports_that_there_are_more() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for (created, more) in [(100, false), (101, true)] {
        let have = values(&owner, &todo(), "id", "").await.len();
        for number in have..created {
            owner.create(&format!("todo {number}")).await;
        }
        let completion = complete(&owner, &todo(), "id", "todo").await.result();
        assert_eq!(completion["completion"]["values"].as_array().unwrap().len(), 100);
        assert_eq!(completion["completion"]["hasMore"], more);
        assert!(completion.get("ttlMs").is_none(), "completions are not cached");
    }
}

#[tokio::test]
async fn an_unknown_reference_or_argument_is_invalid() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for (reference, argument) in [
        (prompt("no_such_prompt"), "goal"),
        (prompt("plan_my_day"), "goal"),
        (todo(), "name"),
        (json!({ "type": "ref/resource", "uri": "todo://todos" }), "id"),
        (json!({ "type": "ref/resource", "uri": "test://{id}" }), "id"),
        (json!({ "type": "ref/tool", "name": "list_todos" }), "id"),
        (json!({ "type": "ref/prompt" }), "goal"),
        (json!("plan_my_day"), "focus"),
    ] {
        let argument = json!({ "name": argument, "value": "" });
        let params = json!({ "ref": reference, "argument": argument });
        let answer = owner.legacy("completion/complete", params).await;
        assert_eq!((answer.status, answer.error_code()), (200, -32602), "{reference}");
    }
    for argument in [json!({ "name": "focus" }), json!({ "name": 1, "value": "" }), json!(null)] {
        let params = json!({ "ref": prompt("plan_my_day"), "argument": argument });
        let answer = owner.legacy("completion/complete", params).await;
        assert_eq!(answer.error_code(), -32602, "{argument}");
    }
}

#[tokio::test]
async fn completion_never_shows_another_workspace() {
    let server = TestServer::start().await;
    server.owner().create("mine").await;
    let stranger = server.caller("usr_stranger", "todo:read todo:write");
    assert!(values(&stranger, &todo(), "id", "").await.is_empty());
    let writer = server.caller("usr_owner", "todo:write");
    let refused = complete(&writer, &todo(), "id", "").await;
    assert_eq!(refused.status, 403);
    assert!(refused.challenge().contains("todo:read"));
    let fixed = values(&writer, &prompt("plan_my_day"), "available_time", "1").await;
    assert_eq!(fixed, ["1 hour"], "values that are the same for every caller need no scope");
}
