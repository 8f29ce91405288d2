use todo_domain::Instant;

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// Now, in whole milliseconds. It may step backwards: the machine's clock can be set.
    fn now(&self) -> Instant;
}
