use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::domain::Action;
use todo_application::ports::{Filter, Principal};
use todo_application::{PageSize, Todos};

use super::arguments::{Arguments, InvalidArgument};
use super::integer::Integer;
use super::view::TodoList;
use super::{Annotations, Definition, Payload, Tool, result, schema};
use crate::cursor;
use crate::failure::ToolError;

pub(super) struct ListTodos;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListArguments {
    /// true: only done todos; false: only open ones; left out: both.
    completed: Option<bool>,
    /// The most todos to return.
    #[schemars(range(min = 1, max = PageSize::MAX), extend("default" = PageSize::DEFAULT))]
    limit: Option<Integer>,
    /// `next_cursor` of the previous page; keep the same completed.
    cursor: Option<String>,
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
            description: "Lists the user's todos with all their fields, oldest first, a page at a \
                          time. Use it to see what there is to do and to find a todo's id. If the \
                          result has next_cursor, there are more: call again with it.",
            input_schema: schema::input::<ListArguments>(),
            output_schema: schema::output::<TodoList<'_>>(),
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
            Some(limit) => PageSize::try_from(i64::from(limit))
                .map_err(|error| InvalidArgument::new("limit", &error))?,
        };
        let cursor = arguments.cursor.as_deref().map(cursor::decode).transpose();
        let cursor = cursor.map_err(|error| InvalidArgument::new("cursor", &error))?;
        let filter = Filter { completed: arguments.completed };

        let page = todos.list(principal, filter, size, cursor).await?;
        result::list(&TodoList::from(&page), page.todos.len())
    }
}
