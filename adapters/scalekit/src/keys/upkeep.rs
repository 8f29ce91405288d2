//! Keys that are there before anybody asks for them.

use std::convert::Infallible;
use std::time::Duration;

use super::ScalekitKeys;
use super::schedule::Occasion;

/// How long to wait before looking at the clock again. The clock may be set, and a machine that
/// slept has waited less than it thinks: after either, a refresh is late by this much at most.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

impl ScalekitKeys {
    /// Fetches the keys now and from then on whenever it is time to, until `stop` is ready. Run it
    /// beside the server: nothing waits for it, and without it keys are still fetched when a request
    /// needs one.
    ///
    /// It is what makes the service recover from an outage with no request coming in, and what ends
    /// the service of a key that was withdrawn.
    pub async fn refresh_until(self, stop: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = stop => {}
            never = self.refresh_at_the_pace_of(tokio::time::sleep) => match never {},
        }
    }

    /// Never ends. `wait` takes the time; when a fetch is due, the clock alone decides.
    async fn refresh_at_the_pace_of<Wait: Future<Output = ()>>(
        &self,
        mut wait: impl FnMut(Duration) -> Wait,
    ) -> Infallible {
        loop {
            let pause = self.shared.wait(Occasion::OwnAccord);
            if !pause.is_zero() {
                wait(pause.min(LONGEST_WAIT)).await;
            } else if let Some(refresh) = self.refresh_if_due(Occasion::OwnAccord) {
                refresh.wait().await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
