//! Todos in memory, with the arguments and results of the tools of todo-mcp.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;
use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use uuid::Uuid;

const PAGE: usize = 50;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListTodos {
    /// true: only done todos; false: only open ones; absent: both.
    completed: Option<bool>,
    /// The most todos to return.
    limit: Option<usize>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetTodo {
    /// The todo's id.
    todo_id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTodo {
    /// What is to be done, in one line.
    title: String,
    /// Details.
    description: Option<String>,
    /// A key for this call: repeated with it, it adds nothing and returns the same todo.
    idempotency_key: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateTodo {
    /// The todo's id.
    todo_id: String,
    /// The new title, in one line.
    title: Option<String>,
    /// The new description; an empty one clears it.
    description: Option<String>,
    /// true: mark it done; false: open it again.
    completed: Option<bool>,
    /// Change it only if it still has this version.
    expected_version: Option<i64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteTodo {
    /// The todo's id.
    todo_id: String,
    /// Delete it only if it still has this version.
    expected_version: Option<i64>,
}

/// A todo, stored as it is shown.
#[derive(Clone, Serialize, JsonSchema)]
pub(crate) struct Todo {
    /// Use it as `todo_id`.
    #[serde(serialize_with = "id")]
    #[schemars(with = "String")]
    id: Uuid,
    /// What is to be done.
    title: String,
    /// Details, or null.
    description: Option<String>,
    /// Whether it is done.
    completed: bool,
    /// Time of creation.
    #[serde(serialize_with = "instant")]
    #[schemars(with = "String")]
    created_at: Timestamp,
    /// Time of the last change.
    #[serde(serialize_with = "instant")]
    #[schemars(with = "String")]
    updated_at: Timestamp,
    /// When it was done; absent while open.
    #[serde(serialize_with = "some_instant", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    completed_at: Option<Timestamp>,
    /// Use it as `expected_version`.
    version: i64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct OneTodo {
    todo: Todo,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct TodoList {
    todos: Vec<Todo>,
    /// Use it as cursor for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(default)]
    next_cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Deleted {
    deleted: String,
}

/// The text of a tool error.
type ToolError = String;

/// The todos, in the order of their ids, which is that of their creation.
#[derive(Default)]
pub(crate) struct Store {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    todos: BTreeMap<Uuid, Todo>,
    created: u128,
    keys: HashMap<String, Uuid>,
}

impl Store {
    pub(crate) fn list(&self, arguments: &ListTodos) -> Result<TodoList, ToolError> {
        let state = self.read();
        let limit = arguments.limit.unwrap_or(PAGE);
        let after = match &arguments.cursor {
            Some(cursor) => Bound::Excluded(parse(cursor)?),
            None => Bound::Unbounded,
        };
        let mut found = state
            .todos
            .range((after, Bound::Unbounded))
            .map(|(_, todo)| todo)
            .filter(|todo| arguments.completed.is_none_or(|it| it == todo.completed));
        let todos: Vec<Todo> = found.by_ref().take(limit).cloned().collect();
        let more = found.next().is_some();
        let next_cursor = todos.last().filter(|_| more).map(|todo| todo.id.to_string());
        Ok(TodoList { todos, next_cursor })
    }

    pub(crate) fn get(&self, arguments: &GetTodo) -> Result<OneTodo, ToolError> {
        let id = parse(&arguments.todo_id)?;
        let todo = self.read().todos.get(&id).cloned();
        todo.map(|todo| OneTodo { todo }).ok_or_else(|| not_found(&arguments.todo_id))
    }

    pub(crate) fn create(&self, arguments: CreateTodo) -> OneTodo {
        let CreateTodo { title, description, idempotency_key } = arguments;
        let mut state = self.write();
        let known = idempotency_key.as_ref().and_then(|key| state.keys.get(key));
        if let Some(todo) = known.and_then(|id| state.todos.get(id)) {
            return OneTodo { todo: todo.clone() };
        }
        state.created += 1;
        let (id, now) = (Uuid::from_u128(state.created), now());
        let description = description.filter(|it| !it.is_empty());
        let todo = Todo {
            id,
            title,
            description,
            completed: false,
            created_at: now,
            updated_at: now,
            completed_at: None,
            version: 1,
        };
        state.todos.insert(id, todo.clone());
        if let Some(key) = idempotency_key {
            state.keys.insert(key, id);
        }
        OneTodo { todo }
    }

    pub(crate) fn update(&self, arguments: UpdateTodo) -> Result<OneTodo, ToolError> {
        let UpdateTodo { todo_id, title, description, completed, expected_version } = arguments;
        let mut state = self.write();
        let todo = state.todos.get_mut(&parse(&todo_id)?).ok_or_else(|| not_found(&todo_id))?;
        if expected_version.is_some_and(|expected| expected != todo.version) {
            return Err(version_conflict(todo));
        }
        let now = now();
        if let Some(title) = title {
            todo.title = title;
        }
        if let Some(description) = description {
            todo.description = Some(description).filter(|it| !it.is_empty());
        }
        if let Some(completed) = completed {
            todo.completed = completed;
            todo.completed_at = completed.then_some(now);
        }
        todo.updated_at = now;
        todo.version += 1;
        Ok(OneTodo { todo: todo.clone() })
    }

    pub(crate) fn delete(&self, arguments: DeleteTodo) -> Result<Deleted, ToolError> {
        let DeleteTodo { todo_id, expected_version } = arguments;
        let (id, mut state) = (parse(&todo_id)?, self.write());
        let todo = state.todos.get(&id).ok_or_else(|| not_found(&todo_id))?;
        if expected_version.is_some_and(|expected| expected != todo.version) {
            return Err(version_conflict(todo));
        }
        state.todos.remove(&id);
        Ok(Deleted { deleted: todo_id })
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "this server has no ports")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn parse(todo_id: &str) -> Result<Uuid, ToolError> {
    todo_id.parse().map_err(|_| not_found(todo_id))
}

fn not_found(todo_id: &str) -> ToolError {
    json!({ "error": format!("Todo `{todo_id}` not found."), "code": "not_found" }).to_string()
}

fn version_conflict(todo: &Todo) -> ToolError {
    let error = format!("Todo `{}` has changed.", todo.id);
    json!({ "error": error, "code": "version_conflict", "todo": todo }).to_string()
}

fn id<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

fn instant<S: Serializer>(instant: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{instant:.3}"))
}

#[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
fn some_instant<S: Serializer>(some: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match some {
        Some(some) => instant(some, serializer),
        None => serializer.serialize_none(),
    }
}
