//! The command line.

use todo_mcp::config::SETTINGS;

use crate::installation::Installation;

/// Apart from `help`.
pub(crate) const COMMANDS: [&str; 14] = [
    "serve",
    "check",
    "doctor",
    "health",
    "migrate",
    "export",
    "import",
    "erase",
    "undo",
    "backup",
    "restore",
    "token",
    "completions",
    "man",
];

#[tokio::test]
async fn an_unknown_command_or_option_prints_the_usage() {
    let installation = Installation::without_settings();
    for arguments in [&["sevre"][..], &["serve", "--prot", "1"], &["--no-such-option"]] {
        let ended = installation.run(arguments).await.with_code(64);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains(arguments[arguments.len().min(2) - 1]), "{}", ended.stderr);
        assert!(ended.stderr.contains("Usage:"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_misspelt_command_or_option_gets_a_suggestion() {
    let installation = Installation::without_settings();
    for (arguments, meant) in [(&["sevre"][..], "serve"), (&["export", "--froce"], "--force")] {
        let ended = installation.run(arguments).await.with_code(64);
        assert!(ended.stderr.contains(&format!("'{meant}'")), "{meant} in {}", ended.stderr);
    }
}

#[tokio::test]
async fn help_is_a_command_too_and_lists_the_settings() {
    let installation = Installation::without_settings();
    let help = installation.run(&["help"]).await.with_code(0).stdout;
    assert_eq!(help, installation.run(&["--help"]).await.with_code(0).stdout);
    for setting in SETTINGS {
        assert!(help.contains(&format!("\n  {}", setting.name)), "{} in {help}", setting.name);
    }
    let of_export = installation.run(&["help", "export"]).await.with_code(0).stdout;
    assert!(of_export.contains("--force"), "{of_export}");
}

#[tokio::test]
async fn help_lists_the_commands_with_any_settings() {
    let installation = Installation::without_settings().with("PORT", "none");
    let ended = installation.run(&["--help"]).await.with_code(0);
    assert_eq!(ended.stderr, "");
    for command in COMMANDS {
        assert!(ended.stdout.contains(&format!("\n  {command} ")), "{}", ended.stdout);
    }
}

#[tokio::test]
async fn the_help_of_check_lists_every_setting_and_no_help_exceeds_80_columns() {
    let installation = Installation::without_settings();
    let help = installation.run(&["check", "--help"]).await.with_code(0).stdout;
    for setting in SETTINGS {
        assert!(help.contains(&format!("\n  {}", setting.name)), "{} in {help}", setting.name);
    }
    for command in [&[""][..], &COMMANDS].concat() {
        let arguments = [command, "--help"];
        let arguments = arguments.into_iter().filter(|argument| !argument.is_empty());
        let arguments: Vec<&str> = arguments.collect();
        let help = installation.run(&arguments).await.with_code(0).stdout;
        let long: Vec<&str> = help.lines().filter(|line| line.chars().count() > 80).collect();
        assert_eq!(long, [""; 0]);
    }
}

#[tokio::test]
async fn help_and_version_do_not_need_a_readable_env_file() {
    let installation = Installation::without_settings().with_file(".env", "PORT 3002\n");
    for option in ["--help", "--version", "-h", "-V"] {
        installation.run(&[option]).await.with_code(0);
    }
}

#[tokio::test]
async fn the_version_is_one_line() {
    let ended = Installation::without_settings().run(&["--version"]).await.with_code(0);
    assert!(ended.stdout.starts_with("todo-mcp "), "{}", ended.stdout);
    assert_eq!(ended.stdout.lines().count(), 1);
}

#[tokio::test]
async fn migrate_creates_a_database_that_can_be_served() {
    let installation = Installation::new();
    for _ in 0..2 {
        let ended = installation.run(&["migrate"]).await.with_code(0);
        assert!(ended.stdout.contains("todos.db"), "{}", ended.stdout);
        assert!(installation.path("todos.db").is_file());
    }
    installation.serve().await.caller().await.create("Buy milk").await;
}
