//! The obligations of every [`TodoRepository`], [`TodoHistory`], [`TodoSnapshot`] and [`TodoLoader`], one case each, run
//! against every adapter on a new store.
//!
//! To add an adapter: a function that creates a store, and a line in `contract!`.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests panic on failure")]

#[path = "contract/change_numbers.rs"]
mod change_numbers;
#[path = "contract/concurrency.rs"]
mod concurrency;
#[path = "contract/creations.rs"]
mod creations;
#[path = "contract/history.rs"]
mod history;
#[path = "contract/lists.rs"]
mod lists;
#[path = "contract/many.rs"]
mod many;
#[path = "contract/one_todo.rs"]
mod one_todo;
#[path = "contract/order.rs"]
mod order;
#[path = "contract/quotas.rs"]
mod quotas;
#[path = "contract/round_trip.rs"]
mod round_trip;
#[path = "contract/searches.rs"]
mod searches;
#[path = "contract/selections.rs"]
mod selections;
#[path = "contract/undo.rs"]
mod undo;
#[path = "contract/undo_client.rs"]
mod undo_client;

use std::sync::Arc;

use tempfile::TempDir;
use todo_adapter_storage::{MemoryTodoRepository, PostgresTodoRepository, SqliteTodoRepository};
use todo_application::domain::{Completion, Todo, TodoId, TodoRecord, Version};
use todo_application::ports::{
    ChangeError, Filter, InsertError, RemoveError, StorageHealth, TodoRepository,
};
use todo_tests::{Permitted as _, operator, todo_record, workspace, write_permit};

/// An empty store, and what must live as long as the store.
type Store<T, Needed = ()> = (Arc<T>, Needed);

async fn memory_store() -> Store<MemoryTodoRepository> {
    (Arc::default(), ())
}

async fn sqlite_store() -> Store<SqliteTodoRepository, TempDir> {
    let directory = tempfile::tempdir().unwrap();
    let repository = SqliteTodoRepository::open(&directory.path().join("todos.db")).unwrap();
    (Arc::new(repository), directory)
}

async fn postgres_store() -> Store<PostgresTodoRepository> {
    let url = todo_tests::postgres::shared().fresh().await.parse().unwrap();
    (Arc::new(PostgresTodoRepository::open(&url).await.unwrap()), ())
}

/// The tables and the statements of a database that is spread over machines.
async fn spread_postgres_store() -> Store<PostgresTodoRepository> {
    let url = todo_tests::postgres::shared().fresh_and_spread().await.parse().unwrap();
    (Arc::new(PostgresTodoRepository::open(&url).await.unwrap()), ())
}

