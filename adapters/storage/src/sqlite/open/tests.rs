use std::{fs, slice};

use rusqlite::{Connection, params_from_iter};
use todo_application::domain::{
    Change, ChangeNumber, Completion, Day, Due, Instant, Priority, Recorded, Term, TermChange,
    TermRange, Todo, TodoId, TodoRecord,
};
use todo_application::ports::{Direction, Filter, Span, TodoHistory as _, TodoRepository as _};

use super::*;
use crate::sqlite::fixture::{Place, read_permit, todo, write_permit};
use crate::sqlite::{SqliteTodoLoader, SqliteTodoRepository, row, write};

fn problem(path: &Path) -> OpenProblem {
    SqliteTodoRepository::open(path).err().unwrap().problem
}

#[test]
fn a_problem_is_one_sentence_with_the_path_and_what_to_do() {
    let place = Place::new();
    let file = place.directory().join("missing/todos.db");
    let error = SqliteTodoRepository::open(&file).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "{} is in a directory that does not exist: create it, or set DATABASE_URL to another \
             file",
            file.display()
        )
    );
}

#[test]
fn a_missing_directory_is_not_created() {
    let place = Place::new();
    let below = |name: &str| place.directory().join(name).join("todos.db");
    assert!(matches!(problem(&below("missing")), OpenProblem::DirectoryMissing));
    assert!(!place.directory().join("missing").exists());

    fs::write(place.directory().join("file"), "").unwrap();
    assert!(matches!(problem(&below("file")), OpenProblem::DirectoryMissing));
}

#[test]
fn a_directory_is_not_a_database() {
    let place = Place::new();
    assert!(matches!(problem(place.directory()), OpenProblem::NotAFile));
    assert!(matches!(problem(Path::new("/")), OpenProblem::NotAFile));
}

#[cfg(unix)]
#[test]
fn an_open_that_fails_creates_nothing() {
    let text = |place: &Place| fs::write(place.file(), "Dear diary, ".repeat(1000)).unwrap();
    let foreign = |place: &Place| {
        place.shell().execute_batch("PRAGMA application_id = 7; CREATE TABLE t (c)").unwrap();
    };
    let restoring = |place: &Place| {
        fs::write(lock::path(&place.file()), "restoring\n").unwrap();
    };
    // Where SQLite needs a file for the index of the log.
    let blocked = |place: &Place| {
        fs::create_dir(lock::beside(&place.file(), "-shm")).unwrap();
    };
    let prepare: [&dyn Fn(&Place); 4] = [&text, &foreign, &restoring, &blocked];
    for prepare in prepare {
        let place = Place::new();
        prepare(&place);
        let before = names(&place);
        problem(&place.file());
        assert_eq!(names(&place), before);
        SqliteTodoLoader::open(&place.file()).err().unwrap();
        assert_eq!(names(&place), before);
    }
    // What existed stays.
    let place = Place::new();
    drop(place.open());
    blocked(&place);
    let before = names(&place);
    problem(&place.file());
    assert!(names(&place).is_superset(&before));
}

#[cfg(unix)]
fn names(place: &Place) -> std::collections::BTreeSet<std::ffi::OsString> {
    fs::read_dir(place.directory()).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_that_does_not_exist_is_named() {
    let place = Place::new();
    std::os::unix::fs::symlink("elsewhere.db", place.file()).unwrap();
    assert!(matches!(problem(&place.file()), OpenProblem::BrokenLink));
    assert_eq!(names(&place).len(), 1);
    fs::write(place.directory().join("elsewhere.db"), "").unwrap();
    drop(place.open());
}

#[test]
fn another_kind_of_file_is_left_unchanged() {
    let place = Place::new();
    let text = "Dear diary, ".repeat(1000);
    fs::write(place.file(), &text).unwrap();
    assert!(matches!(problem(&place.file()), OpenProblem::NotADatabase));
    assert_eq!(fs::read_to_string(place.file()).unwrap(), text);
}

#[test]
fn a_database_of_another_application_is_left_unchanged() {
    for theirs in [
        "CREATE TABLE todos (id INTEGER PRIMARY KEY)",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 1",
    ] {
        let place = Place::new();
        place.shell().execute_batch(theirs).unwrap();
        let before = fs::read(place.file()).unwrap();
        assert!(matches!(problem(&place.file()), OpenProblem::Foreign), "{theirs}");
        assert_eq!(fs::read(place.file()).unwrap(), before, "{theirs}");
    }
}

#[test]
fn an_empty_file_becomes_a_database() {
    let place = Place::new();
    fs::write(place.file(), "").unwrap();
    assert!(SqliteTodoRepository::open(&place.file()).is_ok());
}

#[test]
fn a_database_with_a_newer_schema_is_rejected() {
    let place = Place::new();
    drop(place.open());
    place.shell().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(
        problem(&place.file()),
        OpenProblem::NewerSchema { found: 99, known: schema::CURRENT }
    ));
}

