use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use todo_application::domain::{
    Author, Change, ChangeKind, ClientId, Completion, Description, Due, Fields, Instant, Label,
    Organization, Priority, TimeZone, Title, TodoId,
};
use todo_application::{ChangeEntry, ChangeId, HistoryPage, HistoryPageSize, PageSize};

use super::{ROOM, display, display_some, fitting, json_bytes};
use crate::cursor;

/// This page, with no more changes than have room in one answer.
pub(crate) fn history_page(size: HistoryPageSize) -> HistoryPageSize {
    size.with_room_for(|changes| fitting(changes, ROOM, at_most, ChangeView::from))
}

/// What a change has beside twice its texts, at most, with the comma after it.
const BYTES_BESIDE_TEXTS: usize = 1_024;

/// About how many bytes of JSON a change is, at most.
fn at_most(entry: &ChangeEntry) -> u64 {
    let Change { by: Author { subject, organization, client }, title, .. } = &entry.recorded.change;
    let of_author = subject.as_str().len()
        + organization.as_ref().map_or(0, |it| it.as_str().len())
        + client.as_ref().map_or(0, |it| it.as_str().len());
    let beside_fields = (BYTES_BESIDE_TEXTS + 2 * (title.as_str().len() + of_author)) as u64;
    beside_fields + 2 * entry.recorded.change.bytes()
}

/// `{"changes": [{..}], "next_cursor"?, "latest"?}`: a page of a history.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ChangeList {
    /// One page.
    #[schemars(with = "Vec<ChangeView<'_>>", length(max = PageSize::MAX))]
    changes: Listed,
    /// Use it as cursor for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    next_cursor: Option<String>,
    /// Use it as since, to see later what is new.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    latest: Option<ChangeId>,
}

struct Listed {
    changes: Vec<ChangeEntry>,
    /// It is one change, which is too long to be shown in full.
    is_long: bool,
}

impl From<HistoryPage> for ChangeList {
    fn from(HistoryPage { changes, next, latest }: HistoryPage) -> Self {
        let is_long = match &*changes {
            [one] => at_most(one) > ROOM as u64 && json_bytes(&ChangeView::from(one)) > ROOM,
            _ => false,
        };
        let changes = Listed { changes, is_long };
        Self { changes, next_cursor: next.map(cursor::encode_change), latest }
    }
}

impl ChangeList {
    /// About how many bytes it has as JSON.
    pub(crate) fn size_hint(&self) -> usize {
        128 + 400 * self.changes.changes.len()
    }
}

impl Serialize for Listed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.changes.iter().map(|entry| {
            let mut view = ChangeView::from(entry);
            view.fields.is_long = self.is_long;
            view
        }))
    }
}

#[derive(Serialize, JsonSchema)]
struct ChangeView<'a> {
    /// Use it as `change_id` or since.
    #[serde(serialize_with = "display")]
    #[schemars(with = "String")]
    id: ChangeId,
    /// When it was made.
    #[serde(serialize_with = "display")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    at: Instant,
    /// created, updated, deleted or restored.
    action: &'static str,
    /// The todo's id.
    #[serde(serialize_with = "display")]
    #[schemars(with = "String", extend("format" = "uuid"))]
    todo_id: TodoId,
    /// Its title then.
    title: &'a str,
    /// Who made it.
    by: AuthorView<'a>,
    /// From what to what: {field: {from, to}}; of a whole todo, what is not as in a new one.
    #[schemars(with = "AnyFields")]
    fields: FieldsView<'a>,
    /// Undoes all changes of that call.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    batch_id: Option<ChangeId>,
    /// The change that it took back.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    undoes: Option<ChangeId>,
    /// The change that took it back.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    undone_by: Option<ChangeId>,
}

#[derive(Serialize, JsonSchema)]
struct AuthorView<'a> {
    /// The user or machine.
    subject: &'a str,
    /// Its organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    organization: Option<&'a str>,
    /// The client or agent that acted for it, as its token names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    client: Option<&'a str>,
}

