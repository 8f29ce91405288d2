//! Random operations: SQLite and PostgreSQL answer as the adapter in memory does, which is their
//! model, and count what they did in the heads of the workspaces.

#![expect(clippy::unwrap_used, reason = "tests panic on failure")]

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rusqlite::Connection;
use todo_adapter_storage::{MemoryTodoRepository, PostgresTodoRepository, SqliteTodoRepository};
use todo_application::domain::{
    Completion, Description, Order, Place, Quota, QuotaExceeded, Title, Todo, TodoId, TodoRecord,
    Version, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, Filter, InsertError, RemoveError, StorageError, TodoRepository,
};
use todo_tests::head::{Head, head};
use todo_tests::{Permitted as _, postgres, todo_record, workspace, write_permit};
use tokio::runtime::Runtime;
use uuid::{Builder, Uuid};

/// One call of the repository.
#[derive(Debug, Clone)]
enum Operation {
    Find(WorkspaceId, TodoId),
    List(WorkspaceId, Filter, Option<TodoId>, usize),
    ListBy(WorkspaceId, Order, bool, Place, usize),
    Insert(Todo),
    Save(Todo, Version),
    Remove(WorkspaceId, TodoId, Option<Version>),
}

impl Operation {
    /// The workspace that it may change.
    fn written(&self) -> Option<&WorkspaceId> {
        match self {
            Self::Find(..) | Self::List(..) | Self::ListBy(..) => None,
            Self::Insert(todo) | Self::Save(todo, _) => Some(todo.workspace()),
            Self::Remove(workspace, ..) => Some(workspace),
        }
    }
}

/// Its outcome, in a form that can be compared.
#[derive(Debug, PartialEq)]
enum Answer {
    Found(Option<Todo>),
    Listed(Vec<Todo>),
    Written,
    Removed(bool),
    Duplicate(TodoId),
    Behind(TodoId),
    QuotaExceeded(QuotaExceeded),
    Stale,
    Failed(String),
}

impl From<StorageError> for Answer {
    fn from(error: StorageError) -> Self {
        Self::Failed(format!("{error:?}"))
    }
}

impl From<InsertError> for Answer {
    fn from(error: InsertError) -> Self {
        match error {
            InsertError::Duplicate(id) => Self::Duplicate(id),
            InsertError::Behind(last) => Self::Behind(last),
            InsertError::QuotaExceeded(exceeded) => Self::QuotaExceeded(exceeded),
            InsertError::OtherWorkspace(_) => Self::Failed(error.to_string()),
            InsertError::Storage(error) => error.into(),
        }
    }
}

impl From<RemoveError> for Answer {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::Stale => Self::Stale,
            RemoveError::Storage(error) => error.into(),
        }
    }
}

impl From<ChangeError> for Answer {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Stale => Self::Stale,
            ChangeError::QuotaExceeded(exceeded) => Self::QuotaExceeded(exceeded),
            ChangeError::Storage(error) => error.into(),
        }
    }
}

async fn answer(repository: &dyn TodoRepository, operation: &Operation) -> Answer {
    match operation {
        Operation::Find(key, id) => {
            repository.find_in(key, *id).await.map_or_else(Answer::from, Answer::Found)
        }
        Operation::List(key, filter, after, limit) => {
            let listed = repository.list_in(key, *filter, *after, *limit).await;
            listed.map_or_else(Answer::from, Answer::Listed)
        }
        Operation::ListBy(key, order, done, after, limit) => {
            let listed = repository.list_in_by(key, *order, *done, *after, *limit).await;
            listed.map_or_else(Answer::from, Answer::Listed)
        }
        Operation::Insert(todo) => {
            let inserted = repository.insert(&permit(todo), todo).await;
            inserted.map_or_else(Answer::from, |()| Answer::Written)
        }
        Operation::Save(todo, expected) => {
            let saved = repository.save(&permit(todo), todo, *expected).await;
            saved.map_or_else(Answer::from, |()| Answer::Written)
        }
        Operation::Remove(key, id, expected) => {
            let removed = repository.remove_from(key, *id, *expected).await;
            removed.map_or_else(Answer::from, Answer::Removed)
        }
    }
}

/// With a quota that operations often meet.
fn permit(todo: &Todo) -> WritePermit {
    let [todos, bytes] = [5, 40].map(NonZeroU64::new);
    write_permit(todo.workspace()).within(Quota { todos, bytes })
}

/// Few values, so that operations often meet.
fn any_workspace() -> impl Strategy<Value = WorkspaceId> {
    prop_oneof![Just(workspace("mine")), Just(workspace("yours"))]
}

/// Some are of version 7, as all that are minted.
fn any_id() -> impl Strategy<Value = TodoId> {
    let minted = |number: u64| {
        Builder::from_unix_timestamp_millis(1_795_340_000_000 + number, &[0; 10]).into_uuid()
    };
    prop_oneof![
        (0..8_u8).prop_map(|number| TodoId::from_bytes([number.wrapping_mul(36); 16])),
        (0..8_u64).prop_map(move |number| TodoId::from_uuid(minted(number))),
    ]
}

fn any_version() -> impl Strategy<Value = Version> {
    (1..3_i64).prop_map(|number| Version::try_from(number).unwrap())
}

