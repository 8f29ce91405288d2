use std::sync::Arc;

use protected_mcp::{Call, Failure, Hints, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::domain::{DueFilter, Label, Priority, Query, Sort, TimeZone, Todo};
use todo_application::{PageSize, Selection, Todos};

use super::arguments::{Number, Text};
use crate::affected::shown;
use crate::cursor::CursorText;
use crate::failure::IntoFailure;
use crate::principal::CallerPrincipal;
use crate::scopes::ReadTodos;
use crate::view::{Detail, PreparedTodos, TodoList};

pub(crate) struct ListTodos {
    pub(crate) todos: Arc<Todos>,
    pub(crate) prepared: Arc<PreparedTodos>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// true: only done todos; false: only open ones; left out: both.
    completed: Option<bool>,
    /// The most todos to return.
    #[schemars(range(min = 1, max = PageSize::MAX), extend("default" = PageSize::DEFAULT))]
    limit: Option<Number<PageSize>>,
    /// `next_cursor` of the previous page; keep the filters and sort.
    cursor: Option<Text<CursorText>>,
    /// overdue; today (or overdue); week (within seven days or overdue); any; none. The first three
    /// list only open todos by default.
    due: Option<Text<DueFilter>>,
    /// Only todos with this label.
    label: Option<Text<Label>>,
    /// Only low, normal, high or urgent ones.
    priority: Option<Text<Priority>>,
    /// Words to search for: each must begin a word of title, description or labels.
    query: Option<Text<Query>>,
    /// created (default), due (earliest first), priority (most urgent first) or updated (latest first).
    sort: Option<Text<Sort>>,
    /// full (default), or short: id, title, completed, priority, labels, due.
    detail: Option<Text<Detail>>,
    /// Where the user is, as an IANA name; left out: as known.
    time_zone: Option<Text<TimeZone>>,
}

impl Tool for ListTodos {
    type Scope = ReadTodos;
    type Arguments = Arguments;
    type Output = TodoList;

    const NAME: &'static str = "list_todos";
    const TITLE: &'static str = "List todos";
    const DESCRIPTION: &'static str = "Lists the user's todos, oldest first unless sorted, a page at a time. Use it to see what there \
         is to do, what is overdue (due: overdue) or about something (query: tax return), and to find a todo's id. If the result has \
         next_cursor, there may be more, also after an empty page: call again with it.";
    const HINTS: Hints = Hints::READS;

    async fn call(&self, call: Call<ReadTodos>, arguments: Arguments) -> Result<TodoList, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        let Arguments {
            completed,
            limit,
            cursor,
            due,
            label,
            priority,
            query,
            sort,
            detail,
            time_zone,
        } = arguments;
        let detail = detail.map(|detail| detail.0).unwrap_or_default();
        let size = detail.page(limit.map_or_else(PageSize::default, |limit| limit.0));
        let cursor = cursor.map(|Text(CursorText(cursor))| cursor);
        let selection = Selection {
            completed,
            due: due.map(|due| due.0),
            priority: priority.map(|priority| priority.0),
            label: label.map(|label| label.0.key()),
            query: query.map(|query| query.0),
            sort: sort.map(|sort| sort.0).unwrap_or_default(),
            time_zone: time_zone.map(|zone| zone.0),
        };
        let page = self.todos.list(&principal, &selection, size, cursor).await;
        let page = page.map_err(IntoFailure::into_failure)?;
        call.affects(|| shown(page.todos.iter().map(Todo::id)));
        Ok(TodoList::new(page, detail, Some(Arc::clone(&self.prepared))))
    }

    fn size_hint(list: &TodoList) -> usize {
        list.size_hint()
    }
}
