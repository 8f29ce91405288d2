use std::error::Error;

use todo_application::domain::{Quota, TermChange, Todo, TodoId};
use todo_application::ports::Filter;
use tokio::sync::oneshot::Receiver as Replied;

use super::*;
use crate::sqlite::fixture::{Place, id, todo, without_sync, workspace};
use crate::sqlite::write::{Before, Outcome, Step, TodoWrite};
use crate::sqlite::{queries, schema};

const FAILS_ALONE: &str = "fails alone";
const ENDS_THE_TRANSACTION: &str = "ends the transaction";
const FAILS_THE_COMMIT: &str = "fails the commit";

/// A database in which inserting one of these titles fails as the title says.
fn failing_database() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::migrate(&mut connection, 0).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE parents (id INTEGER PRIMARY KEY);
             CREATE TABLE orphans (id INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED);",
        )
        .unwrap();
    for (title, action) in [
        (FAILS_ALONE, "SELECT raise(ABORT, 'the statement is rejected')"),
        (ENDS_THE_TRANSACTION, "SELECT raise(ROLLBACK, 'the disk is full')"),
        (FAILS_THE_COMMIT, "INSERT INTO orphans VALUES (1)"),
    ] {
        let trigger = format!(
            "CREATE TRIGGER \"{title}\" AFTER INSERT ON todos WHEN new.title = '{title}'
             BEGIN {action}; END"
        );
        connection.execute_batch(&trigger).unwrap();
    }
    connection
}

fn insert(number: u8, title: &str) -> Write {
    let todo = todo(number, title);
    one(TermChange::adding(&todo), Step::Insert(todo))
}

fn one(terms: TermChange, step: Step) -> Write {
    Write::One(TodoWrite { step, terms, quota: Quota::OFF, change: None, undoes: None })
}

fn stored(connection: &Connection) -> Vec<TodoId> {
    let todos = queries::list(connection, &workspace(), Filter::default(), None, 99).unwrap();
    todos.iter().map(Todo::id).collect()
}

fn is_unavailable(result: &Result<Answer, StorageError>) -> bool {
    matches!(result, Err(StorageError::Unavailable(_)))
}

fn start(connection: Connection) -> Writer {
    let checkpoints = Checkpoints::of(&connection).unwrap();
    // Of another database, which makes no difference here.
    let pinned = PinnedReader::new(Connection::open_in_memory().unwrap());
    Writer::start(connection, pinned, checkpoints, Arc::default(), Arc::default()).unwrap()
}

#[test]
fn a_failing_write_does_not_affect_its_group() {
    for title in [FAILS_ALONE, ENDS_THE_TRANSACTION] {
        let mut connection = failing_database();
        let group =
            [insert(1, "first"), insert(2, title), insert(1, "first again"), insert(3, "last")];
        let results = commit(&mut connection, &group, false);
        assert!(matches!(results[0], Ok(Answer::One(Outcome::Done(_)))));
        assert!(is_unavailable(&results[1]), "{title}: {results:?}");
        assert!(matches!(results[2], Ok(Answer::One(Outcome::Duplicate))));
        assert!(matches!(results[3], Ok(Answer::One(Outcome::Done(_)))));
        assert_eq!(stored(&connection), [id(1), id(3)], "{title}");
    }
}

#[test]
fn a_write_sees_the_earlier_ones_of_its_group() {
    let mut connection = failing_database();
    let (first, second) = (todo(1, "first"), todo(1, "second"));
    let before = Before::from(&first);
    let terms = TermChange::between(&first, &second);
    let save = || one(terms.clone(), Step::Save { before, todo: second.clone() });
    let terms = TermChange::removing(&second);
    let remove = one(terms, Step::Remove { workspace: workspace(), id: id(1), before });
    let group = [insert(1, "first"), save(), remove, save()];
    let results = commit(&mut connection, &group, false);
    assert!(matches!(
        results[..3],
        [
            Ok(Answer::One(Outcome::Done(_))),
            Ok(Answer::One(Outcome::Done(_))),
            Ok(Answer::One(Outcome::Done(_)))
        ]
    ));
    assert!(matches!(results[3], Ok(Answer::One(Outcome::Stale))));
    assert_eq!(stored(&connection), []);
}

