//! Which todos a list contains, and in which order.

use todo_domain::{DueFilter, LabelKey, Priority, Query, Sort, TimeZone};

/// Which todos of a workspace a list contains: those that pass all filters. The default is all of them in the
/// order of creation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only the done ones, only the open ones, or both. With a filter
    /// [about open todos](DueFilter::is_about_open_todos), the default is only the open ones.
    pub completed: Option<bool>,
    pub due: Option<DueFilter>,
    pub priority: Option<Priority>,
    pub label: Option<LabelKey>,
    pub query: Option<Query>,
    pub sort: Sort,
    /// Where days are counted, if it is not where the caller lives.
    pub time_zone: Option<TimeZone>,
}

impl Selection {
    /// What is still to be done, oldest first.
    pub const OPEN: Self = Self {
        completed: Some(false),
        due: None,
        priority: None,
        label: None,
        query: None,
        sort: Sort::Created,
        time_zone: None,
    };

    /// Whether it is the list in the order of creation, and at most one of the open or of the done todos.
    pub(crate) fn is_plain(&self) -> bool {
        let Self { completed: _, due, priority, label, query, sort, time_zone: _ } = self;
        (due, priority, label, query, *sort) == (&None, &None, &None, &None, Sort::Created)
    }

    /// Whether days decide what the list contains or how it is ordered.
    pub fn is_about_days(&self) -> bool {
        self.due.is_some() || self.sort != Sort::Created
    }
}
