//! Periodic refreshes, independent of requests.

use std::convert::Infallible;
use std::time::Duration;

use super::ScalekitKeys;
use super::schedule::Occasion;

/// How long to wait before reading the clock again. The clock can be set, and time does not pass for
/// a timer while the machine sleeps: after either, a refresh is late by this much at most.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

impl ScalekitKeys {
    /// Fetches the keys now and then periodically, until `stop` completes. Spawn it beside the server:
    /// nothing waits for it, and without it keys are still fetched when a request needs one.
    ///
    /// With it, the server recovers from an outage without a request, and withdrawn keys are
    /// rejected after ten minutes.
    pub async fn refresh_until(self, stop: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = stop => {}
            never = self.refresh_with(tokio::time::sleep) => match never {},
        }
    }

    /// `wait` may return early or late: the clock alone decides when a fetch is due.
    async fn refresh_with<Wait: Future<Output = ()>>(
        &self,
        mut wait: impl FnMut(Duration) -> Wait,
    ) -> Infallible {
        loop {
            let pause = self.shared.wait(Occasion::Refresh);
            if !pause.is_zero() {
                wait(pause.min(LONGEST_WAIT)).await;
            } else if let Some(refresh) = self.refresh_if_due(Occasion::Refresh) {
                refresh.wait().await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
