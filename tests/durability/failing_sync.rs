//! A disk that does not confirm writes: each `fsync` fails, as on a broken device or a lost network
//! share.

use std::thread;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use serde_json::json;
use tokio::runtime::Handle;

use crate::process::Process;
use crate::program::{Place, Program, everything};

/// Starts the program with every `fsync` failing.
fn spawn_without_sync(place: &Place) -> Process {
    let calls = [libc::SYS_fsync, libc::SYS_fdatasync].map(|call| (call, Vec::new()));
    let filter = SeccompFilter::new(
        calls.into(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EIO.cast_unsigned()),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let filter: BpfProgram = filter.unwrap().try_into().unwrap();
    let runtime = Handle::current();
    // A filter applies to the thread that installs it, and to the programs that it starts.
    let spawn = || {
        apply_filter(&filter).unwrap();
        let _runtime = runtime.enter();
        place.installation.spawn(&["serve"])
    };
    thread::scope(|scope| scope.spawn(spawn).join().unwrap())
}

/// Clients are told to look before they repeat a change: what they then see must be durable.
#[tokio::test]
async fn a_write_that_failed_and_is_not_visible_does_not_reappear() {
    let place = Place::new().await;
    let program = place.serve().await;
    let caller = place.caller(&program, "usr_1");
    let id = caller.create("Buy milk").await;
    let stored = everything(&caller).await;
    // The write-ahead log is not checkpointed.
    program.kill().await;

    for (tool, arguments) in [
        ("create_todo", json!({ "title": "Buy bread" })),
        ("create_todo", json!({ "title": "Buy bread", "idempotency_key": "bread" })),
        ("update_todo", json!({ "todo_id": id, "title": "Buy oats" })),
        ("delete_todo", json!({ "todo_id": id })),
    ] {
        let program = Program::ready(spawn_without_sync(&place)).await;
        let caller = place.caller(&program, "usr_1");
        for _ in 0..2 {
            let answer = caller.call(tool, arguments.clone()).await;
            assert_eq!(answer.failure(), "unavailable", "{tool}");
            assert_eq!(everything(&caller).await, stored, "{tool}");
            assert_eq!(program.readiness().await, 503, "{tool}");
        }
        program.kill().await;
    }
    let program = place.serve().await;
    let caller = place.caller(&program, "usr_1");
    assert_eq!(everything(&caller).await, stored);
    place.assert_integrity();
    caller.create("Buy bread").await;
}
