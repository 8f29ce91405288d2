//! `todo-mcp check`, and where settings come from.

use crate::installation::Installation;

/// As the quickstart has it, with values filled in.
const QUICKSTART: &str = "\
PORT=3002
SCALEKIT_ENVIRONMENT_URL=https://your-environment-url.scalekit.com
SCALEKIT_CLIENT_ID=your_client_id
SCALEKIT_RESOURCE_ID=res_123456
MCP_URL=http://localhost:3002/
";

#[tokio::test]
async fn without_settings_the_configuration_is_valid_and_nothing_is_created() {
    let installation = Installation::without_settings();
    let ended = installation.run(&["check"]).await.with_code(0);
    assert_eq!(ended.stderr, "");
    for said in ["The configuration is valid.", "http://localhost:3002/mcp", "todos.db", "local"] {
        assert!(ended.stdout.contains(said), "{said} in {}", ended.stdout);
    }
    assert_eq!(std::fs::read_dir(installation.path("")).unwrap().count(), 0);
}

#[tokio::test]
async fn the_env_file_of_the_quickstart_works_unchanged() {
    let installation = Installation::without_settings().with_file(".env", QUICKSTART);
    let ended = installation.run(&["check"]).await.with_code(0);
    let issuer = "https://your-environment-url.scalekit.com/resources/res_123456";
    for said in [issuer, "http://localhost:3002/mcp", "SCALEKIT_CLIENT_ID is not needed"] {
        assert!(ended.stdout.contains(said), "{said} in {}", ended.stdout);
    }
}

#[tokio::test]
async fn the_environment_overrides_the_env_file() {
    let installation = Installation::without_settings()
        .with("PORT", "4002")
        .with_file(".env", "PORT=4001\nEMULATOR_PORT=4003\n");
    let ended = installation.run(&["check"]).await.with_code(0);
    for said in ["http://localhost:4002/mcp", "http://127.0.0.1:4003"] {
        assert!(ended.stdout.contains(said), "{said} in {}", ended.stdout);
    }
}

#[tokio::test]
async fn every_problem_is_reported_at_once_on_standard_error() {
    let installation = Installation::without_settings()
        .with("PORT", "http")
        .with("SCALEKIT_ENVIRONMENT_URL", "https://acme.scalekit.com")
        .with("DATABASE_URL", "mysql://localhost")
        .with("TODO_SHARRING", "everyone")
        .with("LOG_FORMAT", "xml");
    for command in ["check", "serve", "migrate", "export", "import", "token"] {
        let ended = installation.run(&[command]).await.with_code(64);
        assert_eq!(ended.stdout, "");
        let names = ["PORT", "SCALEKIT_RESOURCE_ID", "DATABASE_URL", "TODO_SHARRING", "LOG_FORMAT"];
        for name in names {
            assert!(ended.stderr.contains(&format!("\n  {name} ")), "{name} in {}", ended.stderr);
        }
        assert_eq!(ended.stderr.lines().count(), 1 + names.len(), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn half_of_the_scalekit_pair_names_the_other_half() {
    let pair = [
        ("SCALEKIT_ENVIRONMENT_URL", "https://acme.scalekit.com"),
        ("SCALEKIT_RESOURCE_ID", "res_1"),
    ];
    for [(set, value), (missing, _)] in [pair, [pair[1], pair[0]]] {
        let installation = Installation::without_settings().with(set, value);
        let ended = installation.run(&["check"]).await.with_code(64);
        let said = format!("{missing} must be set too, because {set} is");
        assert!(ended.stderr.contains(&said), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn an_unreadable_env_file_is_a_problem() {
    let installation = Installation::without_settings().with_file(".env", "# Mine\nPORT 3002\n");
    let ended = installation.run(&["check"]).await.with_code(64);
    assert!(ended.stderr.contains(".env cannot be read: line 2 "), "{}", ended.stderr);
}

#[tokio::test]
async fn the_content_of_a_broken_env_file_is_not_printed() {
    let installation = Installation::without_settings()
        .with_file(".env", "SCALEKIT_CLIENT_SECRET='sks_not_for_the_screen\n");
    let ended = installation.run(&["check"]).await.with_code(64);
    assert!(!ended.stderr.contains("sks_not_for_the_screen"), "{}", ended.stderr);
}

#[tokio::test]
async fn an_env_file_may_begin_with_a_byte_order_mark() {
    let installation = Installation::without_settings().with_file(".env", "\u{feff}PORT=4711\r\n");
    let ended = installation.run(&["check"]).await.with_code(0);
    assert!(ended.stdout.contains("127.0.0.1:4711"), "{}", ended.stdout);
}

#[tokio::test]
async fn an_empty_variable_does_not_override_the_env_file() {
    let installation =
        Installation::without_settings().with_file(".env", "PORT=4711\n").with("PORT", "");
    let ended = installation.run(&["check"]).await.with_code(0);
    assert!(ended.stdout.contains("127.0.0.1:4711"), "{}", ended.stdout);
}

#[cfg(unix)]
#[tokio::test]
async fn a_setting_that_is_not_unicode_is_reported() {
    use std::os::unix::ffi::OsStrExt as _;
    let installation = Installation::without_settings();
    let value = std::ffi::OsStr::from_bytes(b"sqlite:\xff.db");
    let ended = tokio::process::Command::new(env!("CARGO_BIN_EXE_todo-mcp-under-test"))
        .arg("check")
        .env_clear()
        .env("DATABASE_URL", value)
        .current_dir(installation.path(""))
        .output()
        .await
        .unwrap();
    assert_eq!(ended.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("DATABASE_URL is not valid Unicode"));
}
