//! What the use cases do *not* do, and what they do when the store fails. Behaviour that can be seen
//! through a real store is tested over one.

mod changes;

use std::sync::atomic::{AtomicU64, Ordering};

use mockall::predicate::{always, eq};
use todo_domain::{
    ClientId, Description, Edit, Instant, Organization, Permission, Permissions, Subject, Title,
    Version,
};

use super::*;
use crate::page::PageSize;
use crate::ports::{Filter, MockChangeFeed, MockTodoRepository, StorageError};

struct Caller {
    subject: Subject,
    permissions: Permissions,
}

impl Principal for Caller {
    fn subject(&self) -> &Subject {
        &self.subject
    }
    fn organization(&self) -> Option<&Organization> {
        None
    }
    fn client(&self) -> Option<&ClientId> {
        None
    }
    fn permissions(&self) -> Permissions {
        self.permissions
    }
    fn expires_at(&self) -> Instant {
        Instant::from_unix_millis(2_000).unwrap()
    }
}

fn caller(permissions: impl IntoIterator<Item = Permission>) -> Caller {
    Caller {
        subject: Subject::try_from("usr_1").unwrap(),
        permissions: permissions.into_iter().collect(),
    }
}

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Instant {
        Instant::from_unix_millis(1_000).unwrap()
    }
}

#[derive(Default)]
struct SequentialIds(AtomicU64);

impl IdSource for SequentialIds {
    fn todo_id(&self, _at: Instant) -> TodoId {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        TodoId::from_bytes(u128::from(number).to_be_bytes())
    }
}

fn todos(repository: MockTodoRepository, sharing: Sharing) -> Todos {
    let mut feed = MockChangeFeed::new();
    feed.expect_publish().return_const(());
    with_feed(repository, feed, sharing)
}

fn with_feed(repository: MockTodoRepository, feed: MockChangeFeed, sharing: Sharing) -> Todos {
    let ids = Arc::new(SequentialIds::default());
    Todos::new(Arc::new(repository), Arc::new(feed), Arc::new(StoppedClock), ids, sharing)
}

const ID: TodoId = TodoId::from_bytes([1; 16]);

fn new_todo() -> NewTodo {
    NewTodo {
        title: Title::try_from("Buy milk").unwrap(),
        description: Description::NONE,
        key: None,
    }
}

fn stored_todo() -> Todo {
    let writer = caller([Permission::Write]);
    let permit = todos(MockTodoRepository::new(), Sharing::Personal)
        .permit(&writer, Action::Create)
        .unwrap();
    let new = new_todo();
    Todo::create(&permit, ID, new.title, new.description, StoppedClock.now())
}

fn done() -> Edit {
    Edit { completed: Some(true), ..Edit::default() }
}

fn broken() -> StorageError {
    StorageError::Unavailable("the disk is gone".into())
}

/// Runs one use case and gives back only what went wrong.
async fn attempt(todos: &Todos, who: &Caller, action: Action) -> Option<UseCaseError> {
    match action {
        Action::List => todos.list(who, Filter::default(), PageSize::default(), None).await.err(),
        Action::Get => todos.get(who, ID).await.err(),
        Action::Create => todos.create(who, new_todo()).await.err(),
        Action::Update => todos.update(who, ID, done(), None).await.err(),
        Action::Delete => todos.delete(who, ID, None).await.err(),
    }
}

