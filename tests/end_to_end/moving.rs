//! `todo-mcp export` and `todo-mcp import`

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::installation::Installation;

/// An export of `count` different todos.
pub(crate) fn lines(count: usize) -> Vec<String> {
    let header = json!({ "format": "todo-mcp", "version": 2, "todos": count }).to_string();
    let line = |number: usize| {
        format!(
            r#"{{"workspace":"everyone","id":"00000000-0000-7000-8000-{number:012x}","title":"Todo {number}","description":"{}","completed_at":null,"due":null,"time_zone":null,"priority":"normal","labels":[],"created_at":"2026-11-22T09:33:20.007Z","created_by":"usr_alice","updated_at":"2026-11-22T09:33:20.007Z","updated_by":"usr_alice","version":1}}"#,
            "x".repeat(450)
        )
    };
    [header].into_iter().chain((0..count).map(line)).collect()
}

/// The text of a file with these lines.
pub(crate) fn text(lines: &[String]) -> String {
    lines.join("\n") + "\n"
}

/// The ids of an export, and the number in its first line.
pub(crate) fn ids(export: &str) -> (Value, BTreeSet<String>) {
    let mut lines = export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let count = lines.next().unwrap()["todos"].clone();
    (count, lines.map(|todo| todo["id"].as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn todos_move_to_another_database_and_back_unchanged() {
    let installation = Installation::new();
    let server = installation.serve().await;
    let caller = server.caller().await;
    let first = caller.create("Buy milk").await;
    caller.create("Käse \"kaufen\" 🧀").await;
    for change in [json!({ "description": "two\nlitres" }), json!({ "completed": true })] {
        let mut arguments = change;
        arguments["todo_id"] = json!(first);
        caller.call("update_todo", arguments).await.structured();
    }

    let said = installation.run(&["export", "before.jsonl"]).await.with_code(0);
    assert_eq!(
        (said.stdout.as_str(), said.stderr.as_str()),
        ("", "Exported 2 todos to before.jsonl.\n")
    );
    let before = std::fs::read_to_string(installation.path("before.jsonl")).unwrap();

    let elsewhere = Installation::new().with_file("todos.jsonl", &before);
    let said = elsewhere.run(&["import", "todos.jsonl"]).await.with_code(0);
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("", "Imported 2 todos.\n"));
    let after = elsewhere.run(&["export"]).await.with_code(0);
    assert_eq!(after.stderr, "Exported 2 todos.\n");
    assert_eq!(after.stdout, before);

    let again = elsewhere.run_reading(&["import", "-"], &after.stdout).await.with_code(0);
    assert_eq!(again.stderr, "Imported 0 todos; 2 already existed.\n");
    let there = elsewhere.serve().await;
    let key = json!({ "todo_id": first });
    let todo = caller.call("get_todo", key.clone()).await.structured()["todo"].clone();
    let moved = there.caller().await.call("get_todo", key).await.structured()["todo"].clone();
    assert_eq!(moved, todo);
    assert_eq!((todo["version"].as_u64(), todo["completed"].as_bool()), (Some(3), Some(true)));
}

#[tokio::test]
async fn an_empty_database_is_exported_as_one_line_and_imported_as_empty() {
    let installation = Installation::new();
    installation.run(&["migrate"]).await.with_code(0);
    let exported = installation.run(&["export", "-"]).await.with_code(0);
    assert_eq!(exported.stdout, "{\"format\":\"todo-mcp\",\"version\":2,\"todos\":0}\n");
    assert_eq!(exported.stderr, "Exported 0 todos.\n");

    let elsewhere = Installation::new();
    let said = elsewhere.run_reading(&["import"], &exported.stdout).await.with_code(0);
    assert_eq!(said.stderr, "Imported 0 todos.\n");
    let again = elsewhere.run(&["export"]).await.with_code(0);
    assert_eq!(again.stdout, exported.stdout);
}

#[cfg(unix)]
#[tokio::test]
async fn an_import_that_was_killed_resumes_where_it_stopped() {
    let installation = Installation::new();
    let lines = lines(20_000);
    // More than the pipe and the batches that the program buffers: some of it is imported.
    let half = text(&lines[..10_000]);
    let (process, mut input) = installation.spawn_reading(&["import"]);
    input.write_all(half.as_bytes()).await.unwrap();
    process.signal("KILL").await;
    assert_eq!(process.ended().await.code, None);

    let said = installation.run_reading(&["import"], &text(&lines)).await.with_code(0);
    let numbers: Vec<u64> = said
        .stderr
        .split(|character: char| !character.is_ascii_digit() && character != ',')
        .filter_map(|number| number.replace(',', "").parse().ok())
        .collect();
    let [added, same] = numbers[..] else { panic!("{}", said.stderr) };
    assert_eq!(added + same, 20_000, "{}", said.stderr);
    assert!((1..10_000).contains(&same), "{}", said.stderr);
    let exported = installation.run(&["export"]).await.with_code(0);
    assert!(exported.stdout == text(&lines), "what was exported is not what was imported");
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_import_reports_its_progress() {
    let installation = Installation::new();
    let lines = lines(3000);
    for signal in ["INT", "TERM"] {
        let (process, mut input) = installation.spawn_reading(&["import"]);
        // More than the pipe holds: it has begun to read, and waits for the rest.
        input.write_all(text(&lines[..2000]).as_bytes()).await.unwrap();
        process.signal(signal).await;
        let said = process.ended().await.with_code(1);
        assert!(said.stderr.starts_with("todo-mcp: Imported "), "{}", said.stderr);
        assert!(said.stderr.ends_with(", and no more: stopped\n"), "{}", said.stderr);
        drop(input);
    }
    installation.run_reading(&["import"], &text(&lines)).await.with_code(0);
    let exported = installation.run(&["export"]).await.with_code(0);
    assert_eq!(exported.stdout, text(&lines));
}

#[tokio::test]
async fn an_invalid_line_is_reported_and_nothing_after_it_is_imported() {
    let good = lines(3);
    let with = |field: &str, value: Value| {
        let mut todo: Value = serde_json::from_str(&good[2]).unwrap();
        todo[field] = value;
        todo.to_string()
    };
    let without = |field: &str| {
        let mut todo: Value = serde_json::from_str(&good[2]).unwrap();
        todo.as_object_mut().unwrap().remove(field);
        todo.to_string()
    };
    let long = "x".repeat(300_000);
    let table = [
        ("nonsense".to_owned(), "expected ident (at column 2)"),
        (good[2][..200].to_owned(), "EOF while parsing a string (at column 200)"),
        ("[]".to_owned(), "invalid length 0"),
        (long.clone(), "it is longer than 262144 bytes, which no todo is"),
        (without("description"), "missing field `description`"),
        (without("completed_at"), "missing field `completed_at`"),
        (without("version"), "missing field `version`"),
        (without("due"), "missing field `due`"),
        (with("colour", json!("red")), "unknown field `colour`"),
        (with("due", json!("tomorrow")), "`due` must be a day such as 2026-12-24"),
        (with("priority", json!("high!")), "`priority` must be one of low, normal, high, urgent"),
        (with("labels", json!([""])), "`labels` must not be empty"),
        (with("workspace", json!("")), "`workspace` must not be empty"),
        (with("id", json!("7")), "`id` must be a UUID"),
        (with("title", json!(" ")), "`title` must not be empty"),
        (with("title", json!("two\nlines")), "`title` must be one line"),
        (with("title", json!(null)), "invalid type: null, expected a string"),
        (with("description", json!("\u{1b}[2J")), "`description` must not contain control"),
        (with("description", json!("x".repeat(16_385))), "`description` must have at most 16384"),
        (with("created_at", json!("yesterday")), "`created_at` must be an instant such as"),
        (with("created_at", json!("2026-11-22T09:33:20.0071Z")), "in milliseconds"),
        (with("created_at", json!("1969-12-31T23:59:59.999Z")), "`created_at` -1 ms since 1970"),
        (with("created_at", json!(7)), "invalid type: integer `7`"),
        (with("created_by", json!("")), "`created_by` must not be empty"),
        (with("updated_by", json!("a\u{0}")), "`updated_by` must be one line without control"),
        (with("version", json!(0)), "`version` must be a whole number of at least 1"),
        (with("version", json!(1.5)), "invalid type: floating point"),
        (with("updated_at", json!("2020-01-01T00:00:00Z")), "changed before it was created"),
        (with("completed_at", json!("2020-01-01T00:00:00Z")), "done outside its own lifetime"),
    ];
    for (bad, rule) in table {
        let installation = Installation::new();
        let input = text(&[good[0].clone(), good[1].clone(), bad, good[3].clone()]);
        let said = installation.run_reading(&["import"], &input).await.with_code(1);
        let begin = "todo-mcp: Imported 1 todo, and no more: standard input: line 3: ";
        assert!(said.stderr.starts_with(begin), "{}", said.stderr);
        assert!(said.stderr.contains(rule), "{rule} in {}", said.stderr);
        assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
        let exported = installation.run(&["export"]).await.with_code(0);
        assert_eq!(exported.stdout.lines().skip(1).collect::<Vec<_>>(), [&good[1]]);
    }
}

#[tokio::test]
async fn a_file_without_the_header_line_is_rejected() {
    let todo = lines(1).remove(1);
    for (first, rule) in [
        ("", "the first line of an export is"),
        (
            todo.as_str(),
            "the first line of an export, `{\"format\":\"todo-mcp\",\"version\":2}`, is missing",
        ),
        (r#"{"format":"other","version":1}"#, "the first line of an export is"),
        (r#"{"format":"todo-mcp"}"#, "the first line of an export is"),
        (r#"{"format":"todo-mcp","version":4,"since":1}"#, "version 4 of the format"),
    ] {
        let installation = Installation::new();
        let said = installation.run_reading(&["import"], first).await.with_code(1);
        let begin = "todo-mcp: standard input: line 1: ";
        assert!(said.stderr.starts_with(begin), "{}", said.stderr);
        assert!(said.stderr.contains(rule), "{}", said.stderr);
        assert_eq!(files(&installation), [""; 0], "the database is not created");
    }
}

#[tokio::test]
async fn a_todo_with_different_content_is_kept_and_sets_the_exit_code() {
    let installation = Installation::new();
    let lines = lines(3);
    installation
        .run_reading(&["import"], &text(&lines[..2]).replace(":3}", ":1}"))
        .await
        .with_code(0);
    let changed = text(&lines).replace("\"Todo 0\"", "\"Another\"");
    let said = installation.run_reading(&["import"], &changed).await.with_code(1);
    assert_eq!(
        said.stderr,
        "Imported 2 todos; 1 exists with other content and stays as it is (line 2).\n"
    );
    let exported = installation.run(&["export"]).await.with_code(0);
    assert_eq!(exported.stdout, text(&lines));
}

#[tokio::test]
async fn an_export_that_ends_too_early_is_rejected() {
    let installation = Installation::new();
    let said = installation.run_reading(&["import"], &text(&lines(3)[..3])).await.with_code(1);
    assert!(said.stderr.contains("says that 3 todos follow, and 2 do"), "{}", said.stderr);
    assert!(said.stderr.contains("Imported 2 todos"), "{}", said.stderr);
}

#[tokio::test]
async fn an_export_of_a_database_in_use_is_a_snapshot() {
    let installation = Installation::new();
    let server = installation.serve().await;
    let caller = server.caller().await;
    let mut before = BTreeSet::new();
    for number in 0..20 {
        before.insert(caller.create(&format!("Todo {number}")).await);
    }
    let writer = tokio::spawn({
        let caller = caller.clone();
        async move {
            loop {
                caller.create("In between").await;
            }
        }
    });
    for _ in 0..5 {
        let exported = installation.run(&["export"]).await.with_code(0);
        let (count, ids) = ids(&exported.stdout);
        assert_eq!(count, json!(ids.len()));
        assert!(ids.is_superset(&before));
    }
    assert!(!writer.is_finished(), "the server goes on");
    writer.abort();
}

#[tokio::test]
async fn an_import_into_a_served_database_is_rejected() {
    let installation = Installation::new().with_file("todos.jsonl", &text(&lines(1)));
    let server = installation.serve().await;
    let said = installation.run(&["import", "todos.jsonl"]).await.with_code(69);
    assert!(said.stderr.contains("todos.db is in use by another process"), "{}", said.stderr);
    server.caller().await.create("Buy milk").await;
}

#[tokio::test]
async fn missing_files_and_invalid_arguments_fail_with_one_sentence() {
    let installation = Installation::new().with_file("there.jsonl", "mine\n");
    installation.run(&["migrate"]).await.with_code(0);
    let memory = Installation::new().with("DATABASE_URL", "memory:");
    let absent = Installation::new();
    for (installation, arguments, code, words) in [
        (&memory, &["export"][..], 64, "DATABASE_URL is memory:"),
        (&memory, &["import"], 64, "DATABASE_URL is memory:"),
        (&memory, &["backup", "copy.db"], 64, "DATABASE_URL is memory:"),
        (&memory, &["restore", "copy.db"], 64, "DATABASE_URL is memory:"),
        (&installation, &["restore", "todos.db"], 64, "todos.db is the database itself"),
        (&installation, &["restore", "-"], 64, "cannot be read from standard input"),
        (&installation, &["restore", "absent.db"], 69, "absent.db cannot be read"),
        (&installation, &["restore", "there.jsonl"], 1, "there.jsonl is not an SQLite database"),
        (&installation, &["restore"], 64, "Usage:"),
        (&absent, &["export"], 69, "todos.db does not exist"),
        (&absent, &["backup", "copy.db"], 69, "todos.db does not exist"),
        (&installation, &["import", "absent.jsonl"], 69, "absent.jsonl cannot be read"),
        (&absent, &["import", "."], 64, ". is a directory: pass the file of an export"),
        (&installation, &["export", "there.jsonl"], 64, "there.jsonl already exists"),
        (
            &installation,
            &["export", "no/such.jsonl"],
            69,
            "no/such.jsonl cannot be created: create its directory first",
        ),
        (&installation, &["export", "."], 64, ". is not a regular file"),
        (&installation, &["export", "--force", "."], 64, ". is not a regular file"),
        (&installation, &["export", "--force", "todos.db"], 64, "todos.db is the database itself"),
        (&installation, &["backup", "--force", "todos.db"], 64, "todos.db is the database itself"),
        (&installation, &["backup", "there.jsonl"], 64, "there.jsonl already exists"),
        (&installation, &["backup", "-"], 64, "cannot go to standard output"),
        (&installation, &["backup"], 64, "Usage:"),
    ] {
        let said = installation.run(arguments).await.with_code(code);
        assert!(said.stderr.starts_with("todo-mcp: "), "{}", said.stderr);
        assert!(said.stderr.contains(words), "{words} in {}", said.stderr);
        assert_eq!(said.stdout, "");
    }
    assert_eq!(std::fs::read_to_string(installation.path("there.jsonl")).unwrap(), "mine\n");
    assert_eq!(files(&absent), [""; 0]);
}

#[tokio::test]
async fn an_existing_file_is_replaced_only_with_force() {
    let installation = Installation::new().with_file("todos.jsonl", "mine\n");
    installation.run_reading(&["import"], &text(&lines(2))).await.with_code(0);
    installation.run(&["export", "--force", "todos.jsonl"]).await.with_code(0);
    let replaced = std::fs::read_to_string(installation.path("todos.jsonl")).unwrap();
    assert_eq!(replaced, text(&lines(2)));
    assert_eq!(files(&installation), ["todos.db", "todos.db.lock", "todos.jsonl"]);
}

#[cfg(unix)]
#[tokio::test]
async fn exported_files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let installation = Installation::new();
    installation.run(&["migrate"]).await.with_code(0);
    for arguments in [&["export", "a.jsonl"][..], &["backup", "b.db"]] {
        installation.run(arguments).await.with_code(0);
        let mode = installation.path(arguments[1]).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{arguments:?}");
    }
}

/// The names of the files in the directory.
pub(crate) fn files(installation: &Installation) -> Vec<String> {
    let entries = std::fs::read_dir(installation.path("")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_cannot_control_the_terminal() {
    let mut export = lines(1);
    export[1] = export[1].replace("\"title\"", "\"\u{9b}2J\\u001b[2J\\n\u{202e}field\"");
    let installation = Installation::new().with_file("todos.jsonl", &text(&export));
    let said = installation.run(&["import", "todos.jsonl"]).await.with_code(1);
    let field = r"`\u{9b}2J\u{1b}[2J\n\u{202e}field`";
    assert!(said.stderr.contains(field), "{}", said.stderr);
    assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
}

/// The operator decides; callers are limited by what there is then.
#[tokio::test]
async fn an_import_ignores_the_quota_and_counts() {
    let from = Installation::new().with("TODO_SHARING", "everyone");
    let serving = from.serve().await;
    let caller = serving.caller().await;
    let id = caller.create("Buy milk").await;
    caller.create("Buy bread").await;
    let exported = from.run(&["export"]).await.with_code(0);

    let to = Installation::new()
        .with("TODO_SHARING", "everyone")
        .with("TODO_QUOTA", "2")
        .with("TODO_HISTORY_DAYS", "0");
    let said = to.run_reading(&["import"], &exported.stdout).await.with_code(0);
    assert_eq!(said.stderr, "Imported 2 todos.\n");
    let serving = to.serve().await;
    let caller = serving.caller().await;
    let one_more = json!({ "title": "One more" });
    assert_eq!(caller.call("create_todo", one_more).await.failure(), "quota_exceeded");
    caller.call("delete_todo", json!({ "todo_id": id })).await.structured();
    caller.create("One more").await;
}
