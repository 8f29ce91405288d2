//! How long the storage takes.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::histogram::Histogram;
use super::registry::Metrics;
use super::table::Table;
use crate::storage_calls::{StorageCall, StorageObserver};

/// By the name of the call.
#[derive(Default)]
struct Timings {
    durations: Table<&'static str, Histogram, 32>,
    /// Also by the kind of the error.
    errors: Table<(&'static str, &'static str), AtomicU64, 96>,
}

impl Metrics {
    /// Times the calls of the storage.
    pub(crate) fn storage_observer(&mut self) -> Arc<dyn StorageObserver> {
        let timings = Arc::new(Timings::default());
        let it = Arc::clone(&timings);
        self.figures(
            "todo_mcp_storage_duration_seconds",
            "Time that a call of the storage takes, with its queues and retries",
            move || {
                let labels = |call| vec![("operation", Cow::Borrowed(method(call)))];
                let entries = it.durations.entries();
                entries.map(|(call, it)| (labels(call), it.distribution())).collect()
            },
        );
        let it = Arc::clone(&timings);
        self.figures(
            "todo_mcp_storage_errors",
            "Calls of the storage that failed because of it: unavailable, corrupt or damaged",
            move || {
                let labels = |(call, error): (&'static str, &'static str)| {
                    vec![("operation", method(call).into()), ("error", error.into())]
                };
                let entries = it.errors.entries();
                entries.map(|(key, it)| (labels(key), it.load(Ordering::Relaxed))).collect()
            },
        );
        timings
    }
}

impl StorageObserver for Timings {
    fn ended(&self, call: &StorageCall<'_>) {
        if let Some(histogram) = self.durations.at(call.name) {
            histogram.record(call.elapsed);
        }
        if let Some(error) = call.failure
            && let Some(count) = self.errors.at((call.name, error))
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The method of a call, without the port.
fn method(call: &'static str) -> &'static str {
    call.rsplit_once('.').map_or(call, |(_, method)| method)
}
