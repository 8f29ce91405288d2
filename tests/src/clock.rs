use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use todo_application::domain::{Instant, InstantError};
use todo_application::ports::Clock;

/// A clock that advances only when the test sets it.
#[derive(Debug)]
pub struct ManualClock(Mutex<Instant>);

impl ManualClock {
    pub fn at(now: Instant) -> Self {
        Self(Mutex::new(now))
    }

    /// Sets the time, which may be earlier.
    pub fn set(&self, now: Instant) {
        *self.shown() = now;
    }

    /// Advances it. An error leaves it unchanged.
    pub fn advance(&self, millis: i64) -> Result<(), InstantError> {
        let mut shown = self.shown();
        *shown = Instant::from_unix_millis(shown.as_unix_millis().saturating_add(millis))?;
        Ok(())
    }

    fn shown(&self) -> MutexGuard<'_, Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        *self.shown()
    }
}

/// The same instant for the engine and for the Scalekit adapters.
impl protected_mcp::Clock for ManualClock {
    fn now(&self) -> SystemTime {
        let millis = self.shown().as_unix_millis().unsigned_abs();
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_returns_the_time_that_was_set() {
        let at = |millis| Instant::from_unix_millis(millis).unwrap();
        let clock = ManualClock::at(at(100));
        assert_eq!(Clock::now(&clock), at(100));
        clock.advance(50).unwrap();
        assert_eq!(Clock::now(&clock), at(150));
        assert_eq!(clock.advance(-151), Err(InstantError(-1)));
        clock.set(at(20));
        assert_eq!(Clock::now(&clock), at(20));
    }
}
