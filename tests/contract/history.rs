//! What a store remembers of writes: see the documentation of `TodoHistory` and `WriteSet`.

use std::num::NonZeroU64;

use todo_application::domain::{
    Author, Change, ChangeKind, ChangeNumber, ClientId, Description, Fields, Instant, Origin,
    Priority, Quota, QuotaExceeded, Recorded, Subject, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    CallRequest, ChangeRef, CreationRequest, Direction, EarlierCall, HistoryPart, Inserted, Made,
    PlannedWrite, Span, TodoHistory, TodoWrite, WriteRefusal, WriteSet, WriteSetError, Written,
};
use todo_tests::{read_permit, write_permit_of};

use super::*;

/// A store under test.
pub(super) trait Remembering: TodoRepository + TodoHistory + 'static {}

impl<T: TodoRepository + TodoHistory + 'static> Remembering for T {}

pub(super) fn number(number: i64) -> ChangeNumber {
    ChangeNumber::new(number).unwrap()
}

pub(super) fn millis(millis: i64) -> Instant {
    Instant::from_unix_millis(millis).unwrap()
}

/// Of Bob, through a client, and it remembers.
pub(super) fn permit(name: &str) -> WritePermit {
    let client = ClientId::try_from("m2m_agent").unwrap();
    let bob = Subject::try_from("usr_bob").unwrap();
    write_permit_of(&bob, &workspace(name)).through(Some(&client)).remembering(true)
}

pub(super) const ALL: Span =
    Span { direction: Direction::Back(None), todo: None, deletions: false, limit: 1_000 };

pub(super) async fn part(store: &Arc<impl Remembering>, name: &str, span: Span) -> HistoryPart {
    store.changes(&read_permit(&workspace(name)), &span).await.unwrap()
}

fn numbers_of(part: &HistoryPart) -> Vec<i64> {
    part.changes.iter().map(|it| it.number.as_i64()).collect()
}

fn request(key: &str, fingerprint: u64) -> CreationRequest {
    let forget_at = millis(1_795_340_000_200);
    CreationRequest { key: key.try_into().unwrap(), fingerprint, forget_at }
}

/// `todo` in its next version, with another title.
pub(super) fn renamed(todo: &Todo, title: &str) -> Todo {
    let record = todo.record().clone();
    let updated_at = millis(record.updated_at.as_unix_millis() + 1);
    let version = record.version.next();
    restore(TodoRecord { title: title.try_into().unwrap(), updated_at, version, ..record })
}

/// "A write with a permit that remembers stores its change in the same transaction": when, who, what.
pub(super) async fn every_write_is_remembered(store: Arc<impl Remembering>) {
    let permit = permit("mine");
    let todos: Vec<Todo> = round_trip::extremes()
        .into_iter()
        .map(|record| restore(TodoRecord { workspace: workspace("mine"), ..record }))
        .collect();
    let mut expected = Vec::new();
    for todo in &todos {
        store.insert(&permit, todo).await.unwrap();
        expected.push(Change::created(&permit, todo));
        let other = renamed(todo, "other");
        store.save(&permit, todo, &other).await.unwrap();
        expected.push(Change::updated(&permit, todo, &other));
        let unusual = restore(TodoRecord {
            description: Description::try_from("…\n\"{}\"").unwrap(),
            priority: Priority::Urgent,
            due: Some(todo_tests::due("2026-12-24T17:30", Some("Europe/Berlin"))),
            labels: todo_application::domain::Labels::from_lines(Some("Küche\nzwei")).unwrap(),
            ..marked(&other, true).into_record()
        });
        store.save(&permit, &other, &unusual).await.unwrap();
        expected.push(Change::updated(&permit, &other, &unusual));
        store.remove(&permit, &unusual, millis(7)).await.unwrap();
        expected.push(Change::deleted(&permit, &unusual, millis(7)));
    }
    let on = part(&store, "mine", Span { direction: Direction::On(number(0)), ..ALL }).await;
    assert_eq!(on.latest, number(i64::try_from(expected.len()).unwrap()));
    assert_eq!(on.forgotten, ChangeNumber::ZERO);
    let numbered = (1..).map(number).zip(expected);
    let expected: Vec<Recorded> = numbered
        .map(|(number, change)| Recorded {
            number,
            change,
            batch: None,
            undoes: None,
            undone_by: None,
        })
        .collect();
    assert_eq!(on.changes, expected);
    assert_eq!(
        expected[0].change.by,
        Author {
            subject: Subject::try_from("usr_bob").unwrap(),
            organization: Some("mine".try_into().unwrap()),
            client: Some(ClientId::try_from("m2m_agent").unwrap()),
        }
    );
    let mut back = part(&store, "mine", ALL).await;
    back.changes.reverse();
    assert_eq!(back, on);
}