prop_compose! {
    fn any_todo()(
        key in any_workspace(),
        id in any_id(),
        title in "[a-z'ü😀]{1,8}",
        description in "[a-z\n\"]{0,8}",
        done in any::<bool>(),
        (due, priority, labels) in todo_tests::any_due_priority_labels(),
        version in any_version(),
    ) -> Todo {
        let record = todo_record(&key, id);
        let at = record.updated_at;
        Todo::restore(TodoRecord {
            title: Title::try_from(title.as_str()).unwrap(),
            description: Description::try_from(description.as_str()).unwrap(),
            completion: if done { Completion::Done { at } } else { Completion::Open },
            due,
            priority,
            labels,
            version,
            ..record
        })
        .unwrap()
    }
}

fn any_operation() -> impl Strategy<Value = Operation> {
    let filter = any::<Option<bool>>().prop_map(|completed| Filter { completed });
    let list = (any_workspace(), filter, proptest::option::of(any_id()), 0..5_usize);
    let order = proptest::sample::select(Order::ALL.to_vec());
    // Just before, at and after places of todos, and the ends.
    let place =
        (order, any_todo(), -1..2_i64, any::<bool>()).prop_map(|(order, todo, more, end)| {
            let place = Place { key: order.key(&todo) + more, id: todo.id() };
            (order, if end { Place::START } else { place })
        });
    let list_by = (any_workspace(), place, any::<bool>(), 0..5_usize)
        .prop_map(|(key, (order, after), done, limit)| (key, order, done, after, limit));
    let remove = (any_workspace(), any_id(), proptest::option::of(any_version()));
    prop_oneof![
        2 => (any_workspace(), any_id()).prop_map(|(key, id)| Operation::Find(key, id)),
        4 => list.prop_map(|(key, filter, after, limit)| {
            Operation::List(key, filter, after, limit)
        }),
        6 => list_by.prop_map(|(key, order, done, after, limit)| {
            Operation::ListBy(key, order, done, after, limit)
        }),
        4 => any_todo().prop_map(Operation::Insert),
        4 => (any_todo(), any_version()).prop_map(|(todo, expected)| {
            Operation::Save(todo, expected)
        }),
        2 => remove.prop_map(|(key, id, expected)| Operation::Remove(key, id, expected)),
    ]
}

fn any_operations() -> impl Strategy<Value = Vec<Operation>> {
    proptest::collection::vec(any_operation(), 1..60)
}

/// Asserts that an empty store answers these operations as an empty model does. Returns the heads that
/// its workspaces have then.
async fn assert_answers_as_memory_does(
    repository: &dyn TodoRepository,
    operations: &[Operation],
) -> Result<BTreeMap<WorkspaceId, Head>, TestCaseError> {
    let model = MemoryTodoRepository::default();
    let mut heads = BTreeMap::<WorkspaceId, Head>::new();
    for operation in operations {
        let expected = answer(&model, operation).await;
        let has_changed = matches!(expected, Answer::Written | Answer::Removed(true));
        if has_changed && let Some(workspace) = operation.written() {
            let head = heads.entry(workspace.clone()).or_default();
            head.last_change += 1;
            if let Operation::Insert(todo) = operation {
                head.last_id = head.last_id.max(todo.minted_id().map(|id| *id.as_uuid()));
            }
        }
        prop_assert_eq!(answer(repository, operation).await, expected, "{:?}", operation);
    }
    for (workspace, head) in &mut heads {
        let todos = model.list_in(workspace, Filter::default(), None, usize::MAX).await.unwrap();
        head.todos = i64::try_from(todos.len()).unwrap();
        head.bytes = todos.iter().map(|todo| todo.bytes().cast_signed()).sum();
    }
    Ok(heads)
}

fn sqlite_heads(shell: &Connection) -> BTreeMap<WorkspaceId, Head> {
    let all = "SELECT workspace, todos, bytes, last_change, last_id FROM heads";
    let mut all = shell.prepare(all).unwrap();
    let heads = all.query_map([], |row| {
        let workspace: String = row.get(0)?;
        let last_id: Option<[u8; 16]> = row.get(4)?;
        let head = Head {
            todos: row.get(1)?,
            bytes: row.get(2)?,
            last_change: row.get(3)?,
            last_id: last_id.map(Uuid::from_bytes),
        };
        Ok((WorkspaceId::try_from(workspace.as_str()).unwrap(), head))
    });
    heads.unwrap().collect::<Result<_, _>>().unwrap()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Few, because every write is durable.
fn configuration() -> ProptestConfig {
    ProptestConfig::with_cases(64)
}

#[test]
fn sqlite_behaves_as_the_model() {
    let runtime = runtime();
    TestRunner::new(configuration())
        .run(&any_operations(), |operations| {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("todos.db");
            let sqlite = SqliteTodoRepository::open(&file).unwrap();
            let heads = runtime.block_on(assert_answers_as_memory_does(&sqlite, &operations))?;
            prop_assert_eq!(sqlite_heads(&Connection::open(&file).unwrap()), heads);
            Ok(())
        })
        .unwrap();
}

#[test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
fn postgres_behaves_as_the_model() {
    let server = postgres::shared();
    let runtime = runtime();
    let (postgres, shell) = runtime.block_on(async {
        let database = server.create_database().await;
        let url = server.url(&database).parse().unwrap();
        let postgres = PostgresTodoRepository::open(&url).await.unwrap();
        (postgres, server.connect(&database).await)
    });
    TestRunner::new(configuration())
        .run(&any_operations(), |operations| {
            runtime.block_on(async {
                shell.batch_execute("TRUNCATE todo_items, todo_heads").await.unwrap();
                for (workspace, expected) in
                    assert_answers_as_memory_does(&postgres, &operations).await?
                {
                    prop_assert_eq!(head(&shell, &workspace).await, Some(expected));
                }
                Ok(())
            })
        })
        .unwrap();
}