#[tokio::test]
async fn a_database_with_an_older_schema_is_migrated_with_all_its_todos() {
    for schema in 1..=MIGRATIONS.len() {
        let place = Place::new();
        let shell = database_of(&place, &MIGRATIONS[..schema]);
        let insert = "INSERT INTO todos (workspace, id, title, description, completed_at, created_at, \
                                         created_by, updated_at, updated_by, version) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let todo = todo(1, "Buy milk");
        // Without due date, priority and labels.
        let values: Vec<_> = row::values(&todo).into_iter().collect();
        let values = values.iter().take(5).chain(&values[9..14]);
        shell.execute(insert, params_from_iter(values)).unwrap();
        if schema >= 5 {
            let head = "INSERT INTO heads VALUES ('everyone', 1, 18, 3, NULL)";
            let of_later = "INSERT INTO heads (workspace, todos, bytes, latest) \
                            VALUES ('everyone', 1, 18, 3)";
            shell.execute(if schema >= 9 { of_later } else { head }, []).unwrap();
        }
        let mut record = todo.into_record();
        if schema >= 6 {
            record.priority = Priority::Urgent;
            record.due = Some(Due::Day(Day::new(2026, 12, 24).unwrap()));
            let due = record.due.as_ref().map(|due| due.key().as_i64());
            shell.execute("UPDATE todos SET priority = 3, due = ?1", [due]).unwrap();
        }
        let todo = Todo::restore(record).unwrap();
        if schema >= 8 {
            let add = "INSERT INTO terms VALUES (?1, ?2, ?3)";
            let mut of_state = if schema >= 10 { Term::of_state(&todo) } else { vec![] };
            // Schema 12 adds those of four days.
            of_state.retain(|term| !term.as_str().starts_with("+o2"));
            for term in Term::of_texts(&todo).into_iter().chain(of_state) {
                let id = todo.id();
                let key = (todo.workspace().as_str(), term.as_str(), id.as_uuid().as_bytes());
                shell.execute(add, key).unwrap();
            }
        }
        drop(shell);

        let repository = place.open();
        for completed in [None, Some(true)] {
            let filter = Filter { completed };
            let listed = repository.list(&read_permit(), filter, None, 9).await.unwrap();
            assert_eq!(listed, slice::from_ref(&todo), "schema {schema}");
        }
        let range = TermRange::of_word("mil");
        let found = repository
            .ids_by_term(&read_permit(), slice::from_ref(&range), None, 9)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.ids, [todo.id()], "schema {schema}");
        let span =
            Span { direction: Direction::Back(None), todo: None, deletions: false, limit: 9 };
        let history = repository.changes(&read_permit(), &span).await.unwrap();
        let baseline = |recorded: &Recorded| Change::baseline(&todo, recorded.change.at);
        let baselines: Vec<_> = history.changes.iter().map(baseline).collect();
        let changes: Vec<_> = history.changes.iter().map(|it| it.change.clone()).collect();
        assert_eq!(changes, baselines, "schema {schema}");
        // Schema 9 has the table, and so no baseline is missing.
        let numbers: Vec<_> = history.changes.iter().map(|it| it.number.as_i64()).collect();
        assert_eq!(numbers, if schema >= 9 { vec![] } else { vec![1] }, "schema {schema}");
        let latest = if schema >= 5 { 3 } else { 1 };
        assert_eq!(history.latest, ChangeNumber::new(latest).unwrap(), "schema {schema}");
        drop(repository);
        let shell = place.shell();
        let stored: Vec<String> = shell
            .prepare("SELECT term FROM terms ORDER BY term")
            .and_then(|mut terms| terms.query_map([], |row| row.get(0))?.collect())
            .unwrap();
        let terms = Term::all_of(&todo);
        assert!(stored.iter().map(String::as_str).eq(terms.iter().map(Term::as_str)), "{stored:?}");
        let schema = shell.pragma_query_value(None, "user_version", |row| row.get(0));
        assert_eq!(schema, Ok(schema::CURRENT));
    }
}

