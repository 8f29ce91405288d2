use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::invalid_token::VerificationError;

/// Counts what became of tokens.
#[derive(Default)]
pub(super) struct Tally {
    cache_hits: AtomicU64,
    /// Locked for tokens that are not cached, which cost far more than that.
    verifications: Mutex<BTreeMap<&'static str, u64>>,
}

impl Tally {
    pub(super) fn cached(&self) {
        self.cache_hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn verified<T>(&self, result: &Result<T, VerificationError>) {
        let result = result.as_ref().map_or_else(VerificationError::code, |_| "accepted");
        let mut verifications = self.verifications.lock().unwrap_or_else(PoisonError::into_inner);
        *verifications.entry(result).or_default() += 1;
    }

    pub(super) fn cache_hits(&self) -> u64 {
        self.cache_hits.load(Ordering::Relaxed)
    }

    pub(super) fn verifications(&self) -> Vec<(&'static str, u64)> {
        let verifications = self.verifications.lock().unwrap_or_else(PoisonError::into_inner);
        verifications.iter().map(|(result, count)| (*result, *count)).collect()
    }
}