/// "Newest first", "oldest first", "only changes of this todo", "only deletions", "the most changes".
pub(super) async fn a_history_is_read_in_parts(store: Arc<impl Remembering>) {
    let permit = permit("mine");
    let todos: Vec<Todo> = (1..=3).map(|number| todo("mine", number)).collect();
    for todo in &todos {
        store.insert(&permit, todo).await.unwrap();
    }
    let second = renamed(&todos[1], "second");
    store.save(&permit, &todos[1], &second).await.unwrap();
    store.remove(&permit, &todos[0], millis(1)).await.unwrap();
    store.remove(&permit, &second, millis(1)).await.unwrap();

    let back = |before: Option<i64>, limit| Span {
        direction: Direction::Back(before.map(number)),
        limit,
        ..ALL
    };
    let on = |after, limit| Span { direction: Direction::On(number(after)), limit, ..ALL };
    let of = |id: u32, span: Span| Span { todo: Some(super::id(id)), ..span };
    let deletions = |span: Span| Span { deletions: true, ..span };
    for (span, expected) in [
        (back(None, 9), &[6, 5, 4, 3, 2, 1][..]),
        (back(None, 2), &[6, 5]),
        (back(Some(5), 2), &[4, 3]),
        (back(Some(1), 2), &[]),
        (on(0, 9), &[1, 2, 3, 4, 5, 6]),
        (on(2, 2), &[3, 4]),
        (on(6, 2), &[]),
        (of(2, back(None, 9)), &[6, 4, 2]),
        (of(2, back(Some(6), 1)), &[4]),
        (of(2, on(2, 9)), &[4, 6]),
        (of(9, on(0, 9)), &[]),
        (deletions(back(None, 9)), &[6, 5]),
        (deletions(on(0, 1)), &[5]),
        (deletions(on(5, 9)), &[6]),
        (of(1, deletions(on(0, 9))), &[5]),
        (of(3, deletions(back(None, 9))), &[]),
    ] {
        let part = part(&store, "mine", span).await;
        assert_eq!(numbers_of(&part), expected, "{span:?}");
        assert_eq!((part.latest, part.forgotten), (number(6), number(0)), "{span:?}");
    }
}

/// The limit counts deletions, and not the other changes of the todo.
pub(super) async fn the_deletions_of_a_todo_are_found_among_its_changes(
    store: Arc<impl Remembering>,
) {
    let permit = permit("mine");
    let mut todo = todo("mine", 1);
    store.insert(&permit, &todo).await.unwrap();
    for _ in 0..3 {
        let other = renamed(&todo, "other");
        store.save(&permit, &todo, &other).await.unwrap();
        store.remove(&permit, &other, millis(5)).await.unwrap();
        todo = renamed(&other, "Buy milk");
        let set = set(vec![TodoWrite::Restore(todo.clone())]);
        store.write_all(&permit, &set).await.unwrap();
    }
    let span = Span { todo: Some(id(1)), deletions: true, limit: 2, ..ALL };
    for (direction, expected) in [
        (Direction::Back(None), [9, 6]),
        (Direction::Back(Some(number(9))), [6, 3]),
        (Direction::On(number(0)), [3, 6]),
        (Direction::On(number(3)), [6, 9]),
    ] {
        let part = part(&store, "mine", Span { direction, ..span }).await;
        assert_eq!(numbers_of(&part), expected, "{direction:?}");
    }
}

