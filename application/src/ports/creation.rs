use todo_domain::{IdempotencyKey, Instant, TodoId};

/// A request to create a todo that its client may repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreationRequest {
    /// Scoped to the caller of the permit, in its workspace.
    pub key: IdempotencyKey,
    /// Identifies the content of the request: one with other content has another fingerprint.
    pub fingerprint: u64,
    /// The first instant at which the request is forgotten.
    pub forget_at: Instant,
}

/// What a store remembers of a request that created a todo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Creation {
    /// The todo may have changed since, or be gone.
    pub todo: TodoId,
    pub at: Instant,
    pub fingerprint: u64,
}
