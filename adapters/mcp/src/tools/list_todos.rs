use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use todo_application::domain::Action;
use todo_application::ports::{Filter, Principal};
use todo_application::{Cursor, CursorError, PageSize, Todos};

use super::arguments::{Arguments, InvalidArgument};
use super::view::TodoView;
use super::{Annotations, Definition, Payload, Tool, payload, schema};
use crate::failure::ToolError;

pub(super) struct ListTodos;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListArguments {
    /// true: only finished todos; false: only open ones. Both when left out.
    completed: Option<bool>,
    /// How many todos to return, 50 unless given.
    #[schemars(range(min = 1, max = PageSize::MAX))]
    limit: Option<i64>,
    /// `next_cursor` of the previous page, with the same filter.
    cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct ListResult<'a> {
    todos: Vec<TodoView<'a>>,
    /// Pass it as cursor for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    next_cursor: Option<String>,
}

#[async_trait::async_trait]
impl Tool for ListTodos {
    fn action(&self) -> Action {
        Action::List
    }

    fn definition(&self) -> Definition {
        Definition {
            name: "list_todos",
            title: "List todos",
            description: "Returns the user's todos, oldest first, a page at a time. Use it to see \
                          what there is to do and to find the id of a todo. If next_cursor is \
                          present there are more: call again with it.",
            input_schema: schema::input::<ListArguments>(),
            output_schema: schema::output::<ListResult<'_>>(),
            annotations: Annotations::READS,
        }
    }

    async fn call(
        &self,
        todos: &Todos,
        principal: &dyn Principal,
        arguments: Arguments<'_>,
    ) -> Result<Payload, ToolError> {
        let arguments: ListArguments = arguments.read()?;
        let size = match arguments.limit {
            None => PageSize::default(),
            Some(limit) => {
                PageSize::try_from(limit).map_err(|error| InvalidArgument::new("limit", &error))?
            }
        };
        let cursor = arguments.cursor.as_deref().map(decode).transpose();
        let cursor = cursor.map_err(|error| InvalidArgument::new("cursor", &error))?;
        let filter = Filter { completed: arguments.completed };

        let page = todos.list(principal, filter, size, cursor).await?;
        payload(&ListResult {
            todos: page.todos.iter().map(TodoView::from).collect(),
            next_cursor: page.next.map(|cursor| BASE64.encode(cursor.to_bytes())),
        })
    }
}

fn decode(text: &str) -> Result<Cursor, CursorError> {
    Cursor::from_bytes(&BASE64.decode(text).map_err(|_| CursorError)?)
}
