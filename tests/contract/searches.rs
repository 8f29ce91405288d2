//! Searches by words and labels, as the port and the use case answer them.

use std::collections::BTreeSet;
use std::{iter, slice};

use todo_application::domain::{
    Completion, Day, Description, Due, DueCondition, Instant, Label, LabelKey, Labels, Now, Order,
    Query, Sort, Term, TermRange, TimeZone, Title,
};
use todo_application::ports::IdsByTerm;
use todo_application::{PageSize, Selection};
use todo_tests::{due, read_permit};

use super::selections::{Alice, all_pages, expected, todos};
use super::*;

fn text(number: u32, title: &str, description: &str, labels: &[&str]) -> Todo {
    let labels = labels.iter().map(|label| Label::try_from(*label).unwrap());
    restore(TodoRecord {
        title: Title::try_from(title).unwrap(),
        description: Description::try_from(description).unwrap(),
        labels: Labels::try_from(labels.collect::<Vec<_>>()).unwrap(),
        ..todo_record(&workspace("mine"), id(number))
    })
}

fn label(text: &str) -> LabelKey {
    Label::try_from(text).unwrap().key()
}

fn query(text: &str) -> Query {
    Query::try_from(text).unwrap()
}

async fn ids(
    repository: &dyn TodoRepository,
    word: &str,
    after: Option<u32>,
    limit: usize,
) -> (Vec<u32>, Option<u32>) {
    let (permit, range) = (read_permit(&workspace("mine")), TermRange::of_word(word));
    let found = repository
        .ids_by_term(&permit, slice::from_ref(&range), after.map(id), limit)
        .await
        .unwrap();
    let IdsByTerm { ids, through } = found.unwrap();
    let number = |id: &TodoId| u32::try_from(id.as_uuid().as_u128()).unwrap();
    (ids.iter().map(number).collect(), through.as_ref().map(number))
}

async fn terms(repository: &dyn TodoRepository, range: &TermRange, limit: usize) -> Vec<String> {
    let terms = repository.terms(&read_permit(&workspace("mine")), range, limit).await.unwrap();
    terms.iter().map(|term| term.as_str().to_owned()).collect()
}

/// "The ids after `after` of the todos that have a term of a range."
pub(super) async fn ids_are_looked_up_by_the_terms_of_a_range(repository: Arc<dyn TodoRepository>) {
    for todo in [
        text(1, "Tax return", "", &[]),
        text(2, "Buy a taxi", "tax-free", &[]),
        text(3, "x", "Büro: TÀXES", &[]),
        text(4, "y", "", &["Tax"]),
        text(5, "ta x", "", &["taxonomy"]),
        text(6, "ta", "", &[]),
    ] {
        repository.add(&todo).await.unwrap();
    }
    let yours =
        TodoRecord { workspace: workspace("yours"), ..text(9, "tax", "", &[]).into_record() };
    repository.add(&restore(yours)).await.unwrap();
    let repository = &*repository;
    assert_eq!(ids(repository, "tax", None, 9).await, (vec![1, 2, 3, 4, 5], None));
    assert_eq!(ids(repository, "tax", Some(2), 9).await, (vec![3, 4, 5], None));
    assert_eq!(ids(repository, "tax", Some(5), 9).await, (vec![], None));
    assert_eq!(ids(repository, "ta", None, 9).await, (vec![1, 2, 3, 4, 5, 6], None));
    assert_eq!(ids(repository, "taxo", None, 9).await, (vec![5], None));
    assert_eq!(ids(repository, "buro", None, 9).await, (vec![3], None));
    assert_eq!(ids(repository, "zebra", None, 9).await, (vec![], None));
    let largest = Some(TodoId::from_bytes([0xff; 16]));
    let permit = read_permit(&workspace("mine"));
    let range = TermRange::of_word("tax");
    let found = repository
        .ids_by_term(&permit, slice::from_ref(&range), largest, 9)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, IdsByTerm { ids: vec![], through: None });
}

