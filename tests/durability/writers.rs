//! Clients that write continuously and record every acknowledgement.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use reqwest::Method;
use serde_json::{Value, json};
use todo_tests::client::{Answer, Client};
use tokio::sync::watch;

type Todos = BTreeMap<String, Value>;

/// The most todos of a writer: few, so that it soon changes those that an earlier crash has met.
const MOST: usize = 12;

/// A client with todos of its own, which also changes one that all writers share.
pub(crate) struct Writer {
    name: String,
    random: Rng,
    /// The number of requested changes, which makes each title unique.
    asked: usize,
    /// Its todos, as last acknowledged.
    todos: Vec<Value>,
    /// The change that is not acknowledged yet.
    unanswered: Option<Change>,
    shared: Arc<Shared>,
}

/// A change of a writer's todos, or of the shared one.
enum Change {
    /// With a key that equals its title, or without one.
    Create {
        title: String,
        description: String,
        once: bool,
    },
    /// Of the todo at this index.
    Update {
        index: usize,
        edit: Value,
    },
    Delete {
        index: usize,
    },
    Share {
        title: String,
    },
}

/// A todo that all writers change.
pub(crate) struct Shared {
    id: String,
    /// The acknowledged changes, by version.
    answered: Mutex<BTreeMap<i64, Value>>,
    asked: Mutex<BTreeSet<String>>,
}

impl Writer {
    /// A new writer, which does the same for the same seed.
    pub(crate) fn new(name: String, seed: u64, shared: &Arc<Shared>) -> Self {
        let (random, shared) = (Rng::with_seed(seed), Arc::clone(shared));
        Self { name, random, asked: 0, todos: Vec::new(), unanswered: None, shared }
    }

    /// Makes one change after the other until the program is gone, and records each
    /// acknowledgement.
    pub(crate) async fn work(mut self, caller: Client, answered: watch::Sender<u32>) -> Self {
        loop {
            let change = self.choose();
            let (tool, arguments) = self.call(&change);
            let change = self.unanswered.insert(change);
            if let Change::Share { title } = change {
                self.shared.asked.lock().unwrap().insert(title.clone());
            }
            let Some(answer) = attempt(&caller, tool, arguments).await else { return self };
            self.learn(&answer);
            answered.send_modify(|answered| *answered += 1);
        }
    }

    fn choose(&mut self) -> Change {
        self.asked += 1;
        let title = format!("{} {}", self.name, self.asked);
        let random = &mut self.random;
        let description = "milk, ".repeat(random.usize(..8).pow(4) / 3);
        if self.todos.is_empty() {
            return Change::Create { title, description, once: random.bool() };
        }
        let index = random.usize(..self.todos.len());
        match random.u8(..10) {
            0..4 if self.todos.len() < MOST => {
                Change::Create { title, description, once: random.bool() }
            }
            0 => Change::Share { title },
            1..3 => Change::Delete { index },
            3 => Change::Update { index, edit: json!({ "completed": random.bool() }) },
            4..6 => Change::Update { index, edit: json!({ "description": description }) },
            _ => Change::Update {
                index,
                edit: json!({ "title": title, "completed": random.bool() }),
            },
        }
    }

    fn call(&self, change: &Change) -> (&'static str, Value) {
        match change {
            Change::Create { title, description, once } => {
                let mut arguments = json!({ "title": title, "description": description });
                if *once {
                    arguments["idempotency_key"] = title.as_str().into();
                }
                ("create_todo", arguments)
            }
            Change::Update { index, edit } => {
                let todo = &self.todos[*index];
                let mut arguments = edit.clone();
                arguments["todo_id"] = todo["id"].clone();
                arguments["expected_version"] = todo["version"].clone();
                ("update_todo", arguments)
            }
            Change::Delete { index } => {
                ("delete_todo", json!({ "todo_id": self.todos[*index]["id"] }))
            }
            Change::Share { title } => {
                ("update_todo", json!({ "todo_id": self.shared.id, "title": title }))
            }
        }
    }

    /// Records an acknowledgement.
    fn learn(&mut self, answer: &Answer) {
        let result = answer.result();
        assert_eq!(result["isError"], false, "{answer:?}");
        let todo = result["structuredContent"]["todo"].clone();
        match self.unanswered.take().unwrap() {
            Change::Create { .. } => self.todos.push(todo),
            Change::Update { index, .. } => self.todos[index] = todo,
            Change::Delete { index } => drop(self.todos.swap_remove(index)),
            Change::Share { .. } => {
                let version = todo["version"].as_i64().unwrap();
                let before = self.shared.answered.lock().unwrap().insert(version, todo);
                assert_eq!(before, None, "one version, two changes");
            }
        }
    }

