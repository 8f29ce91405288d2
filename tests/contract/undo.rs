//! Listing changes, taking them back and making several at once, as each store does it under the use cases.

use std::collections::BTreeMap;

use fastrand::Rng;
use todo_adapter_storage::InProcessChangeFeed;
use todo_application::domain::{
    ChangeAction, ChangeKind, ClientId, Draft, Edit, Fields, IdempotencyKey, Instant, Label,
    Labels, LabelsEdit, Organization, Permission, Permissions, Priority, Sharing, Subject,
    TimeZone, Title,
};
use todo_application::ports::Principal;
use todo_application::{
    ChangeEntry, ChangeFailure, ChangeId, ChangeManyError, ChangeSelection, HistoryPageSize,
    ManyChanges, NewTodo, Outcome, PageSize, RequestedChange, Selection, Since, Todos, UndoError,
};
use todo_tests::{ManualClock, SequentialIds, due};

use super::history::Remembering;
use super::*;

const ROUNDS: u64 = 20;

/// A member of the organization "mine", whose list they share.
pub(super) struct Member {
    subject: Subject,
    organization: Organization,
    pub(super) client: ClientId,
}

impl Member {
    pub(super) fn new(name: &str) -> Self {
        Self {
            subject: Subject::try_from(format!("usr_{name}").as_str()).unwrap(),
            organization: Organization::try_from("mine").unwrap(),
            client: ClientId::try_from(format!("m2m_{name}").as_str()).unwrap(),
        }
    }
}

