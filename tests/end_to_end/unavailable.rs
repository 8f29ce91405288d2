//! A missing or occupied resource: one sentence, and exit code 69.

use std::net::TcpListener;

use crate::installation::Installation;
use crate::process::Ended;

#[tokio::test]
async fn a_port_in_use_names_the_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let port = port.to_string();
    for (setting, value) in
        [("PORT", &port), ("EMULATOR_PORT", &port), ("TODO_ADMIN_ADDRESS", &address)]
    {
        let ended = Installation::new().with(setting, value).run(&["serve"]).await;
        assert_one_sentence(&ended, &[setting, &port]);
    }
}

#[tokio::test]
async fn both_ports_in_use_are_reported_at_once_and_nothing_is_created() {
    let taken = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [port, emulator_port] = taken.each_ref().map(|it| it.local_addr().unwrap().port());
    let installation = Installation::new().with("PORT", port).with("EMULATOR_PORT", emulator_port);
    let ended = installation.run(&["serve"]).await;
    let (port, emulator_port) = (port.to_string(), emulator_port.to_string());
    assert_one_sentence(&ended, &["set PORT", &port, "set EMULATOR_PORT", &emulator_port]);
    assert_eq!(std::fs::read_dir(installation.path("")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_left_unchanged() {
    let content = "Buy milk, and do not lose this list: it is not in any database.\n".repeat(100);
    let installation = Installation::new().with_file("todos.db", &content);
    for command in ["serve", "migrate"] {
        let ended = installation.run(&[command]).await;
        assert_one_sentence(&ended, &["todos.db is not an SQLite database", "DATABASE_URL"]);
    }
    assert_eq!(std::fs::read_to_string(installation.path("todos.db")).unwrap(), content);
}

#[tokio::test]
async fn a_start_that_fails_leaves_no_files_behind() {
    for (file, content) in [
        ("todos.db", "Buy milk, and do not lose this list: it is not in any database.\n"),
        ("todos.db.identity.json", ""),
        ("todos.db.identity.json", "{}"),
        ("todos.db.lock", "restoring\n"),
    ] {
        let installation = Installation::new().with_file(file, &content.repeat(100));
        let ended = installation.run(&["serve"]).await;
        assert_one_sentence(&ended, &[file.trim_end_matches(".lock")]);
        let left = std::fs::read_dir(installation.path("")).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [file]);
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_file_is_rejected_and_the_first_keeps_serving() {
    let installation = Installation::new();
    let server = installation.serve().await;
    for command in ["serve", "migrate"] {
        let ended = installation.run(&[command]).await;
        assert_one_sentence(&ended, &["todos.db is in use by another process", "DATABASE_URL"]);
    }
    server.caller().await.create("Buy milk").await;
}

#[tokio::test]
async fn a_missing_directory_names_the_file() {
    let installation = Installation::new().with("DATABASE_URL", "sqlite:no/such/todos.db");
    let ended = installation.run(&["serve"]).await;
    assert_one_sentence(&ended, &["no/such/todos.db", "DATABASE_URL"]);
}

/// Asserts exit code 69, and these words in the only line for people.
#[track_caller]
fn assert_one_sentence(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code, Some(69), "{ended:?}");
    assert_eq!(ended.stdout, "", "{ended:?}");
    let spoken: Vec<&str> = ended.stderr.lines().filter(|line| !line.starts_with('{')).collect();
    let [sentence] = spoken[..] else { panic!("{spoken:#?}") };
    assert!(sentence.starts_with("todo-mcp: "), "{sentence}");
    assert!(words.iter().all(|word| sentence.contains(word)), "{words:?} in {sentence}");
}