/// "At most `limit`": following `through` shows all, each once.
pub(super) async fn ids_of_a_range_can_be_followed_to_the_end(repository: Arc<dyn TodoRepository>) {
    for number in 1..=60 {
        let title = match number % 3 {
            0 => "sun",
            1 => "sunday",
            _ => "sunset sunday",
        };
        repository.add(&text(number, title, "", &[])).await.unwrap();
    }
    for word in ["sun", "sund", "sunset"] {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (found, through) = ids(&*repository, word, after, 10).await;
            assert!(found.len() <= 10, "{word} {found:?}");
            all.extend(found);
            after = through;
            if after.is_none() {
                break;
            }
        }
        let expected: Vec<u32> = (1..=60)
            .filter(|number| match word {
                "sun" => true,
                "sund" => number % 3 > 0,
                _ => number % 3 == 2,
            })
            .collect();
        assert_eq!(all, expected, "{word}");
    }
}

/// "The first ids": of a term that has many first, more than its share, and of others that have few later.
pub(super) async fn a_frequent_term_is_read_on_where_others_begin_later(
    repository: Arc<dyn TodoRepository>,
) {
    for (numbers, title) in [
        (1..=30, "sun"),
        (31..=31, "sunday"),
        (32..=32, "sunset"),
        // Twice each, as both words are found.
        (41..=70, "star start"),
        (71..=72, "stare"),
    ] {
        for number in numbers {
            repository.add(&text(number, title, "", &[])).await.unwrap();
        }
    }
    let found = ids(&*repository, "sun", None, 10).await;
    assert_eq!(found, ((1..=10).collect(), Some(10)));
    let found = ids(&*repository, "sun", Some(25), 10).await;
    assert_eq!(found, ((26..=32).collect(), None));
    let found = ids(&*repository, "star", None, 20).await;
    assert_eq!(found, ((41..=50).collect(), Some(50)));
    let found = ids(&*repository, "star", Some(60), 21).await;
    assert_eq!(found, ((61..=71).collect(), Some(71)));
}

/// "The ids after `after` of the todos that have a term of a range", and "at most `limit`", of the ranges of what is due
/// before a day: up to 24 terms of days, and those of each 256 days before.
pub(super) async fn ids_of_what_is_due_are_looked_up_before_any_day(
    repository: Arc<dyn TodoRepository>,
) {
    // The first of 256 days that have a term together, and how far back todos are due.
    let first = Day::new(2026, 10, 10).unwrap();
    let [utc, behind] = ["UTC", "Etc/GMT+12"].map(|zone| TimeZone::try_from(zone).unwrap());
    for (name, days) in [("mine", 300), ("yours", 600), ("theirs", 1_500)] {
        let workspace = workspace(name);
        let todos: Vec<_> = (1..=90_u32)
            .map(|number| {
                let back = if number % 3 == 0 { number * 37 % days } else { number % 40 };
                let day = first.plus(250 - back.cast_signed());
                let due = match number % 5 {
                    0 => due(&format!("{day}T00:30"), Some("Pacific/Kiritimati")),
                    _ => Due::Day(day),
                };
                let record = todo_record(&workspace, id(number));
                let at = record.created_at;
                let is_done = number.is_multiple_of(7);
                let completion = if is_done { Completion::Done { at } } else { Completion::Open };
                restore(TodoRecord { due: Some(due), completion, ..record })
            })
            .collect();
        for todo in &todos {
            repository.add(todo).await.unwrap();
        }
        for after in [0, 1, 3, 4, 15, 16, 37, 70, 110, 150, 190, 239, 251, 255] {
            let by_day = DueCondition::By(first.plus(after - 1), utc.clone());
            // 23:30 in the zone that is behind all others: times of two days more may have passed elsewhere.
            let now =
                due(&format!("{}T23:30", first.plus(after)), Some("Etc/GMT+12")).at().unwrap();
            let overdue = DueCondition::Overdue(Now::new(now, behind.clone()));
            let cases = [by_day, overdue].into_iter().flat_map(|condition| {
                [Some(false), Some(true), None].map(|completed| (condition.clone(), completed))
            });
            for (condition, completed) in cases {
                let ranges = TermRange::of_due(&condition, completed).unwrap();
                let has_one = |todo: &&Todo| {
                    let terms = Term::all_of(todo);
                    let is_in = |term| ranges.iter().any(|range| range.bounds().contains(&term));
                    terms.iter().any(is_in)
                };
                let expected: Vec<_> = todos.iter().filter(has_one).map(Todo::id).collect();
                let (mut found, mut last) = (Vec::new(), None);
                loop {
                    let part = repository
                        .ids_by_term(&read_permit(&workspace), &ranges, last, 8)
                        .await
                        .unwrap()
                        .unwrap();
                    assert!(part.ids.len() <= 8 && part.ids.is_sorted(), "{part:?}");
                    found.extend(part.ids);
                    last = part.through;
                    if last.is_none() {
                        break;
                    }
                }
                assert_eq!(found, expected, "{name} {condition:?} {completed:?}");
            }
        }
    }
}