#[test]
fn a_group_whose_commit_fails_is_unavailable_and_leaves_nothing_behind() {
    let mut connection = failing_database();
    let group = [insert(1, "first"), insert(2, FAILS_THE_COMMIT), insert(3, "last")];
    let results = commit(&mut connection, &group, false);
    assert!(results.iter().all(is_unavailable), "{results:?}");
    assert_eq!(results.len(), 3);
    for result in results {
        let failure = result.unwrap_err();
        let cause_of = |error: &dyn Error| error.source().map(ToString::to_string);
        let cause = failure.source().and_then(cause_of);
        assert_eq!(cause.as_deref(), Some("FOREIGN KEY constraint failed"));
    }
    assert_eq!(stored(&connection), []);

    let next = commit(&mut connection, &[insert(4, "next")], false);
    assert!(matches!(next[..], [Ok(Answer::One(Outcome::Done(_)))]), "{next:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_commit_whose_sync_fails_is_not_found_after_a_crash() {
    let place = Place::new();
    drop(place.open());
    let mut connection = place.shell();
    let mut write = |number| commit(&mut connection, &[insert(number, "todo")], false).remove(0);
    assert!(write(1).is_ok());
    let (unconfirmed, mut write) = without_sync(&place.log(), || (write(2), write));
    assert!(is_unavailable(&unconfirmed));
    assert_eq!(stored(&place.shell()), [id(1)]);
    assert_eq!(stored(&place.after_a_crash().shell()), [id(1)], "as it looked before");

    // The disk works again.
    assert!(write(3).is_ok());
    assert_eq!(stored(&place.after_a_crash().shell()), [id(1), id(3)]);
}

/// Queues a write without waiting for its reply.
fn send(queue: &SyncSender<Job>, write: Write) -> Replied<Result<Answer, StorageError>> {
    let (reply, replied) = oneshot::channel();
    queue.send(Job { write, reply, held: (None, None, Waiting::one_of(&Arc::default())) }).unwrap();
    replied
}

#[test]
fn a_writer_continues_after_failures_and_cancelled_callers() {
    let writer = start(failing_database());
    let queue = writer.queue.as_ref().unwrap();
    drop(send(queue, insert(1, "cancelled")));
    for title in [FAILS_ALONE, ENDS_THE_TRANSACTION, FAILS_THE_COMMIT] {
        let result = send(queue, insert(2, title)).blocking_recv().unwrap();
        assert!(is_unavailable(&result), "{title}");
    }
    let again = send(queue, insert(1, "again")).blocking_recv().unwrap();
    assert!(matches!(again, Ok(Answer::One(Outcome::Duplicate))));
    assert!(writer.is_alive());
}

#[tokio::test]
async fn after_a_failed_commit_a_probe_shows_whether_writes_are_committed() {
    let writer = start(failing_database());
    writer.probe().await.unwrap();
    for title in [ENDS_THE_TRANSACTION, FAILS_THE_COMMIT] {
        assert!(is_unavailable(&writer.write(insert(2, title)).await), "{title}");
        assert!(writer.is_failing.load(Ordering::Relaxed), "{title}");
        writer.probe().await.unwrap();
        assert!(!writer.is_failing.load(Ordering::Relaxed), "{title}");
    }
    // A write that is refused alone says nothing of others.
    assert!(is_unavailable(&writer.write(insert(2, FAILS_ALONE)).await));
    assert!(!writer.is_failing.load(Ordering::Relaxed));
}

#[test]
fn queued_writes_are_committed_before_the_writer_stops() {
    let writer = start(failing_database());
    let queue = writer.queue.as_ref().unwrap();
    let answers: Vec<_> = (0..200).map(|number| send(queue, insert(number, "todo"))).collect();
    drop(writer);
    for answered in answers {
        assert!(matches!(answered.blocking_recv(), Ok(Ok(Answer::One(Outcome::Done(_))))));
    }
}

#[tokio::test]
async fn a_write_to_a_full_queue_is_unavailable_at_once() {
    let (queue, jobs) = sync_channel(1);
    let writer = Writer {
        queue: Some(queue),
        thread: None,
        backlog: Arc::default(),
        writes: Arc::default(),
        waiting: Arc::default(),
        is_failing: Arc::default(),
        probe: Mutex::default(),
    };
    drop(send(writer.queue.as_ref().unwrap(), insert(1, "waiting")));
    let result = writer.write(insert(2, "one too many")).await;
    assert!(is_unavailable(&result));
    assert_eq!(writer.queued(), QueuedWrites { waiting: 0, bytes: 0 }, "it waits no longer");

    drop(jobs);
    let result = writer.write(insert(3, "stopped")).await;
    assert!(is_unavailable(&result));
    assert!(!writer.is_alive());
}
