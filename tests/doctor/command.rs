//! The command: output, standard input, exit codes.

use std::process::{Output, Stdio};

use todo_tests::issuer::signed;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::stand_in::Scalekit;

/// Runs `todo-mcp doctor` with these settings only.
async fn doctor(settings: &[(&str, &str)], arguments: &[&str], input: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_todo-mcp-under-test"))
        .arg("doctor")
        .args(arguments)
        .env_clear()
        .envs(settings.iter().copied())
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read its input may have exited by now.
    let _ = doctor.stdin.take().unwrap().write_all(input.as_bytes()).await;
    doctor.wait_with_output().await.unwrap()
}

fn text(output: &Output) -> &str {
    assert_eq!(output.stderr, b"", "{output:?}");
    str::from_utf8(&output.stdout).unwrap()
}

#[tokio::test]
async fn exits_with_0_when_nothing_failed_and_prints_no_colours_to_a_pipe() {
    let settings = [("PORT", "0"), ("EMULATOR_PORT", "0")];
    let output = doctor(&settings, &[], "").await;
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("pass  settings"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("Nothing failed: "), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
}

#[tokio::test]
async fn invalid_settings_are_a_finding_and_exit_with_1() {
    let settings = [("SCALEKIT_RESOURCE_ID", "res_1"), ("PORT", "x")];
    let output = doctor(&settings, &[], "").await;
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for line in ["fail  settings  PORT must be", "fail  settings  SCALEKIT_ENVIRONMENT_URL must be"]
    {
        assert!(text.contains(line), "{text}");
    }
}

#[tokio::test]
async fn a_token_is_read_from_an_argument_or_standard_input() {
    let scalekit = Scalekit::good().await;
    let token = signed(&scalekit.claims());
    for (arguments, input) in
        [(["--token", token.as_str()], String::new()), (["--token", "-"], format!("{token}\n"))]
    {
        let output = doctor(&scalekit.settings(), &arguments, &input).await;
        let text = text(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("pass  token: scopes"), "{text}");
    }
    let output = doctor(&scalekit.settings(), &["--token", "-"], "").await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("fail  token: form"), "{output:?}");
}

#[tokio::test]
async fn a_listing_is_checked_when_it_is_asked_for() {
    let settings = [("MCP_URL", "http://localhost:1"), ("PORT", "1"), ("EMULATOR_PORT", "0")];
    let output = doctor(&settings, &["--listing"], "").await;
    let listing = text(&output);
    assert_eq!(output.status.code(), Some(1), "{listing}");
    assert!(listing.contains("fail  listing: URL "), "{listing}");
    assert!(listing.contains("note  listing: ids "), "{listing}");
    let output = doctor(&settings, &[], "").await;
    assert!(!text(&output).contains("listing"), "{output:?}");
}
