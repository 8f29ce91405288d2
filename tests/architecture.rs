//! The architecture: which crate may depend on which, as Cargo sees it.
#![expect(clippy::unwrap_used, reason = "tests panic on failure")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

const DOMAIN: &str = "todo-domain";
const APPLICATION: &str = "todo-application";
const ENGINE: &str = "protected-mcp";
const SCALEKIT: &str = "scalekit";
const EMULATOR: &str = "scalekit-emulator";
const BOOTSTRAP: &str = "todo-mcp";
const TESTS: &str = "todo-tests";

/// The allowed dependencies of each crate, apart from those of its tests. A new edge fails until it
/// is added here with a reason, and so does an entry that is no longer needed.
const ALLOWED: &[(&str, &[&str])] = &[
    // `uuid` without features parses and formats ids, and generates none.
    // The two of Unicode hold its tables, for comparing words (UAX #15 and #29), and nothing else.
    (DOMAIN, &["jiff", "thiserror", "unicode-normalization", "unicode-segmentation", "uuid"]),
    (APPLICATION, &["async-trait", "thiserror", DOMAIN]),
    (
        ENGINE,
        &[
            "async-trait",
            "axum",
            "base64",
            // Turns a listener into the stream of events that axum sends.
            "futures-util",
            "http-body-util",
            // The parser of hyper, to tell unfinished headers from malformed ones.
            "httparse",
            // `axum::serve` has no limit on how long headers may take, nor one on connections.
            "hyper",
            "hyper-util",
            // Looks through every answer for U+2028 and U+2029; `serde_json` brings it along anyway.
            "memchr",
            "schemars",
            "serde",
            "serde_json",
            "serde_path_to_error",
            // Sets TCP keepalive.
            "socket2",
            "thiserror",
            "tokio",
            // Ends a connection whose client reads nothing.
            "tower-http",
            // The trait of axum's routes.
            "tower-service",
            "tracing",
            "url",
        ],
    ),
    (
        "todo-adapter-mcp",
        &[
            "async-trait",
            "base64",
            // Labels in URIs.
            "percent-encoding",
            // Keeps the JSON of a bounded number of todos.
            "quick_cache",
            "schemars",
            "serde",
            "serde_json",
            "tracing",
            APPLICATION,
            ENGINE,
        ],
    ),
    (
        SCALEKIT,
        // `aws-lc-rs` is what `jsonwebtoken` checks signatures with; the token cache uses its SHA-256.
        // `jiff` writes instants. `quick_cache` is the cache's bounded, concurrent map, without
        // dependencies of its own that are not here anyway.
        &[
            "async-trait",
            "aws-lc-rs",
            "base64",
            "jiff",
            "jsonwebtoken",
            "quick_cache",
            "reqwest",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "tracing",
            "url",
            ENGINE,
        ],
    ),
    (
        EMULATOR,
        &[
            "aws-lc-rs",
            "axum",
            "base64",
            // `axum::serve` has no limit on how long headers may take, nor one on connections.
            "hyper",
            "hyper-util",
            "jiff",
            "jsonwebtoken",
            // Fetches client metadata documents; optional, for the feature `testing` only.
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
        // One driver each, and its companions: `bytes` for the parameters of PostgreSQL,
        // `percent-encoding` for its URLs. `rustls`, `rustls-webpki` and the platform verifier come with
        // `reqwest` anyway, and `x509-cert`, which reads certificates of version 1, with
        // `tokio-postgres-rustls`.
        &[
            "async-trait",
            "bytes",
            "deadpool",
            // Prepares all statements in one round trip.
            "futures-util",
            "percent-encoding",
            // Keeps a bounded number of results of SQLite.
            "quick_cache",
            "rusqlite",
            "rustls",
            "rustls-platform-verifier",
            "rustls-webpki",
            // What a change did is two columns of JSON.
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "tokio-postgres",
            "tokio-postgres-rustls",
            "tracing",
            "x509-cert",
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
fn every_crate_has_only_its_allowed_dependencies() {
    let metadata = metadata();
    for (name, allowed) in ALLOWED {
        let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
        let known = dependencies(package(&metadata, name), &[DependencyKind::Normal]);
        assert_eq!(known, allowed, "what {name} knows");
    }
}

#[test]
fn every_crate_has_an_entry_here() {
    let found: BTreeSet<String> =
        metadata().packages.iter().map(|package| package.name.to_string()).collect();
    let known = ALLOWED.iter().map(|(name, _)| *name).chain([BOOTSTRAP, TESTS]);
    assert_eq!(found, known.map(str::to_owned).collect());
}

#[test]
fn adapters_do_not_depend_on_each_other_even_in_tests() {
    let is_adapter =
        |name: &str| name.starts_with("todo-adapter-") || [SCALEKIT, EMULATOR].contains(&name);
    for package in metadata().packages.iter().filter(|it| is_adapter(&it.name)) {
        let kinds = [DependencyKind::Normal, DependencyKind::Development, DependencyKind::Build];
        let others: Vec<String> = dependencies(package, &kinds)
            .into_iter()
            // A package enables its own features for its tests by depending on itself.
            .filter(|name| is_adapter(name) && *name != *package.name)
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
    let emulator = bootstrap.dependencies.iter().find(|it| it.name == EMULATOR);
    assert!(emulator.unwrap().optional);
    assert_eq!(bootstrap.features["emulator"], ["dep:scalekit-emulator"]);
}

/// As Cargo resolves the features of the program: those of tests are not among them.
#[test]
fn the_program_has_no_feature_for_tests() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", BOOTSTRAP])
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p} [{f}]"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let features = |name: &str| {
        let prefix = format!("{name} v");
        let line = tree.lines().find(|line| line.starts_with(&prefix)).unwrap();
        line.rsplit_once('[').unwrap().1.trim_end_matches([']', ' ', '(', '*', ')']).to_owned()
    };
    assert_eq!(features(EMULATOR), "");
    assert_eq!(features(SCALEKIT), "");
    assert_eq!(features("todo-adapter-mcp"), "");
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
#[cfg_attr(not(has_git_checkout), ignore = "needs git and a checkout: see tests/README.md")]
fn the_root_has_no_other_visible_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let tracked = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root)
        .output();
    // The folder itself may hold anything; only what git tracks, or would track, counts.
    let tracked = tracked.expect("git runs");
    assert!(tracked.status.success(), "{tracked:?}");
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
fn main_rs_fits_on_a_page() {
    let main = include_str!("../bootstrap/src/main.rs");
    assert!(main.lines().count() < 40);
}
