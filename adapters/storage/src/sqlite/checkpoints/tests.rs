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

/// As the writer does.
fn after_commit(checkpoints: &mut Checkpoints, writer: &Connection, failed: bool) {
    checkpoints.pages(writer);
    checkpoints.after_commit(writer, failed);
}

fn pages(place: &Place) -> i64 {
    place.shell().query_row("SELECT count(*) FROM pages", [], |row| row.get(0)).unwrap()
}

fn size(place: &Place) -> u64 {
    fs::metadata(place.file()).unwrap().len()
}

#[test]
fn a_long_log_is_copied_to_the_file() {
    let place = Place::new();
    let (writer, mut checkpoints) = open(&place);
    let before = size(&place);
    write_pages(&writer, DUE / 2);
    after_commit(&mut checkpoints, &writer, false);
    assert_eq!(size(&place), before, "the log is short");

    write_pages(&writer, DUE / 2);
    after_commit(&mut checkpoints, &writer, false);
    assert!(checkpoints.marks_the_next_commit());
    write_pages(&writer, 1);
    after_commit(&mut checkpoints, &writer, false);
    assert!(size(&place) > before + 4000 * DUE.cast_unsigned());
}

#[test]
fn the_log_is_copied_to_the_file_after_a_failed_write() {
    let place = Place::new();
    let (writer, mut checkpoints) = open(&place);
    write_pages(&writer, 10);
    after_commit(&mut checkpoints, &writer, true);
    assert!(size(&place) > 4000 * 10);
}

#[test]
fn a_checkpoint_does_not_wait_for_readers() {
    let place = Place::new();
    let (writer, mut checkpoints) = open(&place);
    let reader = place.shell();
    reader.execute_batch("BEGIN; SELECT count(*) FROM pages").unwrap();
    write_pages(&writer, DUE);
    after_commit(&mut checkpoints, &writer, false);
    assert!(size(&place) < 4000 * DUE.cast_unsigned(), "the pages of the reader stay as they are");

    reader.execute_batch("COMMIT").unwrap();
    after_commit(&mut checkpoints, &writer, false);
    assert!(size(&place) > 4000 * DUE.cast_unsigned());
}

#[cfg(target_os = "linux")]
#[test]
fn after_a_failed_sync_the_log_is_kept_until_the_next_start() {
    let place = Place::new();
    let (writer, mut checkpoints) = open(&place);
    write_pages(&writer, DUE);
    let (writer, mut checkpoints) = crate::sqlite::fixture::without_sync(&place.file(), || {
        after_commit(&mut checkpoints, &writer, false);
        (writer, checkpoints)
    });
    assert!(checkpoints.suspended);

    // The disk works again.
    let before = size(&place);
    write_pages(&writer, DUE);
    after_commit(&mut checkpoints, &writer, false);
    checkpoints.at_the_end(&writer);
    drop(writer);
    assert_eq!(size(&place), before);
    assert_eq!(pages(&place.after_a_crash()), 2 * DUE);

    drop(place.open());
    assert!(!place.log().exists());
    assert_eq!(pages(&place), 2 * DUE);
}
