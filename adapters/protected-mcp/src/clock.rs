use std::time::SystemTime;

/// The current time, for expiry. It may step backwards: the machine's clock can be set.
pub trait Clock: Send + Sync {
    fn now(&self) -> SystemTime;
}
