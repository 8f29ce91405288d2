//! `undo_change`: what was changed is as before.

use serde_json::{Value, json};
use todo_tests::client::{Answer, Client};
use todo_tests::server::TestServer;

const UNKNOWN: &str = "0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b";

async fn undo(client: &Client, change: &Value) -> Answer {
    client.call("undo_change", json!({ "change_id": change })).await
}

/// The id of the last change.
async fn last(client: &Client) -> Value {
    last_of(client, json!({ "limit": 1 })).await["id"].clone()
}

async fn last_of(client: &Client, arguments: Value) -> Value {
    client.call("list_changes", arguments).await.structured()["changes"][0].clone()
}

async fn get(client: &Client, id: &Value) -> Value {
    client.call("get_todo", json!({ "todo_id": id })).await.structured()["todo"].clone()
}

async fn update(client: &Client, id: &Value, mut edit: Value) -> Value {
    edit["todo_id"] = id.clone();
    client.call("update_todo", edit).await.structured()["todo"].clone()
}

/// Without what is of the last write.
fn content(todo: &Value) -> Value {
    let mut todo = todo.clone();
    for member in ["version", "updated_at"] {
        todo.as_object_mut().unwrap().remove(member);
    }
    todo
}

#[tokio::test]
async fn each_kind_of_change_is_taken_back_and_so_is_its_undo() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let create = json!({ "title": "one", "labels": ["Home", "tax"], "due": "2026-12-24" });
    let created = owner.call("create_todo", create).await.structured()["todo"].clone();
    let id = &created["id"];
    let creation = last(&owner).await;

    let edited =
        update(&owner, id, json!({ "title": "two", "completed": true, "labels": [], "due": "" }))
            .await;
    let edit = last(&owner).await;
    let undone = undo(&owner, &edit).await.structured();
    assert_eq!(undone, json!({ "todos": [get(&owner, id).await], "deleted": [] }));
    assert_eq!(content(&undone["todos"][0]), content(&created));
    assert_eq!(undone["todos"][0]["version"], 3);
    let reversal = last_of(&owner, json!({})).await;
    assert_eq!((&reversal["undoes"], &reversal["action"]), (&edit, &json!("updated")));
    let of_edit = owner.call("list_changes", json!({})).await.structured()["changes"][1].clone();
    assert_eq!((&of_edit["id"], &of_edit["undone_by"]), (&edit, &reversal["id"]));

    // The undo is undone: as after the edit, with the instant of its completion.
    let again = undo(&owner, &reversal["id"]).await.structured();
    assert_eq!(content(&again["todos"][0]), content(&edited));

    // Deleted, and back with its id, labels, instants and a higher version.
    let before = get(&owner, id).await;
    owner.call("delete_todo", json!({ "todo_id": id })).await.structured();
    let deletion = last_of(&owner, json!({ "action": "deleted" })).await["id"].clone();
    let restored = undo(&owner, &deletion).await.structured()["todos"][0].clone();
    assert!(restored["version"].as_i64() > before["version"].as_i64(), "{restored}");
    let mut expected = before.clone();
    expected["version"] = restored["version"].clone();
    assert_eq!(restored, expected);
    let restoration = last_of(&owner, json!({})).await;
    assert_eq!((&restoration["action"], &restoration["undoes"]), (&json!("restored"), &deletion));
    let undone = undo(&owner, &restoration["id"]).await.structured();
    assert_eq!(undone, json!({ "todos": [], "deleted": [id] }));
    undo(&owner, &last(&owner).await).await.structured();

    // Created, and gone.
    let conflict = undo(&owner, &creation).await;
    assert_eq!(conflict.failure(), "version_conflict", "it is another todo by now");
    let other = json!(owner.create("other").await);
    let creation = last(&owner).await;
    let undone = undo(&owner, &creation).await.structured();
    assert_eq!(undone, json!({ "todos": [], "deleted": [other] }));
    assert_eq!(owner.call("get_todo", json!({ "todo_id": other })).await.failure(), "not_found");
}

#[tokio::test]
async fn undoing_again_changes_nothing() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let id = json!(owner.create("one").await);
    update(&owner, &id, json!({ "title": "two" })).await;
    let edit = last(&owner).await;
    let first = undo(&owner, &edit).await.structured();
    let latest = last(&owner).await;
    assert_eq!(undo(&owner, &edit).await.structured(), first);
    assert_eq!(last(&owner).await, latest);
    // As it is then.
    let changed = update(&owner, &id, json!({ "title": "three" })).await;
    assert_eq!(undo(&owner, &edit).await.structured()["todos"], json!([changed]));
    owner.call("delete_todo", json!({ "todo_id": id })).await.structured();
    let gone = undo(&owner, &edit).await.structured();
    assert_eq!(gone, json!({ "todos": [], "deleted": [id] }));
}

#[tokio::test]
async fn only_the_fields_that_a_change_touched_matter_and_are_reset() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let id = json!(owner.create("one").await);
    update(&owner, &id, json!({ "title": "two", "priority": "high" })).await;
    let edit = last(&owner).await;
    update(&owner, &id, json!({ "description": "more", "completed": true })).await;
    let undone = undo(&owner, &edit).await.structured()["todos"][0].clone();
    for (field, expected) in [
        ("title", json!("one")),
        ("priority", json!("normal")),
        ("description", json!("more")),
        ("completed", json!(true)),
    ] {
        assert_eq!(undone[field], expected, "{undone}");
    }
}

