use std::time::SystemTime;

/// The current time, for expiry. It may step backwards: the machine's clock can be set.
pub trait Clock: Send + Sync {
    fn now(&self) -> SystemTime;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one implementation of the port")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
