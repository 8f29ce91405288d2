//! Sending spans to the collector.
//!
//! A thread of the SDK exports, batch by batch. Its requests run on the runtime of the server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use tokio::runtime::Handle;
use url::Url;

use super::settings::TraceSettings;
use crate::http::{Unreachable, bounded_body, client_towards};

/// Between two warnings that spans are lost.
const PAUSE: Duration = Duration::from_mins(1);

/// An exporter by OTLP over HTTP, in protobuf.
pub(super) fn exporter(settings: &TraceSettings) -> anyhow::Result<impl SpanExporter + use<>> {
    let TraceSettings { endpoint, headers, timeout, .. } = settings;
    let client = client_towards(endpoint, *timeout).default_headers(headers.clone()).build()?;
    let losses = Arc::<Losses>::default();
    let collector = Collector {
        client,
        endpoint: endpoint.clone(),
        runtime: Handle::current(),
        losses: Arc::clone(&losses),
    };
    // All that the exporter would read from the environment is set.
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(collector)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint.as_str())
        .with_timeout(*timeout)
        .build()?;
    Ok(Counted { exporter, losses })
}

#[derive(Debug)]
struct Collector {
    client: Client,
    endpoint: Url,
    runtime: Handle,
    losses: Arc<Losses>,
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // The other headers are those of the settings, which the client has.
        let content_type = request.headers().get(CONTENT_TYPE).cloned();
        let to_send = self.client.post(self.endpoint.clone()).body(request.into_body());
        let to_send = content_type
            .into_iter()
            .fold(to_send, |to_send, content_type| to_send.header(CONTENT_TYPE, content_type));
        let answered = self.runtime.spawn(async {
            let mut answer = to_send.send().await?;
            let body = bounded_body(&mut answer).await?;
            Ok::<_, reqwest::Error>((answer, body))
        });
        let (answer, body) = answered.await?.map_err(|error| {
            let cause = if error.is_timeout() {
                "no response in time".to_owned()
            } else {
                Unreachable::from(error).to_string()
            };
            self.losses.cause(cause.clone());
            cause
        })?;
        let mut response = Response::builder().status(answer.status());
        if let Some(after) = answer.headers().get(RETRY_AFTER) {
            response = response.header(RETRY_AFTER, after);
        }
        let response = response.body(Bytes::from(body))?;
        if !response.status().is_success() {
            self.losses.cause(format!("it answered with HTTP {}", response.status().as_u16()));
        }
        Ok(response)
    }
}

/// Counts the spans that cannot be delivered, and warns of them now and then.
#[derive(Debug)]
struct Counted<E> {
    exporter: E,
    losses: Arc<Losses>,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        if self.exporter.export(batch).await.is_err() {
            self.losses.add(spans, Instant::now());
        }
        // The SDK would log each failure.
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.losses.warn(None);
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[derive(Debug, Default)]
struct Losses(Mutex<Lost>);

#[derive(Debug, Default)]
struct Lost {
    /// Since the last warning.
    spans: usize,
    warned: Option<Instant>,
    cause: String,
}

impl Losses {
    fn cause(&self, cause: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).cause = cause;
    }

    fn add(&self, spans: usize, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).spans += spans;
        self.warn(Some(now));
    }

    /// Warns of what was lost since the last warning, unless that was less than a [`PAUSE`] before `now`.
    fn warn(&self, now: Option<Instant>) {
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_soon = now.zip(lost.warned).is_some_and(|(now, warned)| now < warned + PAUSE);
        if lost.spans > 0 && !is_soon {
            let Lost { spans, cause, .. } = &*lost;
            tracing::warn!(spans, cause, "spans cannot be sent to the collector, and are lost");
            lost.spans = 0;
            lost.warned = now.or(lost.warned);
        }
    }
}
