//! Traces: the spans of operations and of what they ask the storage for, sent to an OpenTelemetry collector.
//!
//! The engine and [`StorageSpans`] make spans of `tracing`, which cost next to nothing while no layer wants
//! them. The layer here wants those spans and nothing else: no event of the log, no span of a library. So an
//! exported span holds only the fields that these two give it.

mod collector;
mod parents;
mod storage;

use std::thread;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};
use protected_mcp::OPERATION_TARGET;
use reqwest::header::HeaderMap;
use tokio::sync::oneshot;
use tracing::{Metadata, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use crate::failure::Failure;
pub(crate) use parents::Parents;
use storage::STORAGE_TARGET;
pub(crate) use storage::StorageSpans;

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

pub(super) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Starts the thread that sends spans. Needs a runtime.
    pub(super) fn start(settings: &TraceSettings) -> Result<Self, Failure> {
        let TraceSettings { delay, queue, batch, .. } = *settings;
        let attributes = settings
            .resource
            .iter()
            .map(|(name, value)| KeyValue::new(name.clone(), value.clone()));
        let resource = Resource::builder_empty()
            .with_detector(Box::new(TelemetryResourceDetector))
            .with_attributes(attributes)
            .build();
        let batches = BatchConfigBuilder::default()
            .with_scheduled_delay(delay)
            .with_max_queue_size(queue)
            .with_max_export_batch_size(batch)
            .build();
        let exporter = collector::exporter(settings).map_err(Failure::Other)?;
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(settings.sampler.clone())
            .with_span_processor(processor)
            .build();
        Ok(Self { provider })
    }

    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let layer: OpenTelemetryLayer<S, SdkTracer> =
            OpenTelemetryLayer::new(self.provider.tracer(env!("CARGO_PKG_NAME")));
        layer
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            // Nothing here asks for the current context of OpenTelemetry.
            .with_context_activation(false)
            .with_filter(filter_fn(is_traced))
    }

    /// Sends what is queued, and ends.
    pub(super) async fn flush(&self, limit: Duration) {
        let (provider, (done, flushed)) = (self.provider.clone(), oneshot::channel());
        // It blocks. A thread of the runtime would have to be waited for even after a second signal.
        let flushing = thread::Builder::new().name("flush".to_owned()).spawn(move || {
            // What goes wrong is logged where spans are sent.
            let _ = provider.shutdown_with_timeout(limit);
            let _ = done.send(());
        });
        if flushing.is_ok() {
            let _ = flushed.await;
        }
    }
}

fn is_traced(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && [OPERATION_TARGET, STORAGE_TARGET].contains(&metadata.target())
}
