//! Due dates, priorities and labels in calls of tools.

use std::sync::Arc;

use serde_json::{Value, json};
use todo_application::domain::Instant;
use todo_tests::ManualClock;
use todo_tests::server::TestServer;

/// The fields of a todo that are absent or have a default in the quickstart.
fn fields(todo: &Value) -> Value {
    json!([todo["due"], todo["time_zone"], todo["due_at"], todo["priority"], todo["labels"]])
}

#[tokio::test]
async fn a_todo_has_the_due_date_the_priority_and_the_labels_of_the_call() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for (arguments, expected) in [
        (json!({}), json!([null, null, null, "normal", []])),
        (json!({ "due": "", "labels": [] }), json!([null, null, null, "normal", []])),
        (
            json!({ "due": "2026-12-24", "time_zone": "Europe/Berlin", "due_weekday": "thursday" }),
            json!(["2026-12-24", null, null, "normal", []]),
        ),
        (
            json!({ "due": "2026-12-24T17:30", "time_zone": "europe/berlin" }),
            json!(["2026-12-24T17:30", "Europe/Berlin", "2026-12-24T16:30:00.000Z", "normal", []]),
        ),
        (
            json!({ "due": "2026-12-24T17:30+01:00", "priority": "urgent" }),
            json!(["2026-12-24T16:30:00.000Z", null, "2026-12-24T16:30:00.000Z", "urgent", []]),
        ),
        (
            json!({ "labels": [" Tax ", "home", "TAX"] }),
            json!([null, null, null, "normal", ["Tax", "home"]]),
        ),
    ] {
        let mut call = arguments.clone();
        call["title"] = "Buy milk".into();
        let created = owner.call("create_todo", call).await.structured();
        assert_eq!(fields(&created["todo"]), expected, "{arguments}");
        let id = &created["todo"]["id"];
        let found = owner.call("get_todo", json!({ "todo_id": id })).await.structured();
        assert_eq!(found, created);
    }
}

#[tokio::test]
async fn an_update_changes_the_fields_it_names_and_an_empty_due_date_clears_it() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let create = json!({ "title": "one", "due": "2026-12-24", "labels": ["Tax"] });
    let id = owner.call("create_todo", create).await.structured()["todo"]["id"].clone();
    for (arguments, expected, version) in [
        (json!({ "priority": "high" }), json!(["2026-12-24", null, null, "high", ["Tax"]]), 2),
        (
            json!({ "add_labels": ["home", "tax"] }),
            json!(["2026-12-24", null, null, "high", ["Tax", "home"]]),
            3,
        ),
        (
            json!({ "remove_labels": ["TAX"], "due": "2026-12-25" }),
            json!(["2026-12-25", null, null, "high", ["home"]]),
            4,
        ),
        (json!({ "due": "2026-12-25" }), json!(["2026-12-25", null, null, "high", ["home"]]), 4),
        (
            json!({ "due": "", "labels": [], "priority": "normal" }),
            json!([null, null, null, "normal", []]),
            5,
        ),
    ] {
        let mut call = arguments.clone();
        call["todo_id"] = id.clone();
        let updated = owner.call("update_todo", call).await.structured();
        assert_eq!(fields(&updated["todo"]), expected, "{arguments}");
        assert_eq!(updated["todo"]["version"], version, "{arguments}");
    }
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_with_what_would_be_and_writes_nothing() {
    const LONG: &str = "123456789012345678901234567890123456789012345678901";
    let server = TestServer::start().await;
    let owner = server.owner();
    let id = owner.create("one").await;
    let zone = "unknown time zone `CET+1`; use an IANA name such as Europe/Berlin";
    let twenty_one: Vec<String> = (0..21).map(|number| format!("label {number}")).collect();
    for (arguments, argument, rule) in [
        (json!({ "due": "12/24/2026" }), "due", "must be a day such as 2026-12-24"),
        (json!({ "due": "tomorrow" }), "due", "must be a day such as 2026-12-24"),
        (json!({ "due": "2026-W52-4" }), "due", "must be a day such as 2026-12-24"),
        (json!({ "due": 20_261_224 }), "due", "it must be a string"),
        (json!({ "due": "2026-13-01" }), "due", "months go from 01 to 12"),
        (
            json!({ "due": "2026-02-29" }),
            "due",
            "2026-02-29 does not exist; February 2026 has 28 days",
        ),
        (json!({ "due": "10000-01-01" }), "due", "the year must be from 1970 to 9999"),
        (json!({ "due": "0000-01-01" }), "due", "the year must be from 1970 to 9999"),
        (json!({ "due": "2026-12-24T24:00" }), "due", "the end of that day is 2026-12-25T00:00"),
        (json!({ "due": "2026-12-31T23:59:60Z" }), "due", "a leap second cannot be kept"),
        (
            json!({ "due": "2026-12-24", "due_weekday": "Friday" }),
            "due_weekday",
            "2026-12-24 is a Thursday, and the Friday after it is 2026-12-25",
        ),
        (json!({ "due_weekday": "Friday" }), "due_weekday", "`due`, which is missing"),
        (json!({ "due": "2026-12-24", "due_weekday": "Fr" }), "due_weekday", "in English"),
        (json!({ "due": "2026-12-24T17:30" }), "time_zone", "pass `time_zone` too"),
        (json!({ "due": "2026-12-24T17:30", "time_zone": "CET+1" }), "time_zone", zone),
        (json!({ "due": "2026-12-24", "time_zone": "+01:00" }), "time_zone", "use an IANA name"),
        (json!({ "due": "2026-12-24", "time_zone": "EST" }), "time_zone", "use an IANA name"),
        (json!({ "time_zone": "Europe/Berlin" }), "time_zone", "`due`, which is missing"),
        (
            json!({ "due": "2026-12-24T17:30Z", "time_zone": "Europe/Berlin" }),
            "due",
            "leave out `Z` or the offset",
        ),
        (json!({ "priority": "High" }), "priority", "must be one of low, normal, high, urgent"),
        (json!({ "labels": twenty_one }), "labels", "at most 20 labels, and these are 21"),
        (json!({ "labels": ["ok", LONG] }), "labels[1]", "at most 50 characters, has 51"),
        (json!({ "labels": "tax" }), "labels", "it must be a sequence"),
    ] {
        for (tool, further) in
            [("create_todo", ("title", json!("two"))), ("update_todo", ("todo_id", json!(id)))]
        {
            let mut call = arguments.clone();
            call[further.0] = further.1;
            let answer = owner.call(tool, call).await;
            assert_eq!(answer.failure(), "invalid_argument", "{arguments}");
            let payload = answer.payload();
            assert_eq!(payload["argument"], argument, "{payload}");
            assert!(payload["error"].as_str().unwrap().contains(rule), "{payload}");
        }
    }
    for (arguments, rule) in [
        (json!({ "labels": ["a"], "add_labels": ["b"] }), "cannot be combined"),
        (json!({ "labels": [], "remove_labels": [] }), "cannot be combined"),
        (json!({ "add_labels": twenty_one }), "at most 20 labels"),
    ] {
        let mut call = arguments;
        call["todo_id"] = json!(id);
        let answer = owner.call("update_todo", call).await;
        assert_eq!(answer.failure(), "invalid_argument");
        assert!(answer.payload()["error"].as_str().unwrap().contains(rule));
    }
    let listed = owner.call("list_todos", json!({})).await.structured();
    assert_eq!(listed["todos"].as_array().unwrap().len(), 1);
    assert_eq!(listed["todos"][0]["version"], 1);
}

