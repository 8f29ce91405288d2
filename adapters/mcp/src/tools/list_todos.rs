use std::sync::Arc;

use protected_mcp::{Call, Failure, Hints, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::ports::Filter;
use todo_application::{PageSize, Todos};

use super::arguments::{Number, Text};
use crate::cursor::CursorText;
use crate::failure::IntoFailure;
use crate::principal::CallerPrincipal;
use crate::scopes::ReadTodos;
use crate::view::TodoList;

pub(crate) struct ListTodos(pub(crate) Arc<Todos>);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// true: only done todos; false: only open ones; left out: both.
    completed: Option<bool>,
    /// The most todos to return.
    #[schemars(range(min = 1, max = PageSize::MAX), extend("default" = PageSize::DEFAULT))]
    limit: Option<Number<PageSize>>,
    /// `next_cursor` of the previous page; keep the same completed.
    cursor: Option<Text<CursorText>>,
}

impl Tool for ListTodos {
    type Scope = ReadTodos;
    type Arguments = Arguments;
    type Output = TodoList;

    const NAME: &'static str = "list_todos";
    const TITLE: &'static str = "List todos";
    const DESCRIPTION: &'static str = "Lists the user's todos with all their fields, oldest first, a page at a time. Use it to see \
         what there is to do and to find a todo's id. If the result has next_cursor, there are more: \
         call again with it.";
    const HINTS: Hints = Hints::READS;

    async fn call(&self, call: Call<ReadTodos>, arguments: Arguments) -> Result<TodoList, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        let Arguments { completed, limit, cursor } = arguments;
        let size = limit.map_or_else(PageSize::default, |limit| limit.0);
        let cursor = cursor.map(|Text(CursorText(cursor))| cursor);
        let page = self.0.list(&principal, Filter { completed }, size, cursor).await;
        page.map(TodoList::from).map_err(IntoFailure::into_failure)
    }

    fn size_hint(list: &TodoList) -> usize {
        64 + 320 * list.len()
    }
}
