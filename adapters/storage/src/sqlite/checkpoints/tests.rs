use std::fs;

use super::*;
use crate::sqlite::fixture::Place;

/// A database that is open for writing, with a table whose rows fill a page each.
fn open(place: &Place) -> (Connection, Checkpoints) {
    drop(place.open());
    let writer = place.shell();
    writer.execute_batch("CREATE TABLE pages (content BLOB)").unwrap();
    let checkpoints = Checkpoints::of(&writer).unwrap();
    (writer, checkpoints)
}

fn write_pages(writer: &Connection, number: i64) {
    writer
        .execute(
            "INSERT INTO pages SELECT zeroblob(4000)
             FROM (WITH RECURSIVE numbers (n) AS
                   (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
                   SELECT n FROM numbers)",
            [number],
        )
        .unwrap();
}

fn pages(place: &Place) -> i64 {
    place.shell().query_row("SELECT count(*) FROM pages", [], |row| row.get(0)).unwrap()
}

fn size(place: &Place) -> u64 {
    fs::metadata(place.file()).unwrap().len()
}

#[test]
fn a_log_goes_into_the_file_when_it_is_long() {
    let place = Place::new();
    let (writer, mut checkpoints) = open(&place);
    let before = size(&place);
    write_pages(&writer, TIME / 2);
    checkpoints.after_commit(&writer, false);
    assert_eq!(size(&place), before, "it is not long yet");

    write_pages(&writer, TIME / 2);
    checkpoints.after_commit(&writer, false);
    assert!(size(&place) > before + 4000 * TIME.cast_unsigned());
}

#[test]
fn a_log_goes_into_the_file_when_there_is_no_room_for_more_of_it() {
    let place = Place::new();
    let (writer, mut checkpoints) = open(&place);
    write_pages(&writer, 10);
    checkpoints.after_commit(&writer, true);
    assert!(size(&place) > 4000 * 10);
}

#[test]
fn nobody_who_reads_is_waited_for() {
    let place = Place::new();
    let (writer, mut checkpoints) = open(&place);
    let reader = place.shell();
    reader.execute_batch("BEGIN; SELECT count(*) FROM pages").unwrap();
    write_pages(&writer, TIME);
    checkpoints.after_commit(&writer, false);
    assert!(size(&place) < 4000 * TIME.cast_unsigned(), "what it reads stays as it is");

    reader.execute_batch("COMMIT").unwrap();
    checkpoints.after_commit(&writer, false);
    assert!(size(&place) > 4000 * TIME.cast_unsigned());
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_disk_did_not_take_stays_in_the_log_until_the_next_start() {
    let place = Place::new();
    let (writer, mut checkpoints) = open(&place);
    write_pages(&writer, TIME);
    let (writer, mut checkpoints) = crate::sqlite::fixture::without_sync(&place.file(), || {
        checkpoints.after_commit(&writer, false);
        (writer, checkpoints)
    });
    assert!(checkpoints.suspended);

    // The disk works again.
    let before = size(&place);
    write_pages(&writer, TIME);
    checkpoints.after_commit(&writer, false);
    checkpoints.at_the_end(&writer);
    drop(writer);
    assert_eq!(size(&place), before);
    assert_eq!(pages(&place.after_a_crash()), 2 * TIME);

    drop(place.open());
    assert!(!place.log().exists());
    assert_eq!(pages(&place), 2 * TIME);
}
