//! `query` and `label` of a list, and the resource of a label.

use serde_json::{Value, json};
use todo_tests::client::Client;
use todo_tests::server::TestServer;

use crate::completions::values;

fn titles(list: &Value) -> Vec<&str> {
    list["todos"].as_array().unwrap().iter().map(|todo| todo["title"].as_str().unwrap()).collect()
}

async fn with_todos() -> (TestServer, Client) {
    let server = TestServer::start().await;
    let owner = server.owner();
    for (title, description, labels) in [
        ("Find the tax forms", "in the Büro", &["Taxes"][..]),
        ("Call mum", "about the TAX return", &[]),
        ("Buy milk", "", &["Home", "Büro 7/8"]),
        ("買牛乳", "", &["HOME"]),
        ("Write e-mail", "tax-free allowance", &["taxes"]),
    ] {
        let create = json!({ "title": title, "description": description, "labels": labels });
        owner.call("create_todo", create).await.structured();
    }
    let done = json!({ "title": "Pay taxes", "labels": ["taxes"] });
    let done = owner.call("create_todo", done).await.structured()["todo"]["id"].clone();
    owner.call("update_todo", json!({ "todo_id": done, "completed": true })).await.structured();
    (server, owner)
}

#[tokio::test]
async fn a_list_is_searched_by_words_and_by_label() {
    let (_server, owner) = with_todos().await;
    for (arguments, expected) in [
        (
            json!({ "query": "tax" }),
            &["Find the tax forms", "Call mum", "Write e-mail", "Pay taxes"][..],
        ),
        (json!({ "query": "TAX return" }), &["Call mum"]),
        (json!({ "query": "ret, tax!" }), &["Call mum"]),
        (json!({ "query": "buro" }), &["Find the tax forms", "Buy milk"]),
        (json!({ "query": "牛" }), &["買牛乳"]),
        (json!({ "query": "mail" }), &["Write e-mail"]),
        (json!({ "query": "orms" }), &[]),
        (
            json!({ "query": "tax", "completed": false, "sort": "updated" }),
            &["Write e-mail", "Call mum", "Find the tax forms"],
        ),
        (json!({ "label": "taxes" }), &["Find the tax forms", "Write e-mail", "Pay taxes"]),
        (json!({ "label": "home" }), &["Buy milk", "買牛乳"]),
        (json!({ "label": "hom" }), &[]),
        (json!({ "label": "TAXES", "query": "write", "completed": false }), &["Write e-mail"]),
        (json!({ "label": "taxes", "query": "milk" }), &[]),
    ] {
        let listed = owner.call("list_todos", arguments.clone()).await.structured();
        let mut found = titles(&listed);
        let mut expected = expected.to_vec();
        if arguments.get("sort").is_some() {
            // All are of the same moment.
            found.sort_unstable();
            expected.sort_unstable();
        }
        assert_eq!(found, expected, "{arguments}");
        assert_eq!(listed.get("next_cursor"), None, "{arguments}");
    }
}

#[tokio::test]
async fn what_is_no_search_is_refused_with_what_would_be_one() {
    let (_server, owner) = with_todos().await;
    let first = json!({ "query": "tax", "limit": 1 });
    let cursor = owner.call("list_todos", first).await.structured()["next_cursor"].clone();
    let ideographs: String = ('一'..).take(33).collect();
    let long = "x".repeat(51);
    for (arguments, argument, rule) in [
        (json!({ "query": "" }), "query", "must have a letter or a digit"),
        (json!({ "query": " …!? 🎉" }), "query", "must have a letter or a digit"),
        (json!({ "query": "\u{301}\u{301}" }), "query", "must have a letter or a digit"),
        (json!({ "query": "x".repeat(5_000) }), "query", "at most 200 characters, has 5000"),
        (json!({ "query": ideographs }), "query", "at most 32 different words, has 33"),
        (json!({ "query": ["tax"] }), "query", "string"),
        (json!({ "label": "" }), "label", "must not be empty"),
        (json!({ "label": long }), "label", "at most 50 characters, has 51"),
        (json!({ "label": "a\nb" }), "label", "must be one line"),
        (json!({ "labels": ["taxes"] }), "labels", "label"),
        (json!({ "cursor": cursor }), "cursor", "with the same filters and sort"),
        (json!({ "cursor": cursor, "query": "taxes" }), "cursor", "with the same filters and sort"),
        (
            json!({ "cursor": cursor, "query": "tax", "label": "taxes" }),
            "cursor",
            "with the same filters and sort",
        ),
    ] {
        let answer = owner.call("list_todos", arguments.clone()).await;
        assert_eq!(answer.failure(), "invalid_argument", "{arguments}");
        let payload = answer.payload();
        assert_eq!(payload["argument"], argument, "{payload}");
        assert!(payload["error"].as_str().unwrap().contains(rule), "{payload}");
    }
    // The same words, however they are written.
    let next = json!({ "cursor": cursor, "query": "TAX, Tax" });
    assert_eq!(titles(&owner.call("list_todos", next).await.structured()).len(), 3);
}

#[tokio::test]
async fn a_search_never_finds_what_another_workspace_has() {
    let (server, _owner) = with_todos().await;
    let other = server.caller("usr_other", "todo:read todo:write");
    for arguments in [json!({ "query": "tax" }), json!({ "label": "taxes" })] {
        assert_eq!(titles(&other.call("list_todos", arguments).await.structured()), [""; 0]);
    }
    let label = json!({ "type": "ref/resource", "uri": "todo://labels/{label}" });
    assert!(values(&other, &label, "label", "").await.is_empty());
}

#[tokio::test]
async fn the_open_todos_with_a_label_are_a_resource_and_labels_are_completed() {
    let (_server, owner) = with_todos().await;
    let read = async |uri: &str| {
        let contents = owner.modern("resources/read", json!({ "uri": uri })).await.result();
        let text = contents["contents"][0]["text"].as_str().unwrap().to_owned();
        (contents["contents"][0]["uri"].clone(), serde_json::from_str::<Value>(&text).unwrap())
    };
    let (uri, list) = read("todo://labels/TAXES").await;
    assert_eq!(uri, "todo://labels/TAXES");
    assert_eq!(titles(&list), ["Find the tax forms", "Write e-mail"]);
    let (uri, list) = read("todo://labels/B%c3%bcro%207%2f8").await;
    assert_eq!((uri, titles(&list)), (json!("todo://labels/B%C3%BCro%207%2F8"), vec!["Buy milk"]));
    assert_eq!(titles(&read("todo://labels/nothing").await.1), [""; 0]);

    let label = json!({ "type": "ref/resource", "uri": "todo://labels/{label}" });
    // Each once, and those of done todos too.
    assert_eq!(values(&owner, &label, "label", "").await, ["Büro 7/8", "HOME", "Taxes"]);
    assert_eq!(values(&owner, &label, "label", "tAX").await, ["Taxes"]);
    assert_eq!(values(&owner, &label, "label", "BÜ").await, ["Büro 7/8"]);
    assert!(values(&owner, &label, "label", "7").await.is_empty());
}