#[tokio::test]
async fn a_field_that_was_changed_since_is_a_conflict_with_the_current_todo() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let id = json!(owner.create("one").await);
    update(&owner, &id, json!({ "title": "two" })).await;
    let edit = last(&owner).await;
    let current = update(&owner, &id, json!({ "title": "three" })).await;
    let answer = undo(&owner, &edit).await;
    assert_eq!(answer.failure(), "version_conflict");
    assert_eq!(answer.payload()["todo"], current);
    let sentence = answer.payload()["error"].as_str().unwrap().to_owned();
    assert!(sentence.starts_with("Nothing was undone: "), "{sentence}");
    assert_eq!(get(&owner, &id).await, current);

    owner.call("delete_todo", json!({ "todo_id": id })).await.structured();
    let answer = undo(&owner, &edit).await;
    assert_eq!(answer.failure(), "version_conflict");
    assert!(answer.payload().get("todo").is_none());
    let sentence = answer.payload()["error"].as_str().unwrap().to_owned();
    assert!(sentence.contains("Undo its deletion first"), "{sentence}");
    // Which works.
    let deletion = last_of(&owner, json!({ "todo_id": id, "action": "deleted" })).await;
    undo(&owner, &deletion["id"]).await.structured();
    update(&owner, &id, json!({ "title": "two" })).await;
    undo(&owner, &edit).await.structured();
    assert_eq!(get(&owner, &id).await["title"], "one");
}

#[tokio::test]
async fn a_batch_is_undone_as_a_whole_or_not_at_all() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let [one, two] = [owner.create("one").await, owner.create("two").await].map(Value::from);
    let before = owner.call("list_todos", json!({})).await.structured()["todos"].clone();
    let changes = json!([
        { "action": "update", "todo_id": one, "completed": true },
        { "action": "update", "todo_id": one, "title": "uno" },
        { "action": "delete", "todo_id": two },
        { "action": "create", "title": "three" },
        { "action": "delete", "todo_id": UNKNOWN },
    ]);
    let made = owner.call("change_todos", json!({ "changes": changes })).await.structured();
    let (batch, three) = (&made["batch_id"], made["results"][3]["todo"]["id"].clone());
    let listed = owner.call("list_changes", json!({ "limit": 4 })).await.structured();
    for change in listed["changes"].as_array().unwrap() {
        assert_eq!(&change["batch_id"], batch);
    }

    update(&owner, &three, json!({ "title": "drei" })).await;
    let answer = undo(&owner, batch).await;
    assert_eq!(answer.failure(), "version_conflict");
    assert_eq!(answer.payload()["todo"]["title"], "drei");
    assert_eq!(owner.titles().await, ["uno", "drei"], "nothing was undone");

    undo(&owner, &last(&owner).await).await.structured();
    let undone = undo(&owner, batch).await.structured();
    assert_eq!(undone["deleted"], json!([three]));
    let after = owner.call("list_todos", json!({})).await.structured()["todos"].clone();
    assert_eq!(undone["todos"], after);
    let contents =
        |todos: &Value| todos.as_array().unwrap().iter().map(content).collect::<Vec<_>>();
    assert_eq!(contents(&after), contents(&before));

    // The undo is a batch, too.
    let reversal = last_of(&owner, json!({})).await;
    assert!(reversal["batch_id"].is_string(), "{reversal}");
    undo(&owner, &reversal["batch_id"]).await.structured();
    assert_eq!(owner.titles().await, ["uno", "three"]);
    // One change of a batch by itself.
    let deletion = last_of(&owner, json!({ "todo_id": two, "action": "deleted" })).await;
    undo(&owner, &deletion["id"]).await.structured();
    assert_eq!(owner.titles().await, ["uno", "two", "three"]);
}

#[tokio::test]
async fn what_is_no_change_of_the_caller_is_not_found() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let id = owner.create("one").await;
    let change = last(&owner).await;
    let change = change.as_str().unwrap();
    for other in ["", "1", "1-00000000", "b1-00000000", &id, &format!("b{change}"), &change[1..]] {
        let answer = undo(&owner, &json!(other)).await;
        assert_eq!(answer.failure(), "not_found", "{other}");
        let sentence = format!(
            "Change `{other}` not found. list_changes returns the ids of all changes that are remembered."
        );
        assert_eq!(answer.payload(), json!({ "error": sentence, "code": "not_found" }));
    }
    let long = undo(&owner, &json!("x\u{202e}".repeat(10_000))).await;
    assert_eq!(long.failure(), "not_found");
    assert!(long.text.len() < 500, "{long:?}");
    for arguments in [json!({}), json!({ "change_id": 5 }), json!({ "change_id": change, "x": 1 })]
    {
        let answer = owner.call("undo_change", arguments).await;
        assert_eq!(answer.failure(), "invalid_argument");
    }
}

#[tokio::test]
async fn an_answer_has_at_most_64_kib() {
    const MOST: usize = 64 * 1024;
    let server = TestServer::with([("TODO_RATE_LIMIT", "off")]).await;
    let owner = server.owner();
    let mut changes = Vec::new();
    for _ in 0..50 {
        let create = json!({ "title": "long", "description": "\"".repeat(8_000) });
        let created = owner.call("create_todo", create).await.structured();
        changes.push(json!({ "action": "delete", "todo_id": created["todo"]["id"] }));
    }
    let made = owner.call("change_todos", json!({ "changes": changes })).await.structured();
    let result = undo(&owner, &made["batch_id"]).await.result();
    assert!(result["content"][0]["text"].as_str().unwrap().len() <= MOST);
    assert_eq!(result["structuredContent"]["todos"].as_array().unwrap().len(), 4);
    let todos = owner.call("list_todos", json!({ "detail": "short" })).await.structured();
    assert_eq!(todos["todos"].as_array().unwrap().len(), 50);
}
