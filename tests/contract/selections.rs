//! The lists of the use case, with every filter and sort, as each store answers them.

#[path = "writers.rs"]
mod writers;

use std::collections::BTreeSet;
use std::iter;

use todo_adapter_storage::InProcessChangeFeed;
use todo_application::domain::{
    ClientId, DueFilter, Instant, Now, Order, Organization, Permission, Permissions, Place,
    Priority, Sharing, Sort, Subject, TimeZone, Title,
};
use todo_application::ports::Principal;
use todo_application::{ListError, Page, PageSize, Selection, Todos};
use todo_tests::{ManualClock, SequentialIds, due};

use super::*;
pub(super) use writers::{
    a_list_is_paged_while_others_write_at_once, a_list_is_paged_while_others_write_between_pages,
    a_list_shows_what_is_completed_meanwhile_exactly_once,
    a_search_shows_what_changes_within_its_words_exactly_once,
};

const SORTS: [Sort; 4] =
    [Sort::Created, Sort::By(Order::Due), Sort::By(Order::Priority), Sort::By(Order::Updated)];

const DUES: [Option<DueFilter>; 6] = [
    None,
    Some(DueFilter::Overdue),
    Some(DueFilter::Today),
    Some(DueFilter::Week),
    Some(DueFilter::Any),
    Some(DueFilter::None),
];

pub(super) struct Alice {
    subject: Subject,
    organization: Organization,
}

impl Alice {
    pub(super) fn new() -> Self {
        let subject = Subject::try_from("usr_alice").unwrap();
        Self { subject, organization: Organization::try_from("mine").unwrap() }
    }
}

impl Principal for Alice {
    fn subject(&self) -> &Subject {
        &self.subject
    }
    fn organization(&self) -> Option<&Organization> {
        Some(&self.organization)
    }
    fn client(&self) -> Option<&ClientId> {
        None
    }
    fn permissions(&self) -> Permissions {
        Permissions::from_iter(Permission::ALL)
    }
    fn time_zone(&self) -> Option<&TimeZone> {
        None
    }
    fn expires_at(&self) -> Instant {
        Instant::MAX
    }
}

/// 2026-12-24T10:00:00Z, which is midnight in Kiritimati.
fn now() -> Instant {
    Instant::from_unix_millis(1_798_106_400_000).unwrap()
}

fn kiritimati() -> TimeZone {
    TimeZone::try_from("Pacific/Kiritimati").unwrap()
}

pub(super) fn todos(repository: Arc<dyn TodoRepository>) -> Todos {
    let clock = Arc::new(ManualClock::at(now()));
    let feed = Arc::new(InProcessChangeFeed::default());
    Todos::new(repository, feed, clock, Arc::new(SequentialIds::default()), Sharing::Organization)
        .with_time_zone(Some(kiritimati()))
}

/// A todo that differs from its neighbours in every field that lists look at.
fn varied(number: u32) -> Todo {
    let dues = [
        None,
        Some(due("2026-12-23", None)),
        Some(due("2026-12-24", None)),
        Some(due("2026-12-25", None)),
        Some(due("2026-12-24T09:59Z", None)),
        Some(due("2026-12-24T23:30", Some("Etc/GMT+12"))),
        Some(due("2027-01-01", None)),
        Some(due("2027-02-01T08:00", Some("Europe/Berlin"))),
    ];
    let record = todo_record(&workspace("mine"), id(number));
    let at = |more: u32| {
        Instant::from_unix_millis(record.created_at.as_unix_millis() + i64::from(more)).unwrap()
    };
    let completion =
        if number.is_multiple_of(5) { Completion::Done { at: at(0) } } else { Completion::Open };
    restore(TodoRecord {
        due: dues[number as usize * 7 % dues.len()].clone(),
        priority: Priority::ALL[number as usize * 3 % 4],
        completion,
        updated_at: at(number * 13 % 11),
        ..record
    })
}

