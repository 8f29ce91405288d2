//! What the use cases do *not* do, and what they do when the store fails. Behaviour that is visible
//! through a real store is tested with one.

mod changes;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mockall::predicate::{always, eq};
use todo_domain::{
    ClientId, Denied, Edit, Instant, NoOrganization, Organization, OtherWorkspace, Permission,
    Permissions, Sharing, Subject, TimeZone, Title, Todo, TodoId, Version, WriteAction,
    WritePermit, authorize_write,
};

use super::use_cases::caller;
use super::*;
use crate::error::{CreateError, DeleteError, StorageFailure, UpdateError};
use crate::page::PageSize;
use crate::ports::{
    ChangeError, Clock, IdSource, InsertError, MockChangeFeed, MockTodoRepository, Principal,
    RemoveError, StorageError,
};
use crate::selection::Selection;

struct TestPrincipal {
    subject: Subject,
    permissions: Permissions,
}

impl Principal for TestPrincipal {
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
    fn time_zone(&self) -> Option<&TimeZone> {
        None
    }
    fn expires_at(&self) -> Instant {
        Instant::from_unix_millis(2_000).unwrap()
    }
}

fn principal(permissions: impl IntoIterator<Item = Permission>) -> TestPrincipal {
    TestPrincipal {
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

    fn todo_id_after(&self, last: TodoId, at: Instant) -> TodoId {
        let last = u64::try_from(last.as_uuid().as_u128()).unwrap();
        self.0.fetch_max(last, Ordering::Relaxed);
        self.todo_id(at)
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

/// The fingerprint of [`new_todo`].
const BUY_MILK: u64 = 0x306a_b215_ce31_3aaa;

fn new_todo() -> NewTodo {
    NewTodo { draft: Title::try_from("Buy milk").unwrap().into(), key: None }
}

fn write_permit(sharing: Sharing) -> WritePermit {
    let writer = principal([Permission::Write]);
    authorize_write(sharing, caller(&writer), WriteAction::Create).unwrap()
}

fn todo_in_workspace_of(sharing: Sharing) -> Todo {
    Todo::create(&write_permit(sharing), ID, new_todo().draft, StoppedClock.now())
}

fn stored_todo() -> Todo {
    todo_in_workspace_of(Sharing::Personal)
}

fn done() -> Edit {
    Edit { completed: Some(true), ..Edit::default() }
}

fn broken() -> StorageError {
    StorageError::Unavailable("the disk is gone".into())
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum UseCase {
    List,
    Get,
    Suggest,
    Watch,
    Create,
    Update,
    Delete,
}

impl UseCase {
    const ALL: [Self; 7] = [
        Self::List,
        Self::Get,
        Self::Suggest,
        Self::Watch,
        Self::Create,
        Self::Update,
        Self::Delete,
    ];
    const WRITES: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    fn permission(self) -> Permission {
        if Self::WRITES.contains(&self) { Permission::Write } else { Permission::Read }
    }

    async fn run(self, todos: &Todos, principal: &TestPrincipal) -> Result<(), Box<dyn Error>> {
        let everything = Selection::default();
        match self {
            Self::List => {
                todos.list(principal, &everything, PageSize::default(), None).await.map(drop)?;
            }
            Self::Get => todos.get(principal, ID).await.map(drop)?,
            Self::Suggest => todos.suggest(principal, &"b".into(), 1).await.map(drop)?,
            Self::Watch => todos.watch(principal).map(drop)?,
            Self::Create => todos.create(principal, new_todo()).await.map(drop)?,
            Self::Update => todos.update(principal, ID, done(), None).await.map(drop)?,
            Self::Delete => todos.delete(principal, ID, None).await.map(drop)?,
        }
        Ok(())
    }

    /// The text of the error.
    async fn fail(self, todos: &Todos, principal: &TestPrincipal) -> String {
        self.run(todos, principal).await.unwrap_err().to_string()
    }
}

#[tokio::test]
async fn a_caller_without_the_permission_never_reaches_the_repository() {
    for use_case in UseCase::ALL {
        let required = use_case.permission();
        let granted: Permissions = Permission::ALL.into_iter().filter(|p| *p != required).collect();
        // A mock without expectations fails the test on any call.
        let todos = todos(MockTodoRepository::new(), Sharing::Personal);
        let error = use_case.fail(&todos, &principal(granted.iter())).await;
        let denied = Denied::MissingPermission { required, granted };
        assert_eq!(error, denied.to_string(), "{use_case:?}");
    }
}

#[tokio::test]
async fn a_caller_without_a_workspace_never_reaches_the_repository() {
    for use_case in UseCase::ALL {
        for permissions in [&Permission::ALL[..], &[]] {
            let caller = principal(permissions.iter().copied());
            let todos = todos(MockTodoRepository::new(), Sharing::Organization);
            let error = use_case.fail(&todos, &caller).await;
            assert_eq!(error, NoOrganization.to_string(), "{use_case:?}");
            assert_eq!(todos.check_workspace(&caller), Err(NoOrganization));
        }
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_unavailable_in_every_use_case() {
    for use_case in UseCase::ALL.into_iter().filter(|use_case| *use_case != UseCase::Watch) {
        let mut repository = MockTodoRepository::new();
        repository.expect_find().returning(|_, _| Err(broken()));
        repository.expect_find_for_update().returning(|_, _| Err(broken()));
        repository.expect_list().returning(|_, _, _, _| Err(broken()));
        repository.expect_insert().returning(|_, _| Err(broken().into()));
        repository.expect_remove().returning(|_, _, _| Err(broken().into()));
        let todos = todos(repository, Sharing::Personal);
        let error = use_case.fail(&todos, &principal(Permission::ALL)).await;
        let unavailable = StorageFailure::from(broken());
        assert_eq!(error, unavailable.to_string(), "{use_case:?}");
        assert_eq!(unavailable.causes(), "the disk is gone");
    }
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_not_saved() {
    let mut repository = MockTodoRepository::new();
    repository.expect_find_for_update().times(1).returning(|_, _| Ok(Some(stored_todo())));
    repository.expect_save().never();
    let todos = todos(repository, Sharing::Personal);
    let same = Edit { completed: Some(false), ..Edit::default() };
    let updated = todos.update(&principal([Permission::Write]), ID, same, None).await.unwrap();
    assert_eq!(updated, Updated { todo: stored_todo(), effect: None });
}

#[tokio::test]
async fn an_edit_that_loses_a_race_is_applied_to_the_winner() {
    let mut repository = MockTodoRepository::new();
    repository.expect_find_for_update().times(2).returning(|_, _| Ok(Some(stored_todo())));
    let mut rounds = 0;
    let saved = repository.expect_save().with(always(), eq(stored_todo()), always()).times(2);
    saved.returning(move |_, _, _| {
        rounds += 1;
        if rounds == 1 { Err(ChangeError::Stale) } else { Ok(None) }
    });
    let todos = todos(repository, Sharing::Personal);
    let updated = todos.update(&principal([Permission::Write]), ID, done(), None).await.unwrap();
    assert!(updated.todo.completion().is_done());
}

#[tokio::test]
async fn an_edit_that_loses_every_race_gives_up() {
    let mut repository = MockTodoRepository::new();
    repository.expect_find_for_update().returning(|_, _| Ok(Some(stored_todo())));
    repository.expect_save().returning(|_, _, _| Err(ChangeError::Stale));
    let todos = todos(repository, Sharing::Personal);
    let error = todos.update(&principal([Permission::Write]), ID, done(), None).await.unwrap_err();
    assert!(matches!(error, UpdateError::Contended));
}

#[tokio::test]
async fn a_deletion_that_loses_a_race_deletes_the_winner_and_gives_up_if_it_loses_every_race() {
    let mut repository = MockTodoRepository::new();
    repository.expect_find_for_update().returning(|_, _| Ok(Some(stored_todo())));
    let mut rounds = 0;
    repository.expect_remove().with(always(), eq(stored_todo()), always()).times(2).returning(
        move |_, _, _| {
            rounds += 1;
            if rounds == 1 { Err(RemoveError::Stale) } else { Ok(None) }
        },
    );
    let writer = principal([Permission::Write]);
    todos(repository, Sharing::Personal).delete(&writer, ID, None).await.unwrap();

    let mut repository = MockTodoRepository::new();
    repository.expect_find_for_update().returning(|_, _| Ok(Some(stored_todo())));
    repository.expect_remove().returning(|_, _, _| Err(RemoveError::Stale));
    let error = todos(repository, Sharing::Personal).delete(&writer, ID, None).await.unwrap_err();
    assert!(matches!(error, DeleteError::Contended));
}

#[tokio::test]
async fn an_unexpected_version_is_a_conflict_and_writes_nothing() {
    let mut repository = MockTodoRepository::new();
    repository.expect_find_for_update().returning(|_, _| Ok(Some(stored_todo())));
    repository.expect_save().never();
    repository.expect_remove().never();
    let todos = todos(repository, Sharing::Personal);
    let (writer, second) = (principal([Permission::Write]), Some(Version::FIRST.next()));
    let error = todos.update(&writer, ID, done(), second).await.unwrap_err();
    assert!(matches!(error, UpdateError::Conflict(current) if current == stored_todo()));
    let error = todos.delete(&writer, ID, second).await.unwrap_err();
    assert!(matches!(error, DeleteError::Conflict(current) if current == stored_todo()));
}

#[tokio::test]
async fn a_todo_of_another_workspace_is_neither_edited_nor_shown() {
    let mut repository = MockTodoRepository::new();
    let foreign = todo_in_workspace_of(Sharing::Everyone);
    repository.expect_find_for_update().return_once(|_, _| Ok(Some(foreign)));
    let todos = todos(repository, Sharing::Personal);
    let error = todos.update(&principal([Permission::Write]), ID, done(), None).await.unwrap_err();
    assert!(matches!(error, UpdateError::NotFound));
}

#[tokio::test]
async fn an_insert_that_cannot_be_refused_and_is_makes_the_storage_inconsistent() {
    for refusal in [InsertError::Duplicate(ID), InsertError::OtherWorkspace(OtherWorkspace)] {
        let mut repository = MockTodoRepository::new();
        repository.expect_insert().return_once(|_, _| Err(refusal));
        let todos = todos(repository, Sharing::Personal);
        let error = todos.create(&principal([Permission::Write]), new_todo()).await.unwrap_err();
        assert!(matches!(error, CreateError::Storage(StorageFailure::Inconsistent(_))));
    }
}
