//! When a token is valid: the same two comparisons for a new token and for a cached one.

use std::time::{Duration, SystemTime};

use crate::invalid_token::InvalidToken;

/// How far the issuer's clock may be ahead of ours.
const LEEWAY: Duration = Duration::from_mins(1);

/// The lifetime given by `nbf`, `iat` and `exp`. The rules are in the table of `claims.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime {
    begins_at: Option<SystemTime>,
    expires_at: SystemTime,
}

impl Lifetime {
    pub(crate) fn until(expires_at: SystemTime) -> Self {
        Self { begins_at: None, expires_at }
    }

    /// The part of this lifetime that does not lie before `begins_at`.
    pub(crate) fn not_before(self, begins_at: SystemTime) -> Self {
        Self { begins_at: self.begins_at.max(Some(begins_at)), ..self }
    }

    /// The first instant after it.
    pub(crate) fn expires_at(self) -> SystemTime {
        self.expires_at
    }

    /// Whether `now` lies in it. A later call may find an earlier `now`: a clock can be set back.
    pub(crate) fn check(self, now: SystemTime) -> Result<(), InvalidToken> {
        if now >= self.expires_at {
            return Err(InvalidToken::Expired(self.expires_at));
        }
        match self.begins_at {
            Some(begins_at) if begins_at.duration_since(now).is_ok_and(|ahead| ahead > LEEWAY) => {
                Err(InvalidToken::NotYetValid(begins_at))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }

    #[test]
    fn a_lifetime_ends_to_the_millisecond_and_begins_a_minute_early() {
        let lifetime = Lifetime::until(at(500_000)).not_before(at(100_000)).not_before(at(90_000));
        assert_eq!(lifetime.check(at(39_999)), Err(InvalidToken::NotYetValid(at(100_000))));
        assert_eq!(lifetime.check(at(40_000)), Ok(()));
        assert_eq!(lifetime.check(at(499_999)), Ok(()));
        assert_eq!(lifetime.check(at(500_000)), Err(InvalidToken::Expired(at(500_000))));
        assert_eq!(lifetime.expires_at(), at(500_000));
    }

    #[test]
    fn a_lifetime_without_a_beginning_has_begun() {
        assert_eq!(Lifetime::until(at(1)).check(at(0)), Ok(()));
    }
}
