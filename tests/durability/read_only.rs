//! Files that the program may not write to.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::program::{Place, Program, everything};

const FILE: u32 = 0o400;
const DIRECTORY: u32 = 0o500;
const OURS: u32 = 0o700;

/// Has permissions count for root as well.
const WITHOUT_PRIVILEGES: [&str; 3] = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// What the program is to be started through, so that permissions count; `None` if there is no way.
fn bound_by_permissions() -> Option<&'static [&'static str]> {
    let directory = tempfile::tempdir().unwrap();
    permit(directory.path(), DIRECTORY);
    if File::create(directory.path().join("todos.db")).is_err() {
        return Some(&[]);
    }
    let [setpriv, options @ ..] = WITHOUT_PRIVILEGES;
    let works = Command::new(setpriv).args(options).arg("true").status();
    if works.is_ok_and(|status| status.success()) {
        return Some(&WITHOUT_PRIVILEGES);
    }
    skip();
    None
}

#[expect(clippy::disallowed_methods, reason = "what is installed is no setting of the program")]
#[expect(clippy::print_stderr, reason = "whoever reads the output of the tests wants to know")]
fn skip() {
    let ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!ci, "root needs setpriv, of util-linux");
    eprintln!("skipped: root needs setpriv, of util-linux");
}

#[tokio::test]
async fn what_may_not_be_written_is_refused_in_a_sentence_and_left_as_it_is() {
    let Some(bound) = bound_by_permissions() else { return };
    for (made, file, directory) in [
        (false, OURS, DIRECTORY),
        (true, OURS, DIRECTORY),
        (true, FILE, OURS),
        (true, FILE, DIRECTORY),
    ] {
        let place = Place::new().await;
        if made {
            place.serve().await.stop().await;
            fs::remove_file(place.installation.path("todos.db.lock")).unwrap();
            permit(&place.file(), file);
        }
        let before = fs::read(place.file()).ok();
        permit(&place.directory(), directory);
        for command in ["serve", "migrate"] {
            let ended = place.installation.spawn_through(bound, &[command]).ended().await;
            place.assert_refused(&ended, "cannot be opened for reading and writing");
        }
        permit(&place.directory(), OURS);
        assert_eq!(fs::read(place.file()).ok(), before, "{made} {file:o} {directory:o}");
    }
}

/// Whoever has a file open may go on writing to it. That holds for the program, and what it answers
/// is there.
#[tokio::test]
async fn what_may_not_be_written_any_more_is_written_until_the_program_ends() {
    let Some(bound) = bound_by_permissions() else { return };
    for kill in [false, true] {
        let place = Place::new().await;
        let program = place.serve_through(bound).await;
        let caller = place.caller(&program, "usr_1");
        let id = caller.create("Buy milk").await;
        for name in ["todos.db", "todos.db-wal", "todos.db-shm"] {
            permit(&place.installation.path(name), FILE);
        }
        permit(&place.directory(), DIRECTORY);

        caller.create("Buy bread").await;
        caller.call("update_todo", json!({ "todo_id": id, "completed": true })).await.structured();
        let stored = everything(&caller).await;
        if kill {
            program.kill().await;
        } else {
            program.stop().await;
        }

        let refused = place.installation.spawn_through(bound, &["serve"]).ended().await;
        place.assert_refused(&refused, "cannot be opened for reading and writing");
        permit(&place.directory(), OURS);
        for name in ["todos.db", "todos.db-wal", "todos.db-shm"] {
            let path = place.installation.path(name);
            if path.exists() {
                permit(&path, OURS);
            }
        }
        let program: Program = place.serve_through(bound).await;
        assert_eq!(everything(&place.caller(&program, "usr_1")).await, stored, "{kill}");
        place.assert_integrity();
    }
}
