//! Traces: the spans of operations and of what they ask the storage for, sent to an OpenTelemetry collector.
//!
//! The engine and [`StorageSpans`] make spans of `tracing`, which cost next to nothing while no layer wants
//! them. The layer here wants those spans and nothing else: no event of the log, no span of a library. So an
//! exported span holds only the fields that these two give it.

mod collector;
mod parents;
mod settings;
mod storage;

use std::thread;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider,
};
use protected_mcp::OPERATION_TARGET;
use tokio::sync::oneshot;
use tracing::{Metadata, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::failure::Failure;
pub(crate) use parents::Parents;
pub(crate) use settings::TraceSettings;
use storage::STORAGE_TARGET;
pub(crate) use storage::StorageSpans;

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
