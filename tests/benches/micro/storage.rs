//! The methods of the storage port, in a workspace of 1,000 todos.

use std::cell::Cell;
use std::sync::{Arc, LazyLock};

use divan::Bencher;
use tempfile::TempDir;
use todo_adapter_storage::{MemoryTodoRepository, PostgresTodoRepository, SqliteTodoRepository};
use todo_application::domain::{ReadPermit, Todo, TodoId, TodoRecord, WorkspaceId, WritePermit};
use todo_application::ports::{Filter, TodoRepository};
use todo_tests::postgres::Server;
use todo_tests::{read_permit, todo_record, workspace, write_permit};
use tokio::runtime::Runtime;

use crate::runtime;

const TODOS: u64 = 1_000;
const PAGE: usize = 50;

/// After these reads, SQLite is read on the thread of the caller.
const WARM_UP: usize = 600;

static POSTGRES: LazyLock<Option<Server>> = LazyLock::new(|| Some(Server::prepare()?.start()));

#[derive(Debug, Clone, Copy)]
enum Adapter {
    Memory,
    Sqlite,
    Postgres,
}

fn adapters() -> Vec<Adapter> {
    let postgres = POSTGRES.is_some().then_some(Adapter::Postgres);
    [Adapter::Memory, Adapter::Sqlite].into_iter().chain(postgres).collect()
}

struct Store {
    runtime: Runtime,
    repository: Arc<dyn TodoRepository>,
    workspace: WorkspaceId,
    read: ReadPermit,
    write: WritePermit,
    todos: Cell<u64>,
    _directory: TempDir,
}

impl Store {
    fn of(adapter: Adapter) -> Self {
        let (runtime, directory) = (runtime(), tempfile::tempdir().unwrap());
        let repository: Arc<dyn TodoRepository> = match adapter {
            Adapter::Memory => Arc::new(MemoryTodoRepository::default()),
            Adapter::Sqlite => {
                let file = directory.path().join("todos.db");
                Arc::new(SqliteTodoRepository::open(&file).unwrap())
            }
            Adapter::Postgres => {
                let server = POSTGRES.as_ref().unwrap();
                let open = async {
                    let url = server.url(&server.create_database().await).parse().unwrap();
                    PostgresTodoRepository::open(&url).await.unwrap()
                };
                Arc::new(runtime.block_on(open))
            }
        };
        let (workspace, todos) = (workspace("benchmark"), Cell::new(0));
        let (read, write) = (read_permit(&workspace), write_permit(&workspace));
        let store =
            Self { runtime, repository, workspace, read, write, todos, _directory: directory };
        for _ in 0..TODOS {
            store.insert(&store.next());
        }
        store
    }

    /// A todo that is not stored yet.
    fn next(&self) -> Todo {
        let number = self.todos.get();
        self.todos.set(number + 1);
        Todo::restore(todo_record(&self.workspace, id(number))).unwrap()
    }

    fn insert(&self, todo: &Todo) {
        self.runtime.block_on(self.repository.insert(&self.write, todo)).unwrap();
    }
}

fn id(number: u64) -> TodoId {
    TodoId::from_bytes((u128::from(number) << 64).to_be_bytes())
}

fn measure_read(bencher: Bencher<'_, '_>, read: impl Fn()) {
    for _ in 0..WARM_UP {
        read();
    }
    bencher.bench_local(read);
}

#[divan::bench(args = adapters())]
fn find(bencher: Bencher<'_, '_>, adapter: Adapter) {
    let store = Store::of(adapter);
    measure_read(bencher, || {
        let todo = store.repository.find(&store.read, id(TODOS / 2));
        assert!(store.runtime.block_on(todo).unwrap().is_some());
    });
}

#[divan::bench(args = adapters())]
fn page_of_50(bencher: Bencher<'_, '_>, adapter: Adapter) {
    let store = Store::of(adapter);
    let (filter, after) = (Filter::default(), Some(id(TODOS / 2)));
    measure_read(bencher, || {
        let page = store.repository.list(&store.read, filter, after, PAGE);
        assert_eq!(store.runtime.block_on(page).unwrap().len(), PAGE);
    });
}

/// What was read before does not serve.
#[divan::bench(args = adapters())]
fn page_of_50_after_a_change(bencher: Bencher<'_, '_>, adapter: Adapter) {
    let store = Store::of(adapter);
    let (filter, after) = (Filter::default(), Some(id(TODOS / 2)));
    bencher.with_inputs(|| store.insert(&store.next())).bench_local_values(|()| {
        let page = store.repository.list(&store.read, filter, after, PAGE);
        assert_eq!(store.runtime.block_on(page).unwrap().len(), PAGE);
    });
}

#[divan::bench(args = adapters())]
fn insert(bencher: Bencher<'_, '_>, adapter: Adapter) {
    let store = Store::of(adapter);
    bencher.with_inputs(|| store.next()).bench_local_refs(|todo| store.insert(todo));
}

#[divan::bench(args = adapters())]
fn update(bencher: Bencher<'_, '_>, adapter: Adapter) {
    let store = Store::of(adapter);
    let mut before = Todo::restore(todo_record(&store.workspace, id(TODOS / 2))).unwrap();
    bencher.bench_local(|| {
        let record = TodoRecord { version: before.version().next(), ..before.record().clone() };
        let after = Todo::restore(record).unwrap();
        store.runtime.block_on(store.repository.save(&store.write, &before, &after)).unwrap();
        before = after;
    });
}

#[divan::bench(args = adapters())]
fn delete(bencher: Bencher<'_, '_>, adapter: Adapter) {
    let store = Store::of(adapter);
    let inserted = || {
        let todo = store.next();
        store.insert(&todo);
        todo
    };
    bencher.with_inputs(inserted).bench_local_values(|todo| {
        let removed = store.repository.remove(&store.write, &todo, todo.updated_at());
        store.runtime.block_on(removed).unwrap();
    });
}
