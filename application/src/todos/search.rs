//! Finding the todos of a page through the orders that stores keep.

use todo_domain::{DueCondition, Order, Place, Priority, ReadPermit, Sort, Todo};

use crate::error::StorageFailure;
use crate::ports::{Filter, TodoRepository};

/// What a page is to hold.
pub(super) struct Search<'a> {
    pub(super) repository: &'a dyn TodoRepository,
    pub(super) permit: &'a ReadPermit,
    pub(super) completed: Option<bool>,
    pub(super) due: Option<DueCondition>,
    pub(super) priority: Option<Priority>,
    pub(super) sort: Sort,
}

/// The todos of a page, in their order.
pub(super) struct Found {
    pub(super) todos: Vec<Todo>,
    /// Where the search stopped before the end of the list.
    pub(super) stopped_at: Option<Place>,
}

/// The places of an order in which all todos of the page are.
#[derive(Clone, Copy)]
struct Range {
    sort: Sort,
    /// Exclusive.
    after: Place,
    /// The first number beyond it.
    end: i64,
}

impl Search<'_> {
    /// The most todos that are read along the order of the list: first a few, and the rest if no other
    /// order leads to the todos of the page.
    const FIRST_ROWS: usize = 256;
    const ROWS: usize = 2_000;

    /// How many are read at a time.
    const CHUNK: usize = 256;

    /// The most todos that are read through each of two other orders.
    const CANDIDATES: usize = 2_000;

    /// At most `limit` todos after a place in the order of the list.
    pub(super) async fn page(&self, after: Place, limit: usize) -> Result<Found, StorageFailure> {
        let mut range = self.range(self.sort);
        range.after = range.after.max(after);
        let mut found = Found { todos: Vec::new(), stopped_at: Some(range.after) };
        self.read_on(&mut found, range.end, limit, Self::FIRST_ROWS).await?;
        if found.stopped_at.is_none() || found.todos.len() >= limit {
            return Ok(found);
        }
        if let Some(candidates) = self.candidates().await? {
            let mut todos = candidates;
            todos.retain(|todo| self.sort.place(todo) > after);
            todos.sort_by_key(|todo| self.sort.place(todo));
            todos.truncate(limit);
            return Ok(Found { todos, stopped_at: None });
        }
        self.read_on(&mut found, range.end, limit, Self::ROWS - Self::FIRST_ROWS).await?;
        Ok(found)
    }

    /// Reads on along the order of the list, at most so many todos, until `limit` are found.
    async fn read_on(
        &self,
        found: &mut Found,
        end: i64,
        limit: usize,
        rows: usize,
    ) -> Result<(), StorageFailure> {
        let mut left = rows;
        while let Some(after) = found.stopped_at
            && found.todos.len() < limit
            && left > 0
        {
            // Where all match, one round is enough.
            let size = left.min(if left == rows { limit } else { Self::CHUNK });
            let read = self.read(Range { sort: self.sort, after, end }, size).await?;
            left -= size;
            found.stopped_at = (read.len() >= size)
                .then(|| read.last().map(|todo| self.sort.place(todo)))
                .flatten();
            found.todos.extend(read.into_iter().filter(|todo| self.selects(todo)));
        }
        if found.todos.len() > limit {
            found.todos.truncate(limit);
            found.stopped_at = found.todos.last().map(|todo| self.sort.place(todo));
        }
        Ok(())
    }

    /// All todos of the list, in any order, if another order than that of the list has them close
    /// together.
    async fn candidates(&self) -> Result<Option<Vec<Todo>>, StorageFailure> {
        let by_priority = self.priority.is_some().then_some(Sort::By(Order::Priority));
        let by_due = self.due.is_some().then_some(Sort::By(Order::Due));
        for other in [by_priority, by_due].into_iter().flatten() {
            if other != self.sort {
                let mut todos = self.read(self.range(other), Self::CANDIDATES + 1).await?;
                if todos.len() <= Self::CANDIDATES {
                    todos.retain(|todo| self.selects(todo));
                    return Ok(Some(todos));
                }
            }
        }
        Ok(None)
    }

    /// Where in an order all todos of the list are.
    fn range(&self, sort: Sort) -> Range {
        let not_due = Order::due(None);
        let (due_start, due_end) = match &self.due {
            None => (None, None),
            Some(DueCondition::None) => (Some(not_due), None),
            Some(DueCondition::Any) => (None, Some(not_due)),
            Some(condition @ (DueCondition::Overdue(_) | DueCondition::By(..))) => {
                (None, Some(Order::due(condition.end())))
            }
        };
        let (start, end) = match (sort, self.priority) {
            (Sort::By(Order::Due), _) => (due_start, due_end),
            (Sort::By(Order::Priority), Some(priority)) => {
                let first = Order::of_priority(priority);
                let end = due_end.map_or_else(|| Order::after_priority(priority), |it| first + it);
                (Some(first + due_start.unwrap_or(0)), Some(end))
            }
            (Sort::Created | Sort::By(Order::Priority | Order::Updated), _) => (None, None),
        };
        let after = start.map_or(Place::START, Place::before);
        Range { sort, after, end: end.unwrap_or(i64::MAX) }
    }

    fn selects(&self, todo: &Todo) -> bool {
        self.due.as_ref().is_none_or(|due| due.is_met(todo.due()))
            && self.priority.is_none_or(|priority| priority == todo.priority())
    }

    /// At most `limit` todos of a range, in its order. Fewer are the rest of it.
    async fn read(&self, range: Range, limit: usize) -> Result<Vec<Todo>, StorageFailure> {
        let Range { sort, after, end } = range;
        let mut read = Vec::new();
        match sort {
            Sort::Created => {
                let filter = Filter { completed: self.completed };
                // The empty id is that of no minted todo, but may be that of an imported one.
                let after = (after != Place::START).then_some(after.id);
                read = self.repository.list(self.permit, filter, after, limit).await?;
            }
            Sort::By(order) => {
                let wanted = |done: &bool| self.completed.is_none_or(|wanted| wanted == *done);
                for done in [false, true].into_iter().filter(wanted) {
                    let todos = self.repository.list_by(self.permit, order, done, after, limit);
                    read.extend(todos.await?);
                }
                read.sort_by_key(|todo| sort.place(todo));
                read.truncate(limit);
                read.retain(|todo| sort.key(todo) < end);
            }
        }
        Ok(read)
    }
}
