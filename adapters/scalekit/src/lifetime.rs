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
    age: Option<Age>,
}

/// The greatest age of a token that was issued at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Age {
    issued_at: SystemTime,
    greatest: Duration,
}

impl Lifetime {
    pub(crate) fn until(expires_at: SystemTime) -> Self {
        Self { begins_at: None, expires_at, age: None }
    }

    /// The part of this lifetime that does not lie before `begins_at`.
    pub(crate) fn not_before(self, begins_at: SystemTime) -> Self {
        Self { begins_at: self.begins_at.max(Some(begins_at)), ..self }
    }

    /// The part of this lifetime in which a token that was issued at that time is younger than
    /// `greatest`.
    pub(crate) fn at_most(self, greatest: Duration, issued_at: SystemTime) -> Self {
        Self { age: Some(Age { issued_at, greatest }), ..self }
    }

    /// The first instant after it.
    pub(crate) fn expires_at(self) -> SystemTime {
        let too_old_at = self.age.and_then(|age| age.issued_at.checked_add(age.greatest));
        too_old_at.map_or(self.expires_at, |too_old_at| too_old_at.min(self.expires_at))
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
            _ => self.age.map_or(Ok(()), |age| age.check(now)),
        }
    }
}

impl Age {
    fn check(self, now: SystemTime) -> Result<(), InvalidToken> {
        let Self { issued_at, greatest } = self;
        match now.duration_since(issued_at) {
            Ok(age) if age >= greatest => Err(InvalidToken::TooOld { issued_at, greatest }),
            // In the future it is by the leeway at most.
            Ok(_) | Err(_) => Ok(()),
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
    fn a_lifetime_ends_when_the_token_is_too_old() {
        let greatest = Duration::from_mins(5);
        let lifetime = Lifetime::until(at(500_000)).at_most(greatest, at(100_000));
        assert_eq!(lifetime.check(at(90_000)), Ok(()));
        assert_eq!(lifetime.check(at(399_999)), Ok(()));
        let too_old = InvalidToken::TooOld { issued_at: at(100_000), greatest };
        assert_eq!(lifetime.check(at(400_000)), Err(too_old));
        assert_eq!(lifetime.check(at(500_000)), Err(InvalidToken::Expired(at(500_000))));
        assert_eq!(lifetime.expires_at(), at(400_000));
        let longer = Lifetime::until(at(500_000)).at_most(Duration::MAX, at(100_000));
        assert_eq!(longer.expires_at(), at(500_000));
        assert_eq!(longer.check(at(499_999)), Ok(()));
    }

    #[test]
    fn a_lifetime_without_a_beginning_has_begun() {
        assert_eq!(Lifetime::until(at(1)).check(at(0)), Ok(()));
    }
}