/// What the list is by definition.
pub(super) fn expected(all: &[Todo], selection: &Selection) -> Vec<TodoId> {
    let Selection { completed, due, priority, label, query, sort, time_zone: _ } = selection;
    let now = Now::new(now(), kiritimati());
    let condition = due.map(|due| due.at(Some(&now)).unwrap());
    let completed = completed.or(due.is_some_and(DueFilter::is_about_open_todos).then_some(false));
    let mut selected: Vec<&Todo> = all
        .iter()
        .filter(|todo| completed.is_none_or(|done| done == todo.completion().is_done()))
        .filter(|todo| condition.as_ref().is_none_or(|due| due.is_met(todo.due())))
        .filter(|todo| priority.is_none_or(|priority| priority == todo.priority()))
        .filter(|todo| label.as_ref().is_none_or(|label| todo.labels().contains(label)))
        .filter(|todo| query.as_ref().is_none_or(|query| query.matches(todo)))
        .collect();
    selected.sort_by_key(|todo| sort.place(todo));
    selected.into_iter().map(Todo::id).collect()
}

pub(super) async fn all_pages(todos: &Todos, selection: &Selection, size: i64) -> Vec<TodoId> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let size = PageSize::try_from(size).unwrap();
        let page = todos.list(&Alice::new(), selection, size, cursor).await.unwrap();
        ids.extend(page.todos.iter().map(Todo::id));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return ids,
        }
    }
}

fn every_selection() -> impl Iterator<Item = Selection> {
    let priorities = iter::once(None).chain(Priority::ALL.map(Some));
    priorities.flat_map(|priority| {
        SORTS.into_iter().flat_map(move |sort| {
            DUES.into_iter().flat_map(move |due| {
                [None, Some(false), Some(true)].map(|completed| Selection {
                    completed,
                    due,
                    priority,
                    sort,
                    ..Selection::default()
                })
            })
        })
    })
}

pub(super) async fn every_selection_is_paged_as_it_is_defined(repository: Arc<dyn TodoRepository>) {
    let all: Vec<Todo> = (1..40).map(varied).collect();
    for todo in &all {
        repository.add(todo).await.unwrap();
    }
    let todos = todos(repository);
    for selection in every_selection() {
        let expected = expected(&all, &selection);
        for size in [7, 200] {
            assert_eq!(all_pages(&todos, &selection, size).await, expected, "{selection:?} {size}");
        }
    }
}

/// Todos are added, removed and changed in fields that do not decide on their place.
pub(super) async fn paging_a_sorted_list_shows_what_stays_in_its_place_exactly_once(
    repository: Arc<dyn TodoRepository>,
) {
    let staying: Vec<Todo> = (1..30).map(varied).collect();
    for todo in &staying {
        repository.add(todo).await.unwrap();
    }
    let todos = todos(Arc::clone(&repository));
    let mut next = 1_000;
    let mut versions = vec![Version::FIRST; staying.len()];
    for sort in [Sort::By(Order::Due), Sort::By(Order::Priority), Sort::By(Order::Updated)] {
        let selection = Selection { sort, ..Selection::default() };
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let size = PageSize::try_from(4).unwrap();
            let page = todos.list(&Alice::new(), &selection, size, cursor).await.unwrap();
            seen.extend(page.todos.iter().map(Todo::id).filter(|id| *id < super::id(1_000)));
            let Some(cursor_of_next) = page.next else { break };
            cursor = Some(cursor_of_next);
            for number in next..next + 3 {
                repository.add(&varied(number)).await.unwrap();
            }
            let gone = super::id(next + 1);
            assert!(repository.remove_from(&workspace("mine"), gone, None).await.unwrap());
            next += 3;
            let changed = seen.len() % staying.len();
            let title = Title::try_from(format!("changed {next}").as_str()).unwrap();
            let record = TodoRecord {
                title,
                version: versions[changed].next(),
                ..staying[changed].record().clone()
            };
            repository.replace(&restore(record), versions[changed]).await.unwrap();
            versions[changed] = versions[changed].next();
        }
        let distinct: BTreeSet<&TodoId> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (staying.len(), staying.len()), "{sort:?}");
    }
}

