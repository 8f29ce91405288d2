//! Todos and what happened to them, as clients see them.

mod history;
mod many;
mod prepared;

use std::fmt::Display;
use std::sync::Arc;

use protected_mcp::{PreparedJson, to_json_line};
use schemars::{JsonSchema, Schema};
use serde::{Serialize, Serializer};
use serde_json::json;
use todo_application::domain::{
    Due, Instant, Label, Labels, Now, Rfc3339, TimeZone, Todo, TodoId, TodoRecord,
};
use todo_application::{Page, PageSize};

pub(crate) use history::{ChangeList, history_page};
pub(crate) use many::{ManyResults, UndoneView};
pub(crate) use prepared::PreparedTodos;

use crate::cursor;

#[derive(Serialize, JsonSchema)]
pub(crate) struct TodoView<'a> {
    /// Use it as `todo_id`.
    #[serde(serialize_with = "id")]
    #[schemars(with = "String", extend("format" = "uuid"))]
    id: TodoId,
    /// What is to be done.
    title: &'a str,
    /// Details, or null.
    description: Option<&'a str>,
    /// Whether it is done.
    completed: bool,
    /// Time of creation.
    #[serde(serialize_with = "instant")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: Instant,
    /// Time of the last change.
    #[serde(serialize_with = "instant")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    updated_at: Instant,
    /// When it was done; absent while open.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"), default)]
    completed_at: Option<Instant>,
    /// Use it as `expected_version`.
    #[schemars(range(min = 1))]
    version: i64,
    /// low, normal, high or urgent.
    priority: &'static str,
    /// Its labels.
    #[serde(serialize_with = "texts")]
    #[schemars(with = "Vec<String>")]
    labels: &'a Labels,
    /// When it is due, as it was meant; absent if it is not.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    due: Option<Due>,
    /// The zone of a local time.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    time_zone: Option<TimeZone>,
    /// The instant of a time.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"), default)]
    due_at: Option<Instant>,
}

impl<'a> From<&'a TodoRecord> for TodoView<'a> {
    fn from(record: &'a TodoRecord) -> Self {
        // Without `..`: a new field must be shown, or hidden on purpose.
        let TodoRecord {
            id,
            workspace: _,
            title,
            description,
            completion,
            due,
            priority,
            labels,
            created_at,
            created_by: _,
            updated_at,
            updated_by: _,
            version,
        } = record;
        Self {
            id: *id,
            title: title.as_str(),
            description: description.as_deref(),
            completed: completion.is_done(),
            created_at: *created_at,
            updated_at: *updated_at,
            completed_at: completion.at(),
            version: version.as_i64(),
            priority: priority.name(),
            labels,
            due: due.clone(),
            time_zone: due.as_ref().and_then(Due::time_zone).cloned(),
            due_at: due.as_ref().and_then(Due::at),
        }
    }
}

impl<'a> From<&'a Todo> for TodoView<'a> {
    fn from(todo: &'a Todo) -> Self {
        todo.record().into()
    }
}

/// `{"todo": {..}}`: the result of most tools.
#[derive(Serialize, JsonSchema)]
pub(crate) struct OneTodo {
    /// The todo.
    #[serde(serialize_with = "view")]
    #[schemars(with = "TodoView<'_>")]
    todo: TodoRecord,
}

impl From<Todo> for OneTodo {
    fn from(todo: Todo) -> Self {
        todo.into_record().into()
    }
}

impl From<TodoRecord> for OneTodo {
    fn from(todo: TodoRecord) -> Self {
        Self { todo }
    }
}

/// What a list says of each todo to save room.
#[derive(Serialize)]
struct ShortView<'a> {
    #[serde(serialize_with = "id")]
    id: TodoId,
    title: &'a str,
    completed: bool,
    priority: &'static str,
    #[serde(serialize_with = "texts")]
    labels: &'a Labels,
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    due: Option<Due>,
}

impl<'a> From<&'a Todo> for ShortView<'a> {
    fn from(todo: &'a Todo) -> Self {
        Self {
            id: todo.id(),
            title: todo.title().as_str(),
            completed: todo.completion().is_done(),
            priority: todo.priority().name(),
            labels: todo.labels(),
            due: todo.due().cloned(),
        }
    }
}

/// How much a list says of each todo.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Detail {
    #[default]
    Full,
    Short,
}

impl Detail {
    /// This page, with no more todos than have room in one answer.
    pub(crate) fn page(self, size: PageSize) -> PageSize {
        size.with_room_for(match self {
            Self::Full => |todos| fitting(todos, ROOM, |it| at_most(it.record()), TodoView::from),
            Self::Short => |todos| fitting(todos, ROOM, |it| at_most(it.record()), ShortView::from),
        })
    }
}

/// The most bytes of an answer as JSON: enough for a model, and so few that it is written quickly. Others wait
/// for the processor meanwhile.
const ANSWER_BYTES: usize = 64 * 1024;

/// The most bytes of what an answer lists. The rest are brackets, cursor, present.
const ROOM: usize = ANSWER_BYTES - 256;

