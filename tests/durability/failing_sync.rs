//! A disk that does not confirm what is written: each `fsync` fails, as the kernel says it of a device
//! that is broken or a network that is gone.

use std::thread;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use serde_json::json;
use tokio::runtime::Handle;

use crate::process::Process;
use crate::program::{Place, Program, everything};

/// Starts the program where each `fsync` fails.
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
    // A filter is for the thread that asks for it, and for the programs that it starts.
    let spawn = || {
        apply_filter(&filter).unwrap();
        let _runtime = runtime.enter();
        place.installation.spawn(&["serve"])
    };
    thread::scope(|scope| scope.spawn(spawn).join().unwrap())
}

/// "Before you repeat a change, look whether it was made": what one sees then has to last.
#[tokio::test]
async fn a_write_that_was_not_confirmed_and_cannot_be_seen_does_not_come_back() {
    let place = Place::new().await;
    let program = place.serve().await;
    let caller = place.caller(&program, "usr_1");
    let id = caller.create("Buy milk").await;
    let stored = everything(&caller).await;
    // What is in the write-ahead log stays there.
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
        }
        program.kill().await;
    }
    let program = place.serve().await;
    let caller = place.caller(&program, "usr_1");
    assert_eq!(everything(&caller).await, stored);
    place.assert_integrity();
    caller.create("Buy bread").await;
}
