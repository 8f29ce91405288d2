//! Finding the todos of a page through the orders that stores keep.

use todo_domain::{
    DueCondition, DueFilter, LabelKey, Order, Place, Priority, Query, ReadPermit, Sort, TermRange,
    Todo, TodoId,
};

use super::by_terms::ByTerms;
use crate::error::StorageFailure;
use crate::ports::{Filter, TodoRepository};

/// Which todos a list has, and in which order.
pub(super) struct List<'a> {
    pub(super) completed: Option<bool>,
    /// What was asked for, and what that means now.
    pub(super) due: Option<(DueFilter, DueCondition)>,
    pub(super) priority: Option<Priority>,
    pub(super) label: Option<&'a LabelKey>,
    pub(super) query: Option<&'a Query>,
    pub(super) sort: Sort,
}

/// Finds the todos of one page.
pub(super) struct Search<'a> {
    list: List<'a>,
    by_terms: ByTerms<'a>,
    /// Whether the order of creation is read through terms.
    follows_terms: bool,
    /// How many bytes of texts are still compared with the query.
    bytes_left: u64,
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

impl List<'_> {
    /// Each todo of the list has a term of one of the ranges of each. In an order by a number, those of dates and
    /// priorities are no help: what they lead to is close together in another order.
    fn terms(&self) -> Vec<Vec<TermRange>> {
        let label = self.label.map(TermRange::of_label);
        let words = self.query.map_or(&[][..], Query::words).iter();
        let texts = label.into_iter().chain(words.map(|word| TermRange::of_word(word)));
        let mut terms: Vec<_> = texts.map(|range| vec![range]).collect();
        if self.sort == Sort::Created && self.order_as_created().is_none() {
            let priority = self.priority.map(|it| TermRange::of_priority(it, self.completed));
            let due = self.condition().map(|it| TermRange::of_due(it, self.completed));
            terms.extend([priority, due].into_iter().flatten().flatten());
        }
        terms
    }

    /// Whether few todos are of such a list, as a rule.
    fn is_sparse(&self) -> bool {
        let is_of_done = self.completed == Some(true);
        let is_special = self.priority.is_some_and(|it| it != Priority::default());
        self.label.is_some()
            || self.query.is_some()
            || is_special
            || self.in_doubt().is_some() && !is_of_done
    }

    /// One of so many todos that terms lead to is not of the list, at a guess: terms know the day as it is written, and
    /// it is due at a time that is later here. Within a week, most of eight days is beyond doubt. `None` if the list
    /// does not depend on a day.
    fn in_doubt(&self) -> Option<usize> {
        let (filter, _) = self.due.as_ref()?;
        match filter {
            DueFilter::Overdue | DueFilter::Today => Some(16),
            DueFilter::Week => Some(64),
            DueFilter::Any | DueFilter::None => None,
        }
    }

    fn condition(&self) -> Option<&DueCondition> {
        self.due.as_ref().map(|(_, condition)| condition)
    }

    /// An order in which all todos of the list have the same number. So they are in the order of creation, too.
    fn order_as_created(&self) -> Option<(Order, i64)> {
        let not_due = Order::due(None);
        let is_not_due =
            self.sort == Sort::Created && self.condition() == Some(&DueCondition::None);
        is_not_due.then(|| match self.priority {
            None => (Order::Due, not_due),
            Some(priority) => (Order::Priority, Order::of_priority(priority) + not_due),
        })
    }

    fn selects(&self, todo: &Todo) -> bool {
        self.condition().is_none_or(|due| due.is_met(todo.due()))
            && self.priority.is_none_or(|priority| priority == todo.priority())
            && self.completed.is_none_or(|done| done == todo.completion().is_done())
            && self.label.is_none_or(|label| todo.labels().contains(label))
            && self.query.is_none_or(|query| query.matches(todo))
    }
}

impl<'a> Search<'a> {
    /// The most todos that are read along the order of the list: first a few, and the rest if no other
    /// order leads to the todos of the page.
    const FIRST_ROWS: usize = 256;
    const ROWS: usize = 2_000;

    /// The most that are read at a time.
    const CHUNK: usize = 256;

    /// Terms are followed where fewer than one of so many todos is of the list.
    const SPARSE: usize = 4;

    /// The most todos that are read through terms, and through each of two other orders.
    const CANDIDATES: usize = 2_000;

    /// How many bytes of texts are compared with the query: others wait for the processor meanwhile.
    const BYTES: u64 = 1024 * 1024;

    pub(super) fn new(
        repository: &'a dyn TodoRepository,
        permit: &'a ReadPermit,
        list: List<'a>,
    ) -> Self {
        let by_terms = ByTerms::new(repository, permit, list.terms());
        let follows_terms = list.is_sparse();
        Self { list, by_terms, follows_terms, bytes_left: Self::BYTES }
    }

