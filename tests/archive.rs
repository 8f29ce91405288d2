//! Export and import: todos survive the way between all storages unchanged.
#![expect(clippy::unwrap_used, reason = "tests panic on failure")]

#[path = "archive/history.rs"]
mod history;

use std::future::pending;
use std::io::Cursor;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use todo_adapter_storage::{
    MemoryTodoRepository, PostgresSnapshot, PostgresTodoRepository, SqliteSnapshot,
    SqliteTodoLoader, SqliteTodoRepository,
};
use todo_application::archive::{Tally, import};
use todo_application::domain::{
    Completion, Description, Instant, Labels, Priority, Subject, Title, Todo, TodoId, TodoRecord,
    Version, WorkspaceId,
};
use todo_application::ports::{Batch, Filter, TodoLoader, TodoSnapshot};
use todo_mcp::archive::{ImportError, LineSource, SourceError, export, summary};
use todo_tests::{Permitted as _, due, operator, todo_record, workspace};
use tokio::runtime::Runtime;

async fn exported(mut snapshot: impl TodoSnapshot) -> String {
    let mut bytes = Vec::new();
    export(&operator(), &mut snapshot, &mut bytes, false, |_| ()).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn imported(text: &str, loader: &dyn TodoLoader) -> (Tally, Result<(), ImportError>) {
    let mut tally = Tally::default();
    let imported = match LineSource::open(Cursor::new(text.to_owned()), pending()).await {
        Ok(mut source) => {
            import(&operator(), &mut source, loader, None, &mut tally, |_, _| ()).await
        }
        Err(error) => Err(ImportError::Source(error)),
    };
    (tally, imported)
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("todos.db")
    }
}

async fn exported_from(file: &Path) -> String {
    exported(SqliteSnapshot::open(file).unwrap()).await
}

