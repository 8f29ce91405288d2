//! `change_todos`: several changes in one call.

use serde_json::{Value, json};
use todo_tests::client::Client;
use todo_tests::server::TestServer;

const UNKNOWN: &str = "0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b";

async fn change(client: &Client, arguments: Value) -> Value {
    client.call("change_todos", arguments).await.structured()
}

/// All todos as they are.
async fn list(client: &Client) -> Value {
    client.call("list_todos", json!({ "limit": 200 })).await.structured()["todos"].clone()
}

fn statuses(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().unwrap_or_else(|| panic!("{answer}"));
    for (place, result) in results.iter().enumerate() {
        assert_eq!(result["index"], place, "{answer}");
    }
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

/// The same without what differs from call to call.
fn without_ids_and_instants(answer: &Value) -> Value {
    let mut answer = answer.clone();
    answer.as_object_mut().unwrap().remove("batch_id");
    for result in answer["results"].as_array_mut().unwrap() {
        if let Some(todo) = result["todo"].as_object_mut() {
            for member in ["id", "created_at", "updated_at", "completed_at"] {
                if todo.contains_key(member) {
                    todo.insert(member.to_owned(), json!("-"));
                }
            }
        }
    }
    answer
}

#[tokio::test]
async fn creates_updates_and_deletes_are_made_in_order_with_a_result_each() {
    let server = TestServer::with([("TODO_TIME_ZONE", "Europe/Berlin")]).await;
    let owner = server.owner();
    let (one, two) = (owner.create("one").await, owner.create("two").await);
    let answer = change(
        &owner,
        json!({ "changes": [
            { "action": "create", "title": "three", "due": "2026-12-24T17:30", "due_weekday": "Thursday",
              "priority": "high", "labels": ["home"], "description": "of all" },
            { "action": "update", "todo_id": one, "completed": true, "add_labels": ["done"] },
            { "action": "update", "todo_id": one, "expected_version": 2, "title": "first" },
            { "action": "delete", "todo_id": two, "expected_version": 1 },
            { "action": "update", "todo_id": two, "title": "late" },
        ] }),
    )
    .await;
    assert_eq!(statuses(&answer), ["created", "updated", "updated", "deleted", "failed"]);
    assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(4), &json!(1)));
    assert!(answer["batch_id"].as_str().unwrap().starts_with('b'), "{answer}");
    let results = &answer["results"];
    assert_eq!(results[0]["todo"]["due_at"], "2026-12-24T16:30:00.000Z");
    assert_eq!(results[1]["todo"]["version"], 2);
    assert_eq!(results[2]["todo"]["title"], "first");
    let gone = json!({
        "index": 4,
        "status": "failed",
        "error": format!("Todo `{two}` not found."),
        "code": "not_found",
    });
    assert_eq!(results[4], gone);
    assert_eq!(list(&owner).await, json!([results[2]["todo"], results[0]["todo"]]));
    for (tool, id) in [("get_todo", &results[0]["todo"]["id"]), ("get_todo", &json!(one))] {
        owner.call(tool, json!({ "todo_id": id })).await.structured();
    }
}

/// Changes that fail by the state of a todo, each with the code of its failure.
async fn failing(owner: &Client) -> Vec<(Value, &'static str)> {
    let labels = |prefix: &str| (0..11).map(|it| format!("{prefix}{it}")).collect::<Vec<_>>();
    let arguments = json!({ "title": "labelled", "labels": labels("a") });
    let created = owner.call("create_todo", arguments).await.structured();
    let id = created["todo"]["id"].clone();
    owner
        .call("create_todo", json!({ "title": "with a key", "idempotency_key": "used" }))
        .await
        .structured();
    vec![
        (json!({ "action": "update", "todo_id": UNKNOWN, "completed": true }), "not_found"),
        (json!({ "action": "delete", "todo_id": UNKNOWN }), "not_found"),
        (
            json!({ "action": "update", "todo_id": id, "title": "x", "expected_version": 7 }),
            "version_conflict",
        ),
        (json!({ "action": "delete", "todo_id": id, "expected_version": 7 }), "version_conflict"),
        (
            json!({ "action": "update", "todo_id": id, "add_labels": labels("b") }),
            "invalid_argument",
        ),
        (
            json!({ "action": "create", "title": "another", "idempotency_key": "used" }),
            "idempotency_conflict",
        ),
    ]
}

