//! Which changes are published, and how long a watch lasts.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicI64;

use mockall::Sequence;

use super::*;
use crate::ports::{Changed, Creation, Inserted, MockChanges};

#[tokio::test]
async fn a_change_is_published_once_it_is_stored() {
    for use_case in UseCase::WRITES {
        let (mut repository, mut feed, mut order) =
            (MockTodoRepository::new(), MockChangeFeed::new(), Sequence::new());
        repository.expect_find_for_update().returning(|_, _| Ok(Some(stored_todo())));
        if use_case == UseCase::Create {
            repository.expect_insert().times(1).in_sequence(&mut order).returning(|_, _| Ok(None));
        } else if use_case == UseCase::Update {
            repository.expect_save().times(1).in_sequence(&mut order).returning(|_, _, _| Ok(None));
        } else {
            let removed = repository.expect_remove().times(1).in_sequence(&mut order);
            removed.returning(|_, _, _| Ok(None));
        }
        let published = feed.expect_publish().times(1).in_sequence(&mut order);
        let workspace = stored_todo().workspace().clone();
        published.withf(move |permit, _| *permit.workspace() == workspace).return_const(());
        let todos = with_feed(repository, feed, Sharing::Personal);
        use_case.run(&todos, &principal(Permission::ALL)).await.unwrap();
    }
}

#[tokio::test]
async fn what_changed_nothing_is_not_published() {
    let mut repository = MockTodoRepository::new();
    repository.expect_find_for_update().returning(|_, _| Ok(Some(stored_todo())));
    repository.expect_save().returning(|_, _, _| Err(ChangeError::Stale));
    repository.expect_insert().returning(|_, todo| Err(InsertError::Duplicate(todo.id())));
    repository.expect_remove().returning(|_, _, _| Err(RemoveError::Stale));
    // A mock without expectations fails the test on any call.
    let todos = with_feed(repository, MockChangeFeed::new(), Sharing::Personal);
    let caller = principal(Permission::ALL);
    for use_case in UseCase::WRITES {
        use_case.fail(&todos, &caller).await;
    }
    let same = Edit { completed: Some(false), ..Edit::default() };
    todos.update(&caller, ID, same, None).await.unwrap();
}

#[tokio::test]
async fn what_may_have_changed_something_is_published() {
    for use_case in UseCase::WRITES {
        let (mut repository, mut feed) = (MockTodoRepository::new(), MockChangeFeed::new());
        repository.expect_find_for_update().returning(|_, _| Ok(Some(stored_todo())));
        repository.expect_insert().returning(|_, _| Err(broken().into()));
        repository.expect_save().returning(|_, _, _| Err(broken().into()));
        repository.expect_remove().returning(|_, _, _| Err(broken().into()));
        feed.expect_publish().times(1).return_const(());
        let todos = with_feed(repository, feed, Sharing::Personal);
        use_case.fail(&todos, &principal(Permission::ALL)).await;
    }
}

struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Instant {
        Instant::from_unix_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

#[tokio::test]
async fn a_watch_ends_when_the_credential_expires_and_withholds_later_changes() {
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

    let mut watch = todos.watch(&principal([Permission::Read])).unwrap();
    assert_eq!(watch.next().await, Some(one));
    assert_eq!(watch.next().await, None);
    assert_eq!(watch.next().await, None, "and never again");
}

/// A request with a key, for which the store remembers `earlier`.
async fn create_with_key(
    earlier: Option<Creation>,
    published: usize,
) -> Result<Created, CreateError> {
    let (mut repository, mut feed) = (MockTodoRepository::new(), MockChangeFeed::new());
    let inserted = earlier.map_or(Inserted::Now(None), Inserted::Earlier);
    repository.expect_insert_once().returning(move |_, _, _| Ok(inserted));
    feed.expect_publish().times(published).return_const(());
    let todos = with_feed(repository, feed, Sharing::Personal);
    let new = NewTodo { key: Some("k".try_into().unwrap()), ..new_todo() };
    todos.create(&principal([Permission::Write]), new).await
}

#[tokio::test]
async fn a_request_with_a_new_key_creates_and_publishes() {
    let created = create_with_key(None, 1).await;
    assert!(matches!(created, Ok(Created::New(..))), "{created:?}");
}

#[tokio::test]
async fn a_key_that_was_used_for_other_content_is_reused_and_publishes_nothing() {
    let other = Creation { todo: ID, at: StoppedClock.now(), fingerprint: 0 };
    let created = create_with_key(Some(other), 0).await;
    assert!(matches!(created, Err(CreateError::KeyReused)), "{created:?}");
}

#[tokio::test]
async fn a_replayed_request_returns_the_record_as_it_was_created_and_publishes_nothing() {
    let at = Instant::from_unix_millis(1).unwrap();
    // Of the title "Buy milk" without a description.
    let earlier = Creation { todo: ID, at, fingerprint: BUY_MILK };
    let created = create_with_key(Some(earlier), 0).await.unwrap();
    let first = Todo::create(&write_permit(Sharing::Personal), ID, new_todo().draft, at);
    assert_eq!(created, Created::Replayed(first.record().clone()));
    assert_eq!(created.into_record(), first.into_record());
}
