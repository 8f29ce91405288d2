//! Read-only files.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::installation::Installation;
use crate::program::{Place, Program, everything};

const FILE: u32 = 0o400;
const DIRECTORY: u32 = 0o500;
const OURS: u32 = 0o700;

/// Makes permissions bind root as well.
const WITHOUT_PRIVILEGES: [&str; 3] = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The command that starts the program so that permissions bind it.
fn bound_by_permissions() -> &'static [&'static str] {
    let directory = tempfile::tempdir().unwrap();
    permit(directory.path(), DIRECTORY);
    if File::create(directory.path().join("todos.db")).is_err() {
        return &[];
    }
    let [setpriv, options @ ..] = WITHOUT_PRIVILEGES;
    let works = Command::new(setpriv).args(options).arg("true").status();
    assert!(works.is_ok_and(|status| status.success()), "root needs setpriv of util-linux");
    &WITHOUT_PRIVILEGES
}

#[tokio::test]
#[cfg_attr(not(has_file_permissions), ignore = "root needs setpriv: see tests/README.md")]
async fn read_only_files_are_rejected_with_one_sentence_and_left_unchanged() {
    let bound = bound_by_permissions();
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

/// An open file stays writable, so the program continues, and its acknowledged writes are stored.
#[tokio::test]
#[cfg_attr(not(has_file_permissions), ignore = "root needs setpriv: see tests/README.md")]
async fn files_made_read_only_while_serving_are_written_until_the_program_ends() {
    let bound = bound_by_permissions();
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

#[tokio::test]
#[cfg_attr(not(has_other_users), ignore = "needs root and setpriv: see tests/README.md")]
async fn an_identity_file_of_another_user_is_rejected_before_anything_is_created() {
    const NOBODY: u32 = 65534;
    let installation = Installation::new();
    let server = Program::ready(installation.spawn(&["serve"])).await;
    server.stop().await;
    let kept = "todos.db.identity.json";
    for entry in fs::read_dir(installation.path("")).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with(kept) {
            fs::remove_file(path).unwrap();
        }
    }
    let identity = installation.path(kept);
    permit(&identity, 0o644);
    chown(&identity, Some(NOBODY), None).unwrap();

    let bound = bound_by_permissions();
    let ended = installation.spawn_through(bound, &["serve"]).ended().await.with_code(69);
    assert!(ended.stderr.contains("the local identity cannot be written to"), "{ended:?}");
    let left = fs::read_dir(installation.path("")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [kept]);
}
