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
async fn the_settings_are_listed_with_where_they_are_set() {
    let installation = Installation::without_settings()
        .with("PORT", "4002")
        .with_file(".env", "# Mine\nPORT=4001\nEMULATOR_PORT=4003\n");
    let file = installation.path(".env").canonicalize().unwrap();
    let listed = installation.run(&["check"]).await.with_code(0).stdout;
    assert!(listed.contains("\n  PORT           `4002`, in the environment\n"), "{listed}");
    let line = format!("\n  EMULATOR_PORT  `4003`, in {}, line 3\n", file.display());
    assert!(listed.contains(&line), "{line} in {listed}");

    let defaults = Installation::without_settings().run(&["check"]).await.with_code(0).stdout;
    assert!(defaults.contains("Every setting has its default"), "{defaults}");
}

#[tokio::test]
async fn a_problem_names_the_value_and_the_line_of_the_env_file() {
    let installation =
        Installation::without_settings().with_file(".env", "LOG_FORMAT=text\nPORT=abc\n");
    let file = installation.path(".env").canonicalize().unwrap();
    let origin = format!("(it is `abc`, set in {}, line 2).", file.display());
    for command in ["check", "serve", "export"] {
        let ended = installation.run(&[command]).await.with_code(64);
        assert!(ended.stderr.contains(&origin), "{origin} in {}", ended.stderr);
    }
    let doctor = installation.run(&["doctor"]).await.with_code(1).stdout;
    assert!(doctor.contains("`abc`") && doctor.contains(".env, line 2"), "{doctor}");
}

#[tokio::test]
async fn all_unknown_parameters_of_a_database_url_are_named_at_once() {
    let url = "postgres://app:hunter2@db/todos?pgbouncer=true&sslmode=require&schema=public";
    let installation = Installation::without_settings().with("DATABASE_URL", url);
    for command in ["check", "serve", "migrate"] {
        let said = installation.run(&[command]).await.with_code(64).stderr;
        let named = "DATABASE_URL has the unknown parameters `pgbouncer`, `schema`: remove them;";
        assert!(said.contains(named) && !said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn names_of_other_programs_do_not_stop_the_server() {
    let installation = Installation::new()
        .with("TODO_MCP_PORT", "tcp://10.0.0.1:3002")
        .with("TODO_DIR", "/home/me/todo");
    let checked = installation.run(&["check"]).await.with_code(0).stdout;
    assert!(checked.contains("note: TODO_DIR, TODO_MCP_PORT are unknown and ignored"), "{checked}");
    installation.serve().await;

    let installation = installation.with("TODO_SHARNG", "everyone");
    let ended = installation.run(&["check"]).await.with_code(64);
    assert!(ended.stderr.contains("looks like a misspelt TODO_SHARING"), "{}", ended.stderr);
}

#[tokio::test]
async fn an_unknown_name_in_an_env_file_is_an_error_with_our_prefix_and_noted_if_misspelt() {
    let ours = Installation::without_settings().with_file(".env", "TODO_DIR=x\n");
    let ended = ours.run(&["check"]).await.with_code(64);
    assert!(ended.stderr.contains("TODO_DIR is unknown"), "{}", ended.stderr);
    let misspelt = Installation::without_settings().with_file(".env", "PROT=4000\n");
    let checked = misspelt.run(&["check"]).await.with_code(0).stdout;
    assert!(checked.contains("note: PROT is unknown and ignored"), "{checked}");
    assert!(checked.contains("PORT (set in") && checked.contains(".env, line 1"), "{checked}");
}

#[tokio::test]
async fn a_dollar_sign_in_an_env_file_is_literal_unless_a_name_in_braces_follows() {
    let installation = Installation::without_settings()
        .with("DATA", "/var/lib/todo")
        .with_file(".env", "DATABASE_URL=sqlite:${DATA}/todo$list.db\n");
    let checked = installation.run(&["check"]).await.with_code(0).stdout;
    assert!(checked.contains("/var/lib/todo/todo$list.db"), "{checked}");
}

#[tokio::test]
async fn every_problem_of_an_env_file_names_its_line_and_what_to_do() {
    let space = "PORT=3002\nDATABASE_URL=sqlite:my list.db\nTODO_SHARING\n";
    let installation = Installation::without_settings().with_file(".env", space);
    let ended = installation.run(&["check"]).await.with_code(64);
    for said in ["line 2 has a space", "write DATABASE_URL='..' in single quotes", "line 3 is not"]
    {
        assert!(ended.stderr.contains(said), "{said} in {}", ended.stderr);
    }
    for (content, said) in [
        (&b"\xff\xfeP\0O\0R\0T\0=\x001\0"[..], "is in UTF-16: save it as UTF-8"),
        (b"PORT=1\nDATABASE_URL=sqlite:caf\xe9.db\n", "line 2 is not valid UTF-8"),
    ] {
        std::fs::write(installation.path(".env"), content).unwrap();
        let ended = installation.run(&["check"]).await.with_code(64);
        assert!(ended.stderr.contains(said), "{said} in {}", ended.stderr);
    }
}

#[tokio::test]
async fn the_example_env_file_copied_and_not_edited_changes_nothing() {
    let copied = Installation::without_settings()
        .with("PORT", "4002")
        .with_file(".env", include_str!("../../.env.example"));
    let checked = copied.run(&["check"]).await.with_code(0).stdout;
    for said in ["http://localhost:4002/mcp", "local, on http://127.0.0.1:3003", "todos.db"] {
        assert!(checked.contains(said), "{said} in {checked}");
    }
    assert!(!checked.contains("note: "), "{checked}");
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
