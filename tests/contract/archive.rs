//! The obligations towards an operator who moves todos.

#[path = "archive_cases.rs"]
mod cases;

use std::path::PathBuf;

use todo_adapter_storage::{PostgresSnapshot, PostgresUrl, SqliteSnapshot, SqliteTodoLoader};
use todo_application::ports::{TodoLoader, TodoSnapshot};

use super::*;

/// An empty store: its loader, and its snapshots.
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
    (Arc::new(SqliteArchive { loader, file }), directory)
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
    let url = todo_tests::postgres::shared().fresh().await.parse().unwrap();
    let loader = PostgresTodoRepository::open(&url).await.unwrap();
    (Arc::new(PostgresArchive { loader, url }), ())
}

contract! {
    memory => memory_store,
    sqlite => sqlite_archive,
    #[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
    postgres => postgres_archive;
    {
        cases: [
            an_empty_store_has_an_empty_snapshot,
            a_snapshot_is_in_the_order_of_workspace_and_id,
            a_snapshot_does_not_show_later_writes,
            a_loaded_todo_is_in_the_snapshot_unchanged,
            an_existing_todo_is_not_overwritten,
            results_are_in_the_order_of_the_todos,
            an_id_may_be_loaded_into_each_workspace,
            loading_nothing_changes_nothing,
        ]
    }
}
