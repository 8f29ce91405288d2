use std::thread;

use super::*;

fn queue(is_strict: bool) -> Arc<Queue> {
    Arc::new(Queue::new(is_strict))
}

/// Adds lines of this many bytes until one is lost, and returns how many were kept.
fn fill(queue: &Queue, bytes: usize) -> usize {
    let line = vec![b'x'; bytes];
    let mut kept = 0;
    while queue.lost() == 0 {
        queue.push(&line, Keeping::IfThereIsRoom);
        kept += 1;
    }
    kept - 1
}

#[test]
fn records_are_kept_up_to_a_number_of_bytes_and_of_records() {
    assert_eq!(fill(&queue(false), 1024), MOST_BYTES / 1024);
    let queue = queue(false);
    assert_eq!(fill(&queue, 1), MOST_RECORDS);

    // What the writer has taken counts until it is written.
    let mut lines = Lines::default();
    queue.take(&mut lines, 0);
    queue.push(b"x", Keeping::IfThereIsRoom);
    assert_eq!((queue.lost(), queue.written()), (2, 0));
    queue.settle(lines.records);
    queue.push(b"x", Keeping::IfThereIsRoom);
    assert_eq!((queue.lost(), queue.written()), (2, MOST_RECORDS as u64));
}

#[test]
fn a_place_is_kept_for_each_change_that_was_admitted() {
    let queue = queue(true);
    let mut places = Vec::new();
    while let Some((place, _)) = queue.admit(b"intent\n") {
        places.push(place);
    }
    let most = MOST_BYTES / (PLACE + "intent\n".len());
    assert_eq!(places.len(), most);
    fill(&queue, 1024);
    let lost = queue.lost();
    for place in places.drain(1..) {
        place.keep();
        queue.push(&[b'x'; PLACE], Keeping::Promised);
    }
    assert_eq!(queue.lost(), lost);
    drop(places);
    assert_eq!(queue.state().promised, 0);
}

#[test]
fn no_change_is_admitted_while_records_cannot_be_written() {
    let queue = queue(true);
    let (place, mut written) = queue.admit(b"one\n").unwrap();
    let mut lines = Lines::default();
    queue.take(&mut lines, 0);
    queue.fail();
    lines.changes.clear();
    assert!(written.try_recv().is_err());
    assert!(queue.admit(b"two\n").is_none());
    drop(place);
    queue.settle(lines.records);
    assert!(queue.admit(b"three\n").is_some());
}

#[test]
fn the_end_waits_for_the_writer_for_a_time() {
    let queue = queue(false);
    queue.push(b"one\n", Keeping::IfThereIsRoom);
    assert!(!queue.close(Duration::from_millis(1)));
    let writer = thread::spawn({
        let queue = Arc::clone(&queue);
        move || {
            let mut lines = Lines::default();
            assert!(queue.take(&mut lines, 0).is_closed);
            queue.settle(lines.records);
            queue.end()
        }
    });
    assert!(queue.close(Duration::from_mins(1)));
    assert_eq!((writer.join().unwrap(), queue.written()), (0, 1));
    queue.push(b"late\n", Keeping::IfThereIsRoom);
    assert_eq!(queue.lost(), 1);
}
