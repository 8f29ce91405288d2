use todo_domain::{DueFilter, Place, ReadAction};

use super::search::{Found, List, Search};
use super::use_cases::Todos;
use crate::cursor::Cursor;
use crate::error::{ListError, StorageFailure};
use crate::page::{Page, PageSize};
use crate::ports::{Filter, Principal};
use crate::selection::Selection;

impl Todos {
    /// Returns a page of the caller's workspace, from the start or from the cursor.
    ///
    /// Following the cursor of each page shows every todo that was selected all along and whose place in
    /// the order did not change exactly once, whatever is written in between.
    ///
    /// A page reads a bounded number of todos, however long the list is: at most 2,000 along its order, 2,001
    /// through each of two other orders, and 2,000 that have the words of the query and the label; of both
    /// open and done ones, it may read as many. Of texts, at most 1 MiB are compared with the query. One that
    /// had to stop early holds fewer todos than were asked for, or none, and has a cursor.
    pub async fn list(
        &self,
        principal: &dyn Principal,
        selection: &Selection,
        size: PageSize,
        cursor: Option<Cursor>,
    ) -> Result<Page, ListError> {
        let permit = self.permit_to_read(principal, ReadAction::List)?;
        let workspace = permit.workspace();
        let after = cursor.map(|cursor| cursor.open(workspace, selection)).transpose()?;
        let Selection { completed, due, priority, label, query, sort, time_zone } = selection;
        let now = || self.now(principal, time_zone.clone());
        let Found { mut todos, mut stopped_at } = if selection.is_plain() {
            // One more than the page holds shows whether there is a next page.
            let (filter, after) = (Filter { completed: *completed }, after.map(|it| it.id));
            let todos = self.repository.list(&permit, filter, after, size.todos() + 1).await;
            Found { todos: todos.map_err(StorageFailure::from)?, stopped_at: None }
        } else {
            let at = |due: DueFilter| due.at(now().as_ref()).map(|condition| (due, condition));
            let condition = due.map(|due| at(due).ok_or(ListError::NoTimeZone));
            let open = due.is_some_and(DueFilter::is_about_open_todos).then_some(false);
            let list = List {
                completed: completed.or(open),
                due: condition.transpose()?,
                priority: *priority,
                label: label.as_ref(),
                query: query.as_ref(),
                sort: *sort,
            };
            let mut search = Search::new(&*self.repository, &permit, list);
            search.page(after.unwrap_or(Place::START), size.todos() + 1).await?
        };
        let fitting = size.cut(&todos);
        if todos.len() > fitting {
            todos.truncate(fitting);
            stopped_at = todos.last().map(|todo| sort.place(todo));
        }
        let next = stopped_at.map(|place| Cursor::new(workspace, selection, place));
        let days_matter = selection.is_about_days() || todos.iter().any(|it| it.due().is_some());
        let as_of = days_matter.then(now).flatten();
        Ok(Page { todos, next, as_of })
    }
}