#[tokio::test]
async fn a_local_time_is_in_the_zone_of_the_token_else_of_the_setting() {
    let server = TestServer::with([("TODO_TIME_ZONE", "Asia/Tokyo")]).await;
    let at = async |zone: Option<&str>| {
        let mut claims = server.issuer.claims("usr_1", Some("org_1"), "todo:read todo:write");
        if let Some(zone) = zone {
            claims["zoneinfo"] = zone.into();
        }
        let caller = server.bearer(&server.issuer.sign(&claims));
        let create = json!({ "title": "one", "due": "2026-12-24T17:30" });
        caller.call("create_todo", create).await.structured()["todo"]["time_zone"].clone()
    };
    assert_eq!(at(None).await, "Asia/Tokyo");
    assert_eq!(at(Some("Europe/Berlin")).await, "Europe/Berlin");
    assert_eq!(at(Some("CET")).await, "Asia/Tokyo");
    assert_eq!(at(Some("")).await, "Asia/Tokyo");
}

/// A repetition is compared in every field.
#[tokio::test]
async fn a_key_that_was_used_with_another_due_date_priority_or_label_is_a_conflict() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let create = async |further: Value| {
        let mut call = json!({ "title": "one", "idempotency_key": "k" });
        call.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        owner.call("create_todo", call).await
    };
    let all = json!({ "due": "2026-12-24", "priority": "high", "labels": ["a"] });
    let first = create(all.clone()).await.structured();
    assert_eq!(create(all.clone()).await.structured(), first);
    for (field, other) in [
        ("due", json!("2026-12-25")),
        ("due", json!("")),
        ("priority", json!("low")),
        ("labels", json!(["b"])),
    ] {
        let mut others = all.clone();
        others[field] = other;
        assert_eq!(create(others).await.failure(), "idempotency_conflict", "{field}");
    }
}

fn titles(list: &Value) -> Vec<&str> {
    list["todos"].as_array().unwrap().iter().map(|todo| todo["title"].as_str().unwrap()).collect()
}