/// A set is of the permit's workspace, as each write is.
pub(super) async fn a_set_is_not_written_to_another_workspace(store: Arc<impl Remembering>) {
    let foreign = TodoWrite::Insert { todo: todo("yours", 2), request: None };
    let refused = store.write_all(&permit("mine"), &set(vec![insert(1), foreign])).await;
    assert!(
        matches!(&refused, Err(WriteSetError::Refused { place: 1, refusal: WriteRefusal::Stale })),
        "{refused:?}"
    );
    for name in ["mine", "yours"] {
        assert_eq!(part(&store, name, ALL).await.changes, []);
    }
    assert_eq!(stored(&store).await, []);
}

/// "Changes of the permit's workspace."
pub(super) async fn a_history_never_shows_another_workspace(store: Arc<impl Remembering>) {
    store.insert(&permit("mine"), &todo("mine", 1)).await.unwrap();
    let empty =
        HistoryPart { changes: vec![], latest: ChangeNumber::ZERO, forgotten: ChangeNumber::ZERO };
    for span in [ALL, Span { todo: Some(id(1)), ..ALL }, Span { deletions: true, ..ALL }] {
        assert_eq!(part(&store, "yours", span).await, empty);
    }
    for changes in [ChangeRef::One(number(1)), ChangeRef::Batch(number(1))] {
        assert_eq!(store.find_changes(&permit("yours"), changes).await.unwrap(), []);
    }
    let found = store.find_changes(&permit("mine"), ChangeRef::One(number(1))).await.unwrap();
    assert_eq!(found, part(&store, "mine", ALL).await.changes);
}

/// What was refused has changed nothing, and has no number.
pub(super) async fn a_refused_write_is_not_remembered(store: Arc<impl Remembering>) {
    let permit = permit("mine");
    let (first, second) = (todo("mine", 1), todo("mine", 2));
    store.insert(&permit, &first).await.unwrap();
    assert!(store.insert(&permit, &first).await.is_err());
    let later = renamed(&renamed(&first, "b"), "c");
    assert!(store.save(&permit, &later, &renamed(&later, "d")).await.is_err());
    assert!(store.remove(&permit, &second, millis(1)).await.is_err());
    assert_eq!(numbers_of(&part(&store, "mine", ALL).await), [1]);
    let repeated = request("key", 7);
    store.insert_once(&permit, &second, &repeated).await.unwrap();
    store.insert_once(&permit, &todo("mine", 3), &repeated).await.unwrap().earlier().unwrap();
    let all = part(&store, "mine", ALL).await;
    assert_eq!((numbers_of(&all), all.latest), (vec![2, 1], number(2)));
}

/// "The greatest number of a write that is not remembered."
pub(super) async fn a_write_that_is_not_remembered_is_counted(store: Arc<impl Remembering>) {
    let remembering = permit("mine");
    let forgetful = write_permit(&workspace("mine"));
    store.insert(&remembering, &todo("mine", 1)).await.unwrap();
    store.insert(&forgetful, &todo("mine", 2)).await.unwrap();
    store.insert(&remembering, &todo("mine", 3)).await.unwrap();
    let all = part(&store, "mine", ALL).await;
    assert_eq!(numbers_of(&all), [3, 1]);
    assert_eq!((all.latest, all.forgotten), (number(3), number(2)));
}

fn set(writes: Vec<TodoWrite>) -> WriteSet {
    let planned = |write| PlannedWrite { write, undoes: None };
    let writes = writes.into_iter().map(planned).collect();
    WriteSet { writes, at: millis(1_795_340_000_100), is_batch: true, call: None, is_trial: false }
}

fn insert(number: u32) -> TodoWrite {
    TodoWrite::Insert { todo: todo("mine", number), request: None }
}

async fn stored(store: &Arc<impl Remembering>) -> Vec<Todo> {
    store.list(&read_permit(&workspace("mine")), BOTH, None, 1_000).await.unwrap()
}

