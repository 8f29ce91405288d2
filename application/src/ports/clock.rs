use todo_domain::Instant;

/// The current time.
pub trait Clock: Send + Sync {
    /// May step backwards: the clock of the machine can be set.
    fn now(&self) -> Instant;
}
