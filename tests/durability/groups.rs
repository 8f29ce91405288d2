//! Concurrent writers while the database is blocked. In this process, where a test can see the
//! queue.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rusqlite::Connection;
use todo_adapter_storage::SqliteTodoRepository;
use todo_application::domain::{Description, Title, Todo, TodoId, TodoRecord, WorkspaceId};
use todo_application::ports::{Filter, InsertError, StorageError};
use todo_tests::{Permitted as _, todo_record, workspace};

/// The result of a write.
type Answer = Result<(), StorageError>;

/// A write that is queued, or was not accepted into the queue.
pub(crate) enum Begun {
    Answered(Answer),
    Queued(Pin<Box<dyn Future<Output = Answer>>>),
}

/// Queues writes, one after the other.
pub(crate) fn begin<F>(writes: impl IntoIterator<Item = F>) -> Vec<Begun>
where
    F: Future<Output = Answer> + 'static,
{
    let begin = |write| {
        let mut write: Pin<Box<dyn Future<Output = Answer>>> = Box::pin(write);
        match write.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Begun::Answered(answer),
            Poll::Pending => Begun::Queued(write),
        }
    };
    writes.into_iter().map(begin).collect()
}

impl Begun {
    pub(crate) async fn answer(self) -> Answer {
        match self {
            Self::Answered(answer) => answer,
            Self::Queued(write) => write.await,
        }
    }
}

/// Another program, which holds the write lock until it commits.
pub(crate) fn in_the_way(file: &Path) -> Connection {
    let shell = Connection::open(file).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    shell
}

fn insert(
    repository: &Arc<SqliteTodoRepository>,
    todo: Todo,
) -> impl Future<Output = Answer> + use<> {
    let repository = Arc::clone(repository);
    async move {
        repository.add(&todo).await.map_err(|error| match error {
            InsertError::Storage(error) => error,
            error @ (InsertError::Duplicate(_)
            | InsertError::Behind(_)
            | InsertError::QuotaExceeded(_)
            | InsertError::OtherWorkspace(_)) => {
                panic!("{error:?}")
            }
        })
    }
}

async fn stored(repository: &SqliteTodoRepository) -> Vec<TodoId> {
    let all = repository.list_in(&mine(), Filter::default(), None, usize::MAX).await;
    all.unwrap().iter().map(Todo::id).collect()
}

fn mine() -> WorkspaceId {
    workspace("mine")
}

fn todo(number: u32, title: &str) -> Todo {
    let title = Title::try_from(title).unwrap();
    Todo::restore(TodoRecord { title, ..todo_record(&mine(), id(number)) }).unwrap()
}

fn id(number: u32) -> TodoId {
    TodoId::from_bytes(u128::from(number).to_be_bytes())
}

#[tokio::test]
async fn writes_beyond_the_queue_are_unavailable_at_once_and_the_rest_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("todos.db");
    let repository = Arc::new(SqliteTodoRepository::open(&file).unwrap());
    let shell = in_the_way(&file);
    let begun = begin((0..2000).map(|number| insert(&repository, todo(number, "Buy milk"))));
    let refused = begun.iter().filter(|it| matches!(it, Begun::Answered(_))).count();
    assert!((500..1500).contains(&refused), "{refused}");
    shell.execute_batch("COMMIT").unwrap();

    let mut written = Vec::new();
    for (number, begun) in (0..).zip(begun) {
        match begun.answer().await {
            Ok(()) => written.push(id(number)),
            Err(StorageError::Unavailable(cause)) => {
                assert_eq!(cause.to_string(), "too many writes are waiting");
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(written.len(), 2000 - refused);
    assert_eq!(stored(&repository).await, written);
    repository.add(&todo(2000, "Buy bread")).await.unwrap();
}

/// A list that writes much leaves room for the others. What is refused can be tried again.
#[tokio::test]
async fn long_texts_beyond_the_share_of_a_workspace_are_unavailable_at_once() {
    const MIB: usize = 1024 * 1024;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("todos.db");
    let repository = Arc::new(SqliteTodoRepository::open(&file).unwrap());
    let shell = in_the_way(&file);
    let description = Description::try_from("d".repeat(16_000).as_str()).unwrap();
    let long = |organization: &str, number| {
        let record = todo_record(&workspace(organization), id(number));
        Todo::restore(TodoRecord { description: description.clone(), ..record }).unwrap()
    };
    let size = usize::try_from(long("mine", 1).bytes()).unwrap();
    let accepted =
        |begun: &[Begun]| begun.iter().filter(|write| matches!(write, Begun::Queued(_))).count();
    let mut all = Vec::new();
    for organization in ["mine", "yours", "theirs"] {
        let writes = (0..200).map(|number| insert(&repository, long(organization, number)));
        let begun = begin(writes);
        assert_eq!(accepted(&begun), 2 * MIB / size, "{organization}");
        all.extend(begun);
    }
    for organization in 0..5 {
        let name = format!("other {organization}");
        all.extend(begin((0..100).map(|number| insert(&repository, long(&name, number)))));
    }
    assert_eq!(accepted(&all), 8 * MIB / size);
    shell.execute_batch("COMMIT").unwrap();
    for begun in all {
        match begun.answer().await {
            Ok(()) => {}
            Err(StorageError::Unavailable(cause)) => {
                assert_eq!(cause.to_string(), "too many writes are waiting");
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    repository.add(&long("mine", 1000)).await.unwrap();
}

#[tokio::test]
async fn in_a_group_of_writes_a_failing_one_fails_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("todos.db");
    let repository = Arc::new(SqliteTodoRepository::open(&file).unwrap());
    let shell = in_the_way(&file);
    shell
        .execute_batch(
            "CREATE TRIGGER refusal AFTER INSERT ON todos WHEN new.title = 'refused'
             BEGIN SELECT raise(ABORT, 'the statement is refused'); END",
        )
        .unwrap();
    let title = |number: u32| if number % 10 == 3 { "refused" } else { "Buy milk" };
    let begun = begin((0..100).map(|number| insert(&repository, todo(number, title(number)))));
    shell.execute_batch("COMMIT").unwrap();

    let mut written = Vec::new();
    for (number, begun) in (0..).zip(begun) {
        match begun.answer().await {
            Ok(()) => written.push(id(number)),
            Err(StorageError::Unavailable(_)) => assert_eq!(title(number), "refused"),
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(written.len(), 90);
    assert_eq!(stored(&repository).await, written);
}