/// "Makes all of the writes, in their order and in one transaction." "Their changes have numbers that follow
/// each other."
pub(super) async fn several_writes_are_made_together(store: Arc<impl Remembering>) {
    let permit = permit("mine");
    let (first, second) = (todo("mine", 1), todo("mine", 2));
    store.insert(&permit, &first).await.unwrap();
    let (renamed, done) = (renamed(&first, "renamed"), marked(&second, true));
    let made = set(vec![
        TodoWrite::Insert { todo: second.clone(), request: None },
        TodoWrite::Save { before: first.clone(), after: renamed.clone() },
        TodoWrite::Save { before: second.clone(), after: done.clone() },
        insert(3),
        TodoWrite::Remove(todo("mine", 3)),
    ]);
    let written = store.write_all(&permit, &made).await.unwrap();
    assert_eq!(written, Written::Now(number(2)));
    assert_eq!(stored(&store).await, [renamed, done]);
    let batch = store.find_changes(&permit, ChangeRef::Batch(number(2))).await.unwrap();
    let expected = (2..).map(number).zip(&made.writes).map(|(number, planned)| Recorded {
        number,
        change: planned.write.change(&permit, made.at),
        batch: Some(ChangeNumber::new(2).unwrap()),
        undoes: None,
        undone_by: None,
    });
    assert_eq!(batch, expected.collect::<Vec<_>>());
    let alone = WriteSet { is_batch: false, ..set(vec![insert(4)]) };
    store.write_all(&permit, &alone).await.unwrap();
    let last = &part(&store, "mine", ALL).await.changes[0];
    assert_eq!((last.number, last.batch), (number(7), None));
    assert_eq!(store.find_changes(&permit, ChangeRef::Batch(number(7))).await.unwrap(), []);
}