#[tokio::test]
async fn a_caller_without_the_permission_never_reaches_the_repository() {
    for action in Action::ALL {
        let others = Permission::ALL.into_iter().filter(|p| *p != action.permission());
        // A mock without expectations fails the test on any call.
        let todos = todos(MockTodoRepository::new(), Sharing::Personal);
        let error = attempt(&todos, &caller(others), action).await;
        assert!(
            matches!(&error, Some(UseCaseError::Forbidden(Denied::MissingPermission { required, .. }))
                if *required == action.permission()),
            "{action:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_caller_without_a_workspace_never_reaches_the_repository() {
    for action in Action::ALL {
        let todos = todos(MockTodoRepository::new(), Sharing::Organization);
        let error = attempt(&todos, &caller(Permission::ALL), action).await;
        assert!(
            matches!(error, Some(UseCaseError::Forbidden(Denied::NoWorkspace(_)))),
            "{action:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_unavailable_whatever_was_asked() {
    for action in Action::ALL {
        let mut repository = MockTodoRepository::new();
        repository.expect_find().returning(|_, _| Err(broken()));
        repository.expect_list().returning(|_, _, _, _| Err(broken()));
        repository.expect_insert().returning(|_| Err(broken()));
        repository.expect_remove().returning(|_, _, _| Err(broken()));
        let todos = todos(repository, Sharing::Personal);
        let error = attempt(&todos, &caller(Permission::ALL), action).await;
        assert!(matches!(error, Some(UseCaseError::Unavailable(_))), "{action:?}: {error:?}");
    }
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_not_saved() {
    let mut repository = MockTodoRepository::new();
    repository.expect_find().times(1).returning(|_, _| Ok(Some(stored_todo())));
    repository.expect_save().never();
    let todos = todos(repository, Sharing::Personal);
    let same = Edit { completed: Some(false), ..Edit::default() };
    let todo = todos.update(&caller([Permission::Write]), ID, same, None).await.unwrap();
    assert_eq!(todo, stored_todo());
}

#[tokio::test]
async fn an_edit_that_lost_a_race_is_put_on_top_of_the_winner() {
    let mut repository = MockTodoRepository::new();
    repository.expect_find().times(2).returning(|_, _| Ok(Some(stored_todo())));
    let mut rounds = 0;
    repository.expect_save().with(always(), eq(Version::FIRST)).times(2).returning(move |_, _| {
        rounds += 1;
        if rounds == 1 { Err(StorageError::StaleVersion) } else { Ok(()) }
    });
    let todos = todos(repository, Sharing::Personal);
    let todo = todos.update(&caller([Permission::Write]), ID, done(), None).await.unwrap();
    assert!(todo.completion().is_done());
}

#[tokio::test]
async fn an_edit_that_loses_every_race_gives_up() {
    let mut repository = MockTodoRepository::new();
    repository.expect_find().returning(|_, _| Ok(Some(stored_todo())));
    repository.expect_save().returning(|_, _| Err(StorageError::StaleVersion));
    let todos = todos(repository, Sharing::Personal);
    let error = todos.update(&caller([Permission::Write]), ID, done(), None).await.unwrap_err();
    assert!(matches!(error, UseCaseError::Contended));
}

#[tokio::test]
async fn an_unexpected_version_is_a_conflict_and_writes_nothing() {
    let mut repository = MockTodoRepository::new();
    repository.expect_find().returning(|_, _| Ok(Some(stored_todo())));
    repository.expect_save().never();
    repository.expect_remove().returning(|_, _, _| Err(StorageError::StaleVersion));
    let todos = todos(repository, Sharing::Personal);
    let (writer, second) = (caller([Permission::Write]), Some(Version::FIRST.next()));
    for error in [
        todos.update(&writer, ID, done(), second).await.unwrap_err(),
        todos.delete(&writer, ID, second).await.unwrap_err(),
    ] {
        assert!(matches!(error, UseCaseError::Conflict(current) if *current == stored_todo()));
    }
}

#[tokio::test]
async fn what_must_not_be_in_a_store_is_a_fault_and_not_the_callers_mistake() {
    let mut repository = MockTodoRepository::new();
    repository.expect_insert().returning(|todo| Err(StorageError::Duplicate(todo.id())));
    let todos = todos(repository, Sharing::Personal);
    let error = todos.create(&caller([Permission::Write]), new_todo()).await.unwrap_err();
    assert!(matches!(error, UseCaseError::Inconsistent(StorageError::Duplicate(_))));
}
