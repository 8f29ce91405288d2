//! What the tests of this adapter share.

use std::fs;
use std::path::{Path, PathBuf};
#[cfg(target_os = "linux")]
use std::thread;

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

    /// The pages that a checkpoint has yet to bring into the database file.
    pub(super) fn log(&self) -> PathBuf {
        self.0.path().join("todos.db-wal")
    }

    /// The place as the next process would find it if this one were killed now.
    pub(super) fn after_a_crash(&self) -> Self {
        let later = Self::new();
        for (from, to) in [(self.file(), later.file()), (self.log(), later.log())] {
            fs::copy(from, to).unwrap();
        }
        later
    }

    /// The database as another program sees it.
    pub(super) fn shell(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }
}

/// Does something where `fsync` of this file fails, as it does when the disk is broken.
#[cfg(target_os = "linux")]
pub(super) fn without_sync<T: Send>(file: &Path, act: impl FnOnce() -> T + Send) -> T {
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, apply_filter,
    };

    let descriptors = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap());
    let of_the_file =
        descriptors.filter(|entry| fs::read_link(entry.path()).is_ok_and(|it| it == file));
    let rules: Vec<SeccompRule> = of_the_file
        .map(|entry| {
            let number = entry.file_name().to_str().unwrap().parse().unwrap();
            let is_it = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, number)
                .unwrap();
            SeccompRule::new(vec![is_it]).unwrap()
        })
        .collect();
    assert!(!rules.is_empty(), "{} is not open", file.display());
    let filter = SeccompFilter::new(
        [libc::SYS_fsync, libc::SYS_fdatasync].map(|call| (call, rules.clone())).into(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EIO.cast_unsigned()),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let filter: BpfProgram = filter.unwrap().try_into().unwrap();
    // It is for the thread that asks for it, and stays with it to its end.
    let sick = || {
        apply_filter(&filter).unwrap();
        act()
    };
    thread::scope(|scope| scope.spawn(sick).join().unwrap())
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
