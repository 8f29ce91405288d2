//! What is remembered, as the operator moves, limits and removes it.

use serde_json::{Value, json};

use crate::installation::Installation;

const SECRET: &str = "a title that nobody may find again";

/// With a todo that was created and one that was deleted.
async fn with_history() -> (Installation, String) {
    let installation = Installation::new();
    let server = installation.serve().await;
    let caller = server.caller().await;
    caller.create("Buy milk").await;
    let id = caller.create(SECRET).await;
    caller.call("delete_todo", json!({ "todo_id": id })).await.structured();
    server.stop().await;
    (installation, id)
}

#[tokio::test]
async fn a_deletion_is_undone_after_the_move_to_another_database() {
    let (from, id) = with_history().await;
    let exported = from.run(&["export", "--with-history"]).await.with_code(0);
    assert!(
        exported.stdout.starts_with(r#"{"format":"todo-mcp","version":3,"todos":1,"changes":3}"#)
    );
    let to = Installation::new();
    let said = to.run_reading(&["import"], &exported.stdout).await.with_code(0);
    assert_eq!(said.stderr, "Imported 1 todo; 3 added to the history.\n");
    let again = to.run(&["export", "--with-history"]).await.with_code(0);
    assert!(again.stdout == exported.stdout, "what was exported is not what was imported");

    let server = to.serve().await;
    let caller = server.caller().await;
    let deleted = caller.call("list_changes", json!({ "action": "deleted" })).await.structured();
    let change = &deleted["changes"][0];
    assert_eq!((&change["todo_id"], &change["title"]), (&json!(id), &json!(SECRET)));
    let undo = json!({ "change_id": change["id"] });
    let undone = caller.call("undo_change", undo).await.structured();
    assert_eq!(undone["todos"][0]["id"], json!(id));

    // Without the option, the format is that of before.
    let plain = from.run(&["export"]).await.with_code(0);
    assert!(plain.stdout.starts_with(r#"{"format":"todo-mcp","version":2,"todos":1}"#));
}

/// "Removes a workspace with its history at once", and leaves nothing in the files.
#[tokio::test]
async fn an_erased_list_is_gone_from_the_files() {
    let (installation, _) = with_history().await;
    let exported = installation.run(&["export", "--with-history"]).await.with_code(0);
    let workspace = exported.stdout.split(r#""workspace":"personal:"#).nth(1).unwrap();
    let (organization, subject) = workspace.split_once('"').unwrap().0.split_once(':').unwrap();
    let of_another = installation.run(&["erase", "--subject", "usr_other"]).await.with_code(1);
    assert!(of_another.stderr.starts_with("Nothing is kept in the list personal::usr_other"));

    let erase = ["erase", "--subject", subject, "--organization", organization];
    let erased = installation.run(&erase).await.with_code(0);
    assert!(erased.stderr.ends_with("): 1 todo and 3 changes.\n"), "{}", erased.stderr);
    installation.run(&erase).await.with_code(1);
    let left = installation.run(&["export", "--with-history"]).await.with_code(0);
    assert_eq!(left.stdout, "{\"format\":\"todo-mcp\",\"version\":3,\"todos\":0,\"changes\":0}\n");
    for file in ["todos.db", "todos.db-wal"] {
        let bytes = std::fs::read(installation.path(file)).unwrap_or_default();
        let found = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
        assert!(!found, "{file} still has the title");
    }
}

#[tokio::test]
async fn without_a_history_what_was_remembered_is_removed() {
    let (installation, _) = with_history().await;
    let forgetful = installation.with("TODO_HISTORY_DAYS", 0);
    let mut process = forgetful.spawn(&["serve"]);
    process.event("ready").await;
    let removed = process.event("old changes removed").await;
    assert_eq!(removed["changes"], 3);
    process.signal("TERM").await;
    process.ended().await.with_code(0);
    let exported = forgetful.run(&["export", "--with-history"]).await.with_code(0);
    assert!(
        exported.stdout.starts_with(r#"{"format":"todo-mcp","version":3,"todos":1,"changes":0}"#)
    );
}

#[tokio::test]
async fn what_a_client_has_changed_is_taken_back_by_the_operator() {
    let (installation, _) = with_history().await;
    let exported = installation.run(&["export", "--with-history"]).await.with_code(0);
    let mut lines =
        exported.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let change = lines.next_back().unwrap();
    let of_author = |member: &str| change["by"][member].as_str().unwrap().to_owned();
    let [subject, organization, client] = ["subject", "organization", "client"].map(of_author);
    let undo = async |client: &str, since: &str, dry_run: &[&str]| {
        let list = ["undo", "--subject", &subject, "--organization", &organization];
        let what = ["--client", client, "--since", since];
        installation.run(&[&list[..], &what, dry_run].concat()).await
    };
    let always = "2026-01-01T00:00:00Z";
    let other = undo("m2m_other", always, &[]).await.with_code(1);
    assert!(other.stderr.starts_with("Nothing is to be taken back: client m2m_other has no"));
    let later = undo(&client, "2999-01-01T00:00:00Z", &[]).await.with_code(1);
    assert!(later.stderr.starts_with("Nothing is to be taken back"), "{}", later.stderr);
    let wrong = undo(&client, "yesterday", &[]).await.with_code(64);
    assert!(wrong.stderr.contains("must be an instant such as"), "{}", wrong.stderr);

    let list = format!("the list personal:{organization}:{subject} (one list for each user)");
    let tried = undo(&client, always, &["--dry-run"]).await.with_code(0);
    assert_eq!(tried.stderr, format!("There are to be taken back in {list}: 3 changes.\n"));
    let unchanged = installation.run(&["export", "--with-history"]).await.with_code(0);
    assert_eq!(unchanged.stdout, exported.stdout);
    let undone = undo(&client, always, &[]).await.with_code(0);
    assert_eq!(undone.stderr, format!("Took back in {list}: 3 changes.\n"));
    let left = installation.run(&["export"]).await.with_code(0);
    assert!(left.stdout.starts_with(r#"{"format":"todo-mcp","version":2,"todos":0}"#));
    undo(&client, always, &[]).await.with_code(1);

    // The operator's changes are remembered as theirs, and can be undone.
    let server = installation.serve().await;
    let caller = server.caller().await;
    let newest = caller.call("list_changes", json!({ "limit": 1 })).await.structured();
    let change = &newest["changes"][0];
    assert_eq!(
        (&change["by"]["client"], &change["by"]["subject"]),
        (&json!("operator"), &json!(subject))
    );
    let undo = json!({ "change_id": change["id"] });
    let undone = caller.call("undo_change", undo).await.structured();
    assert_eq!(undone["todos"][0]["title"], "Buy milk");
}