#[tokio::test]
async fn each_change_at_each_place_may_fail_by_itself_or_keep_all_from_being_made() {
    let server = TestServer::with([("TODO_RATE_LIMIT", "off")]).await;
    let owner = server.owner();
    for (failing, code) in failing(&owner).await {
        for place in 0..3 {
            let id = owner.create("one").await;
            let mut changes = vec![
                json!({ "action": "create", "title": "new" }),
                json!({ "action": "update", "todo_id": id, "completed": true }),
                json!({ "action": "delete", "todo_id": id }),
            ];
            changes.insert(place, failing.clone());
            let before = list(&owner).await;

            let all = json!({ "changes": changes, "all_or_nothing": true });
            let answer = change(&owner, all).await;
            let mut expected = vec!["skipped"; 3];
            expected.insert(place, "failed");
            assert_eq!(statuses(&answer), expected, "{failing}");
            assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(0), &json!(1)));
            assert_eq!(answer["results"][place]["code"], code, "{answer}");
            assert!(answer.get("batch_id").is_none(), "{answer}");
            assert_eq!(list(&owner).await, before, "{failing}");

            let answer = change(&owner, json!({ "changes": changes })).await;
            let mut expected = vec!["created", "updated", "deleted"];
            expected.insert(place, "failed");
            assert_eq!(statuses(&answer), expected, "{failing}");
            assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(3), &json!(1)));
            let result = &answer["results"][place];
            assert_eq!(result["code"], code, "{answer}");
            assert!(result["error"].as_str().unwrap().ends_with('.'), "{answer}");
            // The current todo, to decide again.
            assert_eq!(result["todo"].is_object(), code == "version_conflict", "{answer}");
        }
    }
}

#[tokio::test]
async fn a_dry_run_answers_as_the_call_would_and_writes_nothing() {
    let server = TestServer::with([("TODO_RATE_LIMIT", "off")]).await;
    let owner = server.owner();
    let (one, two) = (owner.create("one").await, owner.create("two").await);
    let good = vec![
        json!({ "action": "create", "title": "new", "idempotency_key": "n" }),
        json!({ "action": "update", "todo_id": one, "completed": true }),
        json!({ "action": "update", "todo_id": one, "completed": false, "expected_version": 2 }),
        json!({ "action": "delete", "todo_id": two }),
    ];
    let bad = failing(&owner).await.into_iter().map(|(change, _)| change);
    let bad: Vec<Value> = bad.chain([json!({ "action": "create", "title": "new" })]).collect();
    let history = async || owner.call("list_changes", json!({})).await.structured();
    for (changes, all_or_nothing) in [(&bad, true), (&bad, false), (&good, true)] {
        let arguments = |dry_run| json!({ "changes": changes, "all_or_nothing": all_or_nothing, "dry_run": dry_run });
        let (todos, changed) = (list(&owner).await, history().await);
        let dry = change(&owner, arguments(true)).await;
        assert!(dry.get("batch_id").is_none(), "{dry}");
        assert_eq!((list(&owner).await, history().await), (todos.clone(), changed), "{dry}");
        let real = change(&owner, arguments(false)).await;
        assert_eq!(without_ids_and_instants(&dry), without_ids_and_instants(&real));
        assert_eq!(list(&owner).await == todos, real["succeeded"] == 0, "{real}");
    }
    // A key that was used for a dry run is as good as new.
    let changes = json!([{ "action": "create", "title": "last", "idempotency_key": "l" }]);
    let mut arguments = json!({ "changes": changes, "idempotency_key": "k", "dry_run": true });
    let dry = change(&owner, arguments.clone()).await;
    arguments["dry_run"] = json!(false);
    let real = change(&owner, arguments.clone()).await;
    assert_ne!(dry["results"][0]["todo"]["id"], real["results"][0]["todo"]["id"]);
    arguments["dry_run"] = json!(true);
    assert_eq!(change(&owner, arguments).await, real, "as the call would");
}