/// One test for each case and adapter, with the attribute of the adapter.
macro_rules! contract {
    ($($(#[$attribute:meta])? $adapter:ident => $store:ident),+ $(,)?; $cases:tt) => {
        $(contract! { @adapter [$(#[$attribute])?] $adapter, $store, $cases })+
    };
    (@adapter $attribute:tt $adapter:ident, $store:ident, {
        $($module:ident: [$($case:ident),+ $(,)?])+
    }) => {
        mod $adapter {
            $($(contract! { @case $attribute $store, $module, $case })+)+
        }
    };
    (@case [$(#[$attribute:meta])?] $store:ident, $module:ident, $case:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $(#[$attribute])?
        async fn $case() {
            let (store, _needed) = super::$store().await;
            super::$module::$case(store).await;
        }
    };
}

// After the macro, which it uses.
#[path = "contract/archive.rs"]
mod archive;

contract! {
    memory => memory_store,
    sqlite => sqlite_store,
    #[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
    postgres => postgres_store,
    #[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
    spread_postgres => spread_postgres_store;
    {
        round_trip: [
            an_inserted_todo_is_found_unchanged,
            a_saved_todo_is_found_unchanged,
        ]
        one_todo: [
            a_todo_that_was_never_stored_is_not_found,
            an_id_is_unique_in_a_workspace,
            an_id_may_be_used_in_each_workspace,
            a_todo_of_another_workspace_does_not_exist,
            a_stale_save_is_rejected_and_writes_nothing,
            saving_a_removed_todo_is_stale,
            removing_returns_whether_the_todo_existed,
            a_stale_remove_is_rejected_and_removes_nothing,
            removing_with_the_stored_version_removes,
            a_removed_id_can_be_used_again,
            a_todo_is_not_written_with_a_permit_for_another_workspace,
            a_store_that_answers_is_healthy,
        ]
        creations: [
            a_repeated_request_adds_nothing_and_gets_the_first_result,
            another_key_subject_or_workspace_is_another_request,
            a_subject_in_two_organizations_is_two_callers,
            a_request_is_forgotten_after_its_retention,
            a_request_is_remembered_after_its_todo_was_removed,
            a_request_whose_insert_fails_is_not_remembered,
            of_concurrent_requests_with_one_key_one_adds_its_todo,
        ]
        lists: [
            an_empty_workspace_has_an_empty_list,
            a_list_is_in_the_order_of_ids,
            a_page_holds_at_most_its_limit,
            a_page_starts_after_the_given_id,
            a_filter_selects_open_or_done_todos,
            a_filter_reflects_saved_changes,
            a_removed_todo_does_not_count_in_a_page,
            a_list_never_shows_another_workspace,
            paging_shows_unchanged_todos_exactly_once,
        ]
        selections: [
            every_selection_is_paged_as_it_is_defined,
            paging_a_sorted_list_shows_what_stays_in_its_place_exactly_once,
            a_todo_that_is_removed_leaves_every_order,
            a_list_is_paged_while_others_write_between_pages,
            a_list_is_paged_while_others_write_at_once,
            a_list_shows_what_is_completed_meanwhile_exactly_once,
            a_search_shows_what_changes_within_its_words_exactly_once,
        ]
        searches: [
            ids_are_looked_up_by_the_terms_of_a_range,
            ids_of_a_range_can_be_followed_to_the_end,
            a_frequent_term_is_read_on_where_others_begin_later,
            ids_of_what_is_due_are_looked_up_before_any_day,
            a_range_of_too_many_terms_is_not_looked_up,
            the_terms_of_a_range_are_listed_once,
            all_todos_of_a_set_are_found,
            a_changed_todo_is_found_by_what_it_says_now,
            every_search_is_paged_as_it_is_defined,
            paging_a_search_shows_what_stays_exactly_once,
        ]
        order: [
            a_new_todo_sorts_after_every_earlier_one_of_its_workspace,
            an_id_that_was_not_minted_has_no_place_in_the_order,
            a_request_that_is_behind_is_not_remembered,
            concurrent_creates_are_in_the_order_of_their_ids,
        ]
        quotas: [
            no_todo_is_added_beyond_the_quota,
            texts_grow_up_to_the_quota_and_shrink_beyond_it,
            a_repeated_request_is_answered_whatever_the_quota,
            a_request_beyond_the_quota_is_not_remembered,
            of_concurrent_creates_as_many_succeed_as_the_quota_admits,
        ]
        history: [
            every_write_is_remembered,
            a_history_is_read_in_parts,
            the_deletions_of_a_todo_are_found_among_its_changes,
            a_set_is_not_written_to_another_workspace,
            a_history_never_shows_another_workspace,
            a_refused_write_is_not_remembered,
            a_write_that_is_not_remembered_is_counted,
            several_writes_are_made_together,
            of_several_writes_all_are_made_or_none,
            a_trial_answers_and_writes_nothing,
            a_repeated_call_makes_nothing,
            a_deleted_todo_can_be_restored,
            a_history_counts_in_the_quota,
            old_changes_are_forgotten,
            an_erased_workspace_is_as_new,
        ]
        change_numbers: [
            a_write_returns_the_number_of_its_change,
            writes_at_the_same_time_return_their_own_numbers,
        ]
        many: [
            many_new_todos_are_added_together,
            of_many_new_todos_all_are_added_or_none,
        ]
        undo: [
            undoing_in_reverse_gives_the_state_before,
            replaying_the_history_gives_the_list,
            a_reader_who_goes_on_misses_nothing,
            only_the_touched_fields_are_taken_back,
            several_changes_are_asked_for_at_once,
            a_history_is_listed_as_it_is_asked_for,
        ]
        undo_client: [
            what_a_client_has_changed_can_be_taken_back,
        ]
        concurrency: [
            of_concurrent_inserts_of_one_id_one_succeeds,
            of_concurrent_saves_of_one_version_one_succeeds,
            of_concurrent_removes_one_finds_the_todo,
            concurrent_inserts_are_all_stored,
            a_cancelled_write_breaks_nothing,
            every_read_sees_the_writes_before_it,
        ]
    }
}

const OPEN: Filter = Filter { completed: Some(false) };
const DONE: Filter = Filter { completed: Some(true) };
const BOTH: Filter = Filter { completed: None };

/// Ids sort by their numbers.
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

/// `todo` in its next version, completed or open.
fn marked(todo: &Todo, done: bool) -> Todo {
    let record = todo.record().clone();
    let completion =
        if done { Completion::Done { at: record.updated_at } } else { Completion::Open };
    restore(TodoRecord { completion, version: record.version.next(), ..record })
}

fn numbers(todos: &[Todo]) -> Vec<u128> {
    todos.iter().map(|todo| todo.id().as_uuid().as_u128()).collect()
}
