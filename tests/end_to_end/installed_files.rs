//! `todo-mcp man` and `todo-mcp completions`: what a package installs beside the program.

use todo_mcp::EXIT_CODES;
use todo_mcp::config::SETTINGS;

use crate::command_line::COMMANDS;
use crate::installation::Installation;

#[tokio::test]
async fn the_manual_page_has_every_command_setting_and_exit_code() {
    // Whatever the settings are.
    let installation = Installation::without_settings().with("PORT", "none");
    let ended = installation.run(&["man"]).await.with_code(0);
    assert_eq!(ended.stderr, "");
    let page = ended.stdout;
    assert!(page.contains(".TH todo-mcp 1 "), "{page}");
    for command in COMMANDS {
        assert!(page.contains(&format!("\n.SS \"todo-mcp {command}")), "{command} in {page}");
    }
    for setting in SETTINGS {
        assert!(page.contains(&format!("\n.TP\n\\fB{}\\fR", setting.name)), "{}", setting.name);
    }
    for (code, _) in EXIT_CODES {
        assert!(page.contains(&format!("\n.TP\n\\fB{code}\\fR\n")), "{code} in {page}");
    }
    assert!(page.contains("\n\\fB\\-\\-with\\-history\\fR\n"), "{page}");
    assert!(!page.contains('`'), "{page}");
}

#[tokio::test]
async fn completions_name_every_command() {
    let installation = Installation::without_settings().with("PORT", "none");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = installation.run(&["completions", shell]).await.with_code(0);
        assert_eq!(ended.stderr, "");
        for command in COMMANDS {
            assert!(ended.stdout.contains(command), "{command} for {shell}");
        }
    }
    let ended = installation.run(&["completions", "csh"]).await.with_code(64);
    assert!(ended.stderr.contains("[possible values: bash"), "{ended:?}");
}

#[tokio::test]
#[cfg_attr(not(has_mandoc), ignore = "needs mandoc: see tests/README.md")]
async fn the_manual_page_is_without_errors_and_can_be_read() {
    let installation = Installation::without_settings();
    let page = installation.run(&["man"]).await.with_code(0).stdout;
    let path = installation.path("todo-mcp.1");
    std::fs::write(&path, page).unwrap();
    let path = path.to_str().unwrap();
    let mandoc = |arguments: Vec<&'static str>| {
        let mut command = std::process::Command::new("mandoc");
        let output = command.args(arguments).arg(path).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let complaints = mandoc(vec!["-T", "lint", "-W", "warning"]);
    // The page has no date: the same sources give the same page.
    let complaints: Vec<&str> =
        complaints.lines().filter(|line| !line.contains("missing date")).collect();
    assert_eq!(complaints, [""; 0]);
    let shown = mandoc(vec!["-T", "ascii", "-O", "width=78"]);
    assert!(shown.contains("Port to listen on"), "{shown}");
}
