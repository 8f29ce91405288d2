use std::fmt;

use tokio::sync::watch;

/// Vouches for callers: dropping it revokes all that carry a [`Revocation`] of it.
///
/// An authenticator keeps one for each thing that callers depend on and that can be withdrawn before
/// their tokens expire, such as a signing key.
#[derive(Debug)]
pub struct Revoker(watch::Sender<()>);

/// Whether a caller has been revoked, for what outlasts a request: each request authenticates its caller
/// anew, so nothing looks at it there.
///
/// Equal to another one of the same [`Revoker`].
#[derive(Clone)]
pub struct Revocation(watch::Receiver<()>);

impl Revoker {
    pub fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    pub fn revocation(&self) -> Revocation {
        Revocation(self.0.subscribe())
    }
}

impl Default for Revoker {
    fn default() -> Self {
        Self::new()
    }
}

impl Revocation {
    /// Returns once the caller is revoked.
    pub(crate) async fn revoked(&mut self) {
        // Nothing is ever sent: the only change is that the sender is dropped.
        let _ = self.0.changed().await;
    }
}

impl PartialEq for Revocation {
    fn eq(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

impl fmt::Debug for Revocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_revoked = self.0.has_changed().is_err();
        formatter.debug_struct("Revocation").field("is_revoked", &is_revoked).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn a_dropped_revoker_has_revoked() {
        let (revoker, other) = (Revoker::new(), Revoker::new());
        let mut revocation = revoker.revocation();
        let mut is_revoked = || {
            let waiting = std::pin::pin!(revocation.revoked());
            waiting.poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
        };
        assert!(!is_revoked());
        assert_ne!(revoker.revocation(), other.revocation());
        assert_eq!(revoker.revocation(), revoker.revocation());
        drop(other);
        assert!(!is_revoked());
        drop(revoker);
        assert!(is_revoked());
        assert!(is_revoked(), "for good");
    }
}
