//! When a token is good. The same two comparisons for a token that just came in and for one that
//! was verified before.

use std::time::Duration;

use todo_application::domain::Instant;
use todo_application::ports::Rejection;

use crate::clock;

/// How far the issuer's clock may be ahead of ours.
const LEEWAY: Duration = Duration::from_mins(1);

/// From when until when a token is good, as its `nbf`, `iat` and `exp` say. The rules stand in the
/// table of `claims.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime {
    begins_at: Option<Instant>,
    expires_at: Instant,
}

impl Lifetime {
    /// A lifetime with an end and no beginning.
    pub(crate) fn until(expires_at: Instant) -> Self {
        Self { begins_at: None, expires_at }
    }

    /// The part of this lifetime that does not lie before `begins_at`.
    pub(crate) fn not_before(self, begins_at: Instant) -> Self {
        Self { begins_at: self.begins_at.max(Some(begins_at)), ..self }
    }

    /// The first instant after it.
    pub(crate) fn expires_at(self) -> Instant {
        self.expires_at
    }

    /// Whether `now` lies in it. The answer can change either way: a clock may be set back.
    pub(crate) fn check(self, now: Instant) -> Result<(), Rejection> {
        if now >= self.expires_at {
            return Err(Rejection::Expired(self.expires_at));
        }
        match self.begins_at {
            Some(begins_at) if begins_at.as_unix_millis() > clock::millis_after(now, LEEWAY) => {
                Err(Rejection::NotYetValid(begins_at))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Instant {
        Instant::from_unix_millis(millis).expect("an instant")
    }

    #[test]
    fn it_ends_on_the_millisecond_and_begins_a_minute_early() {
        let lifetime = Lifetime::until(at(500_000)).not_before(at(100_000)).not_before(at(90_000));
        assert_eq!(lifetime.check(at(39_999)), Err(Rejection::NotYetValid(at(100_000))));
        assert_eq!(lifetime.check(at(40_000)), Ok(()));
        assert_eq!(lifetime.check(at(499_999)), Ok(()));
        assert_eq!(lifetime.check(at(500_000)), Err(Rejection::Expired(at(500_000))));
        assert_eq!(lifetime.expires_at(), at(500_000));
    }

    #[test]
    fn without_a_beginning_it_has_begun() {
        assert_eq!(Lifetime::until(at(1)).check(at(0)), Ok(()));
    }
}
