//! What is promised to an operator who moves todos.

#[path = "archive_cases.rs"]
mod cases;

use std::path::PathBuf;

use todo_adapter_storage::{PostgresSnapshot, PostgresUrl, SqliteSnapshot, SqliteTodoLoader};
use todo_application::ports::{TodoLoader, TodoSnapshot};

use super::*;

/// A store with nothing in it: what takes todos in, and what shows them all.
trait Archive {
    fn loader(&self) -> &dyn TodoLoader;
    async fn snapshot(&self) -> Box<dyn TodoSnapshot>;
}

impl Archive for MemoryTodoRepository {
    fn loader(&self) -> &dyn TodoLoader {
        self
    }

    async fn snapshot(&self) -> Box<dyn TodoSnapshot> {
        Box::new(MemoryTodoRepository::snapshot(self))
    }
}

struct SqliteArchive {
    loader: SqliteTodoLoader,
    file: PathBuf,
}

impl Archive for SqliteArchive {
    fn loader(&self) -> &dyn TodoLoader {
        &self.loader
    }

    async fn snapshot(&self) -> Box<dyn TodoSnapshot> {
        Box::new(SqliteSnapshot::open(&self.file).unwrap())
    }
}

async fn sqlite_archive() -> Store<SqliteArchive, TempDir> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("todos.db");
    let loader = SqliteTodoLoader::open(&file).unwrap();
    Some((Arc::new(SqliteArchive { loader, file }), directory))
}

struct PostgresArchive {
    loader: PostgresTodoRepository,
    url: PostgresUrl,
}

impl Archive for PostgresArchive {
    fn loader(&self) -> &dyn TodoLoader {
        &self.loader
    }

    async fn snapshot(&self) -> Box<dyn TodoSnapshot> {
        Box::new(PostgresSnapshot::open(&self.url).await.unwrap())
    }
}

async fn postgres_archive() -> Store<PostgresArchive> {
    let url = todo_tests::postgres::shared()?.fresh().await.parse().unwrap();
    let loader = PostgresTodoRepository::open(&url).await.unwrap();
    Some((Arc::new(PostgresArchive { loader, url }), ()))
}

contract! {
    memory => memory_store,
    sqlite => sqlite_archive,
    postgres => postgres_archive;
    {
        cases: [
            an_empty_store_has_an_empty_snapshot,
            a_snapshot_is_in_the_order_of_workspace_and_id,
            a_snapshot_shows_nothing_that_is_written_later,
            a_todo_comes_back_as_it_was_loaded,
            a_todo_that_is_there_stays_as_it_is,
            each_todo_is_answered_for_in_its_place,
            an_id_may_be_loaded_into_each_workspace,
            loading_nothing_changes_nothing,
        ]
    }
}