#[tokio::test]
async fn malformed_arguments_of_any_change_are_named_and_nothing_is_done() {
    let server = TestServer::with([("TODO_RATE_LIMIT", "off")]).await;
    let owner = server.owner();
    let id = owner.create("one").await;
    let good = json!({ "action": "create", "title": "good" });
    for (bad, argument, rule) in [
        (json!({ "action": "create" }), "title", "it is required"),
        (json!({ "action": "create", "title": "" }), "title", "must not be empty"),
        (json!({ "action": "create", "title": 5 }), "title", "must be a string"),
        (json!({ "title": "x" }), "action", "it is required"),
        (json!({ "action": "add", "title": "x" }), "action", "create, update or delete"),
        (json!({ "action": "update", "completed": true }), "todo_id", "it is required"),
        (json!({ "action": "delete" }), "todo_id", "it is required"),
        (json!({ "action": "delete", "todo_id": "1" }), "todo_id", "must be a UUID"),
        (json!({ "action": "delete", "todo_id": id, "title": "x" }), "title", "delete_todo has no"),
        (
            json!({ "action": "create", "title": "x", "completed": true }),
            "completed",
            "create_todo",
        ),
        (
            json!({ "action": "update", "todo_id": id, "idempotency_key": "k" }),
            "idempotency_key",
            "update_todo has no such argument",
        ),
        (
            json!({ "action": "create", "title": "x", "due": "2026-12-24", "due_weekday": "Friday" }),
            "due_weekday",
            "2026-12-24 is a Thursday",
        ),
        (
            json!({ "action": "create", "title": "x", "due": "2026-12-24T17:30" }),
            "time_zone",
            "is not known",
        ),
        (
            json!({ "action": "update", "todo_id": id, "labels": ["a"], "add_labels": ["b"] }),
            "labels",
            "cannot be combined",
        ),
        (json!({ "action": "update", "todo_id": id, "time_zone": "UTC" }), "time_zone", "missing"),
        (
            json!({ "action": "update", "todo_id": id, "expected_version": 0 }),
            "expected_version",
            "at least 1",
        ),
        (json!({ "action": "create", "title": "x", "name": "y" }), "name", "no such argument"),
    ] {
        for place in [0, 3, 49] {
            let mut changes = vec![good.clone(); place];
            changes.push(bad.clone());
            let answer = owner.call("change_todos", json!({ "changes": changes })).await;
            assert_eq!(answer.failure(), "invalid_argument", "{bad}");
            let path = format!("changes[{place}].{argument}");
            assert_eq!(answer.payload()["argument"], path, "{answer:?}");
            let sentence = answer.payload()["error"].as_str().unwrap().to_owned();
            assert!(
                sentence.contains(&format!("`{path}`: ")) && sentence.contains(rule),
                "{sentence}"
            );
        }
    }
    // What depends on other arguments is named of all of them.
    let changes = json!([{ "action": "create" }, good, { "action": "delete" }]);
    let answer = owner.call("change_todos", json!({ "changes": changes })).await.payload();
    assert_eq!(answer["arguments"], json!(["changes[0].title", "changes[2].todo_id"]));
    // An argument without a value belongs to every action.
    let changes = json!([{ "action": "update", "todo_id": id, "idempotency_key": null }]);
    assert_eq!(change(&owner, json!({ "changes": changes })).await["succeeded"], 1);
    assert_eq!(owner.titles().await, ["one"]);
}