/// "`None` if it has more than `IdsByTerm::MAX_TERMS`."
pub(super) async fn a_range_of_too_many_terms_is_not_looked_up(
    repository: Arc<dyn TodoRepository>,
) {
    let permit = read_permit(&workspace("mine"));
    let range = TermRange::of_word("a");
    for number in 1..=65 {
        repository.add(&text(number, &format!("a{number}"), "", &[])).await.unwrap();
        let found =
            repository.ids_by_term(&permit, slice::from_ref(&range), None, 200).await.unwrap();
        assert_eq!(found.is_some(), number <= 64, "{number}");
        if let Some(found) = found {
            assert_eq!(found.through, None);
            assert_eq!(found.ids.len(), number as usize);
        }
    }
}

/// "The first terms of a range that todos have, each once, sorted."
pub(super) async fn the_terms_of_a_range_are_listed_once(repository: Arc<dyn TodoRepository>) {
    for (number, labels) in
        [&["Büro", "home"][..], &["buro"], &["HOME", "Bär"], &["büro"]].into_iter().enumerate()
    {
        let number = u32::try_from(number).unwrap() + 1;
        repository.add(&text(number, "Büro", "a büro", labels)).await.unwrap();
    }
    let repository = &*repository;
    let labels = async |typed: &str, limit| {
        let terms = terms(repository, &TermRange::of_labels(typed), limit).await;
        let label = |term: &String| Term::from(term.as_str()).label().unwrap().to_string();
        terms.iter().map(label).collect::<Vec<_>>()
    };
    // By their keys, in which an umlaut is a mark after its letter.
    assert_eq!(labels("", 9).await, ["Bär", "buro", "Büro", "büro", "HOME", "home"]);
    assert_eq!(labels("", 2).await, ["Bär", "buro"]);
    assert_eq!(labels("BÜ", 9).await, ["Büro", "büro"]);
    assert_eq!(labels("x", 9).await, [""; 0]);
    assert_eq!(terms(repository, &TermRange::of_word("b"), 9).await, ["bar", "buro"]);
}

/// "Those of the todos that exist, each once, in the order of their ids."
pub(super) async fn all_todos_of_a_set_are_found(repository: Arc<dyn TodoRepository>) {
    let [first, second] = [text(1, "a", "", &[]), text(2, "b", "", &[])];
    repository.add(&second).await.unwrap();
    repository.add(&first).await.unwrap();
    repository.add(&todo("yours", 3)).await.unwrap();
    let permit = read_permit(&workspace("mine"));
    let found = repository.find_all(&permit, &[2, 9, 1, 2, 3].map(id)).await.unwrap();
    assert_eq!(found, [first, second]);
    assert_eq!(repository.find_all(&permit, &[]).await.unwrap(), []);
}

