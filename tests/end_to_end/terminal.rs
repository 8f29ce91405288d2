//! The output in a terminal.

use crate::installation::Installation;
#[cfg(unix)]
use crate::{
    installation::PROGRAM,
    moving::{lines, text},
};

#[tokio::test]
async fn the_banner_shows_the_endpoint_and_the_next_step() {
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

#[cfg(unix)]
#[tokio::test]
async fn the_banner_comes_first_and_shows_whether_the_database_is_new() {
    let installation =
        Installation::without_settings().with("PORT", "0").with("EMULATOR_PORT", "0");
    let database = installation.path("").canonicalize().unwrap().join("todos.db");
    for new in [" (new)", ""] {
        let mut program = installation.spawn_through(&["sh", "-c", "exec \"$0\" 2>&1"], &[]);
        let printed = program.printed("ready").await;
        assert!(printed.starts_with("\n  todo-mcp "), "{printed}");
        let todos = format!("Todos         {}{new}, one list", database.display());
        assert!(printed.contains(&todos), "{todos} in {printed}");
        program.signal("TERM").await;
        program.ended().await.with_code(0);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_whose_banner_cannot_be_printed_serves() {
    let installation =
        Installation::without_settings().with("PORT", "0").with("EMULATOR_PORT", "0");
    let full = ["sh", "-c", "exec 3>&1; exec \"$0\" 2>&3 >/dev/full"];
    let mut program = installation.spawn_through(&full, &[]);
    let logged = program.printed("ready").await;
    assert!(logged.contains("the banner cannot be printed"), "{logged}");
    program.signal("TERM").await;
    program.ended().await.with_code(0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_reader_that_closes_the_pipe_is_no_error() {
    let todos = text(&lines(3000));
    let installation = Installation::new().with_file("todos.jsonl", &todos);
    installation.run(&["import", "todos.jsonl"]).await.with_code(0);
    for (command, reader) in [
        ("export", "read -r line"),
        ("check", "read -r line"),
        ("check", "true"),
        ("--help", "true"),
    ] {
        let line = format!("{{ '{PROGRAM}' {command}; echo \"exit $?\" >&2; }} | {reader}");
        let mut shell = installation.command_of("sh", &["-c", &line]);
        let ended = shell.output().await.unwrap();
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "exit 0\n", "{command} | {reader}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[cfg_attr(not(has_script), ignore = "needs script: see tests/README.md")]
async fn help_fits_a_narrow_terminal_without_breaking_words() {
    let installation = Installation::new().with("TERM", "xterm");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let wide = installation.run(&["export", "--help"]).await.with_code(0).stdout;
    let command = format!("stty rows 24 cols 50; '{PROGRAM}' export --help");
    let narrow = run_line(&installation, &command).await;
    assert!(narrow.lines().all(|line| line.chars().count() <= 50), "{narrow}");
    assert_eq!(words(&narrow), words(&wide));
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[cfg_attr(not(has_script), ignore = "needs script: see tests/README.md")]
async fn settings_and_their_problems_fit_a_narrow_terminal() {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let valid = Installation::new().with("TODO_DIR", "x");
    let invalid = Installation::new().with("PORT", "abc").with("TODO_SHARING", "all");
    for (installation, code) in [(valid, 0), (invalid, 64)] {
        let installation = installation.with("TERM", "xterm");
        let wide = installation.run(&["check"]).await.with_code(code);
        let wide = wide.stdout + &wide.stderr;
        let line = format!("stty rows 24 cols 60; '{PROGRAM}' check; true");
        let narrow = run_line(&installation, &line).await;
        assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
        assert!(narrow.lines().count() > wide.lines().count(), "{narrow}");
        assert_eq!(words(&narrow), words(&wide));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[cfg_attr(not(has_script), ignore = "needs script: see tests/README.md")]
async fn a_terminal_shows_progress_and_then_only_the_result() {
    let todos = text(&lines(3000));
    let installation = Installation::new().with("TERM", "xterm").with_file("todos.jsonl", &todos);
    for (command, action, done) in [
        ("import todos.jsonl", "Importing", "Imported 3,000 todos.\r\n"),
        ("export --force todos.jsonl", "Exporting", "Exported 3,000 todos to todos.jsonl.\r\n"),
        ("backup copy.db", "Backing up", "Backed up todos.db to copy.db.\r\n"),
    ] {
        let shown = run(&installation, command).await;
        // Return to the beginning of the line, and erase it.
        let (progress, left) = shown.rsplit_once("\r\u{1b}[2K").expect(&shown);
        assert!(progress.contains(action) && progress.contains(" of "), "{shown}");
        assert_eq!(left, done);
    }
}

/// Runs a command to its end in a terminal, and returns what it shows there.
#[cfg(target_os = "linux")]
async fn run(installation: &Installation, command: &str) -> String {
    run_line(installation, &format!("'{PROGRAM}' {command}")).await
}

#[cfg(target_os = "linux")]
async fn run_line(installation: &Installation, command: &str) -> String {
    let arguments = ["--quiet", "--return", "--command", command, "/dev/null"];
    let shown = installation.command_of("script", &arguments).output().await;
    let shown = shown.expect("`script` makes the terminal");
    assert!(shown.status.success(), "{shown:?}");
    String::from_utf8(shown.stdout).unwrap()
}
