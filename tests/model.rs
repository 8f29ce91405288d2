//! Random operations: SQLite and PostgreSQL answer as the adapter in memory does, which is their
//! model, count what they did in the heads of the workspaces, and have the terms of the todos that there are.

#![expect(clippy::unwrap_used, reason = "tests panic on failure")]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rusqlite::Connection;
use todo_adapter_storage::{MemoryTodoRepository, PostgresTodoRepository, SqliteTodoRepository};
use todo_application::domain::{
    Completion, Day, Description, DueCondition, Label, Order, Place, Priority, Quota,
    QuotaExceeded, Term, TermRange, TimeZone, Title, Todo, TodoId, TodoRecord, Version,
    WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, Filter, IdsByTerm, InsertError, RemoveError, StorageError, TodoRepository,
};
use todo_tests::head::{Head, head};
use todo_tests::{Permitted as _, postgres, read_permit, todo_record, workspace, write_permit};
use tokio::runtime::Runtime;
use tokio_postgres::Client;
use uuid::{Builder, Uuid};

/// One call of the repository.
#[derive(Debug, Clone)]
enum Operation {
    Find(WorkspaceId, TodoId),
    List(WorkspaceId, Filter, Option<TodoId>, usize),
    ListBy(WorkspaceId, Order, Filter, Place, usize),
    Insert(Todo),
    Save(Todo, Version),
    Remove(WorkspaceId, TodoId, Option<Version>),
    FindAll(WorkspaceId, Vec<TodoId>),
    IdsByTerm(WorkspaceId, Vec<TermRange>, Option<TodoId>, usize),
    Terms(WorkspaceId, TermRange, usize),
}

