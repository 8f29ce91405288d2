//! With `/dev/full`, a disk that is always full.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use super::super::queue::Keeping;
use super::*;
use crate::clock::SystemClock;

fn queue_to(path: &std::path::Path, is_strict: bool) -> Arc<Queue> {
    let queue = Arc::new(Queue::new(is_strict));
    let output = Output::file(path).unwrap();
    start(Arc::clone(&queue), output, Arc::new(SystemClock)).unwrap();
    queue
}

#[test]
fn what_is_lost_while_the_disk_is_full_is_counted_and_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    symlink("/dev/full", &path).unwrap();
    let queue = queue_to(&path, false);
    let mut pushed = 0_u64;
    while queue.lost() < 3 {
        queue.push(b"{\"event\":\"operation\"}\n", Keeping::IfThereIsRoom);
        pushed += 1;
    }
    fs::remove_file(&path).unwrap();
    queue.reopen();
    assert!(queue.close(Duration::from_mins(1)));
    assert_eq!((queue.written(), queue.lost()), (pushed - 3, 3));
    let text = fs::read_to_string(&path).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let (lost, operations): (Vec<_>, Vec<_>) =
        records.partition(|record| record["event"] == "lost");
    assert_eq!(operations.len() as u64, pushed - 3);
    assert_eq!(lost.iter().map(|it| it["records"].clone()).collect::<Vec<_>>(), [json!(3)]);
}

#[test]
fn a_change_is_admitted_once_its_record_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    let queue = queue_to(&path, true);
    let (place, written) = queue.admit(b"{\"event\":\"intent\"}\n").unwrap();
    written.blocking_recv().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"event\":\"intent\"}\n");
    drop(place);
    assert!(queue.close(Duration::from_mins(1)));

    fs::remove_file(&path).unwrap();
    symlink("/dev/full", &path).unwrap();
    let queue = queue_to(&path, true);
    let (_place, written) = queue.admit(b"{\"event\":\"intent\"}\n").unwrap();
    assert!(written.blocking_recv().is_err());
    assert!(queue.admit(b"{\"event\":\"intent\"}\n").is_none());
    assert!(queue.close(Duration::from_mins(1)));
    assert_eq!((queue.written(), queue.lost()), (0, 1));
}
