use todo_domain::Action;

use super::Todos;
use crate::cursor::Cursor;
use crate::error::UseCaseError;
use crate::page::{Page, PageSize};
use crate::ports::{Filter, Principal};

impl Todos {
    /// A page of the caller's workspace, oldest first; from the start, or from where `cursor` points.
    ///
    /// Reading on with each page's cursor shows every todo that was there all along exactly once,
    /// whatever is added or removed meanwhile.
    pub async fn list(
        &self,
        principal: &dyn Principal,
        filter: Filter,
        size: PageSize,
        cursor: Option<Cursor>,
    ) -> Result<Page, UseCaseError> {
        let permit = self.permit(principal, Action::List)?;
        let workspace = permit.workspace();
        let after = cursor.map(|cursor| cursor.open(workspace, filter)).transpose()?;

        // One more than the page holds tells whether there is a next one.
        let mut todos = self.repository.list(workspace, filter, after, size.todos() + 1).await?;
        let fitting = size.cut(&todos);
        let more = todos.len() > fitting;
        todos.truncate(fitting);
        let last = todos.last().filter(|_| more);
        let next = last.map(|todo| Cursor::new(workspace, filter, todo.id()));
        Ok(Page { todos, next })
    }
}
