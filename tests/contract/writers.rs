//! Paging through any list while others create, edit, complete and delete.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};

use fastrand::Rng;
use todo_application::NewTodo;
use todo_application::domain::{Draft, Edit, Label, Labels, LabelsEdit, Query};

use super::*;

const ROUNDS: u64 = 48;

/// The pages that are read while one writer changes todos.
const PAGES: u32 = 300;

/// The todos of a list when its first page is read.
const TODOS: u32 = 30;

/// At most so many writes between two pages, and in all: a list that grows as fast as it is read has no end.
const WRITES: usize = 8;
const ALL_WRITES: usize = 60;

/// Everything that was written in a round.
#[derive(Default)]
struct History {
    /// The states of each todo.
    states: BTreeMap<TodoId, Vec<Todo>>,
    deleted: BTreeSet<TodoId>,
    writes: usize,
}

impl History {
    /// The todos that the list contained all along, in the same place.
    fn steady(&self, initial: &[Todo], selection: &Selection) -> Vec<TodoId> {
        let place = |todo: &Todo| is_selected(todo, selection).then(|| selection.sort.place(todo));
        let stayed = |todo: &&Todo| {
            let before = place(todo);
            let states = &self.states[&todo.id()];
            before.is_some() && states.iter().all(|state| place(state) == before)
        };
        let there = initial.iter().filter(|todo| !self.deleted.contains(&todo.id()));
        there.filter(stayed).map(Todo::id).collect()
    }

    fn add(&mut self, state: Todo) {
        self.states.entry(state.id()).or_default().push(state);
    }

    async fn write(&mut self, todos: &Todos, random: &mut Rng) {
        for _ in 0..random.usize(..=WRITES).min(ALL_WRITES - self.writes) {
            self.writes += 1;
            let there = self.states.keys().filter(|id| !self.deleted.contains(id));
            match (random.u8(..8), random.choice(there.copied().collect::<Vec<_>>())) {
                (0, Some(id)) => {
                    todos.delete(&Alice::new(), id, None).await.unwrap();
                    self.deleted.insert(id);
                }
                (1..=5, Some(id)) => {
                    let edit = any_edit(random);
                    self.add(todos.update(&Alice::new(), id, edit, None).await.unwrap().todo);
                }
                _ => {
                    let new = NewTodo { draft: any_draft(random), key: None };
                    let created = todos.create(&Alice::new(), new).await.unwrap();
                    self.add(restore(created.into_record()));
                }
            }
        }
    }
}

fn is_selected(todo: &Todo, selection: &Selection) -> bool {
    !expected(slice::from_ref(todo), selection).is_empty()
}

/// Like one of those that are there.
fn any_draft(random: &mut Rng) -> Draft {
    let TodoRecord { title, description, due, priority, labels, .. } =
        varied(random.u32(1..100)).into_record();
    Draft { title, description, due, priority, labels }
}

/// Changes at most two fields, so that most todos stay in one of the lists.
fn any_edit(random: &mut Rng) -> Edit {
    let Draft { title: _, description: _, due, priority, labels: _ } = any_draft(random);
    let mut edit = Edit::default();
    for _ in 0..2 {
        match random.u8(..6) {
            0 => edit.due = Some(due.clone()),
            1 => edit.priority = Some(priority),
            2 => edit.completed = Some(random.bool()),
            3 => {
                let label = Label::try_from(["tax", "home", "Küche"][random.usize(..3)]).unwrap();
                let add = Labels::try_from(vec![label]).unwrap();
                edit.labels = Some(LabelsEdit::Change { add, remove: Labels::NONE });
            }
            _ => {
                let title = format!("changed {}", random.u16(..));
                edit.title = Some(Title::try_from(title.as_str()).unwrap());
            }
        }
    }
    edit
}

