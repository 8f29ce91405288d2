//! What the tests of this adapter share.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use todo_application::domain::{
    Completion, Description, Instant, Subject, Title, Todo, TodoId, TodoRecord, Version,
    WorkspaceId,
};

use super::SqliteTodoRepository;

/// A directory with a database, removed with it.
pub(super) struct Place(TempDir);

impl Place {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn directory(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.path().join("todos.db")
    }

    pub(super) fn open(&self) -> SqliteTodoRepository {
        SqliteTodoRepository::open(&self.file()).unwrap()
    }

    /// The database as another program sees it.
    pub(super) fn shell(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }
}

pub(super) fn workspace() -> WorkspaceId {
    WorkspaceId::try_from("everyone").unwrap()
}

pub(super) fn id(number: u8) -> TodoId {
    TodoId::from_bytes([number; 16])
}

/// A done todo of the first version, whose id is made of `number`.
pub(super) fn todo(number: u8, title: &str) -> Todo {
    let at = |millis| Instant::from_unix_millis(millis).unwrap();
    let alice = Subject::try_from("usr_alice").unwrap();
    Todo::restore(TodoRecord {
        id: id(number),
        workspace: workspace(),
        title: Title::try_from(title).unwrap(),
        description: Description::try_from("two litres").unwrap(),
        completion: Completion::Done { at: at(200) },
        created_at: at(100),
        created_by: alice.clone(),
        updated_at: at(300),
        updated_by: alice,
        version: Version::FIRST,
    })
    .unwrap()
}