type Case = (&'static str, TodoWrite, fn(&WriteRefusal) -> bool);

/// "Or none", whichever is refused and why, and nothing is remembered of any of them.
pub(super) async fn of_several_writes_all_are_made_or_none(store: Arc<impl Remembering>) {
    let limit = Quota { todos: NonZeroU64::new(6), bytes: None };
    let permit = permit("mine").within(limit);
    let there = todo("mine", 1);
    let minted = |millis: u64| {
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
        restore(TodoRecord { id: TodoId::from_uuid(id), ..there.record().clone() })
    };
    store.insert(&permit, &there).await.unwrap();
    store.insert(&permit, &minted(1_000)).await.unwrap();
    store.insert_once(&permit, &todo("mine", 3), &request("used", 7)).await.unwrap();
    let before = (stored(&store).await, part(&store, "mine", ALL).await);
    let used = TodoWrite::Insert { todo: todo("mine", 9), request: Some(request("used", 8)) };
    let stale = renamed(&renamed(&there, "b"), "c");
    let refused: [Case; 7] = [
        ("duplicate", insert(1), |it| *it == WriteRefusal::Duplicate),
        ("behind", TodoWrite::Insert { todo: minted(999), request: None }, |it| {
            matches!(it, WriteRefusal::Behind(_))
        }),
        (
            "stale save",
            TodoWrite::Save { before: stale.clone(), after: renamed(&stale, "d") },
            |it| *it == WriteRefusal::Stale,
        ),
        ("missing", TodoWrite::Remove(todo("mine", 99)), |it| *it == WriteRefusal::Stale),
        ("there", TodoWrite::Restore(there.clone()), |it| *it == WriteRefusal::Stale),
        ("used", used, |it| matches!(it, WriteRefusal::Earlier(_))),
        ("stale remove", TodoWrite::Remove(stale), |it| *it == WriteRefusal::Stale),
    ];
    for (name, write, is_expected) in refused {
        for place in 0..3 {
            let renamed = renamed(&there, "renamed");
            let save = TodoWrite::Save { before: there.clone(), after: renamed };
            let once =
                TodoWrite::Insert { todo: todo("mine", 5), request: Some(request("new", 1)) };
            let mut writes = vec![once, save];
            writes.insert(place, write.clone());
            // Whatever changes the todo first would make the others stale.
            let context = format!("{name} in place {place}");
            match store.write_all(&permit, &set(writes)).await {
                Err(WriteSetError::Refused { place: found, refusal }) => {
                    assert!(is_expected(&refusal), "{context}: {refusal:?}");
                    assert_eq!(found, place, "{context}");
                }
                other => panic!("{context}: {other:?}"),
            }
            let after = (stored(&store).await, part(&store, "mine", ALL).await);
            assert_eq!(after, before, "{context}");
            let key = "new".try_into().unwrap();
            let remembered = store.find_call(&permit, &key, millis(0)).await.unwrap();
            assert_eq!(remembered, None, "{context}");
        }
    }
    let too_many = set((4..=7).map(insert).collect());
    match store.write_all(&permit, &too_many).await {
        Err(WriteSetError::Refused { place: 3, refusal: WriteRefusal::QuotaExceeded(_) }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!((stored(&store).await, part(&store, "mine", ALL).await), before);
    store.write_all(&permit, &set((4..=6).map(insert).collect())).await.unwrap();
}

/// "Whether the answer is all that is wanted": the same, and nothing is written.
pub(super) async fn a_trial_answers_and_writes_nothing(store: Arc<impl Remembering>) {
    let permit = permit("mine").within(Quota { todos: NonZeroU64::new(3), bytes: None });
    let there = todo("mine", 1);
    store.insert(&permit, &there).await.unwrap();
    let before = (stored(&store).await, part(&store, "mine", ALL).await);
    let call = CallRequest {
        key: "k".try_into().unwrap(),
        fingerprint: 7,
        forget_at: millis(1_795_340_000_200),
        outcome: String::new(),
    };
    let trial = |numbers: &[u32]| {
        let inserted = numbers.iter().map(|number| TodoWrite::Insert {
            todo: todo("mine", *number),
            request: Some(request(&number.to_string(), 1)),
        });
        let writes = [TodoWrite::Save { before: there.clone(), after: renamed(&there, "b") }];
        let set = set(writes.into_iter().chain(inserted).collect());
        WriteSet { call: Some(call.clone()), is_trial: true, ..set }
    };
    let written = store.write_all(&permit, &trial(&[2, 3])).await.unwrap();
    assert_eq!(written, Written::Now(number(2)));
    let refused = store.write_all(&permit, &trial(&[2, 3, 4])).await;
    assert!(
        matches!(
            &refused,
            Err(WriteSetError::Refused { place: 3, refusal: WriteRefusal::QuotaExceeded(_) })
        ),
        "{refused:?}"
    );
    assert_eq!((stored(&store).await, part(&store, "mine", ALL).await), before);
    for key in ["k", "2", "3"] {
        let key = key.try_into().unwrap();
        assert_eq!(store.find_call(&permit, &key, millis(0)).await.unwrap(), None);
    }
    let real = WriteSet { is_trial: false, ..trial(&[2, 3]) };
    assert_eq!(store.write_all(&permit, &real).await.unwrap(), written);
}

/// "A set with a call whose key was used before makes none, and returns that call." The namespace is that of
/// the requests for one todo.
pub(super) async fn a_repeated_call_makes_nothing(store: Arc<impl Remembering>) {
    let permit = permit("mine");
    let at = millis(1_795_340_000_100);
    let call = |name: &str, fingerprint| CallRequest {
        key: name.try_into().unwrap(),
        fingerprint,
        forget_at: millis(1_795_340_000_200),
        outcome: "what came\nof it".to_owned(),
    };
    let with = |number, call| WriteSet { call: Some(call), ..set(vec![insert(number)]) };
    store.insert(&permit, &todo("mine", 1)).await.unwrap();
    let first = store.write_all(&permit, &with(2, call("k", 7))).await.unwrap();
    assert_eq!(first, Written::Now(number(2)));
    let made = Made::Changes { first: number(2), outcome: "what came\nof it".to_owned() };
    let earlier = EarlierCall { fingerprint: 7, at, made };
    for fingerprint in [7, 8] {
        let again = store.write_all(&permit, &with(3, call("k", fingerprint))).await.unwrap();
        assert_eq!(again, Written::Earlier(earlier.clone()));
    }
    let key = "k".try_into().unwrap();
    assert_eq!(store.find_call(&permit, &key, at).await.unwrap(), Some(earlier));
    let others = write_permit(&workspace("mine"));
    assert_eq!(store.find_call(&others, &key, at).await.unwrap(), None, "another caller");
    let forgotten = store.find_call(&permit, &key, millis(1_795_340_000_200)).await.unwrap();
    assert_eq!(forgotten, None);
    assert_eq!(stored(&store).await.len(), 2);

    let one = todo("mine", 4);
    let single: CreationRequest = request("k", 9);
    let found = store.insert_once(&permit, &one, &single).await.unwrap().earlier().unwrap();
    assert_eq!(found.fingerprint, 7);
    store.insert_once(&permit, &one, &request("one", 9)).await.unwrap();
    let written = store.write_all(&permit, &with(5, call("one", 9))).await.unwrap();
    let Written::Earlier(EarlierCall { made, .. }) = written else { panic!("{written:?}") };
    assert_eq!(made, Made::Todo(one.id()));
}

/// The change that is taken back says so, and a restored todo has its place and its id again.
pub(super) async fn a_deleted_todo_can_be_restored(store: Arc<impl Remembering>) {
    let permit = permit("mine");
    let todos: Vec<Todo> = (1..=3).map(|number| todo("mine", number)).collect();
    for todo in &todos {
        store.insert(&permit, todo).await.unwrap();
    }
    store.remove(&permit, &todos[1], millis(5)).await.unwrap();
    let deletion = part(&store, "mine", ALL).await.changes[0].clone();
    let fields = Fields::of(todos[1].record());
    let TodoRecord { created_at, created_by, updated_at, updated_by, version, .. } =
        todos[1].record().clone();
    let origin = Origin { created_at, created_by, updated_at, updated_by };
    assert_eq!(deletion.change.kind, ChangeKind::Deleted { from: fields, origin });

    let restored = restore(TodoRecord { version: version.next(), ..todos[1].record().clone() });
    let write = TodoWrite::Restore(restored.clone());
    let undo = PlannedWrite { write, undoes: Some(deletion.number) };
    let undo = WriteSet { writes: vec![undo], is_batch: false, ..set(vec![]) };
    assert_eq!(store.write_all(&permit, &undo).await.unwrap(), Written::Now(number(5)));
    assert_eq!(stored(&store).await, [todos[0].clone(), restored, todos[2].clone()]);
    let all = part(&store, "mine", ALL).await;
    assert_eq!(
        (all.changes[0].undoes, all.changes[1].undone_by),
        (Some(number(4)), Some(number(5)))
    );
    let again = store.write_all(&permit, &undo).await;
    assert!(
        matches!(&again, Err(WriteSetError::Refused { refusal: WriteRefusal::Stale, .. })),
        "{again:?}"
    );
}

/// "(deleted and remembered ones count)", "(history counts)"; removing is always admitted, and what makes no
/// todo longer has a reserve.
pub(super) async fn a_history_counts_in_the_quota(store: Arc<impl Remembering>) {
    let quota =
        |todos, bytes| Quota { todos: NonZeroU64::new(todos), bytes: NonZeroU64::new(bytes) };
    let two = permit("mine").within(quota(2, 0));
    for number in [1, 2] {
        store.insert(&two, &todo("mine", number)).await.unwrap();
    }
    store.remove(&two, &todo("mine", 1), millis(5)).await.unwrap();
    let refused = store.insert(&two, &todo("mine", 3)).await;
    assert!(
        matches!(&refused, Err(InsertError::QuotaExceeded(QuotaExceeded::Todos(_)))),
        "{refused:?}"
    );
    store.forget(&operator(), Instant::MAX, None).await.unwrap();
    store.insert(&two, &todo("mine", 3)).await.unwrap();

    // A title of 8 bytes twice, and 64 for the change.
    let bytes = permit("yours").within(quota(0, 100));
    let first = todo("yours", 1);
    store.insert(&bytes, &first).await.unwrap();
    let refused = store.insert(&bytes, &todo("yours", 2)).await;
    assert!(
        matches!(&refused, Err(InsertError::QuotaExceeded(QuotaExceeded::Bytes(_)))),
        "{refused:?}"
    );
    let shorter = renamed(&first, "Buy milk");
    let refused = store.save(&bytes, &first, &marked(&shorter, true)).await;
    assert!(matches!(&refused, Err(ChangeError::QuotaExceeded(_))), "{refused:?}");
    // 80, and 64 for the completion: within an eighth more than 130.
    let more = permit("yours").within(quota(0, 130));
    store.save(&more, &first, &marked(&first, true)).await.unwrap();
    store.remove(&bytes, &marked(&first, true), millis(5)).await.unwrap();
}

/// "Removes some changes that were made before `until`, oldest first", of every workspace, and what is left is
/// complete after `forgotten`.
pub(super) async fn old_changes_are_forgotten(store: Arc<impl Remembering>) {
    let at = |more: i64| millis(1_795_340_000_007 + more);
    let keys: Vec<String> = (0..70).map(|number| format!("workspace {number:02}")).collect();
    for key in &keys {
        let permit = permit(key);
        for number in 1..=4_u32 {
            let record = todo(key, number).into_record();
            let created_at = at(i64::from(number));
            let todo = restore(TodoRecord { created_at, updated_at: created_at, ..record });
            store.insert(&permit, &todo).await.unwrap();
        }
    }
    let forget = async |until| {
        let (mut after, mut changes) = (None::<WorkspaceId>, 0);
        loop {
            let step = store.forget(&operator(), until, after.as_ref()).await.unwrap();
            changes += step.changes;
            if step.changes == 0 && step.after.is_none() {
                return changes;
            }
            after = step.after;
        }
    };
    assert_eq!(forget(at(3)).await, 140);
    assert_eq!(forget(at(3)).await, 0);
    for key in &keys {
        let rest = part(&store, key, ALL).await;
        assert_eq!(numbers_of(&rest), [4, 3], "{key}");
        assert_eq!((rest.latest, rest.forgotten), (number(4), number(2)), "{key}");
    }
    assert_eq!(forget(Instant::MAX).await, 140);
    let rest = part(&store, &keys[0], ALL).await;
    assert_eq!((numbers_of(&rest), rest.latest, rest.forgotten), (vec![], number(4), number(4)));
}

/// "Removes all that is stored of a workspace", and nothing of another one.
pub(super) async fn an_erased_workspace_is_as_new(store: Arc<impl Remembering>) {
    for name in ["mine", "yours"] {
        let permit = permit(name);
        store.insert_once(&permit, &todo(name, 1), &request("k", 7)).await.unwrap();
        store.insert(&permit, &todo(name, 2)).await.unwrap();
        store.remove(&permit, &todo(name, 2), millis(5)).await.unwrap();
    }
    let erased = store.erase(&operator(), &workspace("mine")).await.unwrap();
    assert_eq!((erased.todos, erased.changes), (1, 3));
    let erased = store.erase(&operator(), &workspace("mine")).await.unwrap();
    assert_eq!((erased.todos, erased.changes), (0, 0));
    assert_eq!(stored(&store).await, []);
    let all = part(&store, "mine", ALL).await;
    assert_eq!((numbers_of(&all), all.latest), (vec![], number(0)));
    assert_eq!(numbers_of(&part(&store, "yours", ALL).await), [3, 2, 1]);

    let again = store.insert_once(&permit("mine"), &todo("mine", 1), &request("k", 8)).await;
    assert_eq!(again.unwrap(), Inserted::Now(Some(number(1))));
    assert_eq!(numbers_of(&part(&store, "mine", ALL).await), [1]);
}
