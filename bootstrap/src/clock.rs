//! The clock of the system, and the two forms of an instant.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protected_mcp::Clock as _;
use todo_application::domain::Instant;
use todo_application::ports::Clock;

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        instant(protected_mcp::SystemClock.now())
    }
}

/// The clock of the application as that of the engine: a server has one clock.
pub(crate) struct EngineClock(pub(crate) Arc<dyn Clock>);

impl protected_mcp::Clock for EngineClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0.now().as_unix_millis().unsigned_abs())
    }
}

/// In whole milliseconds. Times before 1970 are its beginning: they are those of a machine without a
/// clock.
pub(crate) fn instant(time: SystemTime) -> Instant {
    let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
    Instant::from_unix_millis(millis).unwrap_or(Instant::MAX)
}
