//! Many new todos among several writes: see the documentation of `WriteSet`.

use std::num::NonZeroU64;

use todo_application::domain::{
    ChangeNumber, Description, Instant, Label, Labels, Priority, Quota, Recorded, TermRange,
    WritePermit,
};
use todo_application::ports::{
    ChangeRef, PlannedWrite, TodoWrite, WriteRefusal, WriteSet, WriteSetError, Written,
};
use todo_tests::{due, read_permit};

use super::history::{Remembering, number, permit, renamed};
use super::*;

/// As many as a call may make. They have more terms than that.
const MANY: u32 = 50;

fn new_todo(number: u32) -> Todo {
    let label = Label::try_from(format!("label {number}").as_str()).unwrap();
    restore(TodoRecord {
        title: format!("todo number{number}").as_str().try_into().unwrap(),
        labels: Labels::try_from(vec![label]).unwrap(),
        // What has no value is at other places of each statement than in the one before.
        description: Description::try_from(if number.is_multiple_of(3) { "text" } else { "" })
            .unwrap(),
        due: number.is_multiple_of(7).then(|| due("2026-12-24", None)),
        priority: if number.is_multiple_of(3) { Priority::High } else { Priority::Normal },
        ..todo_record(&workspace("mine"), id(number))
    })
}

fn insert(number: u32) -> TodoWrite {
    TodoWrite::Insert { todo: new_todo(number), request: None }
}

/// Begins with the number 2, and ends with a removal of 3.
fn set(numbers: impl Iterator<Item = u32>) -> WriteSet {
    let save = TodoWrite::Save { before: new_todo(1), after: renamed(&new_todo(1), "renamed") };
    let writes = [insert(2), insert(3), save, TodoWrite::Remove(new_todo(3))];
    let writes = writes.into_iter().chain(numbers.map(insert));
    WriteSet {
        writes: writes.map(|write| PlannedWrite { write, undoes: None }).collect(),
        at: Instant::from_unix_millis(1_795_340_000_100).unwrap(),
        is_batch: true,
        call: None,
        is_trial: false,
    }
}

async fn stored(store: &Arc<impl Remembering>) -> Vec<Todo> {
    let both = Filter { completed: None };
    store.list(&read_permit(&workspace("mine")), both, None, 1_000).await.unwrap()
}

async fn found(store: &Arc<impl Remembering>, range: TermRange) -> Vec<TodoId> {
    let permit = read_permit(&workspace("mine"));
    store.ids_by_term(&permit, &[range], None, 1_000).await.unwrap().unwrap().ids
}

/// Each is as if it had been added alone: its terms, its change, its place among the others.
pub(super) async fn many_new_todos_are_added_together(store: Arc<impl Remembering>) {
    for permit in [permit("mine"), permit("mine").remembering(false)] {
        let first = if permit.remembers() { 100 } else { 200 };
        let numbers = first..first + MANY;
        let before = stored(&store).await;
        let plain: Vec<_> = numbers.clone().rev().map(insert).collect();
        let planned = plain.into_iter().map(|write| PlannedWrite { write, undoes: None });
        let made = WriteSet { writes: planned.collect(), ..set(0..0) };
        let Written::Now(at) = store.write_all(&permit, &made).await.unwrap() else { panic!() };
        let expected = before.into_iter().chain(numbers.clone().map(new_todo));
        assert_eq!(stored(&store).await, expected.collect::<Vec<_>>());
        for it in numbers.clone() {
            assert_eq!(found(&store, TermRange::of_word(&format!("number{it}"))).await, [id(it)]);
            let label = Label::try_from(format!("label {it}").as_str()).unwrap();
            assert_eq!(found(&store, TermRange::of_label(&label.key())).await, [id(it)]);
        }
        let recorded = store.find_changes(&permit, ChangeRef::Batch(at)).await.unwrap();
        assert_eq!(recorded, changes(&permit, &made, at));
    }
    let high = TermRange::of_priority(Priority::High, None).unwrap().remove(0);
    let multiples_of_3 = (100..150).chain(200..250).filter(|it| it % 3 == 0);
    assert_eq!(found(&store, high).await.len(), multiples_of_3.count());
}

fn changes(permit: &WritePermit, set: &WriteSet, first: ChangeNumber) -> Vec<Recorded> {
    let recorded = |(number, planned): (i64, &PlannedWrite)| Recorded {
        number: ChangeNumber::new(number).unwrap(),
        change: planned.write.change(permit, set.at),
        batch: Some(first),
        undoes: None,
        undone_by: None,
    };
    let numbered = (first.as_i64()..).zip(&set.writes);
    numbered.filter(|_| permit.remembers()).map(recorded).collect()
}

/// The place of the first one that is refused is known, and then none is made.
pub(super) async fn of_many_new_todos_all_are_added_or_none(store: Arc<impl Remembering>) {
    let limit = Quota { todos: NonZeroU64::new(40), bytes: None };
    let permit = permit("mine").within(limit);
    store.insert(&permit, &new_todo(1)).await.unwrap();
    let before = stored(&store).await;
    for taken in [100, 101, 108, 129] {
        let place = usize::try_from(taken - 100).unwrap() + 4;
        // There, and one that comes twice.
        for other in [1, 2] {
            let numbers = (100..130).map(|it| if it == taken { other } else { it });
            match store.write_all(&permit, &set(numbers)).await {
                Err(WriteSetError::Refused { place: found, refusal }) => {
                    assert_eq!((found, refusal), (place, WriteRefusal::Duplicate), "{taken}");
                }
                written => panic!("{taken}: {written:?}"),
            }
            assert_eq!(stored(&store).await, before);
        }
    }
    let refused = store.write_all(&permit, &set(100..150)).await;
    // Two todos and a deletion count before them.
    let place = 4 + 40 - 3;
    assert!(
        matches!(
            &refused,
            Err(WriteSetError::Refused { place: found, refusal: WriteRefusal::QuotaExceeded(_) })
                if *found == place
        ),
        "{refused:?}"
    );
    let trial = WriteSet { is_trial: true, ..set(100..120) };
    let first = Written::Now(number(2));
    assert_eq!(store.write_all(&permit, &trial).await.unwrap(), first);
    assert_eq!(stored(&store).await, before);
    assert_eq!(found(&store, TermRange::of_word("number100")).await, []);
    let made = set(100..120);
    assert_eq!(store.write_all(&permit, &made).await.unwrap(), first);
    let recorded = store.find_changes(&permit, ChangeRef::Batch(number(2))).await.unwrap();
    assert_eq!(recorded, changes(&permit, &made, number(2)));
    let expected = [renamed(&new_todo(1), "renamed"), new_todo(2)];
    let expected = expected.into_iter().chain((100..120).map(new_todo));
    assert_eq!(stored(&store).await, expected.collect::<Vec<_>>());
}