#[tokio::test]
async fn one_to_fifty_changes_may_be_made() {
    let server = TestServer::with([("TODO_RATE_LIMIT", "off")]).await;
    let owner = server.owner();
    let create = json!({ "action": "create", "title": "x" });
    for count in [0, 51, 1_000] {
        let arguments = json!({ "changes": vec![create.clone(); count], "dry_run": "" });
        let answer = owner.call("change_todos", arguments).await;
        assert_eq!(answer.failure(), "invalid_argument");
        assert_eq!(answer.payload()["arguments"], json!(["changes", "dry_run"]));
        let sentence = answer.payload()["error"].as_str().unwrap().to_owned();
        assert!(sentence.contains(&format!("1 to 50 changes, has {count}")), "{sentence}");
    }
    for count in [1, 50] {
        let answer = change(&owner, json!({ "changes": vec![create.clone(); count] })).await;
        assert_eq!(answer["succeeded"], count);
    }
    assert_eq!(list(&owner).await.as_array().unwrap().len(), 51);
}

#[tokio::test]
async fn a_repeated_call_gets_the_first_answer() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let (one, two) = (owner.create("one").await, owner.create("two").await);
    let arguments = json!({
        "idempotency_key": "k",
        "changes": [
            { "action": "create", "title": "new" },
            { "action": "update", "todo_id": one, "completed": true },
            { "action": "delete", "todo_id": two },
            { "action": "delete", "todo_id": UNKNOWN },
        ],
    });
    let first = change(&owner, arguments.clone()).await;
    let todos = list(&owner).await;
    assert_eq!(change(&owner, arguments.clone()).await, first);
    assert_eq!(list(&owner).await, todos);
    // A new todo is shown as it was created; the others as they are by now.
    let new = &first["results"][0]["todo"]["id"];
    owner.call("update_todo", json!({ "todo_id": new, "title": "newer" })).await.structured();
    assert_eq!(change(&owner, arguments.clone()).await, first);

    let mut other = arguments.clone();
    other["changes"][0]["title"] = "other".into();
    for other in [
        ("change_todos", other),
        ("create_todo", json!({ "title": "new", "idempotency_key": "k" })),
    ] {
        let answer = owner.call(other.0, other.1).await;
        assert_eq!(answer.failure(), "idempotency_conflict");
        assert_eq!(answer.payload()["argument"], "idempotency_key");
    }
    let elsewhere = server.caller("usr_other", "todo:write");
    assert_eq!(change(&elsewhere, arguments).await["failed"], 3, "keys are per caller");
}

#[tokio::test]
async fn each_create_may_have_a_key_of_its_own() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let create = |title: &str, key: &str| json!({ "action": "create", "title": title, "idempotency_key": key });
    let single = json!({ "title": "a", "idempotency_key": "a" });
    let by_itself = owner.call("create_todo", single.clone()).await.structured();
    let arguments = json!({ "changes": [create("a", "a"), create("b", "b"), create("b", "b")] });
    let first = change(&owner, arguments.clone()).await;
    assert_eq!(first["results"][0]["todo"], by_itself["todo"]);
    assert_eq!(first["results"][1]["todo"], first["results"][2]["todo"], "twice in one call");
    assert_eq!(owner.titles().await, ["a", "b"]);
    let again = change(&owner, arguments).await;
    assert_eq!(again["results"], first["results"]);
    assert!(again.get("batch_id").is_none(), "nothing was changed: {again}");
    let arguments = json!({ "changes": [create("c", "b"), create("c", "c"), create("d", "c")] });
    let answer = change(&owner, arguments).await;
    assert_eq!(statuses(&answer), ["failed", "created", "failed"]);
    assert_eq!(answer["results"][2]["code"], "idempotency_conflict");
    let b = json!({ "title": "b", "idempotency_key": "b" });
    let b = owner.call("create_todo", b).await.structured();
    assert_eq!(b["todo"], first["results"][1]["todo"]);
}