impl Operation {
    /// The workspace that it may change.
    fn written(&self) -> Option<&WorkspaceId> {
        match self {
            Self::Find(..)
            | Self::List(..)
            | Self::ListBy(..)
            | Self::FindAll(..)
            | Self::IdsByTerm(..)
            | Self::Terms(..) => None,
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
    Ids(Option<IdsByTerm>),
    Terms(Vec<Term>),
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
        Operation::ListBy(key, order, filter, after, limit) => {
            let listed = repository.list_in_by(key, *order, *filter, *after, *limit).await;
            listed.map_or_else(Answer::from, Answer::Listed)
        }
        Operation::FindAll(key, ids) => {
            let found = repository.find_all(&read_permit(key), ids).await;
            found.map_or_else(Answer::from, Answer::Listed)
        }
        Operation::IdsByTerm(key, ranges, after, limit) => {
            let found = repository.ids_by_term(&read_permit(key), ranges, *after, *limit).await;
            found.map_or_else(Answer::from, Answer::Ids)
        }
        Operation::Terms(key, range, limit) => {
            let found = repository.terms(&read_permit(key), range, *limit).await;
            found.map_or_else(Answer::from, Answer::Terms)
        }
        Operation::Insert(todo) => {
            let inserted = repository.insert(&permit(todo), todo).await;
            inserted.map_or_else(Answer::from, |_| Answer::Written)
        }
        Operation::Save(todo, expected) => {
            let saved = repository.replace_within(&permit(todo), todo, *expected).await;
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
    let filter = || any::<Option<bool>>().prop_map(|completed| Filter { completed });
    let list = (any_workspace(), filter(), proptest::option::of(any_id()), 0..5_usize);
    let order = proptest::sample::select(Order::ALL.to_vec());
    // Just before, at and after places of todos, and the ends.
    let place =
        (order, any_todo(), -1..2_i64, any::<bool>()).prop_map(|(order, todo, more, end)| {
            let place = Place { key: order.key(&todo) + more, id: todo.id() };
            (order, if end { Place::START } else { place })
        });
    let list_by = (any_workspace(), place, filter(), 0..5_usize)
        .prop_map(|(key, (order, after), filter, limit)| (key, order, filter, after, limit));
    let remove = (any_workspace(), any_id(), proptest::option::of(any_version()));
    prop_oneof![
        2 => (any_workspace(), any_id()).prop_map(|(key, id)| Operation::Find(key, id)),
        4 => list.prop_map(|(key, filter, after, limit)| {
            Operation::List(key, filter, after, limit)
        }),
        6 => list_by.prop_map(|(key, order, filter, after, limit)| {
            Operation::ListBy(key, order, filter, after, limit)
        }),
        4 => any_todo().prop_map(Operation::Insert),
        4 => (any_todo(), any_version()).prop_map(|(todo, expected)| {
            Operation::Save(todo, expected)
        }),
        2 => remove.prop_map(|(key, id, expected)| Operation::Remove(key, id, expected)),
        1 => (any_workspace(), proptest::collection::vec(any_id(), 0..4))
            .prop_map(|(key, ids)| Operation::FindAll(key, ids)),
        3 => (any_workspace(), any_ranges(), proptest::option::of(any_id()), 1..5_usize)
            .prop_map(|(key, ranges, after, limit)| Operation::IdsByTerm(key, ranges, after, limit)),
        1 => (any_workspace(), any_range(), 1..5_usize)
            .prop_map(|(key, range, limit)| Operation::Terms(key, range, limit)),
    ]
}

fn any_range() -> impl Strategy<Value = TermRange> {
    prop_oneof![
        "[a-z]{1,2}".prop_map(|word| TermRange::of_word(&word)),
        "[a-z]{0,1}".prop_map(|typed| TermRange::of_labels(&typed)),
        "[a-zA-Z]".prop_map(|it| TermRange::of_label(&Label::try_from(it.as_str()).unwrap().key())),
    ]
}

fn any_ranges() -> impl Strategy<Value = Vec<TermRange>> {
    let priority = proptest::sample::select(vec![Priority::Low, Priority::High, Priority::Urgent]);
    let day = (20..28_i8).prop_map(|day| {
        DueCondition::By(Day::new(2026, 12, day).unwrap(), TimeZone::try_from("UTC").unwrap())
    });
    let due = prop_oneof![Just(DueCondition::Any), day];
    prop_oneof![
        any_range().prop_map(|range| vec![range]),
        (priority, any::<Option<bool>>())
            .prop_map(|(priority, completed)| TermRange::of_priority(priority, completed).unwrap()),
        (due, any::<Option<bool>>())
            .prop_map(|(condition, completed)| TermRange::of_due(&condition, completed).unwrap()),
    ]
}

fn any_operations() -> impl Strategy<Value = Vec<Operation>> {
    proptest::collection::vec(any_operation(), 1..60)
}

/// Rows of the table of terms: workspace, term and id.
type Terms = BTreeSet<(String, String, Uuid)>;

/// Asserts that an empty store answers these operations as an empty model does. Returns the heads that
/// its workspaces have then, and its terms.
async fn assert_answers_as_memory_does(
    repository: &dyn TodoRepository,
    operations: &[Operation],
) -> Result<(BTreeMap<WorkspaceId, Head>, Terms), TestCaseError> {
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
    let mut terms = Terms::new();
    for (workspace, head) in &mut heads {
        let todos = model.list_in(workspace, Filter::default(), None, usize::MAX).await.unwrap();
        head.todos = i64::try_from(todos.len()).unwrap();
        head.bytes = todos.iter().map(|todo| todo.bytes().cast_signed()).sum();
        terms.extend(todos.iter().flat_map(|todo| {
            let row = |term: Term| (workspace.to_string(), term.as_str().to_owned());
            let id = *todo.id().as_uuid();
            Term::all_of(todo).into_iter().map(row).map(move |(key, term)| (key, term, id))
        }));
    }
    Ok((heads, terms))
}

fn sqlite_heads(shell: &Connection) -> BTreeMap<WorkspaceId, Head> {
    let all = "SELECT workspace, todos, bytes, latest, last_id FROM heads";
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

fn sqlite_terms(shell: &Connection) -> Terms {
    let mut all = shell.prepare("SELECT workspace, term, id FROM terms").unwrap();
    let terms =
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, Uuid::from_bytes(row.get(2)?))));
    terms.unwrap().collect::<Result<_, _>>().unwrap()
}

async fn postgres_terms(shell: &Client) -> Terms {
    let all = "SELECT convert_from(workspace, 'UTF8'), term, id FROM todo_terms";
    let rows = shell.query(all, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
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
            let answers = assert_answers_as_memory_does(&sqlite, &operations);
            let (heads, terms) = runtime.block_on(answers)?;
            let shell = Connection::open(&file).unwrap();
            prop_assert_eq!(sqlite_heads(&shell), heads);
            prop_assert_eq!(sqlite_terms(&shell), terms);
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
                shell.batch_execute("TRUNCATE todo_items, todo_heads, todo_terms").await.unwrap();
                let (heads, terms) = assert_answers_as_memory_does(&postgres, &operations).await?;
                for (workspace, expected) in heads {
                    prop_assert_eq!(head(&shell, &workspace).await, Some(expected));
                }
                prop_assert_eq!(postgres_terms(&shell).await, terms);
                Ok(())
            })
        })
        .unwrap();
}