/// A database of todo-mcp with the first migrations.
fn database_of(place: &Place, migrations: &[&str]) -> Connection {
    let shell = place.shell();
    for migration in migrations {
        shell.execute_batch(migration).unwrap();
    }
    shell.pragma_update(None, "application_id", i32::from_be_bytes(*b"todo")).unwrap();
    shell.pragma_update(None, "user_version", i32::try_from(migrations.len()).unwrap()).unwrap();
    shell
}

/// Those before the current schema.
const MIGRATIONS: [&str; 11] = [
    include_str!("../migrations/0001_todos.sql"),
    include_str!("../migrations/0002_creations.sql"),
    include_str!("../migrations/0003_whole_todos_by_done.sql"),
    include_str!("../migrations/0004_creations_by_caller.sql"),
    include_str!("../migrations/0005_heads.sql"),
    include_str!("../migrations/0006_due_priority_labels.sql"),
    include_str!("../migrations/0007_orders.sql"),
    include_str!("../migrations/0008_terms.sql"),
    include_str!("../migrations/0009_changes.sql"),
    include_str!("../migrations/0010_whole_todos_by_orders.sql"),
    include_str!("../migrations/0011_fresh_and_plain_todos.sql"),
];

/// As those that are added now.
#[test]
fn todos_of_an_earlier_schema_become_fresh() {
    let fresh = |place: &Place| -> Vec<(String, bool)> {
        let shell = place.shell();
        let mut todos = shell.prepare("SELECT title, fresh FROM todos ORDER BY title").unwrap();
        let todos = todos.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        todos.collect::<Result<_, _>>().unwrap()
    };
    let place = Place::new();
    let shell = database_of(&place, &MIGRATIONS[..10]);
    let minted = TodoId::from_bytes(0x01a2_03c6_a4a7_7e4f_8a5b_6c7d_8e9f_0a1b_u128.to_be_bytes());
    let other = TodoId::from_bytes(0x01a2_03c6_a4a7_4e4f_8a5b_6c7d_8e9f_0a1c_u128.to_be_bytes());
    let at = |millis| Instant::from_unix_millis(millis).unwrap();
    let created = at(minted.unix_millis().unwrap());
    let plain = |title: &str, id| TodoRecord {
        id,
        completion: Completion::Open,
        created_at: created,
        updated_at: created,
        ..todo(1, title).into_record()
    };
    let next = |last: u128| TodoId::from_bytes((minted.as_uuid().as_u128() + last).to_be_bytes());
    let due = Some(Due::Day(Day::new(2026, 12, 24).unwrap()));
    let later = at(created.as_unix_millis() + 1);
    let records = [
        plain("fresh", minted),
        plain("with an id of version 4", other),
        TodoRecord { created_at: later, updated_at: later, ..plain("with an older id", next(2)) },
        TodoRecord { updated_at: later, ..plain("changed", next(3)) },
        TodoRecord { due, ..plain("due", next(4)) },
        TodoRecord { priority: Priority::Low, ..plain("low", next(5)) },
        TodoRecord { completion: Completion::Done { at: created }, ..plain("done", next(6)) },
    ];
    let insert = "INSERT INTO todos (workspace, id, title, description, completed_at, due, due_zone, priority, \
                                     labels, created_at, created_by, updated_at, updated_by, version) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let todos = records.map(|record| Todo::restore(record).unwrap());
    for todo in &todos {
        shell.execute(insert, params_from_iter(row::values(todo).into_iter().take(14))).unwrap();
    }
    drop(shell);
    drop(place.open());
    let migrated = fresh(&place);
    let names = migrated.iter().filter(|(_, is_fresh)| *is_fresh).map(|(title, _)| title);
    assert_eq!(names.collect::<Vec<_>>(), ["fresh"]);

    let place = Place::new();
    drop(place.open());
    let shell = place.shell();
    for todo in &todos {
        assert!(write::insert_new(&shell, todo, &TermChange::default()).unwrap());
    }
    assert_eq!(fresh(&place), migrated);
}