#[tokio::test]
async fn the_key_of_a_call_may_not_be_that_of_one_of_its_creates() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let changes = json!([{ "action": "create", "title": "a", "idempotency_key": "k" }]);
    let arguments = json!({ "changes": changes, "idempotency_key": "k" });
    let first = change(&owner, arguments.clone()).await;
    assert_eq!(change(&owner, arguments).await, first);
}

#[tokio::test]
async fn an_answer_has_at_most_64_kib_and_all_statuses() {
    const MOST: usize = 64 * 1024;
    let server = TestServer::with([("TODO_RATE_LIMIT", "off")]).await;
    let owner = server.owner();
    for (count, length, shown) in [(50, 10, 50..51), (50, 4_000, 7..9), (20, 16_384, 1..2)] {
        let text = "\"".repeat(length);
        let create = json!({ "action": "create", "title": "x", "description": text });
        let result =
            owner.call("change_todos", json!({ "changes": vec![create; count] })).await.result();
        let answer = &result["structuredContent"];
        assert!(result["content"][0]["text"].as_str().unwrap().len() <= MOST);
        assert_eq!(statuses(answer), vec!["created"; count]);
        let with_todo = |result: &&Value| result.get("todo").is_some();
        let found = answer["results"].as_array().unwrap().iter().take_while(with_todo).count();
        assert!(shown.contains(&found), "{length}: {found}");
        let undone = owner.call("undo_change", json!({ "change_id": answer["batch_id"] })).await;
        assert_eq!(undone.structured()["deleted"].as_array().unwrap().len(), count);
    }
}

#[tokio::test]
async fn a_quota_refuses_the_changes_beyond_it() {
    let server = TestServer::with([("TODO_QUOTA", "3")]).await;
    let owner = server.owner();
    let create = |title: &str| json!({ "action": "create", "title": title });
    let changes = json!(["a", "b", "c", "d", "e"].map(create));
    let answer = change(&owner, json!({ "changes": changes, "all_or_nothing": true })).await;
    assert_eq!(statuses(&answer), ["skipped", "skipped", "skipped", "failed", "skipped"]);
    let answer = change(&owner, json!({ "changes": changes })).await;
    assert_eq!(statuses(&answer), ["created", "created", "created", "failed", "failed"]);
    assert_eq!(answer["results"][4]["code"], "quota_exceeded");
    assert_eq!(owner.titles().await, ["a", "b", "c"]);
}

#[tokio::test]
async fn each_change_costs_as_much_as_a_request() {
    let server = TestServer::with([("TODO_RATE_LIMIT", "1")]).await;
    let owner = server.owner();
    let create = json!({ "action": "create", "title": "x" });
    // Ten units at once are allowed: the rest is a debt of most of a minute.
    let made = change(&owner, json!({ "changes": vec![create; 50] })).await;
    assert_eq!(made["succeeded"], 50);
    assert_eq!(owner.call("list_todos", json!({})).await.status, 429);
    // A call that is refused costs one.
    let server = TestServer::with([("TODO_RATE_LIMIT", "6")]).await;
    let wrong = json!({ "changes": vec![json!({ "action": "none" }); 50] });
    for _ in 0..50 {
        let answer = server.owner().call("change_todos", wrong.clone()).await;
        assert_eq!(answer.failure(), "invalid_argument");
    }
}

#[tokio::test]
async fn without_history_changes_are_made_and_there_is_no_batch() {
    let server = TestServer::with([("TODO_HISTORY_DAYS", "0")]).await;
    let owner = server.owner();
    let id = owner.create("one").await;
    let arguments = json!({
        "idempotency_key": "k",
        "changes": [
            { "action": "create", "title": "two" },
            { "action": "update", "todo_id": id, "completed": true },
        ],
    });
    let first = change(&owner, arguments.clone()).await;
    assert_eq!(statuses(&first), ["created", "updated"]);
    assert!(first.get("batch_id").is_none(), "{first}");
    assert_eq!(change(&owner, arguments).await, first);
}
