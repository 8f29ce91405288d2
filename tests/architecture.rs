//! The house keeps its shape: who may know whom, as Cargo sees it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so at once")]

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

const DOMAIN: &str = "todo-domain";
const APPLICATION: &str = "todo-application";
const BOOTSTRAP: &str = "todo-mcp";
const TESTS: &str = "todo-tests";

/// What each crate of ours depends on, ours and others', its tests aside. A new edge is a mistake
/// until somebody writes it down here and says why, and so is one that nobody needs any more.
const ALLOWED: &[(&str, &[&str])] = &[
    // `uuid` without any feature is a data type: it reads and writes ids, and mints none.
    (DOMAIN, &["jiff", "thiserror", "uuid"]),
    (APPLICATION, &["async-trait", "thiserror", DOMAIN]),
    (
        "todo-adapter-mcp",
        &[
            "async-trait",
            "axum",
            "base64",
            "bytes",
            // Turns a listener into the stream of events that axum sends.
            "futures-util",
            "governor",
            "http-body-util",
            "schemars",
            "serde",
            "serde_json",
            "serde_path_to_error",
            "thiserror",
            "tokio",
            "tower-http",
            // The trait by which axum's routes are asked.
            "tower-service",
            "tracing",
            "url",
            APPLICATION,
        ],
    ),
    (
        "todo-adapter-scalekit",
        // `aws-lc-rs` is what `jsonwebtoken` checks signatures with; the token cache takes its
        // SHA-256. `quick_cache` is that cache's bounded, concurrent map, and brings nothing along
        // that is not here anyway.
        &[
            "async-trait",
            "aws-lc-rs",
            "base64",
            "jsonwebtoken",
            "quick_cache",
            "reqwest",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "tracing",
            "url",
            APPLICATION,
        ],
    ),
    (
        "todo-adapter-scalekit-emulator",
        &[
            "aws-lc-rs",
            "axum",
            "base64",
            "jiff",
            "jsonwebtoken",
            // Reads client id metadata documents, where a test has turned them on.
            "reqwest",
            "serde",
            "serde_json",
            "tempfile",
            "thiserror",
            "tokio",
            "tower-http",
            "tracing",
            "url",
        ],
    ),
    (
        "todo-adapter-storage",
        // One driver each, and what a driver is used with: `bytes` is what PostgreSQL's writes
        // parameters to, `percent-encoding` what its URLs are written in. `rustls` has the
        // cryptography and the authorities that `reqwest` brings along.
        &[
            "async-trait",
            "bytes",
            "deadpool",
            // Prepares all statements in one round trip.
            "futures-util",
            "percent-encoding",
            "rusqlite",
            "rustls",
            "rustls-platform-verifier",
            "thiserror",
            "tokio",
            "tokio-postgres",
            "tokio-postgres-rustls",
            "tracing",
            APPLICATION,
        ],
    ),
];

fn metadata() -> Metadata {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap()
}

fn dependencies(package: &Package, kinds: &[DependencyKind]) -> BTreeSet<String> {
    let chosen = package.dependencies.iter().filter(|it| kinds.contains(&it.kind));
    chosen.map(|it| it.name.clone()).collect()
}

fn package<'a>(metadata: &'a Metadata, name: &str) -> &'a Package {
    metadata.packages.iter().find(|package| *package.name == name).unwrap()
}

#[test]
fn every_crate_knows_only_whom_it_may_know() {
    let metadata = metadata();
    for (name, allowed) in ALLOWED {
        let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
        let known = dependencies(package(&metadata, name), &[DependencyKind::Normal]);
        assert_eq!(known, allowed, "what {name} knows");
    }
}

#[test]
fn no_crate_is_forgotten_here() {
    let found: BTreeSet<String> =
        metadata().packages.iter().map(|package| package.name.to_string()).collect();
    let known = ALLOWED.iter().map(|(name, _)| *name).chain([BOOTSTRAP, TESTS]);
    assert_eq!(found, known.map(str::to_owned).collect());
}

#[test]
fn adapters_never_know_each_other_not_even_in_their_tests() {
    for package in metadata().packages.iter().filter(|it| it.name.starts_with("todo-adapter-")) {
        let kinds = [DependencyKind::Normal, DependencyKind::Development, DependencyKind::Build];
        let others: Vec<String> = dependencies(package, &kinds)
            .into_iter()
            .filter(|name| name.starts_with("todo-adapter-"))
            .collect();
        assert!(others.is_empty(), "{} must not depend on {others:?}", package.name);
    }
}

#[test]
fn nothing_depends_on_the_tests_and_only_the_tests_depend_on_bootstrap() {
    for package in &metadata().packages {
        let kinds = [DependencyKind::Normal, DependencyKind::Development, DependencyKind::Build];
        let known = dependencies(package, &kinds);
        assert!(!known.contains(TESTS), "{} depends on the tests", package.name);
        assert!(!known.contains(BOOTSTRAP) || *package.name == TESTS, "{}", package.name);
    }
}

#[test]
fn anyhow_stays_in_bootstrap() {
    for package in metadata().packages.iter().filter(|it| *it.name != BOOTSTRAP) {
        let known = dependencies(package, &[DependencyKind::Normal]);
        assert!(!known.contains("anyhow"), "{} uses anyhow", package.name);
    }
}

#[test]
fn the_emulator_is_not_in_a_build_without_default_features() {
    let metadata = metadata();
    let bootstrap = package(&metadata, BOOTSTRAP);
    let emulator =
        bootstrap.dependencies.iter().find(|it| it.name == "todo-adapter-scalekit-emulator");
    assert!(emulator.unwrap().optional);
    assert_eq!(bootstrap.features["emulator"], ["dep:todo-adapter-scalekit-emulator"]);
}

#[test]
fn every_crate_takes_version_lints_and_edition_from_the_workspace() {
    for package in metadata().packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        for line in
            ["version.workspace = true", "edition.workspace = true", "[lints]\nworkspace = true"]
        {
            assert!(manifest.contains(line), "{} lacks `{line}`", package.manifest_path);
        }
    }
}

#[test]
fn only_what_belongs_there_is_visible_at_the_top() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let tracked = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root)
        .output();
    // Outside a checkout there is nothing to ask; the folder itself may hold anything.
    let Some(tracked) = tracked.ok().filter(|output| output.status.success()) else { return };
    let tracked = String::from_utf8(tracked.stdout).unwrap();
    let visible: BTreeSet<&str> = tracked
        .lines()
        .filter_map(|path| path.split('/').next())
        .filter(|name| !name.starts_with('.'))
        .collect();
    let expected = [
        "Cargo.lock",
        "Cargo.toml",
        "README.md",
        "adapters",
        "application",
        "bootstrap",
        "domain",
        "tests",
    ];
    assert_eq!(visible, BTreeSet::from(expected));
}

#[test]
fn main_is_a_page() {
    let main = include_str!("../bootstrap/src/main.rs");
    assert!(main.lines().count() < 40);
}