/// The workspace says the organization of the caller, except for that of everyone.
#[test]
fn remembered_requests_are_migrated_to_their_callers() {
    let place = Place::new();
    let shell = database_of(&place, &MIGRATIONS[..3]);
    let insert = "INSERT INTO creations VALUES (?1, ?2, 'k', 7, x'00', 1, 100)";
    let expected = [
        ("personal:org_1:usr_1", "usr_1", "usr_1\norg_1"),
        ("personal:%3A%2541é:usr:é", "usr:é", "usr:é\n:%41é"),
        ("personal::m2m_1", "m2m_1", "m2m_1"),
        ("organization:o:%3A", "usr_1", "usr_1\no:%3A"),
        ("everyone", "usr_1", "usr_1"),
    ];
    for (workspace, subject, _) in expected {
        shell.execute(insert, [workspace, subject]).unwrap();
    }
    drop(shell);

    drop(place.open());
    let caller = "SELECT caller FROM creations WHERE workspace = ?1 AND key = 'k'";
    for (workspace, _, caller_key) in expected {
        let found = place.shell().query_row(caller, [workspace], |row| row.get::<_, String>(0));
        assert_eq!(found.unwrap(), caller_key, "{workspace}");
    }
}

/// Counted from the todos that exist; of their ids, those count that were minted here.
#[test]
fn workspaces_of_every_earlier_schema_get_their_heads() {
    const INSERT: &str = "\
        INSERT INTO todos VALUES (?1, unhex(?2, '-'), ?3, ?4, NULL, 1795340000007, 'me', \
                                  1795340000007, 'me', 1)";
    // Later ones have them.
    for schema in 1..=4 {
        let place = Place::new();
        let shell = database_of(&place, &MIGRATIONS[..schema]);
        // Of version 7, of version 7 a year and a day later, and of version 4.
        let minted = "01a203c6-a4a7-7e4f-8a5b-6c7d8e9f0a1b";
        let ahead = "01a96221-00a7-7e4f-8a5b-6c7d8e9f0a1b";
        let other = "ff000000-7c3d-4e4f-8a5b-6c7d8e9f0a1b";
        for (workspace, id, title, description) in [
            ("mine", minted, "Milch für öl", Some("zwei\nLiter – 😀")),
            ("mine", ahead, "b", None),
            ("mine", other, "c", Some("")),
            ("yours", other, "d", None),
        ] {
            shell.execute(INSERT, (workspace, id, title, description)).unwrap();
        }
        drop(shell);

        drop(place.open());
        let head = |workspace: &str| {
            let head = "SELECT todos, bytes, latest, lower(hex(last_id)) FROM heads \
                        WHERE workspace = ?1";
            let head = place.shell().query_row(head, [workspace], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            });
            head.unwrap()
        };
        let bytes = i64::try_from("Milch für ölzwei\nLiter – 😀bc".len()).unwrap();
        assert_eq!(head("mine"), (3, bytes, 3, minted.replace('-', "")), "schema {schema}");
        assert_eq!(head("yours"), (1, 1, 1, String::new()), "schema {schema}");
    }
}

