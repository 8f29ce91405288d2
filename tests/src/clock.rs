use std::sync::{Mutex, MutexGuard, PoisonError};

use todo_application::domain::{Instant, InstantError};
use todo_application::ports::Clock;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(Mutex<Instant>);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: Instant) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves it to `now`, which may be earlier.
    pub fn set(&self, now: Instant) {
        *self.shown() = now;
    }

    /// Moves it by so many milliseconds; an error leaves it where it is.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_shows_what_it_was_told() {
        let at = |millis| Instant::from_unix_millis(millis).unwrap();
        let clock = ManualClock::at(at(100));
        assert_eq!(clock.now(), at(100));
        clock.advance(50).unwrap();
        assert_eq!(clock.now(), at(150));
        assert_eq!(clock.advance(-151), Err(InstantError(-1)));
        clock.set(at(20));
        assert_eq!(clock.now(), at(20));
    }
}
