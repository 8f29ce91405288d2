//! Who is told of what, and until when.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use mockall::Sequence;

use super::*;
use crate::ports::{Changed, Creation, MockChanges};

#[tokio::test]
async fn a_change_is_told_once_it_is_stored() {
    for action in [Action::Create, Action::Update, Action::Delete] {
        let (mut repository, mut feed, mut order) =
            (MockTodoRepository::new(), MockChangeFeed::new(), Sequence::new());
        repository.expect_find().returning(|_, _| Ok(Some(stored_todo())));
        match action {
            Action::Create => {
                repository.expect_insert().times(1).in_sequence(&mut order).returning(|_| Ok(()));
            }
            Action::Update => {
                repository.expect_save().times(1).in_sequence(&mut order).returning(|_, _| Ok(()));
            }
            Action::Delete | Action::List | Action::Get => {
                let removed = repository.expect_remove().times(1).in_sequence(&mut order);
                removed.returning(|_, _, _| Ok(true));
            }
        }
        let told = feed.expect_publish().times(1).in_sequence(&mut order);
        told.withf(|workspace, _| workspace == stored_todo().workspace()).return_const(());
        let todos = with_feed(repository, feed, Sharing::Personal);
        let error = attempt(&todos, &caller(Permission::ALL), action).await;
        assert!(error.is_none(), "{action:?}: {error:?}");
    }
}

#[tokio::test]
async fn what_changed_nothing_is_not_told() {
    let mut repository = MockTodoRepository::new();
    repository.expect_find().returning(|_, _| Ok(Some(stored_todo())));
    repository.expect_save().returning(|_, _| Err(StorageError::StaleVersion));
    repository.expect_insert().returning(|todo| Err(StorageError::Duplicate(todo.id())));
    repository.expect_remove().returning(|_, _, _| Ok(false));
    // A mock without expectations fails the test on any call.
    let todos = with_feed(repository, MockChangeFeed::new(), Sharing::Personal);
    let caller = caller(Permission::ALL);
    for action in [Action::Create, Action::Update, Action::Delete] {
        assert!(attempt(&todos, &caller, action).await.is_some(), "{action:?}");
    }
    let same = Edit { completed: Some(false), ..Edit::default() };
    todos.update(&caller, ID, same, None).await.unwrap();
}

#[tokio::test]
async fn what_may_have_changed_something_is_told() {
    for action in [Action::Create, Action::Update, Action::Delete] {
        let (mut repository, mut feed) = (MockTodoRepository::new(), MockChangeFeed::new());
        repository.expect_find().returning(|_, _| Ok(Some(stored_todo())));
        repository.expect_insert().returning(|_| Err(broken()));
        repository.expect_save().returning(|_, _| Err(broken()));
        repository.expect_remove().returning(|_, _, _| Err(broken()));
        feed.expect_publish().times(1).return_const(());
        let todos = with_feed(repository, feed, Sharing::Personal);
        assert!(attempt(&todos, &caller(Permission::ALL), action).await.is_some(), "{action:?}");
    }
}

#[tokio::test]
async fn who_may_not_list_may_not_watch() {
    let todos = todos(MockTodoRepository::new(), Sharing::Personal);
    let refused = todos.watch(&caller([Permission::Write])).err();
    assert!(matches!(refused, Some(UseCaseError::Forbidden(_))));
}

struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Instant {
        Instant::from_unix_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

#[tokio::test]
async fn a_watch_ends_when_the_credential_does_and_keeps_back_what_came_then() {
    let clock = Arc::new(SetClock(AtomicI64::new(500)));
    let late = Arc::clone(&clock);
    let mut changes = MockChanges::new();
    let one = Changed::Todos(BTreeSet::from([ID]));
    let first = one.clone();
    changes.expect_next().times(1).return_once(move || first);
    changes.expect_next().times(1).return_once(move || {
        late.0.store(2_000, Ordering::Relaxed);
        Changed::Any
    });
    let mut feed = MockChangeFeed::new();
    feed.expect_subscribe().return_once(|_| Box::new(changes));
    let (repository, ids) =
        (Arc::new(MockTodoRepository::new()), Arc::new(SequentialIds::default()));
    let todos = Todos::new(repository, Arc::new(feed), clock, ids, Sharing::Personal);

    let mut watch = todos.watch(&caller([Permission::Read])).unwrap();
    assert_eq!(watch.expires_in(), Duration::from_millis(1_500));
    assert_eq!(watch.next().await, Some(one));
    assert_eq!(watch.next().await, None);
    assert_eq!(watch.expires_in(), Duration::ZERO);
    assert_eq!(watch.next().await, None, "and never again");
}

#[tokio::test]
async fn a_creation_with_a_key_is_told_once() {
    for (earlier, told) in [(None, 1), (Some(stored_creation()), 0)] {
        let (mut repository, mut feed) = (MockTodoRepository::new(), MockChangeFeed::new());
        repository.expect_insert_once().returning(move |_, _| Ok(earlier));
        feed.expect_publish().times(told).return_const(());
        let todos = with_feed(repository, feed, Sharing::Personal);
        let new = NewTodo { key: Some("k".try_into().unwrap()), ..new_todo() };
        let created = todos.create(&caller([Permission::Write]), new).await;
        assert_eq!(created.is_ok(), told == 1, "{created:?}");
    }
}

/// What came of a request that asked for something else.
fn stored_creation() -> Creation {
    Creation { todo: ID, at: StoppedClock.now(), fingerprint: 0 }
}
