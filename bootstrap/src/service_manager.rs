//! Notifies the service manager by the protocol of systemd (`sd_notify(3)`), if there is one.

#[cfg(unix)]
use std::time::Duration;

#[cfg(unix)]
use sd_notify::NotifyState;

/// The listeners accept connections. `status` is shown to the operator.
#[cfg_attr(not(unix), expect(unused_variables, reason = "there is no service manager to notify"))]
pub(crate) fn ready(status: &str) {
    #[cfg(unix)]
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The process is about to end.
#[cfg_attr(not(unix), expect(unused_variables, reason = "there is no service manager to notify"))]
pub(crate) fn stopping(status: &str) {
    #[cfg(unix)]
    notify(&[NotifyState::Stopping, NotifyState::Status(status)]);
}

/// Sends a sign of life twice in each period of the watchdog, if there is one (`WATCHDOG_USEC`).
///
/// Spawn it on the runtime of the server: each sign then comes from one of its workers, by its timer, and
/// after another task was scheduled and has run. A runtime in which nothing moves sends none.
#[cfg_attr(
    not(unix),
    expect(clippy::unused_async, reason = "there is no service manager to notify")
)]
pub(crate) async fn keep_watchdog() {
    #[cfg(unix)]
    {
        let Some(period) = sd_notify::watchdog_enabled() else { return };
        let mut beat = tokio::time::interval((period / 2).max(Duration::from_millis(1)));
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            if tokio::spawn(async {}).await.is_ok() {
                notify(&[NotifyState::Watchdog]);
            }
        }
    }
}

/// The server works without a service manager that listens.
#[cfg(unix)]
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager cannot be notified");
    }
}
