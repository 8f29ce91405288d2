use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;

use super::figures::{Figures, Labels, Value};

/// The metrics of a server. To add some, pass it to what has the figures, before it is served.
#[derive(Default)]
pub(crate) struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// Adds a series. It is a counter if `read` returns an integer, and a gauge if it returns a float.
    /// `_total` is appended to the name of a counter, and a full stop to `meaning`.
    pub(crate) fn figure<T: Value>(
        &mut self,
        name: &'static str,
        meaning: &'static str,
        read: impl Fn() -> T + Send + Sync + 'static,
    ) {
        self.figures(name, meaning, move || vec![(Labels::new(), read())]);
    }

    /// Adds the series that `read` returns at that moment.
    pub(crate) fn figures<T: Value>(
        &mut self,
        name: &'static str,
        meaning: &'static str,
        read: impl Fn() -> Vec<(Labels, T)> + Send + Sync + 'static,
    ) {
        self.registry.register(name, meaning, Figures::new(read));
    }

    /// All of them, in the text format 0.0.4.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if prometheus_text::encode(&mut text, &self.registry).is_err() {
            // Writing to a string cannot fail.
            tracing::error!("the metrics could not be written");
        }
        text
    }
}
