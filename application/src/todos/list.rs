use todo_domain::ReadAction;

use super::use_cases::Todos;
use crate::cursor::Cursor;
use crate::error::{ListError, StorageFailure};
use crate::page::{Page, PageSize};
use crate::ports::{Filter, Principal};

impl Todos {
    /// Returns a page of the caller's workspace, oldest first, from the start or from the cursor.
    ///
    /// Following the cursor of each page shows every todo that exists all along exactly once, whatever
    /// is added or removed in between.
    pub async fn list(
        &self,
        principal: &dyn Principal,
        filter: Filter,
        size: PageSize,
        cursor: Option<Cursor>,
    ) -> Result<Page, ListError> {
        let permit = self.permit_to_read(principal, ReadAction::List)?;
        let workspace = permit.workspace();
        let after = cursor.map(|cursor| cursor.open(workspace, filter)).transpose()?;

        // One more than the page holds shows whether there is a next page.
        let todos = self.repository.list(&permit, filter, after, size.todos() + 1).await;
        let mut todos = todos.map_err(StorageFailure::from)?;
        let fitting = size.cut(&todos);
        let more = todos.len() > fitting;
        todos.truncate(fitting);
        let last = todos.last().filter(|_| more);
        let next = last.map(|todo| Cursor::new(workspace, filter, todo.id()));
        Ok(Page { todos, next })
    }
}