/// The schema of [`FieldsView`], whose members are those of a todo.
#[derive(JsonSchema)]
struct AnyFields {}

impl<'a> From<&'a ChangeEntry> for ChangeView<'a> {
    fn from(entry: &'a ChangeEntry) -> Self {
        let ChangeEntry { id, batch, undoes, undone_by, recorded } = entry;
        let change = &recorded.change;
        let Author { subject, organization, client } = &change.by;
        Self {
            id: *id,
            at: change.at,
            action: change.action().name(),
            todo_id: change.todo,
            title: change.title.as_str(),
            by: AuthorView {
                subject: subject.as_str(),
                organization: organization.as_ref().map(Organization::as_str),
                client: client.as_ref().map(ClientId::as_str),
            },
            fields: FieldsView { change, is_long: false },
            batch_id: *batch,
            undoes: *undoes,
            undone_by: *undone_by,
        }
    }
}

/// The fields that a change touched. Of a whole todo, those that are not as in a new one.
struct FieldsView<'a> {
    change: &'a Change,
    /// Leaves out the description of before, so that one change always fits into an answer.
    is_long: bool,
}

/// A field before and after; that of a todo that did not exist is left out.
#[derive(Serialize)]
struct Sides<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<T>,
}

impl Serialize for FieldsView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { change, is_long } = self;
        let sides @ [from, to] = match &change.kind {
            ChangeKind::Created(fields) | ChangeKind::Restored(fields) => [None, Some(fields)],
            ChangeKind::Updated { from, to } => [Some(from), Some(to)],
            ChangeKind::Deleted { from, origin: _ } => [Some(from), None],
        };
        // Names every field, so that a new one is shown, or hidden on purpose.
        let Fields { title: _, description: _, completion: _, due: _, priority: _, labels: _ } =
            Fields::default();
        let mut map = serializer.serialize_map(None)?;
        write(&mut map, "title", sides, &"", |it| it.title.as_ref().map(Title::as_str))?;
        let described = [from.filter(|_| !is_long || to.is_none()), to];
        write(&mut map, "description", described, &None, |it| {
            it.description.as_ref().map(Description::as_deref)
        })?;
        write(&mut map, "completed", sides, &false, |it| it.completion.map(Completion::is_done))?;
        // Most often it is the instant of the change.
        let done_at = |it: Completion| it.at().filter(|at| *at != change.at);
        write(&mut map, "completed_at", sides, &None, |it| {
            it.completion.map(|it| done_at(it).map(|at| at.to_string()))
        })?;
        write(&mut map, "due", sides, &None, |it| {
            it.due.as_ref().map(|it| it.as_ref().map(Due::to_string))
        })?;
        write(&mut map, "time_zone", sides, &None, |it| {
            it.due.as_ref().map(|it| it.as_ref().and_then(Due::time_zone).map(TimeZone::name))
        })?;
        let normal = Priority::default().name();
        write(&mut map, "priority", sides, &normal, |it| it.priority.map(Priority::name))?;
        write(&mut map, "labels", sides, &Vec::new(), |it| {
            it.labels.as_ref().map(|it| it.iter().map(Label::as_str).collect())
        })?;
        map.end()
    }
}

/// Writes a field that was touched, unless it looks the same before and after. `as_new`: what a todo has that
/// was just created with nothing but a title.
fn write<'a, M: SerializeMap, T: Serialize + PartialEq>(
    map: &mut M,
    field: &'static str,
    sides: [Option<&'a Fields>; 2],
    as_new: &T,
    value: impl Fn(&'a Fields) -> Option<T>,
) -> Result<(), M::Error> {
    let [from, to] = sides.map(|side| side.and_then(&value));
    let says_nothing = match (&from, &to) {
        (None, None) => true,
        (Some(one), None) | (None, Some(one)) => one == as_new,
        (Some(from), Some(to)) => from == to,
    };
    if says_nothing { Ok(()) } else { map.serialize_entry(field, &Sides { from, to }) }
}
