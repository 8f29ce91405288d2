//! Where the quirks of a running environment are kept.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::{KeysEndpoint, Quirks};

/// The quirks of now, and what goes with them: whose turn it is, and who has asked.
#[derive(Default)]
pub(crate) struct Switchboard {
    quirks: watch::Sender<Quirks>,
    key_requests: watch::Sender<u64>,
    pub(crate) issuer_turn: Turn,
    pub(crate) metadata_turn: Turn,
}

impl Switchboard {
    pub(crate) fn set(&self, quirks: Quirks) {
        self.issuer_turn.start_anew();
        self.metadata_turn.start_anew();
        self.quirks.send_replace(quirks);
    }

    pub(crate) fn current(&self) -> Quirks {
        self.quirks.borrow().clone()
    }

    /// Counts a request to the key set endpoint, and returns with what to answer as soon as that is
    /// not [`KeysEndpoint::Held`].
    pub(crate) async fn keys_endpoint(&self) -> KeysEndpoint {
        self.key_requests.send_modify(|requests| *requests += 1);
        let mut changes = self.quirks.subscribe();
        // The sender cannot have gone: it is `self`.
        let released = changes.wait_for(|quirks| quirks.keys != KeysEndpoint::Held).await;
        released.map_or(KeysEndpoint::Normal, |quirks| quirks.keys)
    }

    pub(crate) fn key_requests(&self) -> u64 {
        *self.key_requests.borrow()
    }

    pub(crate) async fn until_key_requests(&self, enough: u64) {
        let mut counted = self.key_requests.subscribe();
        let _ = counted.wait_for(|requests| *requests >= enough).await;
    }
}

/// First one, then the other, and so on.
#[derive(Default)]
pub(crate) struct Turn {
    of_the_second: AtomicBool,
}

impl Turn {
    /// Whether this is the turn of the second; the next turn is the other's.
    pub(crate) fn take(&self) -> bool {
        self.of_the_second.fetch_not(Ordering::Relaxed)
    }

    fn start_anew(&self) {
        self.of_the_second.store(false, Ordering::Relaxed);
    }
}
