//! What a person sees who starts the program in a terminal.

use crate::installation::Installation;
#[cfg(target_os = "linux")]
use crate::{
    installation::PROGRAM,
    moving::{lines, text},
    real_clients::skip,
};

#[tokio::test]
async fn it_says_where_everything_is_and_what_to_do_next() {
    let installation =
        Installation::without_settings().with("PORT", "0").with("EMULATOR_PORT", "0");
    let mut program = installation.spawn(&[]);
    let printed = program.printed("Ctrl-C stops the server.").await;

    let (_, rest) = printed.split_once("MCP endpoint  ").unwrap();
    let endpoint = rest.lines().next().unwrap();
    assert!(endpoint.starts_with("http://localhost:") && endpoint.ends_with("/mcp"), "{endpoint}");
    let next = format!("claude mcp add --transport http todo {endpoint}");
    for said in [&next, "local, for development", "one list for each user", "todos.db"] {
        assert!(printed.contains(said), "{said} in {printed}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_person_sees_how_far_it_is_and_in_the_end_only_what_was_done() {
    let todos = text(&lines(3000));
    let installation = Installation::new().with("TERM", "xterm").with_file("todos.jsonl", &todos);
    for (command, action, done) in [
        ("import todos.jsonl", "Importing", "Imported 3,000 todos.\r\n"),
        ("export --force todos.jsonl", "Exporting", "Exported 3,000 todos to todos.jsonl.\r\n"),
        ("backup copy.db", "Backing up", "Backed up todos.db to copy.db.\r\n"),
    ] {
        let Some(shown) = run(&installation, command).await else { return };
        // To the beginning of the line, which is then empty.
        let (progress, left) = shown.rsplit_once("\r\u{1b}[2K").expect(&shown);
        assert!(progress.contains(action) && progress.contains(" of "), "{shown}");
        assert_eq!(left, done);
    }
}

/// Runs a command to its end in a terminal, and gives what it shows there; `None` where there is no
/// `script` to make one.
#[cfg(target_os = "linux")]
async fn run(installation: &Installation, command: &str) -> Option<String> {
    let command = format!("'{PROGRAM}' {command}");
    let arguments = ["--quiet", "--return", "--command", &command, "/dev/null"];
    match installation.command_of("script", &arguments).output().await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skip("script");
            None
        }
        shown => {
            let shown = shown.unwrap();
            assert!(shown.status.success(), "{shown:?}");
            Some(String::from_utf8(shown.stdout).unwrap())
        }
    }
}