    /// Asserts that the acknowledged changes are stored, and removes them from `stored`. The
    /// unacknowledged change may be stored too, but only completely.
    pub(crate) fn find_everything(&mut self, stored: &mut Todos) {
        let mut kept = Vec::new();
        for (index, answered) in self.todos.iter().enumerate() {
            let found = stored.remove(id(answered));
            let changed = match &self.unanswered {
                Some(Change::Update { index: changed, edit }) if *changed == index => {
                    found.as_ref().is_some_and(|found| is_edited(found, answered, edit))
                }
                Some(Change::Delete { index: deleted }) if *deleted == index => found.is_none(),
                _ => false,
            };
            assert!(changed || found.as_ref() == Some(answered), "{answered}\nis {found:?}");
            kept.extend(found);
        }
        if let Some(Change::Create { title, description, .. }) = &self.unanswered
            && let Some(found) = stored.values().find(|todo| todo["title"] == *title)
        {
            let found = stored.remove(&id(found).to_owned()).unwrap();
            assert!(is_new(&found, description), "{found}");
            kept.push(found);
        }
        self.todos = kept;
    }

    /// Repeats an unacknowledged creation with its key. Exactly one todo must exist then, whether
    /// or not the first call created it.
    pub(crate) async fn ask_again(&mut self, caller: &Client) {
        let Some(change @ Change::Create { once: true, .. }) = self.unanswered.take() else {
            return;
        };
        let (tool, arguments) = self.call(&change);
        let todo = attempt(caller, tool, arguments).await.unwrap().structured()["todo"].clone();
        match self.todos.iter().find(|found| found["title"] == todo["title"]) {
            Some(found) => assert_eq!(todo, *found),
            None => self.todos.push(todo),
        }
    }
}

impl Shared {
    /// Creates the shared todo.
    pub(crate) async fn create(caller: &Client) -> Arc<Self> {
        let title = "shared";
        let answer = attempt(caller, "create_todo", json!({ "title": title })).await.unwrap();
        let todo = answer.structured()["todo"].clone();
        Arc::new(Self {
            id: id(&todo).to_owned(),
            answered: Mutex::new([(1, todo)].into()),
            asked: Mutex::default(),
        })
    }

    /// Asserts that it is stored as last acknowledged, or as a later unacknowledged change
    /// requested, and removes it from `stored`.
    pub(crate) fn find(&self, stored: &mut Todos) {
        let found = stored.remove(&self.id).expect("the shared todo is there");
        let (mut answered, asked) = (self.answered.lock().unwrap(), self.asked.lock().unwrap());
        let (last, as_answered) = answered.last_key_value().unwrap();
        let version = found["version"].as_i64().unwrap();
        assert!(version >= *last, "{as_answered}\nis {found}");
        if version == *last {
            assert_eq!(found, *as_answered);
        } else {
            assert!(asked.contains(found["title"].as_str().unwrap()), "never written: {found}");
        }
        answered.insert(version, found);
    }
}

/// Whether a todo is `before` after an edit.
fn is_edited(found: &Value, before: &Value, edit: &Value) -> bool {
    let mut expected = before.clone();
    for (field, value) in edit.as_object().unwrap() {
        expected[field] = if *value == json!("") { Value::Null } else { value.clone() };
    }
    expected["version"] = (before["version"].as_i64().unwrap() + 1).into();
    expected["updated_at"] = found["updated_at"].clone();
    let expected = expected.as_object_mut().unwrap();
    expected.remove("completed_at");
    if let Some(at) = found.get("completed_at").filter(|_| expected["completed"] == true) {
        expected.insert("completed_at".to_owned(), at.clone());
    }
    *found == Value::Object(expected.clone())
        && text(found, "updated_at") >= text(before, "updated_at")
}

/// Whether a todo is a new one with this description.
fn is_new(found: &Value, description: &str) -> bool {
    found["description"].as_str().unwrap_or_default() == description
        && found["completed"] == false
        && found["version"] == 1
        && found["updated_at"] == found["created_at"]
}

fn id(todo: &Value) -> &str {
    text(todo, "id")
}

fn text<'a>(todo: &'a Value, field: &str) -> &'a str {
    todo[field].as_str().unwrap()
}

/// Calls a tool of a program that may be killed before it has answered.
async fn attempt(caller: &Client, tool: &str, arguments: Value) -> Option<Answer> {
    let params = json!({ "name": tool, "arguments": arguments });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    caller.attempt(Method::POST, caller.headers(), call.to_string()).await.ok()
}
