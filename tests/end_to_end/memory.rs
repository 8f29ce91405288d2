//! The memory of commands does not grow with the number of todos.
#![cfg(target_os = "linux")]

use std::process::Stdio;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Child;

use crate::installation::Installation;
use crate::moving::{lines, text};

/// Less than the size of the todos, and more than three batches of them and the program itself.
const LIMIT_KIB: u64 = 64 * 1024;
const TODOS: usize = 100_000;

/// The peak memory of a running process, in KiB.
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id().unwrap())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn import_and_export_stream_todos() {
    let installation = Installation::new();
    let todos = text(&lines(TODOS));
    assert!(todos.len() as u64 / 1024 > LIMIT_KIB);
    // More than a pipe holds: while this is unread, the program cannot have written everything.
    let most = todos.len() - 1024 * 1024;

    let mut import = installation.command(&["import"]);
    import.stdin(Stdio::piped()).stderr(Stdio::null());
    let mut import = import.spawn().unwrap();
    let mut input = import.stdin.take().unwrap();
    input.write_all(&todos.as_bytes()[..most]).await.unwrap();
    assert!(peak(&import) < LIMIT_KIB, "{} KiB", peak(&import));
    input.write_all(&todos.as_bytes()[most..]).await.unwrap();
    drop(input);
    assert!(import.wait().await.unwrap().success());

    let mut export = installation.command(&["export"]);
    export.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut export = export.spawn().unwrap();
    let mut output = export.stdout.take().unwrap();
    let mut exported = vec![0; most];
    output.read_exact(&mut exported).await.unwrap();
    assert!(peak(&export) < LIMIT_KIB, "{} KiB", peak(&export));
    output.read_to_end(&mut exported).await.unwrap();
    assert!(export.wait().await.unwrap().success());
    assert!(exported == todos.as_bytes(), "the export differs from the import");
}
