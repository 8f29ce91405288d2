use todo_application::domain::{
    Completion, Due, DueKey, Instant, Sort, TermChange, TodoRecord, Version,
};

use super::*;
use crate::sqlite::fixture::{todo, workspace};
use crate::sqlite::queries::tests::{analyze, assert_searches_in};
use crate::sqlite::{queries, schema, write};

fn assert_plans(connection: &Connection) {
    let by_id = "(workspace=? AND done=? AND id>?)";
    let by = |number: &str| format!("(workspace=? AND done=? AND ({number},id)>(?,?))");
    let mut searches = vec![(FRESH, "fresh_todos (workspace=? AND id>?)".to_owned())];
    for (statements, plan) in [
        (&PLAIN, format!("plain_todos {by_id}")),
        (&OTHER, format!("other_todos {by_id}")),
        (&BY_PRIORITY, format!("other_todos_by_priority {}", by("by_priority"))),
        (&BY_DUE, format!("due_todos {}", by("by_due"))),
        (&BY_UPDATE, format!("changed_todos {}", by("by_update"))),
    ] {
        searches.extend(statements.map(|sql| (sql, plan.clone())));
    }
    let not_due = "other_todos_by_priority (workspace=? AND done=? AND by_priority=? AND id>?)";
    searches.extend(NOT_DUE.as_flattened().iter().map(|sql| (*sql, not_due.to_owned())));
    for (sql, plan) in searches {
        assert_searches_in(connection, "todos", &[(sql, &format!("COVERING INDEX {plan}"))]);
    }
}

#[test]
fn every_query_seeks_in_an_index_and_sorts_nothing() {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::migrate(&mut connection, 0).unwrap();
    assert_plans(&connection);
    analyze(&connection);
    assert_plans(&connection);
}

#[test]
fn the_numbers_of_what_is_not_due_are_those_of_the_order() {
    let priorities = [Priority::Urgent, Priority::High, Priority::Low];
    for (statements, priority) in NOT_DUE.iter().zip(priorities) {
        let number = Order::of_priority(priority) + Order::due(None);
        for sql in statements {
            assert!(sql.contains(&format!("by_priority = {number} ")), "{sql}");
        }
    }
}

/// Every mixture of todos, among them many of one millisecond, as [`Sort`] orders them.
#[test]
fn pages_are_in_their_order() {
    for seed in 0..8 {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection, 0).unwrap();
        let mut random = fastrand::Rng::with_seed(seed);
        let todos: Vec<_> = (0..120).map(|_| any_todo(&mut random)).collect();
        for todo in &todos {
            assert!(write::insert_new(&connection, todo, &TermChange::default()).unwrap());
        }
        let fresh = "SELECT count(*) FROM todos WHERE fresh = 1";
        let fresh: i64 = connection.query_row(fresh, [], |row| row.get(0)).unwrap();
        assert!((10..110).contains(&fresh), "{fresh} fresh");

        for completed in [None, Some(false), Some(true)] {
            let filter = Filter { completed };
            let wanted = todos
                .iter()
                .filter(|todo| completed.is_none_or(|it| todo.completion().is_done() == it));
            let wanted: Vec<_> = wanted.cloned().collect();
            for limit in [1, 3, 7, 50, 200] {
                let list = |after: Option<&Todo>| {
                    let after = after.map(Todo::id);
                    queries::list(&connection, &workspace(), filter, after, limit).unwrap()
                };
                assert_pages(&wanted, Sort::Created, limit, list);
                for order in Order::ALL {
                    let list = |after: Option<&Todo>| {
                        let after = after.map(|todo| Sort::By(order).place(todo));
                        let after = after.unwrap_or(Place::START);
                        list_by(&connection, &workspace(), order, filter, after, limit).unwrap()
                    };
                    assert_pages(&wanted, Sort::By(order), limit, list);
                }
            }
            // Between two numbers, as a filter begins.
            for _ in 0..100 {
                let order = random.choice(Order::ALL).unwrap();
                let sort = Sort::By(order);
                let number = random.choice(&todos).map_or(0, |todo| order.key(todo));
                let after = Place::before(number + random.i64(-1..=1));
                let found = list_by(&connection, &workspace(), order, filter, after, 5).unwrap();
                let mut rest = wanted.clone();
                rest.retain(|todo| sort.place(todo) > after);
                rest.sort_by_key(|todo| sort.place(todo));
                rest.truncate(5);
                assert_eq!(found, rest, "{order:?} after {after:?}");
            }
        }
    }
}

fn assert_pages(
    wanted: &[Todo],
    sort: Sort,
    limit: usize,
    page_after: impl Fn(Option<&Todo>) -> Vec<Todo>,
) {
    let mut ordered = wanted.to_vec();
    ordered.sort_by_key(|todo| sort.place(todo));
    let mut last = None;
    for page in ordered.chunks(limit) {
        assert_eq!(page_after(last), page, "{sort:?}, {limit}");
        last = page.last();
    }
    assert_eq!(page_after(last), [], "{sort:?}, {limit}");
}

fn any_todo(random: &mut fastrand::Rng) -> Todo {
    let at = |millis| Instant::from_unix_millis(millis).unwrap();
    let mostly = |random: &mut fastrand::Rng| random.u8(..) < 160;
    let created = random.i64(1..=6) * random.i64(1..=6);
    let time = if mostly(random) { created } else { random.i64(0..40) };
    // Of version 7.
    let id = ((random.u128(..) & !(0xf << 76)) | (7 << 76)) << 48 >> 48;
    let id = id | (u128::from(time.unsigned_abs()) << 80);
    let updated = created + if mostly(random) { 0 } else { random.i64(0..9) };
    let is_done = !mostly(random);
    let due = random.i64(20_000..20_004) * 100_000_000;
    Todo::restore(TodoRecord {
        id: TodoId::from_bytes(id.to_be_bytes()),
        completion: if is_done { Completion::Done { at: at(updated) } } else { Completion::Open },
        due: (!mostly(random)).then(|| Due::restore(DueKey::from_i64(due), None).unwrap()),
        priority: if mostly(random) {
            Priority::Normal
        } else {
            Priority::from_rank(random.i64(0..4)).unwrap()
        },
        created_at: at(created),
        updated_at: at(updated),
        version: Version::FIRST,
        ..todo(1, "Buy milk").into_record()
    })
    .unwrap()
}
