//! Finding the todos of a page through the orders that stores keep.

use todo_domain::{DueCondition, LabelKey, Order, Place, Priority, Query, Sort, Todo, TodoId};

use super::by_terms::ByTerms;
use crate::error::StorageFailure;
use crate::ports::Filter;

/// What a page is to hold.
pub(super) struct Search<'a> {
    pub(super) completed: Option<bool>,
    pub(super) due: Option<DueCondition>,
    pub(super) priority: Option<Priority>,
    pub(super) label: Option<&'a LabelKey>,
    pub(super) query: Option<&'a Query>,
    pub(super) sort: Sort,
    pub(super) by_terms: ByTerms<'a>,
    /// How many bytes of texts are still compared with the query.
    pub(super) bytes_left: u64,
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

    /// The most todos that are read through terms, and through each of two other orders.
    const CANDIDATES: usize = 2_000;

    /// How many bytes of texts are compared with the query: others wait for the processor meanwhile.
    pub(super) const BYTES: u64 = 1024 * 1024;

    /// At most `limit` todos after a place in the order of the list.
    pub(super) async fn page(
        &mut self,
        after: Place,
        limit: usize,
    ) -> Result<Found, StorageFailure> {
        if self.sort != Sort::Created
            && self.by_terms.can_lead()
            && let Some(todos) = self.by_terms.all(Self::CANDIDATES).await?
        {
            return Ok(self.page_of(todos, after, limit));
        }
        let mut range = self.range(self.sort);
        range.after = range.after.max(after);
        let mut found = Found { todos: Vec::new(), stopped_at: Some(range.after) };
        self.read_on(&mut found, range.end, limit, Self::FIRST_ROWS).await?;
        if found.stopped_at.is_none() || found.todos.len() >= limit {
            return Ok(found);
        }
        if let Some(candidates) = self.candidates().await? {
            return Ok(self.page_of(candidates, after, limit));
        }
        self.read_on(&mut found, range.end, limit, Self::ROWS - Self::FIRST_ROWS).await?;
        Ok(found)
    }

    /// The page, of todos among which all of the list are.
    fn page_of(&mut self, mut todos: Vec<Todo>, after: Place, limit: usize) -> Found {
        todos.retain(|todo| self.sort.place(todo) > after);
        todos.sort_by_key(|todo| self.sort.place(todo));
        let mut found = Found { todos: Vec::new(), stopped_at: None };
        self.select(todos, &mut found, limit);
        found
    }

    /// Adds those of the list, until there are `limit` or too much had to be compared with the query. There it
    /// stops, before the end of `todos`.
    fn select(&mut self, todos: Vec<Todo>, found: &mut Found, limit: usize) {
        for todo in todos {
            let place = self.sort.place(&todo);
            let bytes = if self.query.is_some() { todo.bytes() } else { 0 };
            self.bytes_left = self.bytes_left.saturating_sub(bytes);
            if self.selects(&todo) {
                found.todos.push(todo);
            }
            if found.todos.len() >= limit || self.bytes_left == 0 {
                found.stopped_at = Some(place);
                return;
            }
        }
    }

    /// Reads on along the order of the list, at most so many todos, until `limit` are found.
    async fn read_on(
        &mut self,
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
            let Found { todos, stopped_at } =
                self.next(Range { sort: self.sort, after, end }, size).await?;
            left -= size;
            found.stopped_at = stopped_at;
            self.select(todos, found, limit);
            let is_spent = self.sort == Sort::Created && self.by_terms.is_spent();
            if is_spent || self.bytes_left == 0 {
                break;
            }
        }
        Ok(())
    }

    /// At most `limit` todos of a range, in its order, among which those of the list are.
    async fn next(&mut self, range: Range, limit: usize) -> Result<Found, StorageFailure> {
        if range.sort == Sort::Created
            && let Some(ids) = self.by_terms.ids(id_before(range.after), limit).await?
        {
            let todos = self.by_terms.todos(&ids.ids).await?;
            let stopped_at = ids.stopped_at.map(Place::of_id);
            return Ok(Found { todos, stopped_at });
        }
        let todos = self.read(range, limit).await?;
        let is_full = todos.len() >= limit;
        let last = todos.last().filter(|_| is_full);
        let stopped_at = last.map(|todo| self.sort.place(todo));
        Ok(Found { todos, stopped_at })
    }

    /// All todos of the list, in any order, if another order than that of the list has them close
    /// together.
    async fn candidates(&self) -> Result<Option<Vec<Todo>>, StorageFailure> {
        let by_priority = self.priority.is_some().then_some(Sort::By(Order::Priority));
        let by_due = self.due.is_some().then_some(Sort::By(Order::Due));
        for other in [by_priority, by_due].into_iter().flatten() {
            if other != self.sort {
                let todos = self.read(self.range(other), Self::CANDIDATES + 1).await?;
                if todos.len() <= Self::CANDIDATES {
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
            && self.completed.is_none_or(|done| done == todo.completion().is_done())
            && self.label.is_none_or(|label| todo.labels().contains(label))
            && self.query.is_none_or(|query| query.matches(todo))
    }

    /// At most `limit` todos of a range, in its order. Fewer are the rest of it.
    async fn read(&self, range: Range, limit: usize) -> Result<Vec<Todo>, StorageFailure> {
        let Range { sort, after, end } = range;
        let ByTerms { repository, permit, .. } = self.by_terms;
        let filter = Filter { completed: self.completed };
        let mut read = match sort {
            Sort::Created => repository.list(permit, filter, id_before(after), limit).await?,
            Sort::By(order) => repository.list_by(permit, order, filter, after, limit).await?,
        };
        read.retain(|todo| sort.key(todo) < end);
        Ok(read)
    }
}

/// In the order of creation. The empty id is that of no minted todo, but may be that of an imported one.
fn id_before(place: Place) -> Option<TodoId> {
    (place != Place::START).then_some(place.id)
}