/// 2026-12-24T10:00:00Z, which is midnight in Kiritimati.
async fn at_midnight_in_kiritimati() -> TestServer {
    let now = Instant::from_unix_millis(1_798_106_400_000).unwrap();
    TestServer::on_clock([], Arc::new(ManualClock::at(now))).await
}

#[tokio::test]
async fn a_list_is_filtered_and_sorted_in_the_zone_of_the_call() {
    const EAST: &str = "Pacific/Kiritimati";
    let server = at_midnight_in_kiritimati().await;
    let mut claims = server.issuer.claims("usr_1", Some("org_1"), "todo:read todo:write");
    claims["exp"] = 1_798_200_000.into();
    let owner = server.bearer(&server.issuer.sign(&claims));
    for (title, due, priority) in [
        ("a", "", "normal"),
        ("b", "2027-02-01", "high"),
        ("c", "2026-12-24", "low"),
        ("d", "2026-12-25", "urgent"),
        ("e", "2026-12-31", "normal"),
    ] {
        let create = json!({ "title": title, "due": due, "priority": priority });
        owner.call("create_todo", create).await.structured();
    }
    let list = async |arguments: Value| owner.call("list_todos", arguments).await.structured();
    for (arguments, expected) in [
        (json!({ "due": "overdue", "time_zone": EAST }), &["c"][..]),
        (json!({ "due": "today", "time_zone": EAST }), &["c", "d"]),
        (json!({ "due": "week", "time_zone": EAST }), &["c", "d", "e"]),
        (json!({ "due": "overdue", "time_zone": "Etc/GMT+12" }), &[]),
        (json!({ "due": "any" }), &["b", "c", "d", "e"]),
        (json!({ "due": "none" }), &["a"]),
        (json!({ "priority": "high" }), &["b"]),
        (json!({ "sort": "due" }), &["c", "d", "e", "b", "a"]),
        (json!({ "sort": "priority" }), &["d", "b", "e", "a", "c"]),
        (json!({ "sort": "created" }), &["a", "b", "c", "d", "e"]),
        (json!({ "sort": "priority", "due": "any", "completed": false }), &["d", "b", "e", "c"]),
    ] {
        let listed = list(arguments.clone()).await;
        assert_eq!(titles(&listed), expected, "{arguments}");
    }
    let as_of = |now: &Value| json!([now["now"], now["today"], now["weekday"], now["time_zone"]]);
    let east = json!(["2026-12-24T10:00:00.000Z", "2026-12-25", "Friday", EAST]);
    let listed = list(json!({ "due": "today", "time_zone": EAST })).await;
    assert_eq!(as_of(&listed["as_of"]), east);
    let listed = list(json!({ "time_zone": EAST })).await;
    assert_eq!(as_of(&listed["as_of"]), east, "a todo of the list is due");
    assert_eq!(list(json!({ "sort": "due" })).await.get("as_of"), None, "no zone is known");
    let short = list(json!({ "detail": "short", "due": "none" })).await;
    let id = &short["todos"][0]["id"];
    let short_todo =
        json!({ "id": id, "title": "a", "completed": false, "priority": "normal", "labels": [] });
    assert_eq!(short["todos"], json!([short_todo]));
}

#[tokio::test]
async fn a_list_refuses_what_it_does_not_know() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for title in ["one", "two"] {
        owner.create(title).await;
    }
    let first = owner.call("list_todos", json!({ "limit": 1, "sort": "due" })).await.structured();
    let cursor = &first["next_cursor"];
    // As version 1 of cursors was: an id and check digits.
    let old = "A".repeat(32);
    for (arguments, argument, rule) in [
        (json!({ "due": "tomorrow" }), "due", "must be one of overdue, today, week, any, none"),
        (json!({ "due": "today" }), "time_zone", "the time zone of the user is not known"),
        (json!({ "due": "today", "time_zone": "CET" }), "time_zone", "use an IANA name"),
        (json!({ "priority": "1" }), "priority", "must be one of low, normal, high, urgent"),
        (json!({ "sort": "title" }), "sort", "must be one of created, due, priority, updated"),
        (json!({ "detail": "brief" }), "detail", "must be full or short"),
        (json!({ "cursor": cursor }), "cursor", "with the same filters and sort"),
        (
            json!({ "cursor": cursor, "sort": "updated" }),
            "cursor",
            "with the same filters and sort",
        ),
        (json!({ "cursor": old }), "cursor", "of another version of this server"),
    ] {
        let answer = owner.call("list_todos", arguments.clone()).await;
        assert_eq!(answer.failure(), "invalid_argument", "{arguments}");
        let payload = answer.payload();
        assert_eq!(payload["argument"], argument, "{payload}");
        assert!(payload["error"].as_str().unwrap().contains(rule), "{payload}");
    }
    let next = json!({ "cursor": cursor, "limit": 1, "sort": "due" });
    assert_eq!(titles(&owner.call("list_todos", next).await.structured()), ["two"]);
}
