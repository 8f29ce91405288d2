//! Helpers for the tests of this adapter.

use std::fs;
use std::path::{Path, PathBuf};
#[cfg(target_os = "linux")]
use std::thread;

use rusqlite::Connection;
use tempfile::TempDir;
use todo_application::domain::{
    Caller, Completion, Description, Instant, Labels, OperatorPermit, Permission, Priority,
    ReadAction, ReadPermit, Sharing, Subject, Title, Todo, TodoId, TodoRecord, Version,
    WorkspaceId, WriteAction, WritePermit, authorize_read, authorize_write,
};

use super::repository::SqliteTodoRepository;

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

    /// The write-ahead log.
    pub(super) fn log(&self) -> PathBuf {
        self.0.path().join("todos.db-wal")
    }

    /// A copy of the files as they would be after a crash now.
    pub(super) fn after_a_crash(&self) -> Self {
        let later = Self::new();
        for (from, to) in [(self.file(), later.file()), (self.log(), later.log())] {
            fs::copy(from, to).unwrap();
        }
        later
    }

    /// A connection of another program.
    pub(super) fn shell(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }
}

/// Runs `act` while `fsync` of this file fails, as with a broken disk.
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
    // The filter applies to the thread that installs it, until the thread ends.
    let failing = || {
        apply_filter(&filter).unwrap();
        act()
    };
    thread::scope(|scope| scope.spawn(failing).join().unwrap())
}

pub(super) fn workspace() -> WorkspaceId {
    WorkspaceId::try_from("everyone").unwrap()
}

/// For reading in [`workspace`].
pub(super) fn read_permit() -> ReadPermit {
    authorize_read(Sharing::Everyone, caller(&alice()), ReadAction::List).unwrap()
}

/// For writing in [`workspace`].
pub(super) fn write_permit() -> WritePermit {
    authorize_write(Sharing::Everyone, caller(&alice()), WriteAction::Create).unwrap()
}

/// For export and import.
#[expect(clippy::disallowed_methods, reason = "a test acts for the operator")]
pub(super) fn operator() -> OperatorPermit {
    OperatorPermit::for_the_operator()
}

fn caller(subject: &Subject) -> Caller<'_> {
    let permissions = Permission::ALL.into_iter().collect();
    Caller { subject, organization: None, permissions }
}

fn alice() -> Subject {
    Subject::try_from("usr_alice").unwrap()
}

pub(super) fn id(number: u8) -> TodoId {
    TodoId::from_bytes([number; 16])
}

/// A done todo of version 1.
pub(super) fn todo(number: u8, title: &str) -> Todo {
    let at = |millis| Instant::from_unix_millis(millis).unwrap();
    Todo::restore(TodoRecord {
        id: id(number),
        workspace: workspace(),
        title: Title::try_from(title).unwrap(),
        description: Description::try_from("two litres").unwrap(),
        completion: Completion::Done { at: at(200) },
        due: None,
        priority: Priority::Normal,
        labels: Labels::NONE,
        created_at: at(100),
        created_by: alice(),
        updated_at: at(300),
        updated_by: alice(),
        version: Version::FIRST,
    })
    .unwrap()
}
