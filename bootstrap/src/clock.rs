use todo_application::domain::Instant;
use todo_application::ports::Clock;

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port's one implementation")]
    fn now(&self) -> Instant {
        let millis = jiff::Timestamp::now().as_millisecond();
        // A clock before 1970 is a machine that has none; todos then start at its beginning.
        Instant::from_unix_millis(millis).unwrap_or(Instant::UNIX_EPOCH)
    }
}