/// A store keeps the terms of a todo in the transaction of each write.
pub(super) async fn a_changed_todo_is_found_by_what_it_says_now(
    repository: Arc<dyn TodoRepository>,
) {
    let first = text(1, "buy milk", "soon", &["Home"]);
    repository.add(&first).await.unwrap();
    let todos = todos(Arc::clone(&repository));
    let found = async |selection: Selection| all_pages(&todos, &selection, 9).await.len();
    let by_word = async |word: &str| {
        found(Selection { query: Some(query(word)), ..Selection::default() }).await
    };
    let by_label =
        async |it: &str| found(Selection { label: Some(label(it)), ..Selection::default() }).await;
    let record = TodoRecord {
        version: version(2),
        ..text(1, "sell milk", "", &["HOME", "x"]).into_record()
    };
    let stale = repository.replace(&restore(record.clone()), version(7)).await;
    assert!(matches!(stale, Err(ChangeError::Stale)));
    assert_eq!((by_word("sell").await, by_word("buy").await, by_word("soon").await), (0, 1, 1));
    repository.replace(&restore(record.clone()), Version::FIRST).await.unwrap();
    assert_eq!((by_word("sell").await, by_word("buy").await, by_word("soon").await), (1, 0, 0));
    assert_eq!((by_word("milk").await, by_label("home").await, by_label("X").await), (1, 1, 1));
    // Without a change of texts.
    let done = marked(&restore(record), true);
    repository.replace(&done, version(2)).await.unwrap();
    assert_eq!((by_word("sell").await, by_label("home").await), (1, 1));
    let stale = repository.remove_from(&workspace("mine"), id(1), Some(version(2))).await;
    assert!(matches!(stale, Err(RemoveError::Stale)));
    assert_eq!(by_word("sell").await, 1);
    assert!(repository.remove_from(&workspace("mine"), id(1), None).await.unwrap());
    assert_eq!((by_word("sell").await, by_label("home").await), (0, 0));
    assert_eq!(terms(&*repository, &TermRange::of_labels(""), 9).await, [""; 0]);
    assert_eq!(terms(&*repository, &TermRange::of_word("s"), 9).await, [""; 0]);
    // Nothing is left behind that would be in the way.
    repository.add(&first).await.unwrap();
    assert_eq!((by_word("buy").await, by_label("home").await), (1, 1));
    let request = creations::request("k", 1_000_000);
    repository.add_once(&text(2, "a request", "", &["once"]), &request).await.unwrap();
    assert_eq!((by_word("req").await, by_label("once").await), (1, 1));
}

