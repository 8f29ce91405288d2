//! A clock that was ahead, and is corrected between two runs.

use rusqlite::params;
use todo_application::domain::TodoId;

use crate::program::Place;

const DAY_MILLIS: u128 = 24 * 60 * 60 * 1000;

#[tokio::test]
async fn new_todos_are_last_after_the_clock_was_set_back() {
    let place = Place::new().await;
    let program = place.serve().await;
    let ahead = place.caller(&program, "usr_1").create("Created ahead").await;
    place.caller(&program, "usr_2").create("Of another user").await;
    program.stop().await;
    // The id as it would be if the clock had been 30 days ahead.
    let id = ahead.parse::<TodoId>().unwrap().as_uuid().as_u128();
    let later = id + ((30 * DAY_MILLIS) << 80);
    for shift in [
        "UPDATE todos SET id = ?2 WHERE id = ?1",
        "UPDATE heads SET last_id = ?2 WHERE last_id = ?1",
    ] {
        let changed = place.shell().execute(shift, params![id.to_be_bytes(), later.to_be_bytes()]);
        assert_eq!(changed.unwrap(), 1);
    }

    for (run, expected) in [&["Created ahead", "Run 0"][..], &["Created ahead", "Run 0", "Run 1"]]
        .into_iter()
        .enumerate()
    {
        let program = place.serve().await;
        let caller = place.caller(&program, "usr_1");
        caller.create(&format!("Run {run}")).await;
        assert_eq!(caller.titles().await, expected);
        let ended = program.stop().await;
        assert!(ended.stderr.contains("the clock is behind the newest todo"), "{ended:?}");
    }
}