/// What a todo has beside twice its texts, at most, with the comma after it. JSON doubles the bytes of a text
/// at most, as texts have no control characters but tabs and line breaks.
const TODO_BYTES_BESIDE_TEXTS: u64 = 512;

/// About how many bytes of JSON a todo is, at most.
fn at_most(todo: &TodoRecord) -> u64 {
    TODO_BYTES_BESIDE_TEXTS + 2 * todo.bytes()
}

/// How many of these items, which come first, have room in so many bytes of JSON. Most often what they have
/// `at_most` decides that, and none has to be written for it.
fn fitting<'a, T, V: Serialize>(
    items: &'a [T],
    room: usize,
    at_most: fn(&T) -> u64,
    view: fn(&'a T) -> V,
) -> usize {
    if items.iter().map(at_most).sum::<u64>() <= room as u64 {
        return items.len();
    }
    let mut bytes = 0;
    let fit = items.iter().take_while(|item| {
        bytes += json_bytes(&view(item)) + ",".len();
        bytes <= room
    });
    fit.count()
}

fn json_bytes(value: &impl Serialize) -> usize {
    to_json_line(value).map_or(0, |json| json.len())
}

impl TryFrom<&str> for Detail {
    type Error = &'static str;

    fn try_from(name: &str) -> Result<Self, &'static str> {
        match name {
            "full" => Ok(Self::Full),
            "short" => Ok(Self::Short),
            _ => Err("must be full or short"),
        }
    }
}

/// The present, in which a list was made.
#[derive(Serialize, JsonSchema)]
struct AsOf {
    /// The instant.
    #[schemars(extend("format" = "date-time"))]
    now: String,
    /// The day in the zone.
    today: String,
    /// Its weekday.
    weekday: &'static str,
    /// The zone that days were counted in.
    time_zone: String,
}

impl From<Now> for AsOf {
    fn from(now: Now) -> Self {
        Self {
            now: now.at().to_string(),
            today: now.today().to_string(),
            weekday: now.weekday().name(),
            time_zone: now.time_zone().name().to_owned(),
        }
    }
}

/// `{"todos": [{..}], "next_cursor"?, "as_of"?}`: a page of a list.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TodoList {
    /// One page.
    #[schemars(with = "Vec<TodoView<'_>>", length(max = PageSize::MAX), transform = only_short)]
    todos: Listed,
    /// Use it as cursor for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    next_cursor: Option<String>,
    /// The user's present, if days matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AsOf", default)]
    as_of: Option<AsOf>,
}

/// About how many bytes of JSON a todo in full is.
const TODO_JSON: usize = 360;

struct Listed {
    todos: Vec<Todo>,
    detail: Detail,
    prepared: Option<Arc<PreparedTodos>>,
}

/// A todo in a list in full.
#[derive(Serialize)]
#[serde(untagged)]
enum FullView<'a> {
    Prepared(PreparedJson),
    View(TodoView<'a>),
}

impl Serialize for Listed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.detail {
            Detail::Full => serializer.collect_seq(self.todos.iter().map(|todo| {
                let prepared = self.prepared.as_ref().and_then(|it| it.json(todo));
                prepared.map_or_else(|| FullView::View(todo.into()), FullView::Prepared)
            })),
            Detail::Short => serializer.collect_seq(self.todos.iter().map(ShortView::from)),
        }
    }
}

/// Of a todo in a list, only what every list says is required.
fn only_short(schema: &mut Schema) {
    if let Some(items) = schema.get_mut("items") {
        items["required"] = json!(["id", "title", "completed"]);
    }
}

impl TodoList {
    /// The JSON of todos comes from `prepared`, if it is there.
    pub(crate) fn new(
        Page { todos, next, as_of }: Page,
        detail: Detail,
        prepared: Option<Arc<PreparedTodos>>,
    ) -> Self {
        let todos = Listed { todos, detail, prepared };
        let next_cursor = next.map(cursor::encode);
        Self { todos, next_cursor, as_of: as_of.map(AsOf::from) }
    }

    /// About how many bytes it has as JSON.
    pub(crate) fn size_hint(&self) -> usize {
        let each = if self.todos.detail == Detail::Full { TODO_JSON } else { 160 };
        128 + each * self.todos.todos.len()
    }
}

/// With all that is known of each todo.
impl From<Page> for TodoList {
    fn from(page: Page) -> Self {
        Self::new(page, Detail::Full, None)
    }
}

fn view<S: Serializer>(todo: &TodoRecord, serializer: S) -> Result<S::Ok, S::Error> {
    TodoView::from(todo).serialize(serializer)
}

fn texts<S: Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(labels.iter().map(Label::as_str))
}

// Every todo of a list has these: a formatter takes as long again.

fn id<S: Serializer>(id: &TodoId, serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = [0; 36];
    serializer.serialize_str(id.as_uuid().as_hyphenated().encode_lower(&mut text))
}

fn instant<S: Serializer>(instant: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(Rfc3339::from(*instant).as_str())
}

fn display<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn display_some<S: Serializer>(
    value: &Option<impl Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