/// A todo with words and labels that others have too.
fn wordy(number: u32) -> Todo {
    let pick = |words: &[&'static str], step: u32| words[(number * step) as usize % words.len()];
    let title = format!(
        "{} {}",
        pick(&["Buy", "sell", "Bürgeramt:", "buyer", "買牛乳"], 1),
        pick(&["milk", "Milky way", "bread", "e-mail", "3.14", "straße"], 7)
    );
    let labels = [pick(&["Home", "work", "HOME", "tax return"], 3), pick(&["work", "b", "c"], 5)];
    let record = text(number, &title, pick(&["", "by Friday", "MILK, urgently"], 2), &labels);
    let mut record = record.into_record();
    let at = record.created_at.as_unix_millis() + i64::from(number * 13 % 11);
    record.updated_at = Instant::from_unix_millis(at).unwrap();
    if number.is_multiple_of(4) {
        record.completion = Completion::Done { at: record.created_at };
    }
    restore(record)
}

pub(super) async fn every_search_is_paged_as_it_is_defined(repository: Arc<dyn TodoRepository>) {
    let all: Vec<Todo> = (1..60).map(wordy).collect();
    for todo in &all {
        repository.add(todo).await.unwrap();
    }
    let todos = todos(repository);
    let queries = [
        "milk",
        "b",
        "BUY mil",
        "牛",
        "mail e",
        "way friday",
        "strasse",
        "home",
        "none",
        "urg tax w",
    ];
    let queries = iter::once(None).chain(queries.map(|it| Some(query(it))));
    let labels = [None, Some("home"), Some("Tax Return"), Some("b"), Some("nothing")];
    let sorts = [Sort::Created, Sort::By(Order::Due), Sort::By(Order::Updated)];
    for query in queries {
        for label in labels.map(|it| it.map(label)) {
            for (sort, completed) in sorts
                .into_iter()
                .flat_map(|it| [None, Some(false), Some(true)].map(|done| (it, done)))
            {
                let selection = Selection {
                    completed,
                    label: label.clone(),
                    query: query.clone(),
                    sort,
                    ..Selection::default()
                };
                let expected = expected(&all, &selection);
                for size in [3, 200] {
                    let found = all_pages(&todos, &selection, size).await;
                    assert_eq!(found, expected, "{selection:?} {size}");
                }
            }
        }
    }
}

/// Todos that match are added, removed and changed between the pages.
pub(super) async fn paging_a_search_shows_what_stays_exactly_once(
    repository: Arc<dyn TodoRepository>,
) {
    let staying: Vec<Todo> =
        (1..40).map(|number| text(number * 10, "sunny day", "", &["a"])).collect();
    for todo in &staying {
        repository.add(todo).await.unwrap();
    }
    let todos = todos(Arc::clone(&repository));
    let selection = Selection {
        query: Some(query("sun day")),
        label: Some(label("A")),
        ..Selection::default()
    };
    let (mut seen, mut cursor, mut round) = (Vec::new(), None, 0);
    loop {
        let size = PageSize::try_from(5).unwrap();
        let page = todos.list(&Alice::new(), &selection, size, cursor).await.unwrap();
        seen.extend(page.todos.iter().map(Todo::id));
        let Some(next) = page.next else { break };
        cursor = Some(next);
        for number in [round * 50 + 3, round * 50 + 98, round * 50 + 1_003] {
            repository.add(&text(number, "day of sun", "", &["a"])).await.unwrap();
        }
        let gone = id(round * 50 + 98);
        assert!(repository.remove_from(&workspace("mine"), gone, None).await.unwrap());
        round += 1;
    }
    let distinct: BTreeSet<TodoId> = seen.iter().copied().collect();
    assert_eq!(distinct.len(), seen.len());
    assert!(staying.iter().all(|todo| distinct.contains(&todo.id())));
}

#[tokio::test]
async fn the_only_match_in_a_long_list_is_on_the_first_page_and_no_search_reads_all() {
    let (repository, ()) = memory_store().await;
    let words = ["buy", "sell", "call", "write", "read"];
    for number in 1..=10_000_u32 {
        let title = format!("{} something n{number}", words[number as usize % 5]);
        let labels: &[&str] = if number.is_multiple_of(2) { &["even"] } else { &["odd"] };
        repository.add(&text(number, &title, "", labels)).await.unwrap();
    }
    repository.add(&text(20_000, "buy a unicorn now", "", &["Rare"])).await.unwrap();
    let todos = todos(repository);
    let sorts =
        [Sort::Created, Sort::By(Order::Due), Sort::By(Order::Priority), Sort::By(Order::Updated)];
    let list = async |selection: &Selection, size: i64| {
        let size = PageSize::try_from(size).unwrap();
        todos.list(&Alice::new(), selection, size, None).await.unwrap()
    };
    for sort in sorts {
        for (words, of_label) in [
            (Some("unicorn"), None),
            (Some("uni"), None),
            (Some("buy unic"), None),
            (Some("a unicorn b"), None),
            (Some("n unicorn"), None),
            (None, Some("rare")),
            (Some("b"), Some("rare")),
        ] {
            let (query, label) = (words.map(query), of_label.map(label));
            let selection = Selection { query, label, sort, ..Selection::default() };
            let page = list(&selection, 50).await;
            let found: Vec<TodoId> = page.todos.iter().map(Todo::id).collect();
            assert_eq!(found, [id(20_000)], "{selection:?}");
            assert_eq!(page.next, None, "{selection:?}");
        }
        // Common words fill a page.
        for (words, of_label) in
            [("buy", None), ("some wri", None), ("n", None), ("n12", None), ("some", Some("even"))]
        {
            let (query, label) = (Some(query(words)), of_label.map(label));
            let selection = Selection { query, label, sort, ..Selection::default() };
            let page = list(&selection, 50).await;
            assert_eq!(page.todos.len(), 50, "{selection:?}");
            assert!(page.next.is_some());
        }
    }
    // Words that are common, and hardly ever together: a short page with a cursor, and in the end all.
    let selection = Selection {
        query: Some(query("sell n10000")),
        completed: Some(true),
        ..Selection::default()
    };
    assert_eq!(all_pages(&todos, &selection, 50).await, []);
}
