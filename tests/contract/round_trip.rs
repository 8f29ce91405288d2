//! An acknowledged write is read back field by field.

use todo_application::domain::{
    Description, Instant, Label, Labels, Organization, Priority, Subject, Title,
};
use todo_tests::due;

use super::*;

/// A stored title that would not be accepted as a new one.
fn title(text: &str) -> Title {
    Title::restore(text).unwrap()
}

fn at(millis: i64) -> Instant {
    Instant::from_unix_millis(millis).unwrap()
}

fn most_labels() -> Labels {
    let lines: Vec<String> = (0..Labels::MAX)
        .map(|number| format!("{number:02}{}", "😀".repeat(Label::MAX_CHARACTERS - 2)))
        .collect();
    Labels::from_lines(Some(&lines.join("\n"))).unwrap()
}

/// Todos with the smallest and largest value of every field.
pub(super) fn extremes() -> Vec<TodoRecord> {
    let plain = |number| todo_record(&workspace("everyone"), id(number));
    let last = at(253_402_207_199_999);
    let widest_title = "𝕏".repeat(Title::MAX_CHARACTERS);
    let longest_description = "ü\n\t".repeat(Description::MAX_BYTES / 4);
    let longest_name = "ü".repeat(Subject::MAX_BYTES / 2);
    let longest_organization = "ü".repeat(Organization::MAX_BYTES / 2);
    let description = |text| Description::try_from(text).unwrap();
    let mut extremes = vec![
        plain(1),
        TodoRecord { description: description(" \r\n"), ..plain(2) },
        TodoRecord { description: description(&longest_description), ..plain(3) },
        TodoRecord {
            completion: Completion::Done { at: at(0) },
            created_at: at(0),
            updated_at: at(0),
            ..plain(4)
        },
        TodoRecord {
            completion: Completion::Done { at: last },
            created_at: at(1),
            updated_at: last,
            ..plain(5)
        },
        TodoRecord { updated_at: at(1_795_340_000_008), ..plain(6) },
        TodoRecord { version: version(i64::MAX), ..plain(7) },
        TodoRecord {
            created_by: Subject::try_from(longest_name.as_str()).unwrap(),
            updated_by: Subject::try_from("'; DROP TABLE todos; --").unwrap(),
            ..plain(8)
        },
        TodoRecord { workspace: workspace(&longest_organization), ..plain(9) },
        TodoRecord { workspace: workspace("o'r%3Ag:\"ü\":😀"), ..plain(10) },
        TodoRecord { id: id(0), ..plain(11) },
        TodoRecord { id: TodoId::from_bytes([0xff; 16]), ..plain(12) },
        TodoRecord { priority: Priority::Low, ..plain(13) },
        TodoRecord { priority: Priority::Urgent, ..plain(14) },
        TodoRecord { labels: most_labels(), ..plain(15) },
        TodoRecord { labels: Labels::from_lines(Some("'; --\n%_\\")).unwrap(), ..plain(16) },
    ];
    let dues = [
        due("1970-01-01", None),
        due("9999-12-31", None),
        due("2026-12-24T00:00", Some("Pacific/Kiritimati")),
        due("2026-03-29T02:30", Some("Europe/Berlin")),
        due("2026-12-24T23:59:59.999", Some("America/Argentina/ComodRivadavia")),
        due("1970-01-01T00:00Z", None),
        due("9999-12-30T21:59:59.999Z", None),
    ];
    extremes.extend(
        (40..).zip(dues).map(|(number, due)| TodoRecord { due: Some(due), ..plain(number) }),
    );
    let titles = [
        widest_title.as_str(),
        "x",
        "it's \"quoted\" `and` \\escaped\\ %s {} ?1 :a $b",
        "שלום, עולם \u{202e}מימין לשמאל\u{202c}",
        "e\u{301} is not é",
        "👩‍👩‍👧‍👦 family \u{feff}\u{200b}\u{ffff}\u{10ffff}",
        "\u{200b}",
        "null",
        "0123",
        "-1.50",
    ];
    extremes.extend((20..).zip(titles).map(|(number, text)| {
        let title = title(text);
        TodoRecord { title, ..plain(number) }
    }));
    extremes
}

pub(super) async fn an_inserted_todo_is_found_unchanged(repository: Arc<dyn TodoRepository>) {
    for record in extremes() {
        let todo = restore(record);
        repository.add(&todo).await.unwrap();
        let found = repository.find_in(todo.workspace(), todo.id()).await.unwrap();
        assert_eq!(found.as_ref(), Some(&todo));

        let listed = repository.list_in(todo.workspace(), BOTH, None, usize::MAX).await.unwrap();
        assert!(listed.contains(&todo), "{todo:?} is not in its list");
    }
}

pub(super) async fn a_saved_todo_is_found_unchanged(repository: Arc<dyn TodoRepository>) {
    for record in extremes() {
        let (key, id) = (record.workspace.clone(), record.id);
        let before = TodoRecord {
            title: title("Something else"),
            description: Description::try_from("Something else").unwrap(),
            completion: Completion::Done { at: at(2) },
            due: Some(due("2026-12-24T17:30", Some("Asia/Tokyo"))),
            priority: Priority::High,
            labels: Labels::from_lines(Some("something\nelse")).unwrap(),
            created_at: at(1),
            updated_at: at(3),
            version: version(41),
            ..todo_record(&key, id)
        };
        repository.add(&restore(before)).await.unwrap();
        let todo = restore(record);
        repository.replace(&todo, version(41)).await.unwrap();
        let found = repository.find_in(&key, id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&todo));
    }
}
