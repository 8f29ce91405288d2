//! What every [`TodoRepository`] promises, and every [`TodoSnapshot`] and [`TodoLoader`], one case
//! for each promise, run against every adapter on a fresh store.
//!
//! To add an adapter: a function that makes a store, and a line in `contract!`.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "contract/concurrency.rs"]
mod concurrency;
#[path = "contract/creations.rs"]
mod creations;
#[path = "contract/lists.rs"]
mod lists;
#[path = "contract/one_todo.rs"]
mod one_todo;
#[path = "contract/round_trip.rs"]
mod round_trip;

use std::sync::Arc;

use tempfile::TempDir;
use todo_adapter_storage::{MemoryTodoRepository, PostgresTodoRepository, SqliteTodoRepository};
use todo_application::domain::{Completion, Todo, TodoId, TodoRecord, Version};
use todo_application::ports::{Filter, Readiness, StorageError, TodoRepository};
use todo_tests::{todo_record, workspace};

/// A store with nothing in it, and what must live as long as the store; `None` where it is not
/// installed.
type Store<T, Needed = ()> = Option<(Arc<T>, Needed)>;

async fn memory_store() -> Store<MemoryTodoRepository> {
    Some((Arc::default(), ()))
}

async fn sqlite_store() -> Store<SqliteTodoRepository, TempDir> {
    let directory = tempfile::tempdir().unwrap();
    let repository = SqliteTodoRepository::open(&directory.path().join("todos.db")).unwrap();
    Some((Arc::new(repository), directory))
}

async fn postgres_store() -> Store<PostgresTodoRepository> {
    let url = todo_tests::postgres::shared()?.fresh().await.parse().unwrap();
    Some((Arc::new(PostgresTodoRepository::open(&url).await.unwrap()), ()))
}

/// One test for each case and adapter.
macro_rules! contract {
    ($($adapter:ident => $store:ident),+ $(,)?; $cases:tt) => {
        $(contract! { @adapter $adapter, $store, $cases })+
    };
    (@adapter $adapter:ident, $store:ident, { $($module:ident: [$($case:ident),+ $(,)?])+ }) => {
        mod $adapter {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let Some((store, _needed)) = super::$store().await else { return };
                    super::$module::$case(store).await;
                }
            )+)+
        }
    };
}

// After the macro, which it uses.
#[path = "contract/archive.rs"]
mod archive;

contract! {
    memory => memory_store,
    sqlite => sqlite_store,
    postgres => postgres_store;
    {
        round_trip: [
            a_todo_comes_back_as_it_was_stored,
            a_saved_todo_comes_back_as_it_was_saved,
        ]
        one_todo: [
            what_was_never_stored_is_not_found,
            an_id_is_taken_once_in_a_workspace,
            an_id_may_be_taken_in_each_workspace,
            a_todo_of_another_workspace_does_not_exist,
            a_stale_save_is_refused_and_writes_nothing,
            saving_a_removed_todo_is_stale,
            removing_says_whether_the_todo_was_there,
            a_stale_remove_is_refused_and_removes_nothing,
            removing_with_the_stored_version_removes,
            a_removed_id_can_be_taken_again,
            a_store_that_answers_is_ready,
        ]
        creations: [
            a_request_that_is_repeated_adds_nothing_and_is_told_what_it_did,
            another_key_subject_or_workspace_is_another_request,
            a_request_is_forgotten_when_its_time_is_over,
            what_a_request_did_is_known_when_its_todo_is_gone,
            a_request_whose_todo_is_refused_is_not_remembered,
            of_concurrent_requests_of_one_key_one_adds_its_todo,
        ]
        lists: [
            an_empty_workspace_has_an_empty_list,
            a_list_is_in_the_order_of_ids,
            a_page_holds_at_most_its_limit,
            a_page_starts_after_the_id_it_names,
            a_filter_selects_open_or_done_todos,
            a_filter_follows_what_is_saved,
            a_removed_todo_takes_no_place_in_a_page,
            a_list_never_shows_another_workspace,
            reading_on_shows_what_stays_exactly_once,
        ]
        concurrency: [
            of_concurrent_inserts_of_one_id_one_succeeds,
            of_concurrent_saves_of_one_version_one_succeeds,
            of_concurrent_removes_one_finds_the_todo,
            concurrent_inserts_are_all_there,
            a_write_that_nobody_waits_for_breaks_nothing,
        ]
    }
}

const OPEN: Filter = Filter { completed: Some(false) };
const DONE: Filter = Filter { completed: Some(true) };
const BOTH: Filter = Filter { completed: None };

/// The id number `number`; they sort as their numbers do.
fn id(number: u32) -> TodoId {
    TodoId::from_bytes(u128::from(number).to_be_bytes())
}

fn todo(workspace_name: &str, number: u32) -> Todo {
    restore(todo_record(&workspace(workspace_name), id(number)))
}

fn restore(record: TodoRecord) -> Todo {
    Todo::restore(record).unwrap()
}

fn version(number: i64) -> Version {
    Version::try_from(number).unwrap()
}

/// `todo` in its next version, done or open.
fn marked(todo: &Todo, done: bool) -> Todo {
    let record = todo.record().clone();
    let completion =
        if done { Completion::Done { at: record.updated_at } } else { Completion::Open };
    restore(TodoRecord { completion, version: record.version.next(), ..record })
}

fn numbers(todos: &[Todo]) -> Vec<u128> {
    todos.iter().map(|todo| todo.id().as_uuid().as_u128()).collect()
}
