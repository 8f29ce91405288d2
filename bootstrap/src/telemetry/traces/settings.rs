use std::time::Duration;

use opentelemetry_sdk::trace::Sampler;
use reqwest::header::HeaderMap;
use url::Url;

/// Which spans are sent, where, and how.
#[derive(Debug)]
pub(crate) struct TraceSettings {
    /// With the path.
    pub(crate) endpoint: Url,
    /// Of each request to the collector; may hold a secret.
    pub(crate) headers: HeaderMap,
    /// For a batch of spans, with all attempts to deliver it.
    pub(crate) timeout: Duration,
    /// What sends the spans, as the collector is to know it.
    pub(crate) resource: Vec<(String, String)>,
    pub(crate) sampler: Sampler,
    /// How long spans are collected at most before they are sent.
    pub(crate) delay: Duration,
    /// The most spans that wait. Those beyond are dropped.
    pub(crate) queue: usize,
    /// The most spans of a request to the collector.
    pub(crate) batch: usize,
}