#[test]
fn migrating_twice_changes_nothing() {
    let place = Place::new();
    let schema = |connection: &Connection| -> (i32, String) {
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
        let tables = "SELECT group_concat(sql) FROM sqlite_schema";
        let tables = connection.query_row(tables, [], |row| row.get(0));
        (version.unwrap(), tables.unwrap())
    };
    drop(place.open());
    let first = schema(&place.shell());
    drop(place.open());
    assert_eq!(schema(&place.shell()), first);
    assert_eq!(first.0, schema::CURRENT);
}

#[test]
fn a_database_is_used_by_one_process_at_a_time() {
    let place = Place::new();
    let repository = place.open();
    assert!(matches!(problem(&place.file()), OpenProblem::InUse));

    drop(repository);
    assert!(SqliteTodoRepository::open(&place.file()).is_ok());
}

#[cfg(unix)]
#[test]
fn a_link_leads_to_the_same_lock() {
    let place = Place::new();
    let _repository = place.open();
    let link = place.directory().join("link.db");
    std::os::unix::fs::symlink(place.file(), &link).unwrap();
    assert!(matches!(problem(&link), OpenProblem::InUse));
}

#[test]
fn a_read_only_file_is_rejected() {
    let place = Place::new();
    drop(place.open());
    let mut permissions = fs::metadata(place.file()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(place.file(), permissions).unwrap();
    assert!(matches!(problem(&place.file()), OpenProblem::NotWritable));
}

#[test]
fn a_damaged_database_is_rejected() {
    let place = Place::new();
    drop(place.open());
    let mut bytes = fs::read(place.file()).unwrap();
    // The first page lists the tables after its header.
    bytes[100..4096].fill(0xff);
    fs::write(place.file(), bytes).unwrap();
    assert!(matches!(problem(&place.file()), OpenProblem::Damaged));
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_accessible_to_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    let repository = place.open();
    repository.insert(&write_permit(), &todo(1, "Buy milk")).await.unwrap();
    for entry in fs::read_dir(place.directory()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[test]
fn a_commit_syncs_to_the_disk_and_a_reader_cannot_write() {
    let place = Place::new();
    drop(place.open());
    let pragma = |connection: &Connection, name: &str| -> String {
        connection
            .query_row(&format!("SELECT CAST((SELECT * FROM pragma_{name}) AS TEXT)"), [], |row| {
                row.get(0)
            })
            .unwrap()
    };
    let mut writer = connect(&place.file()).unwrap();
    prepare(&mut writer).unwrap();
    assert_eq!(pragma(&writer, "journal_mode"), "wal");
    assert_eq!(pragma(&writer, "synchronous"), "2", "FULL");

    let reader = connect_reader(&place.file()).unwrap();
    assert!(reader.execute("DELETE FROM todos", []).is_err());
}

#[test]
fn a_path_beyond_the_limit_of_sqlite_names_the_limit() {
    let place = Place::new();
    let mut directory = place.directory().canonicalize().unwrap();
    while directory.as_os_str().len() < 500 {
        directory.push("d".repeat(90));
    }
    fs::create_dir_all(&directory).unwrap();
    let error = SqliteTodoRepository::open(&directory.join("todos.db")).err().unwrap();
    assert!(matches!(error.problem, OpenProblem::PathTooLong), "{error}");
    // The second one is a valid name, and that of the log would not be.
    for length in [300, 253] {
        let problem = problem(&place.directory().join("n".repeat(length)));
        assert!(matches!(problem, OpenProblem::PathTooLong), "{problem}");
    }
    drop(SqliteTodoRepository::open(&place.directory().join("n".repeat(MAX_NAME))).unwrap());
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn access_of_other_users_to_an_existing_database_is_removed() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new();
    drop(place.open());
    let shell = place.shell();
    shell.pragma_update(None, "user_version", schema::CURRENT).unwrap();
    let files = ["todos.db", "todos.db-wal", "todos.db-shm", "todos.db.lock"];
    let paths = files.map(|name| place.directory().join(name));
    for path in &paths {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let _repository = place.open();
    for path in &paths {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
    }
}