impl Principal for Member {
    fn subject(&self) -> &Subject {
        &self.subject
    }
    fn organization(&self) -> Option<&Organization> {
        Some(&self.organization)
    }
    fn client(&self) -> Option<&ClientId> {
        Some(&self.client)
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

pub(super) struct Lists {
    pub(super) todos: Todos,
    pub(super) clock: Arc<ManualClock>,
}

pub(super) fn lists(store: &Arc<impl Remembering>) -> Lists {
    let now = Instant::from_unix_millis(1_795_340_000_007).unwrap();
    let clock = Arc::new(ManualClock::at(now));
    let (feed, ids) =
        (Arc::new(InProcessChangeFeed::default()), Arc::new(SequentialIds::default()));
    let repository: Arc<dyn TodoRepository> = store.clone();
    let todos = Todos::new(repository, feed, clock.clone(), ids, Sharing::Organization);
    Lists { todos: todos.with_history(store.clone()), clock }
}

impl Lists {
    async fn all(&self) -> Vec<Todo> {
        let all = Selection::default();
        let (mut todos, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.todos.list(&Member::new("a"), &all, PageSize::LARGEST, cursor).await;
            let page = page.unwrap();
            todos.extend(page.todos);
            cursor = page.next;
            if cursor.is_none() {
                return todos;
            }
        }
    }

    /// What the todos say.
    pub(super) async fn state(&self) -> BTreeMap<TodoId, Fields> {
        self.all().await.iter().map(|it| (it.id(), Fields::of(it.record()))).collect()
    }

    /// All changes after one, in pages of this size, and what to go on from.
    async fn since(&self, since: Since, size: i64) -> (Vec<ChangeEntry>, ChangeId) {
        let (mut changes, mut since) = (Vec::new(), since);
        loop {
            let member = Member::new("a");
            let page = self.todos.list_changes(
                &member,
                ChangeSelection::default(),
                HistoryPageSize::try_from(size).unwrap(),
                since,
            );
            let page = page.await.unwrap();
            changes.extend(page.changes);
            let Some(latest) = page.latest else { panic!("no way to go on") };
            if page.next.is_none() {
                return (changes, latest);
            }
            since = Since::Change(latest);
        }
    }

    /// What to go on from now.
    async fn latest(&self) -> ChangeId {
        let size = HistoryPageSize::try_from(1).unwrap();
        let newest = ChangeSelection::default();
        let page = self.todos.list_changes(&Member::new("a"), newest, size, Since::Newest).await;
        page.unwrap().latest.unwrap()
    }

    async fn write(&self, random: &mut Rng) {
        self.clock.advance(random.i64(-3..10)).unwrap();
        let member = Member::new(["a", "b", "c"][random.usize(..3)]);
        let there: Vec<TodoId> = self.all().await.iter().map(Todo::id).collect();
        if random.u8(..4) == 0 {
            let any = |random: &mut Rng| match (random.u8(..4), random.choice(&there)) {
                (0, Some(id)) => RequestedChange::Delete { id: *id, expected: None },
                (1, Some(id)) => {
                    RequestedChange::Update { id: *id, edit: any_edit(random), expected: None }
                }
                _ => RequestedChange::Create(any_new(random)),
            };
            let changes = (0..random.usize(1..6)).map(|_| any(random)).collect();
            let asked = ManyChanges { changes, ..ManyChanges::default() };
            self.todos.change_many(&member, asked).await.unwrap();
            return;
        }
        match (random.u8(..5), random.choice(there)) {
            (0, Some(id)) => self.todos.delete(&member, id, None).await.map(drop).unwrap(),
            (1..=3, Some(id)) => {
                self.todos.update(&member, id, any_edit(random), None).await.map(drop).unwrap();
            }
            _ => self.todos.create(&member, any_new(random)).await.map(drop).unwrap(),
        }
    }
}

fn any_title(random: &mut Rng) -> Title {
    Title::try_from(format!("todo {}", random.u8(..20)).as_str()).unwrap()
}

fn any_labels(random: &mut Rng) -> Labels {
    let names = ["tax", "Tax", "home", "Küche"].map(|name| Label::try_from(name).unwrap());
    let some: Vec<_> = names.into_iter().filter(|_| random.bool()).collect();
    Labels::try_from(some).unwrap()
}

fn any_new(random: &mut Rng) -> NewTodo {
    let mut draft = Draft::from(any_title(random));
    draft.labels = any_labels(random);
    draft.priority = Priority::ALL[random.usize(..4)];
    draft.due = random.bool().then(|| due("2026-12-24T17:30", Some("Europe/Berlin")));
    NewTodo { draft, key: None }
}

fn any_edit(random: &mut Rng) -> Edit {
    let mut edit = Edit::default();
    for _ in 0..2 {
        match random.u8(..6) {
            0 => edit.title = Some(any_title(random)),
            1 => edit.completed = Some(random.bool()),
            2 => edit.due = Some(random.bool().then(|| due("2026-12-31", None))),
            3 => edit.priority = Some(Priority::ALL[random.usize(..4)]),
            4 => edit.labels = Some(LabelsEdit::Replace(any_labels(random))),
            _ => edit.description = Some(["", "long\ntext"][random.usize(..2)].try_into().unwrap()),
        }
    }
    edit
}

/// "For any sequence of writes by several callers, undoing them in reverse gives the state before", and undoing
/// that the state after.
pub(super) async fn undoing_in_reverse_gives_the_state_before(store: Arc<impl Remembering>) {
    for round in 0..ROUNDS {
        let mut random = Rng::with_seed(round);
        let lists = lists(&store);
        for _ in 0..random.u8(..4) {
            lists.write(&mut random).await;
        }
        let (before, begin) = (lists.state().await, lists.latest().await);
        for _ in 0..random.u8(1..12) {
            lists.write(&mut random).await;
        }
        let after = lists.state().await;
        let (made, middle) = lists.since(Since::Change(begin), 50).await;
        undo_all(&lists, &made, random.bool()).await;
        assert_eq!(lists.state().await, before, "round {round}");

        let (undone, end) = lists.since(Since::Change(middle), 50).await;
        undo_all(&lists, &undone, random.bool()).await;
        assert_eq!(lists.state().await, after, "round {round}");
        // What is undone already stays so.
        undo_all(&lists, &undone, true).await;
        let (again, _) = lists.since(Since::Change(end), 50).await;
        assert_eq!(again.len(), undone.len(), "round {round}");
    }
}

/// One by one, or those of a call together. The last comes first.
async fn undo_all(lists: &Lists, made: &[ChangeEntry], by_batch: bool) {
    for entry in made.iter().rev() {
        let id = entry.batch.filter(|_| by_batch).unwrap_or(entry.id);
        let undone = lists.todos.undo(&Member::new("b"), id).await;
        let undone = undone.unwrap_or_else(|error| panic!("{entry:?}: {error:?}"));
        let todo = entry.recorded.change.todo;
        let is_there = undone.todos.iter().any(|it| it.id() == todo);
        assert_ne!(is_there, undone.deleted.contains(&todo));
    }
}

/// "Replaying `list_changes` from nothing gives the list as it is": what each todo says, and its version.
pub(super) async fn replaying_the_history_gives_the_list(store: Arc<impl Remembering>) {
    let lists = lists(&store);
    let mut random = Rng::with_seed(7);
    let begin = lists.latest().await;
    for _ in 0..120 {
        lists.write(&mut random).await;
        if random.u8(..6) == 0 {
            let (made, _) = lists.since(Since::Change(begin), 50).await;
            if let Some(entry) = random.choice(&made) {
                // It may be in the way of another change.
                let _ = lists.todos.undo(&Member::new("c"), entry.id).await;
            }
        }
    }
    let mut replayed = BTreeMap::new();
    for size in [1, 7, 200] {
        replayed.clear();
        for entry in lists.since(Since::Change(begin), size).await.0 {
            replay(&mut replayed, entry);
        }
    }
    let all = lists.all().await;
    let expected = all.iter().map(|it| (it.id(), (Fields::of(it.record()), it.version())));
    assert_eq!(replayed, expected.collect());
}

fn replay(todos: &mut BTreeMap<TodoId, (Fields, Version)>, entry: ChangeEntry) {
    let change = entry.recorded.change;
    let id = change.todo;
    match change.kind {
        ChangeKind::Created(fields) | ChangeKind::Restored(fields) => {
            assert_eq!(todos.insert(id, (fields, change.version)), None);
        }
        ChangeKind::Deleted { from, origin: _ } => {
            assert_eq!(todos.remove(&id), Some((from, change.version)));
        }
        ChangeKind::Updated { from, to } => {
            let (known, version) = todos.get_mut(&id).unwrap();
            assert_eq!(version.next(), change.version);
            *version = change.version;
            let Fields { title, description, completion, due, priority, labels } = to;
            let of_before = |is: bool| assert!(is, "{from:?} is not of {id}");
            if let Some(title) = title {
                of_before(from.title == known.title.replace(title));
            }
            if let Some(description) = description {
                of_before(from.description == known.description.replace(description));
            }
            if let Some(completion) = completion {
                of_before(from.completion == known.completion.replace(completion));
            }
            if let Some(due) = due {
                of_before(from.due == known.due.replace(due));
            }
            if let Some(priority) = priority {
                of_before(from.priority == known.priority.replace(priority));
            }
            if let Some(labels) = labels {
                of_before(from.labels == known.labels.replace(labels));
            }
        }
    }
}

/// "No change is ever skipped by a reader who goes on from `latest`", while eight write.
pub(super) async fn a_reader_who_goes_on_misses_nothing(store: Arc<impl Remembering>) {
    const WRITERS: u64 = 8;
    const WRITES: usize = 30;
    let lists = Arc::new(lists(&store));
    let mut since = lists.latest().await;
    let writers = (0..WRITERS).map(|number| {
        let lists = Arc::clone(&lists);
        tokio::spawn(async move {
            let mut random = Rng::with_seed(number);
            let member = Member::new(&number.to_string());
            for _ in 0..WRITES {
                let id = lists.todos.create(&member, any_new(&mut random)).await.unwrap();
                let edit = Edit { completed: Some(true), ..Edit::default() };
                let id = id.into_record().id;
                lists.todos.update(&member, id, edit, None).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut seen = Vec::new();
    while seen.len() < 2 * WRITES * usize::try_from(WRITERS).unwrap() {
        let (changes, latest) = lists.since(Since::Change(since), 5).await;
        seen.extend(changes.into_iter().map(|it| it.recorded.number.as_i64()));
        since = latest;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(seen.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seen:?}");
}

/// "A conflict when somebody has changed them since, with the current todo", and only then.
pub(super) async fn only_the_touched_fields_are_taken_back(store: Arc<impl Remembering>) {
    let lists = lists(&store);
    let (a, b) = (Member::new("a"), Member::new("b"));
    let titled = |text: &str| Edit { title: Some(text.try_into().unwrap()), ..Edit::default() };
    let new = NewTodo { draft: Title::try_from("one").unwrap().into(), key: None };
    let id = lists.todos.create(&a, new).await.unwrap().into_record().id;
    lists.todos.update(&a, id, titled("two"), None).await.unwrap();
    let rename = lists.latest().await;
    let done = Edit { completed: Some(true), ..Edit::default() };
    lists.todos.update(&b, id, done, None).await.unwrap();

    // Another field has changed since.
    let undone = lists.todos.undo(&b, rename).await.unwrap();
    let [todo] = &undone.todos[..] else { panic!("{undone:?}") };
    assert_eq!((todo.title().as_str(), todo.completion().is_done()), ("one", true));
    assert_eq!(todo.version(), version(4));
    let (changes, undo) = lists.since(Since::Change(rename), 50).await;
    assert_eq!(changes.last().unwrap().undoes, Some(rename));

    // The same field.
    lists.todos.update(&a, id, titled("three"), None).await.unwrap();
    match lists.todos.undo(&b, undo).await {
        Err(UndoError::Conflict(current)) => assert_eq!(current.title().as_str(), "three"),
        other => panic!("{other:?}"),
    }
    let again = lists.todos.undo(&a, rename).await.unwrap();
    assert_eq!(again.todos[0].title().as_str(), "three", "it is undone already");

    lists.todos.delete(&a, id, None).await.unwrap();
    let deletion = lists.latest().await;
    assert!(
        matches!(lists.todos.undo(&a, undo).await, Err(UndoError::TodoDeleted(it)) if it == id)
    );
    let before = lists.todos.undo(&b, deletion).await.unwrap();
    assert_eq!(
        (before.todos[0].title().as_str(), before.todos[0].version()),
        ("three", version(6))
    );
    let unknown = ChangeId::parse("99999-00000000");
    let unknown = lists.todos.undo(&a, unknown.unwrap()).await;
    assert!(matches!(unknown, Err(UndoError::NotFound)), "{unknown:?}");
}

/// Each with its own result, in order; `all_or_nothing`, `dry_run` and the key of the call.
pub(super) async fn several_changes_are_asked_for_at_once(store: Arc<impl Remembering>) {
    let lists = lists(&store);
    let a = Member::new("a");
    let create = |title: &str| {
        let draft = Draft::from(Title::try_from(title).unwrap());
        RequestedChange::Create(NewTodo { draft, key: None })
    };
    let missing = id(77);
    let first = ManyChanges {
        changes: vec![create("one"), RequestedChange::Delete { id: missing, expected: None }],
        ..ManyChanges::default()
    };
    for dry_run in [true, false] {
        let atomic = ManyChanges { all_or_nothing: true, dry_run, ..first.clone() };
        let made = lists.todos.change_many(&a, atomic).await.unwrap();
        let failed = Outcome::Failed(ChangeFailure::NotFound(missing));
        assert_eq!((made.outcomes, made.batch), (vec![Outcome::Skipped, failed], None));
        assert_eq!(lists.all().await, []);
    }
    let dry = lists.todos.change_many(&a, ManyChanges { dry_run: true, ..first.clone() }).await;
    assert!(matches!(dry.unwrap().outcomes[..], [Outcome::Created(_), Outcome::Failed(_)]));
    assert_eq!(lists.all().await, []);

    let key = Some(IdempotencyKey::try_from("k").unwrap());
    let keyed = ManyChanges { key, ..first };
    let made = lists.todos.change_many(&a, keyed.clone()).await.unwrap();
    assert!(matches!(made.outcomes[..], [Outcome::Created(_), Outcome::Failed(_)]));
    let repeated = lists.todos.change_many(&a, keyed.clone()).await.unwrap();
    assert_eq!((repeated.outcomes, repeated.batch), (made.outcomes, made.batch));
    assert_eq!((made.effects.all().len(), repeated.effects.all().len()), (1, 0));
    assert_eq!(lists.all().await.len(), 1);
    let other = ManyChanges { changes: vec![create("two")], ..keyed };
    let reused = lists.todos.change_many(&a, other).await;
    assert!(matches!(reused, Err(ChangeManyError::KeyReused)), "{reused:?}");

    // A later change sees an earlier one.
    let id = lists.all().await[0].id();
    let rename = |text: &str, expected| {
        let edit = Edit { title: Some(text.try_into().unwrap()), ..Edit::default() };
        RequestedChange::Update { id, edit, expected }
    };
    let changes = vec![
        rename("a", Some(version(1))),
        rename("b", Some(version(1))),
        rename("c", Some(version(2))),
        RequestedChange::Delete { id, expected: Some(version(3)) },
        rename("d", None),
    ];
    let made = lists.todos.change_many(&a, ManyChanges { changes, ..ManyChanges::default() }).await;
    let made = made.unwrap();
    let shape = |it: &Outcome| match it {
        Outcome::Created(_) => "created",
        Outcome::Updated(..) => "updated",
        Outcome::Deleted(_) => "deleted",
        Outcome::Failed(ChangeFailure::Conflict(_)) => "conflict",
        Outcome::Failed(ChangeFailure::NotFound(_)) => "missing",
        Outcome::Failed(_) | Outcome::Skipped => panic!("{it:?}"),
    };
    let shapes: Vec<_> = made.outcomes.iter().map(shape).collect();
    assert_eq!(shapes, ["updated", "conflict", "updated", "deleted", "missing"]);
    let undone = lists.todos.undo(&a, made.batch.unwrap()).await.unwrap();
    assert_eq!(undone.todos[0].title().as_str(), "one");
}

/// Filters, an instant to begin at, and what is no longer remembered.
pub(super) async fn a_history_is_listed_as_it_is_asked_for(store: Arc<impl Remembering>) {
    let lists = lists(&store);
    let mut random = Rng::with_seed(3);
    let begin = lists.latest().await;
    for _ in 0..60 {
        lists.write(&mut random).await;
        lists.clock.advance(1_000).unwrap();
    }
    let (all, latest) = lists.since(Since::Change(begin), 200).await;
    let list = async |selection: ChangeSelection, begin: Since| {
        let (mut listed, mut since) = (Vec::new(), begin);
        loop {
            let size = HistoryPageSize::try_from(3).unwrap();
            let page = lists.todos.list_changes(&Member::new("b"), selection, size, since).await;
            let page = page.unwrap();
            assert!(page.changes.len() <= 3);
            listed.extend(page.changes);
            match page.next {
                Some(next) => since = Since::Cursor(next),
                None => return listed,
            }
        }
    };
    let todo = all[all.len() / 2].recorded.change.todo;
    for action in [None].into_iter().chain(ChangeAction::ALL.map(Some)) {
        for todo in [None, Some(todo)] {
            let selection = ChangeSelection { todo, action };
            let is_selected = |it: &&ChangeEntry| {
                todo.is_none_or(|todo| todo == it.recorded.change.todo)
                    && action.is_none_or(|action| action == it.recorded.change.action())
            };
            let mut expected: Vec<_> = all.iter().filter(is_selected).cloned().collect();
            assert_eq!(list(selection, Since::Change(begin)).await, expected, "{selection:?}");
            expected.reverse();
            assert_eq!(list(selection, Since::Newest).await, expected, "{selection:?}");
        }
    }
    assert_eq!(list(ChangeSelection::default(), Since::Change(latest)).await, []);
    let middle = all[all.len() / 2].recorded.change.at;
    let rest = list(ChangeSelection::default(), Since::Instant(middle)).await;
    let at = |entry: &ChangeEntry| entry.recorded.change.at.as_unix_millis();
    assert!(at(&rest[0]) >= middle.as_unix_millis() - 100, "about then");
    assert!(rest.len() >= all.iter().filter(|it| at(it) > middle.as_unix_millis() + 100).count());

    while store.forget(&operator(), Instant::MAX, None).await.unwrap().changes > 0 {}
    let size = HistoryPageSize::default();
    let member = Member::new("b");
    let forgotten =
        lists.todos.list_changes(&member, ChangeSelection::default(), size, Since::Change(begin));
    let forgotten = forgotten.await;
    assert!(
        matches!(forgotten, Err(todo_application::ListChangesError::NotRemembered)),
        "{forgotten:?}"
    );
    assert_eq!(list(ChangeSelection::default(), Since::Change(latest)).await, []);
}
