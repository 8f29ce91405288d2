//! The official conformance suite, against the real program.
//!
//! The suite sends no tokens, so the proxy adds one. It is one of the packages in `tests/clients/`.
//! The checks that need something that only a server made for the suite has are listed in
//! `tests/conformance/`: they must fail, and all others must pass without a warning.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use todo_tests::proxy::Port;
use tokio::process::Command;
use tokio::time::timeout;

use crate::installation::Installation;
use crate::real_clients::{NODE, installed};

const SUITE: &str = "node_modules/@modelcontextprotocol/conformance/dist/index.js";

/// The suite needs a few seconds.
const PATIENCE: Duration = Duration::from_mins(3);

/// Scenarios that are informational: an extension that this server does not offer, and what needs
/// tools of the suite.
const UNSCORED: [&str; 4] =
    ["tasks-", "json-schema-2020-12", "http-custom-header-server-validation", "server-sse-polling"];

/// The only listed check that needs nothing of the suite: the old era has no sessions here, and
/// this scenario warns about it and stops.
const UNAVOIDABLE: &str = "server-sse-multiple-streams:server-sse-multiple-streams-session";

#[tokio::test]
#[cfg_attr(not(has_conformance_suite), ignore = "needs node_modules: see tests/README.md")]
async fn the_conformance_suite_passes_for_2026_07_28() {
    let whole = [
        "caching",
        "dns-rebinding-protection",
        "http-header-validation",
        "input-required-result-unsupported-methods",
        "prompts-list",
        "resources-list",
        "sep-2164-resource-not-found",
        "server-sse-multiple-streams",
        "tools-list",
    ];
    run("2026-07-28", &whole).await;
}

#[tokio::test]
#[cfg_attr(not(has_conformance_suite), ignore = "needs node_modules: see tests/README.md")]
async fn the_conformance_suite_passes_for_2025_11_25() {
    let whole = [
        "dns-rebinding-protection",
        "logging-set-level",
        "ping",
        "prompts-list",
        "resources-list",
        "server-initialize",
        "server-session-lifecycle",
        "tools-list",
    ];
    run("2025-11-25", &whole).await;
}

/// Runs the requirements of a revision. The scenarios in `whole` need nothing of the suite, so none
/// of their checks may be listed.
async fn run(revision: &str, whole: &[&str]) {
    let [node, suite] = [NODE, SUITE].map(installed);
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("conformance/{revision}.yml"));
    let listed = listed(&fs::read_to_string(&list).unwrap());

    let installation = Installation::new();
    let server = installation.serve().await;
    let installation = installation.with("EMULATOR_PORT", server.emulator_port());
    let token = installation.run(&["token"]).await.with_code(0).stdout;
    let proxy = Port::take(0).await.lead_to(server.address, Some(token.trim()));
    let results = installation.path("results");
    let suite = Command::new(node)
        .arg(suite)
        .args(["server", "--url", &format!("{}/mcp", proxy.url)])
        .args(["--requirements", revision])
        .args([Path::new("--expected-failures"), &list, Path::new("--output-dir"), &results])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = timeout(PATIENCE, suite).await.expect("the suite ends").unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}{}", String::from_utf8_lossy(&ended.stderr));

    // The suite does not report listed checks that no longer exist, nor those that it does not
    // score.
    let (ran, failed) = outcome(&results);
    let passed: Vec<_> = listed.difference(&failed).collect();
    assert!(passed.is_empty(), "listed, but passed: {passed:#?}\n{said}");
    let not_listed: Vec<_> = failed.difference(&listed).collect();
    assert!(not_listed.is_empty(), "failed, but not listed: {not_listed:#?}\n{said}");
    for scenario in whole {
        assert!(ran.contains(*scenario), "{scenario} did not run");
        let checks = failed.iter().filter(|check| check.split(':').next() == Some(scenario));
        assert_eq!(checks.count(), 0, "{scenario} needs nothing of the suite");
    }
    assert_eq!(proxy.complaints(), [""; 0]);
}

/// The listed checks, each with the part of the suite that it needs.
fn listed(list: &str) -> BTreeSet<String> {
    let entries = list.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let checks = entries.map(|entry| {
        let (check, reason) = entry.split_once(" # ").unwrap_or((entry, ""));
        let of_the_suite = reason.contains(" test_") || reason.contains(" test://");
        assert!(of_the_suite || check == UNAVOIDABLE, "{entry}");
        check.to_owned()
    });
    checks.collect()
}

/// The scenarios that ran, and the checks that failed or warned, as `scenario:check`.
fn outcome(results: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut ran, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for directory in fs::read_dir(results).unwrap() {
        let directory: PathBuf = directory.unwrap().path();
        // `server-{scenario}-{time}`, where the time is six numbers.
        let name = directory.file_name().unwrap().to_str().unwrap();
        let name = name.strip_prefix("server-").unwrap();
        let scenario = name.rsplitn(7, '-').last().unwrap();
        if UNSCORED.iter().any(|unscored| scenario.starts_with(unscored)) {
            continue;
        }
        let checks = fs::read_to_string(directory.join("checks.json")).unwrap();
        let checks: Vec<Value> = serde_json::from_str(&checks).unwrap();
        let bad = checks.iter().filter(|it| it["status"] == "FAILURE" || it["status"] == "WARNING");
        failed.extend(bad.map(|it| format!("{scenario}:{}", it["id"].as_str().unwrap())));
        ran.insert(scenario.to_owned());
    }
    (ran, failed)
}