/// A page of one has room for no other.
pub(super) async fn a_todo_that_is_removed_leaves_every_order(repository: Arc<dyn TodoRepository>) {
    let (first, second) = (varied(1), varied(2));
    for order in Order::ALL {
        for (removed, left) in [(&first, &second), (&second, &first)] {
            repository.add(&first).await.unwrap();
            repository.add(&second).await.unwrap();
            assert!(repository.remove_from(&workspace("mine"), removed.id(), None).await.unwrap());
            for completed in [None, Some(false), Some(true)] {
                let filter = Filter { completed };
                let page =
                    repository.list_in_by(&workspace("mine"), order, filter, Place::START, 1).await;
                let is_listed = completed.is_none_or(|done| left.completion().is_done() == done);
                let expected = if is_listed { vec![left.clone()] } else { vec![] };
                assert_eq!(page.unwrap(), expected, "{order:?}");
            }
            assert!(repository.remove_from(&workspace("mine"), left.id(), None).await.unwrap());
        }
    }
}

async fn first_page(todos: &Todos, selection: &Selection) -> Page {
    todos.list(&Alice::new(), selection, PageSize::default(), None).await.unwrap()
}

#[tokio::test]
async fn the_only_match_in_a_long_list_is_on_the_first_page() {
    let (repository, ()) = memory_store().await;
    let far = due("2027-06-01", None);
    for number in 1..=10_000 {
        let record = todo_record(&workspace("mine"), id(number));
        repository.add(&restore(TodoRecord { due: Some(far.clone()), ..record })).await.unwrap();
    }
    let last = TodoRecord {
        due: Some(due("2026-12-23", None)),
        priority: Priority::High,
        ..todo_record(&workspace("mine"), id(20_000))
    };
    repository.add(&restore(last)).await.unwrap();
    let none = TodoRecord { due: None, ..todo_record(&workspace("mine"), id(20_001)) };
    repository.add(&restore(none)).await.unwrap();
    let todos = todos(repository);
    for sort in SORTS {
        for (due, priority, number) in [
            (Some(DueFilter::Overdue), None, 20_000),
            (Some(DueFilter::Week), None, 20_000),
            (None, Some(Priority::High), 20_000),
            (Some(DueFilter::None), None, 20_001),
        ] {
            let selection = Selection { due, priority, sort, ..Selection::default() };
            let page = first_page(&todos, &selection).await;
            assert_eq!(numbers(&page.todos), [number], "{selection:?}");
            assert_eq!(page.next, None);
        }
    }
}

/// Nothing that is kept leads to the todos of this list, which are done, so it is read piece by piece.
#[tokio::test]
async fn a_page_that_had_to_stop_early_has_a_cursor_and_may_be_empty() {
    let (repository, ()) = memory_store().await;
    let later = due("2026-12-25T23:00", Some("Pacific/Kiritimati"));
    for number in 1..=5_000 {
        let record = todo_record(&workspace("mine"), id(number));
        let overdue = number == 4_000;
        let due = if overdue { due("2026-12-23", None) } else { later.clone() };
        let completion = Completion::Done { at: record.created_at };
        let record = TodoRecord { due: Some(due), completion, ..record };
        repository.add(&restore(record)).await.unwrap();
    }
    let todos = todos(repository);
    let (due, completed) = (Some(DueFilter::Overdue), Some(true));
    let selection = Selection { due, completed, ..Selection::default() };
    let page = first_page(&todos, &selection).await;
    assert!(page.todos.is_empty() && page.next.is_some());
    assert_eq!(page.as_of.map(|now| now.today().to_string()), Some("2026-12-25".to_owned()));
    assert_eq!(all_pages(&todos, &selection, 50).await, [id(4_000)]);
    // Along this order it is first.
    let by_due = Selection { sort: Sort::By(Order::Due), ..selection };
    assert_eq!(numbers(&first_page(&todos, &by_due).await.todos), [4_000]);
}

#[tokio::test]
async fn a_filter_by_days_needs_a_time_zone() {
    let (repository, ()) = memory_store().await;
    let todos = todos(repository).with_time_zone(None);
    for due in DUES.into_iter().flatten() {
        let selection = Selection { due: Some(due), ..Selection::default() };
        let listed = todos.list(&Alice::new(), &selection, PageSize::default(), None).await;
        let needs_one = due.is_about_open_todos();
        assert_eq!(matches!(listed, Err(ListError::NoTimeZone)), needs_one, "{due:?}");
        let somewhere = Selection { time_zone: Some(kiritimati()), ..selection };
        let page = first_page(&todos, &somewhere).await;
        assert_eq!(page.as_of.map(|now| now.weekday().name()), Some("Friday"));
    }
    assert_eq!(first_page(&todos, &Selection::default()).await.as_of, None);
}