/// Pages through a list in a workspace that is empty before and afterwards.
async fn round(repository: &Arc<dyn TodoRepository>, at_once: bool, number: u64) {
    let mut random = Rng::with_seed(number);
    let mut selection = random.choice(every_selection().collect::<Vec<_>>()).unwrap();
    let query =
        random.choice([None, None, Some("mi"), Some("chang"), Some("changed 1"), Some("tax")]);
    selection.query = query.flatten().map(|it| Query::try_from(it).unwrap());
    let label = random.choice([None, None, None, Some("Home"), Some("tax")]);
    selection.label = label.flatten().map(|it| Label::try_from(it).unwrap().key());
    let size = PageSize::try_from(random.i64(1..9)).unwrap();
    let context = format!("round {number}, pages of {size:?}, {selection:?}");
    let initial: Vec<Todo> = (1..=TODOS).map(varied).collect();
    let mut history = History::default();
    for todo in &initial {
        repository.add(todo).await.unwrap();
        history.add(todo.clone());
    }
    let todos = todos(Arc::clone(repository));
    let (mut seen, mut cursor) = (Vec::<Todo>::new(), None);
    loop {
        let alice = Alice::new();
        let page = todos.list(&alice, &selection, size, cursor);
        let page = if at_once {
            tokio::join!(page, history.write(&todos, &mut random)).0.unwrap()
        } else {
            page.await.unwrap()
        };
        for todo in page.todos {
            assert!(history.states[&todo.id()].contains(&todo), "{todo:?} was never so: {context}");
            assert!(is_selected(&todo, &selection), "{todo:?} is not of the list: {context}");
            if let Some(before) = seen.last() {
                let places = [before, &todo].map(|it| selection.sort.place(it));
                assert!(places[0] < places[1], "{todo:?} follows {before:?}: {context}");
            }
            seen.push(todo);
        }
        let Some(next) = page.next else { break };
        cursor = Some(next);
        history.write(&todos, &mut random).await;
    }
    for id in history.steady(&initial, &selection) {
        let times = seen.iter().filter(|todo| todo.id() == id).count();
        assert_eq!(times, 1, "{:?}: {context}", history.states[&id]);
    }
    for id in history.states.into_keys().filter(|id| !history.deleted.contains(id)) {
        todos.delete(&Alice::new(), id, None).await.unwrap();
    }
}

pub(in super::super) async fn a_list_is_paged_while_others_write_between_pages(
    repository: Arc<dyn TodoRepository>,
) {
    for number in 0..ROUNDS {
        round(&repository, false, number).await;
    }
}

pub(in super::super) async fn a_list_is_paged_while_others_write_at_once(
    repository: Arc<dyn TodoRepository>,
) {
    for number in 0..ROUNDS {
        round(&repository, true, number).await;
    }
}

/// Todos that match all along, in the same place, while each is changed again and again in what the storage
/// looks them up by.
async fn a_page_shows_each_once(
    repository: Arc<dyn TodoRepository>,
    selection: &Selection,
    edit: fn(&mut Rng) -> Edit,
) {
    let initial: Vec<Todo> = (1..=TODOS).map(varied).collect();
    for todo in &initial {
        repository.add(todo).await.unwrap();
    }
    let todos = Arc::new(todos(repository));
    let done = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (todos, done) = (Arc::clone(&todos), Arc::clone(&done));
        let mut random = Rng::with_seed(1);
        async move {
            while !done.load(Ordering::Relaxed) {
                let id = id(random.u32(1..=TODOS));
                todos.update(&Alice::new(), id, edit(&mut random), None).await.unwrap();
            }
        }
    });
    let expected: BTreeSet<TodoId> = initial.iter().map(Todo::id).collect();
    for _ in 0..PAGES {
        let page = todos.list(&Alice::new(), selection, PageSize::LARGEST, None).await.unwrap();
        let shown: Vec<TodoId> = page.todos.iter().map(Todo::id).collect();
        assert_eq!(shown.len(), expected.len(), "{selection:?}");
        assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), expected, "{selection:?}");
    }
    done.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

pub(in super::super) async fn a_list_shows_what_is_completed_meanwhile_exactly_once(
    repository: Arc<dyn TodoRepository>,
) {
    let by_due = Selection { sort: Sort::By(Order::Due), ..Selection::default() };
    let flip = |random: &mut Rng| Edit { completed: Some(random.bool()), ..Edit::default() };
    a_page_shows_each_once(repository, &by_due, flip).await;
}

pub(in super::super) async fn a_search_shows_what_changes_within_its_words_exactly_once(
    repository: Arc<dyn TodoRepository>,
) {
    let query = Some(Query::try_from("mi").unwrap());
    let rename = |random: &mut Rng| {
        let title = format!("Buy mi{}", random.u8(..30));
        let title = if random.bool() { "Buy milk" } else { &title };
        Edit { title: Some(Title::try_from(title).unwrap()), ..Edit::default() }
    };
    a_page_shows_each_once(repository, &Selection { query, ..Selection::default() }, rename).await;
}
