//! All wrong arguments of a call are in one answer, each with its rule.

use serde_json::{Value, json};
use todo_tests::server::TestServer;

const NO_VALUE: &str = "leave it out if it has no value";

#[tokio::test]
async fn every_wrong_argument_of_a_call_is_named_with_its_rule() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let long = "x".repeat(16 * 1024 + 1);
    let separated = "one\u{2028}two";
    for (tool, arguments, wrong) in [
        (
            "list_todos",
            json!({ "completed": "", "limit": "", "cursor": "" }),
            &[
                ("completed", "must be a boolean"),
                ("limit", "must be a whole number"),
                ("cursor", "must be a next_cursor"),
            ][..],
        ),
        (
            "list_todos",
            json!({ "completed": "yes", "limit": 0, "cursor": "x", "page": 2 }),
            &[
                ("completed", "must be a boolean"),
                ("limit", "from 1 to 200"),
                ("cursor", "must be a next_cursor"),
                ("page", "there is no such argument"),
            ],
        ),
        (
            "create_todo",
            json!({ "title": "", "description": long, "idempotency_key": separated }),
            &[
                ("title", "must not be empty"),
                ("description", "at most 16384 bytes"),
                ("idempotency_key", "must be one line"),
            ],
        ),
        (
            "create_todo",
            json!({ "description": 5, "colour": "red" }),
            &[
                ("description", "must be a string"),
                ("colour", "there is no such argument"),
                ("title", "it is required"),
            ],
        ),
        (
            "update_todo",
            json!({ "title": separated, "completed": 1, "expected_version": 0 }),
            &[
                ("title", "must be one line"),
                ("completed", "must be a boolean"),
                ("expected_version", "at least 1"),
                ("todo_id", "it is required"),
            ],
        ),
        (
            "delete_todo",
            json!({ "expected_version": "", "force": true }),
            &[
                ("expected_version", "must be a whole number"),
                ("force", "there is no such argument"),
                ("todo_id", "it is required"),
            ],
        ),
    ] {
        let answer = owner.call(tool, arguments.clone()).await;
        assert_eq!(answer.failure(), "invalid_argument", "{arguments}");
        let payload = answer.payload();
        // The order of the arguments is the caller's, or serde's for what is missing.
        let sentence = payload["error"].as_str().unwrap();
        for (argument, rule) in wrong {
            let about = sentence
                .split("Invalid argument ")
                .find_map(|about| about.strip_prefix(&format!("`{argument}`: ")));
            let about = about.unwrap_or_else(|| panic!("{argument}: {sentence}"));
            assert!(about.contains(rule), "{sentence}");
            let is_left_out = arguments[argument] == "" && *argument != "title";
            assert_eq!(about.contains(NO_VALUE), is_left_out, "{sentence}");
        }
        let named = payload["arguments"].as_array().unwrap();
        assert_eq!(named.len(), wrong.len(), "{payload}");
        assert!(wrong.iter().all(|(argument, _)| named.contains(&json!(argument))), "{payload}");
        assert_eq!(payload["argument"], named[0]);
    }
    let todos = owner.call("list_todos", json!({})).await.structured();
    assert_eq!(todos["todos"], json!([]));
}

#[tokio::test]
async fn an_id_that_cannot_be_one_is_explained_and_an_unknown_one_is_not() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let id = owner.create("one").await;
    for (tool, further) in [
        ("get_todo", json!({})),
        ("update_todo", json!({ "completed": true })),
        ("delete_todo", json!({})),
    ] {
        let call = async |todo_id: &str| -> Value {
            let mut arguments = further.clone();
            arguments["todo_id"] = todo_id.into();
            let answer = owner.call(tool, arguments).await;
            assert_eq!(answer.failure(), "not_found", "{todo_id}");
            answer.payload()
        };
        let quoted = format!("\"{id}\"");
        let unknown = "0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b";
        for wrong in [&format!("todo://todos/{id}"), &quoted, &id[..8], "", "one", "1"] {
            let sentence = format!(
                "Todo `{wrong}` not found. That is not an id: an id must be a UUID such as {unknown}. \
                 list_todos and create_todo return ids."
            );
            assert_eq!(call(wrong).await, json!({ "error": sentence, "code": "not_found" }));
        }
        let sentence = format!("Todo `{unknown}` not found.");
        assert_eq!(call(unknown).await, json!({ "error": sentence, "code": "not_found" }));
    }
}
