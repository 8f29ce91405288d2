use todo_domain::{Instant, TodoId};

/// Mints the ids of new todos.
pub trait IdSource: Send + Sync {
    /// A UUID version 7 (RFC 9562 section 5.7) for a todo created at `at`.
    ///
    /// Ids of one source are unique, and each sorts after the ones before it, also within one
    /// millisecond: the order of ids is the order of lists.
    fn todo_id(&self, at: Instant) -> TodoId;

    /// The same, for a workspace whose last id is `last`: the new one sorts after that too, whatever the
    /// clock says.
    fn todo_id_after(&self, last: TodoId, at: Instant) -> TodoId;
}
