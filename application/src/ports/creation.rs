use todo_domain::{ChangeNumber, IdempotencyKey, Instant, TodoId};

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

/// What came of a request to create a todo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// The todo was added. If that is remembered, with the number of the change.
    Now(Option<ChangeNumber>),
    /// An earlier request with the key has created its todo. Nothing was added.
    Earlier(Creation),
}

impl Inserted {
    pub fn earlier(self) -> Option<Creation> {
        match self {
            Self::Now(_) => None,
            Self::Earlier(creation) => Some(creation),
        }
    }
}