prop_compose! {
    /// Any todo with texts that the domain accepts.
    fn any_todo()(
        key in any::<String>().prop_filter_map("no key", |text| {
            WorkspaceId::try_from(text.as_str()).ok()
        }),
        id in any::<[u8; 16]>(),
        title in any::<String>().prop_filter_map("no title", |text| Title::restore(&text).ok()),
        description in any::<String>().prop_filter_map("no description", |text| {
            Description::try_from(text.as_str()).ok()
        }),
        subjects in [(); 2].map(|()| any::<String>().prop_filter_map("no subject", |text| {
            Subject::try_from(text.as_str()).ok()
        })),
        mut instants in [(); 3].map(|()| 0..253_402_207_199_999_i64),
        done in any::<bool>(),
        (due, priority, labels) in todo_tests::any_due_priority_labels(),
        version in 1..=i64::MAX,
    ) -> Todo {
        instants.sort_unstable();
        let [created_at, at, updated_at] =
            instants.map(|millis| Instant::from_unix_millis(millis).unwrap());
        let [created_by, updated_by] = subjects;
        Todo::restore(TodoRecord {
            id: TodoId::from_bytes(id),
            workspace: key,
            title,
            description,
            completion: if done { Completion::Done { at } } else { Completion::Open },
            due,
            priority,
            labels,
            created_at,
            created_by,
            updated_at,
            updated_by,
            version: Version::try_from(version).unwrap(),
        })
        .unwrap()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn todos_survive_a_round_trip_from_memory_to_sqlite(
        todos in proptest::collection::vec(any_todo(), 0..20)
    ) {
        runtime().block_on(async {
            let from = MemoryTodoRepository::default();
            let added = from.load(&operator(), todos.clone(), None).await.unwrap().len() as u64;
            let text = exported(from.snapshot()).await;
            prop_assert!(!text.contains(['\u{2028}', '\u{2029}']), "a line has one end");

            let place = Place::new();
            let sqlite = SqliteTodoLoader::open(&place.file()).unwrap();
            let (tally, outcome) = imported(&text, &sqlite).await;
            prop_assert!(outcome.is_ok());
            prop_assert_eq!(tally, Tally { added, ..Tally::default() });
            prop_assert_eq!(&exported_from(&place.file()).await, &text);

            let back = MemoryTodoRepository::default();
            imported(&exported_from(&place.file()).await, &back).await.1.unwrap();
            prop_assert_eq!(&exported(back.snapshot()).await, &text);
            let mut stored = Vec::new();
            let mut snapshot = back.snapshot();
            while let [todo] = &snapshot.next_page(&operator(), NonZeroUsize::MIN).await.unwrap()[..] {
                stored.push(todo.clone());
            }
            prop_assert!(todos.iter().all(|todo| stored.contains(todo)));
            Ok(())
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    #[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
    fn todos_survive_the_way_from_memory_to_postgresql(
        todos in proptest::collection::vec(any_todo(), 0..20)
    ) {
        let server = todo_tests::postgres::shared();
        runtime().block_on(async {
            let from = MemoryTodoRepository::default();
            from.load(&operator(), todos, None).await.unwrap();
            let text = exported(from.snapshot()).await;

            let url = server.fresh().await.parse().unwrap();
            let postgres = PostgresTodoRepository::open(&url).await.unwrap();
            imported(&text, &postgres).await.1.unwrap();
            let stored = exported(PostgresSnapshot::open(&url).await.unwrap()).await;
            prop_assert_eq!(stored, text);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_todo_is_exported_as_one_line_with_all_its_fields() {
    let store = MemoryTodoRepository::default();
    let id = "0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b".parse().unwrap();
    let key = |text| WorkspaceId::try_from(text).unwrap();
    let record = todo_record(&key("personal:org_1:usr_alice"), id);
    let done = TodoRecord {
        description: Description::try_from("two \"litres\"\n").unwrap(),
        completion: Completion::Done { at: record.created_at },
        due: Some(due("2026-12-24T17:30", Some("Europe/Berlin"))),
        priority: Priority::High,
        labels: Labels::from_lines(Some("Tax\nküche")).unwrap(),
        updated_by: Subject::try_from("usr_bob").unwrap(),
        version: Version::FIRST.next(),
        ..record.clone()
    };
    let done = TodoRecord { workspace: key("everyone"), ..done };
    let todos = [record, done].map(|record| Todo::restore(record).unwrap());
    store.load(&operator(), todos.to_vec(), None).await.unwrap();
    assert_eq!(
        exported(store.snapshot()).await,
        r#"{"format":"todo-mcp","version":2,"todos":2}
{"workspace":"everyone","id":"0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b","title":"Buy milk","description":"two \"litres\"\n","completed_at":"2026-11-22T09:33:20.007Z","due":"2026-12-24T17:30","time_zone":"Europe/Berlin","priority":"high","labels":["Tax","küche"],"created_at":"2026-11-22T09:33:20.007Z","created_by":"usr_alice","updated_at":"2026-11-22T09:33:20.007Z","updated_by":"usr_bob","version":2}
{"workspace":"personal:org_1:usr_alice","id":"0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b","title":"Buy milk","description":null,"completed_at":null,"due":null,"time_zone":null,"priority":"normal","labels":[],"created_at":"2026-11-22T09:33:20.007Z","created_by":"usr_alice","updated_at":"2026-11-22T09:33:20.007Z","updated_by":"usr_alice","version":1}
"#
    );
}

/// The format is stable: a new program reads old exports.
#[tokio::test]
async fn an_export_of_version_1_is_imported_and_one_without_a_field_of_its_version_is_not() {
    const LINE: &str = r#""workspace":"everyone","id":"0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b","title":"Buy milk","description":null,"completed_at":null,"created_at":"2026-11-22T09:33:20.007Z","created_by":"usr_alice","updated_at":"2026-11-22T09:33:20.007Z","updated_by":"usr_alice","version":1"#;
    const FIELDS: [&str; 4] =
        [r#""due":null"#, r#""time_zone":null"#, r#""priority":"low""#, r#""labels":[]"#];
    let import = async |version: u32, fields: &[&str]| {
        let line = [&[LINE], fields].concat().join(",");
        let text = format!("{{\"format\":\"todo-mcp\",\"version\":{version}}}\n{{{line}}}\n");
        let store = MemoryTodoRepository::default();
        let (tally, outcome) = imported(&text, &store).await;
        (tally.added, outcome.map_err(|error| error.to_string()))
    };
    assert_eq!(import(1, &[]).await, (1, Ok(())));
    assert_eq!(import(2, &FIELDS).await, (1, Ok(())));
    assert_eq!(import(3, &FIELDS).await, (1, Ok(())));
    for (version, fields, expected) in [
        (1, &FIELDS[..1], "line 2: unknown field `due`"),
        (1, &FIELDS[3..], "line 2: unknown field `labels`"),
        (2, &FIELDS[1..], "line 2: missing field `due`"),
        (2, &FIELDS[..3], "line 2: missing field `labels`"),
        (4, &FIELDS[..], "line 1: this is version 4 of the format"),
    ] {
        let (added, outcome) = import(version, fields).await;
        let error = outcome.unwrap_err();
        assert!(added == 0 && error.starts_with(expected), "{error}");
    }
    for (due, zone, expected) in [
        (r#""2026-02-29""#, "null", "line 2: `due` 2026-02-29 does not exist"),
        (r#""2026-12-24T17:30""#, "null", "line 2: `due` 2026-12-24T17:30 is a local time"),
        (r#""2026-12-24T17:30Z""#, r#""Europe/Berlin""#, "line 2: `due` is an instant"),
        (r#""2026-12-24T17:30""#, r#""CET""#, "line 2: `time_zone` unknown time zone `CET`"),
    ] {
        let [due, zone] = [format!("\"due\":{due}"), format!("\"time_zone\":{zone}")];
        let error = import(2, &[&due, &zone, FIELDS[2], FIELDS[3]]).await.1.unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn stored_todos_are_exported_and_imported_todos_are_found() {
    let place = Place::new();
    let todo = Todo::restore(todo_record(&workspace("mine"), TodoId::from_bytes([7; 16]))).unwrap();
    let server = SqliteTodoRepository::open(&place.file()).unwrap();
    server.add(&todo).await.unwrap();
    let text = exported_from(&place.file()).await;
    drop(server);

    let place = Place::new();
    imported(&text, &SqliteTodoLoader::open(&place.file()).unwrap()).await.1.unwrap();
    let server = SqliteTodoRepository::open(&place.file()).unwrap();
    let listed = server.list_in(&workspace("mine"), Filter::default(), None, 9).await.unwrap();
    assert_eq!(listed, [todo]);
}

/// An export of `count` todos.
fn lines(todos: impl IntoIterator<Item = u64>) -> Vec<String> {
    let line = |number: u64| {
        let id = TodoId::from_bytes(u128::from(number).to_be_bytes()).to_string();
        json!({
            "workspace": "mine", "id": id, "title": format!("Todo {number}"), "description": null,
            "completed_at": null, "created_at": "2026-11-22T09:33:20.007Z", "created_by": "usr_1",
            "updated_at": "2026-11-22T09:33:20.007Z", "updated_by": "usr_1", "version": 1,
        })
    };
    let header = json!({ "format": "todo-mcp", "version": 1 });
    [header].into_iter().chain(todos.into_iter().map(line)).map(|it| it.to_string()).collect()
}

#[tokio::test]
async fn an_import_counts_added_existing_and_different_todos() {
    let store = MemoryTodoRepository::default();
    imported(&lines(0..600).join("\n"), &store).await.1.unwrap();
    let again = lines(0..1300).join("\n").replace("\"Todo 7\"", "\"Changed\"");
    let (tally, outcome) = imported(&again.replace("\"Todo 550\"", "\"Changed\""), &store).await;
    outcome.unwrap();
    let first_different = Some(9);
    let expected =
        Tally { added: 700, same: 598, different: 2, first_different, ..Tally::default() };
    assert_eq!(tally, expected);
    assert_eq!(
        summary(&tally),
        "Imported 700 todos; 598 already existed; 2 exist with other content and stay as they are \
         (the first in line 9)"
    );
}

#[tokio::test]
async fn everything_before_an_invalid_line_is_imported() {
    for bad in [0, 1, Batch::MAX - 1, Batch::MAX, Batch::MAX + 1] {
        let store = MemoryTodoRepository::default();
        let mut lines = lines(0..8_100);
        lines[bad + 1] = "{}".to_owned();
        let (tally, outcome) = imported(&lines.join("\n"), &store).await;
        let number = bad as u64 + 2;
        assert!(
            matches!(outcome, Err(ImportError::Source(SourceError::Line { number: line, .. })) if line == number),
            "{outcome:?}"
        );
        assert_eq!(tally.added, bad as u64);
        assert_eq!(store.snapshot().count(), bad as u64);
    }
}

#[tokio::test]
async fn blank_lines_and_crlf_are_accepted_and_lines_are_numbered_as_in_an_editor() {
    let store = MemoryTodoRepository::default();
    let text = format!("\r\n{}\r\n  \n", lines(0..3).join("\r\n\r\n"));
    let (tally, outcome) = imported(&text, &store).await;
    outcome.unwrap();
    assert_eq!(tally.added, 3);
    let (_, outcome) = imported(&format!("{text}nonsense"), &store).await;
    assert!(
        matches!(outcome, Err(ImportError::Source(SourceError::Line { number: 10, .. }))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_byte_order_mark_is_ignored() {
    let store = MemoryTodoRepository::default();
    let text = format!("\u{feff}{}", lines(0..3).join("\n"));
    let (tally, outcome) = imported(&text, &store).await;
    outcome.unwrap();
    assert_eq!(tally.added, 3);
}

/// The text in UTF-16 and UTF-32, in both byte orders, with and without a byte order mark.
fn wide(text: &str) -> [(Vec<u8>, &'static str); 8] {
    let marked = format!("\u{feff}{text}");
    let two = || marked.encode_utf16();
    let four = || marked.chars().map(u32::from);
    let [little, big] = [
        two().flat_map(u16::to_le_bytes).collect(),
        two().flat_map(u16::to_be_bytes).collect::<Vec<u8>>(),
    ];
    let [wide_little, wide_big] = [
        four().flat_map(u32::to_le_bytes).collect(),
        four().flat_map(u32::to_be_bytes).collect::<Vec<u8>>(),
    ];
    let without = |bytes: &Vec<u8>, mark: usize| bytes[mark..].to_vec();
    [
        (without(&little, 2), "UTF-16"),
        (without(&big, 2), "UTF-16"),
        (without(&wide_little, 4), "UTF-32"),
        (without(&wide_big, 4), "UTF-32"),
        (little, "UTF-16"),
        (big, "UTF-16"),
        (wide_little, "UTF-32"),
        (wide_big, "UTF-32"),
    ]
}

/// A tar archive with one file, as far as it matters.
fn tar(text: &str) -> Vec<u8> {
    let mut archive = vec![0; 512];
    archive[..11].copy_from_slice(b"todos.jsonl");
    archive[257..262].copy_from_slice(b"ustar");
    archive.extend_from_slice(text.as_bytes());
    archive
}

#[tokio::test]
async fn a_file_that_is_no_export_is_named_with_the_remedy() {
    let text = lines(0..3).join("\n");
    let array = format!("[{}]", lines(0..3000)[1..].join(","));
    let others: [(&[u8], &str); _] = [
        (b"\x1f\x8b\x08\0\0", "compressed with gzip: decompress it"),
        (b"\x28\xb5\x2f\xfd\x04", "compressed with zstd: decompress it"),
        (b"\xfd7zXZ\0\0\x04", "compressed with xz: decompress it"),
        (b"BZh91AY&SY", "compressed with bzip2: decompress it"),
        (b"\x04\x22\x4d\x18\x64", "compressed with lz4: decompress it"),
        (b"PK\x03\x04\x14", "a zip archive: unpack it"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "a 7z archive: unpack it"),
        (&tar(&text), "a tar archive: unpack it"),
        (b"SQLite format 3\0\x10\0", "an SQLite database: use `todo-mcp restore`"),
        (b"PGDMP\x01\x10", "a PostgreSQL dump: use `pg_restore`"),
        (b"id,title,description\n1,Buy milk,", "CSV or a similar table: "),
        ("\u{feff}\"id\";\"title\"\n1;Buy milk".as_bytes(), "CSV or a similar table: "),
        (b"title,caf\xe9\n", "CSV or a similar table: "),
        (array.as_bytes(), "a JSON array: "),
        (b"<!doctype html>\n", "HTML or XML: "),
        (b"\x7fELF\x02\x01\x01\0\0", "not text: "),
        (&[0; 4096], "not text: "),
        (b"{\"caf\xe9\":1}\n", "not encoded in UTF-8: convert it, as with `iconv -f WINDOWS-1252"),
    ];
    let wide = wide(&text);
    let wide = wide.iter().map(|(bytes, named)| (bytes.as_slice(), *named));
    for (bytes, named) in others.into_iter().chain(wide) {
        let (from, mut stop) = (Cursor::new(bytes.to_vec()), pending());
        let opened = LineSource::open(from, &mut stop).await;
        let message = opened.map(drop).unwrap_err().to_string();
        let sentence = format!("line 1: the file is {named}");
        let sentence = sentence.replace("UTF-16", "encoded in UTF-16: convert it to UTF-8");
        let sentence = sentence.replace("UTF-32", "encoded in UTF-32: convert it to UTF-8");
        assert!(message.starts_with(&sentence), "{sentence} in {message}");
    }
    let headless = lines(0..3)[1..].join("\n");
    let (tally, outcome) = imported(&headless, &MemoryTodoRepository::default()).await;
    let message = outcome.unwrap_err().to_string();
    assert!(message.contains("is missing: put it before the todos"), "{message}");
    assert_eq!(tally, Tally::default());
}

#[tokio::test]
async fn a_later_line_in_another_encoding_is_named_with_the_remedy() {
    let text = lines(0..3).join("\n").replace("Todo 1", "Caf\u{e9}");
    let latin = text.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
    let cut = text.as_bytes()[..=text.find('\u{e9}').unwrap()].to_vec();
    for (bytes, named) in [
        (latin, "line 3: the file is not encoded in UTF-8: convert it, as with `iconv "),
        (cut, "line 3: it ends in the middle of a character: is the file complete?"),
    ] {
        let (store, mut tally) = (MemoryTodoRepository::default(), Tally::default());
        let mut source =
            LineSource::open(Cursor::new(Vec::clone(&bytes)), pending()).await.unwrap();
        let outcome = import(&operator(), &mut source, &store, None, &mut tally, |_, _| ()).await;
        let message = outcome.unwrap_err().to_string();
        assert!(message.starts_with(named), "{message}");
        assert_eq!(tally.added, 1);
    }
}

#[tokio::test]
async fn a_truncated_export_is_rejected() {
    let store = MemoryTodoRepository::default();
    let header = r#"{"format":"todo-mcp","version":1,"todos":4}"#.to_owned();
    let whole = [&[header], &lines(0..3)[1..]].concat().join("\n");
    let (tally, outcome) = imported(&whole, &store).await;
    let incomplete = matches!(outcome, Err(ImportError::Incomplete { announced: 4, found: 3 }));
    assert!(incomplete, "{outcome:?}");
    assert_eq!(tally.added, 3);
}

#[tokio::test]
async fn an_interrupted_import_can_be_resumed() {
    let store = MemoryTodoRepository::default();
    let text = lines(0..10).join("\n");
    let stopped = LineSource::open(Cursor::new(text.clone()), std::future::ready(())).await;
    assert!(matches!(stopped, Err(SourceError::Stopped)));

    let mut tally = Tally::default();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopped = async { stopped.await.unwrap_or_default() };
    let mut source = LineSource::open(Cursor::new(text.clone()), stopped).await.unwrap();
    drop(stop);
    let stopped = import(&operator(), &mut source, &store, None, &mut tally, |_, _| ()).await;
    assert!(matches!(stopped, Err(ImportError::Source(SourceError::Stopped))), "{stopped:?}");
    assert_eq!(tally, Tally::default());
    assert_eq!(imported(&text, &store).await.0.added, 10);
}

#[tokio::test]
async fn progress_is_reported_up_to_the_last_todo() {
    let store = MemoryTodoRepository::default();
    let mut seen = Vec::new();
    let mut tally = Tally::default();
    let from = Cursor::new(lines(0..8_200).join("\n"));
    let progress = |done, total| seen.push((done, total));
    let mut source = LineSource::open(from, pending()).await.unwrap();
    import(&operator(), &mut source, &store, None, &mut tally, progress).await.unwrap();
    assert_eq!(seen, [(8_000, None), (8_200, None)]);

    let mut seen = Vec::new();
    let (mut snapshot, mut bytes) = (store.snapshot(), Vec::new());
    export(&operator(), &mut snapshot, &mut bytes, false, |done| seen.push(done)).await.unwrap();
    assert_eq!(seen, (500..=8_000).step_by(500).chain([8_200]).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_of_long_todos_is_small() {
    let store = MemoryTodoRepository::default();
    let mut seen = Vec::new();
    let long = format!(r#""description":"{}""#, "x".repeat(16 * 1024));
    let text = lines(0..130).join("\n").replace(r#""description":null"#, &long);
    let mut source = LineSource::open(Cursor::new(text), pending()).await.unwrap();
    let progress = |done, _| seen.push(done);
    let mut tally = Tally::default();
    import(&operator(), &mut source, &store, None, &mut tally, progress).await.unwrap();
    assert_eq!(seen, [64, 128, 130]);
}

/// The rules for titles are younger than some stored titles.
#[tokio::test]
async fn a_title_that_is_no_longer_valid_can_still_be_moved() {
    let store = MemoryTodoRepository::default();
    let mut lines = lines([1]);
    let mut todo: Value = serde_json::from_str(&lines[1]).unwrap();
    todo["title"] = json!("\u{202e}klim\u{2028}yuB");
    lines[1] = todo.to_string();
    imported(&lines.join("\n"), &store).await.1.unwrap();
    // U+2028 does not end the line of the export.
    assert!(exported(store.snapshot()).await.contains("\u{202e}klim\\u2028yuB"));
}
