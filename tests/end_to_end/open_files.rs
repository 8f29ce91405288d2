//! The limit of open files, which bounds the number of connections.
#![cfg(target_os = "linux")]

use crate::installation::Installation;

#[tokio::test]
async fn the_program_raises_its_limit_of_open_files() {
    let few = ["sh", "-c", r#"ulimit -S -n 256; exec "$@""#, "sh"];
    let mut process = Installation::new().spawn_through(&few, &["serve"]);
    process.event("ready").await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.id())).unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let mut limits = files.split_whitespace().map(|limit| limit.parse::<u64>().unwrap_or(u64::MAX));
    let (soft, hard) = (limits.next().unwrap(), limits.next().unwrap());
    assert_eq!(soft, hard.min(10_512));
}