    /// At most `limit` todos after a place in the order of the list.
    pub(super) async fn page(
        &mut self,
        after: Place,
        limit: usize,
    ) -> Result<Found, StorageFailure> {
        if self.list.sort != Sort::Created
            && self.by_terms.can_lead()
            && let Some(todos) = self.by_terms.all(Self::CANDIDATES).await?
        {
            return Ok(self.page_of(todos, after, limit));
        }
        let mut range = self.range(self.list.sort);
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
        todos.retain(|todo| self.list.sort.place(todo) > after);
        todos.sort_by_key(|todo| self.list.sort.place(todo));
        let mut found = Found { todos: Vec::new(), stopped_at: None };
        self.select(todos, &mut found, limit);
        found
    }

    /// Adds those of the list, until there are `limit` or too much had to be compared with the query. There it
    /// stops, before the end of `todos`.
    fn select(&mut self, todos: Vec<Todo>, found: &mut Found, limit: usize) {
        for todo in todos {
            let place = self.list.sort.place(&todo);
            let bytes = if self.list.query.is_some() { todo.bytes() } else { 0 };
            self.bytes_left = self.bytes_left.saturating_sub(bytes);
            if self.list.selects(&todo) {
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
        // Of what was read along the same way.
        let (mut read, mut hits) = (0, 0);
        while let Some(after) = found.stopped_at
            && found.todos.len() < limit
            && left > 0
        {
            let missing = limit - found.todos.len();
            let size = self.size(missing, read, hits).min(left);
            let before = found.todos.len();
            let Found { todos, stopped_at } =
                self.next(Range { sort: self.list.sort, after, end }, size).await?;
            left -= size;
            found.stopped_at = stopped_at;
            self.select(todos, found, limit);
            let is_spent = self.list.sort == Sort::Created && self.by_terms.is_spent();
            if is_spent || self.bytes_left == 0 {
                break;
            }
            (read, hits) = (read + size, hits + found.todos.len() - before);
            if !self.follows_terms && hits * Self::SPARSE < read && self.by_terms.can_lead() {
                self.follows_terms = true;
                (read, hits) = (0, 0);
            }
        }
        Ok(())
    }

    /// How many todos to read next for so many that are missing: if as many of them are of the list as of those
    /// before, that is enough. Where all are, one round is.
    fn size(&self, missing: usize, read: usize, hits: usize) -> usize {
        let in_doubt = self.list.in_doubt().filter(|_| self.follows_terms);
        match hits {
            _ if read == 0 => missing + in_doubt.map_or(0, |one_of| missing / one_of + 1),
            0 => Self::CHUNK,
            hits => (missing * read / hits + missing / 8 + 2).min(Self::CHUNK),
        }
    }

    /// At most `limit` todos of a range, in its order, among which those of the list are.
    async fn next(&mut self, range: Range, limit: usize) -> Result<Found, StorageFailure> {
        if range.sort == Sort::Created {
            let after = id_before(range.after);
            if self.follows_terms
                && let Some(ids) = self.by_terms.ids(after, limit).await?
            {
                let todos = self.by_terms.todos(&ids.ids).await?;
                let stopped_at = ids.stopped_at.map(Place::of_id);
                return Ok(Found { todos, stopped_at });
            }
            if let Some((order, key)) = self.list.order_as_created() {
                let after = after.map_or(Place::before(key), |id| Place { key, id });
                let range = Range { sort: Sort::By(order), after, end: key + 1 };
                return self.read_page(range, limit).await;
            }
        }
        self.read_page(range, limit).await
    }

    /// At most `limit` todos of a range, in its order.
    async fn read_page(&self, range: Range, limit: usize) -> Result<Found, StorageFailure> {
        let todos = self.read(range, limit).await?;
        let is_full = todos.len() >= limit;
        let last = todos.last().filter(|_| is_full);
        let stopped_at = last.map(|todo| self.list.sort.place(todo));
        Ok(Found { todos, stopped_at })
    }

    /// All todos of the list, in any order, if another order than that of the list has them close
    /// together.
    async fn candidates(&self) -> Result<Option<Vec<Todo>>, StorageFailure> {
        let by_priority = self.list.priority.is_some().then_some(Sort::By(Order::Priority));
        let by_due = self.list.due.is_some().then_some(Sort::By(Order::Due));
        for other in [by_priority, by_due].into_iter().flatten() {
            if other != self.list.sort {
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
        let (due_start, due_end) = match self.list.condition() {
            None => (None, None),
            Some(DueCondition::None) => (Some(not_due), None),
            Some(DueCondition::Any) => (None, Some(not_due)),
            Some(condition @ (DueCondition::Overdue(_) | DueCondition::By(..))) => {
                (None, Some(Order::due(condition.end())))
            }
        };
        let (start, end) = match (sort, self.list.priority) {
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

    /// At most `limit` todos of a range, in its order. Fewer are the rest of it.
    async fn read(&self, range: Range, limit: usize) -> Result<Vec<Todo>, StorageFailure> {
        let Range { sort, after, end } = range;
        let ByTerms { repository, permit, .. } = self.by_terms;
        let filter = Filter { completed: self.list.completed };
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
