//! An OpenTelemetry collector on loopback that keeps what it receives.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::process::PATIENCE;

/// How it answers.
#[derive(Clone, Copy)]
pub(crate) enum Behavior {
    Accepts,
    Fails,
    NeverAnswers,
}

pub(crate) struct Collector {
    pub(crate) url: String,
    received: watch::Receiver<Received>,
}

#[derive(Default)]
struct Received {
    spans: Vec<Collected>,
    resource: BTreeMap<String, String>,
    headers: HeaderMap,
    path: String,
    bytes: Vec<u8>,
    requests: usize,
}

/// A span as it was received.
#[derive(Debug, Clone)]
pub(crate) struct Collected {
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) status: SpanStatus,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty for the first span of a trace.
    pub(crate) parent: String,
    pub(crate) state: String,
    /// Trace and span ids.
    pub(crate) links: Vec<(String, String)>,
    pub(crate) attributes: BTreeMap<String, String>,
    /// In nanoseconds since 1970.
    pub(crate) time: (u64, u64),
}

type Sink = (Arc<watch::Sender<Received>>, Behavior);

impl Collector {
    pub(crate) async fn start(behavior: Behavior) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, received) = watch::channel(Received::default());
        let router = Router::new().fallback(receive).with_state((Arc::new(sender), behavior));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, received }
    }

    /// All spans so far. A program that has stopped has sent its spans.
    pub(crate) fn received(&self) -> Vec<Collected> {
        self.received.borrow().spans.clone()
    }

    /// Waits until it was asked so many times.
    pub(crate) async fn asked(&mut self, count: usize) {
        let asked = self.received.wait_for(|received| received.requests >= count);
        timeout(PATIENCE, asked).await.unwrap().unwrap();
    }

    pub(crate) fn resource(&self) -> BTreeMap<String, String> {
        self.received.borrow().resource.clone()
    }

    /// The path and the headers of the last request.
    pub(crate) fn last_request(&self) -> (String, HeaderMap) {
        let received = self.received.borrow();
        (received.path.clone(), received.headers.clone())
    }

    /// Whether something that was received has these bytes.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.received.borrow().bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

async fn receive(State((sink, behavior)): State<Sink>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let message = ExportTraceServiceRequest::decode(body.clone()).unwrap();
    sink.send_modify(|received| {
        received.bytes.extend_from_slice(&body);
        received.bytes.extend(format!("{:?}", parts.headers).into_bytes());
        received.headers = parts.headers;
        received.path = parts.uri.path().to_owned();
        received.requests += 1;
        for of_resource in message.resource_spans {
            received.resource = attributes(of_resource.resource.unwrap_or_default().attributes);
            let spans = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            received.spans.extend(spans.map(Collected::from));
        }
    });
    match behavior {
        Behavior::Accepts => StatusCode::OK,
        Behavior::Fails => StatusCode::INTERNAL_SERVER_ERROR,
        Behavior::NeverAnswers => std::future::pending().await,
    }
}

impl From<Span> for Collected {
    fn from(span: Span) -> Self {
        assert!(span.events.is_empty(), "no event of the log is sent: {:?}", span.events);
        let kind = span.kind();
        let status = span.status.unwrap_or_default();
        assert_eq!(status.message, "", "a message may hold an argument");
        Self {
            kind,
            status: status.code(),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            state: span.trace_state,
            links: span.links.iter().map(|it| (hex(&it.trace_id), hex(&it.span_id))).collect(),
            attributes: attributes(span.attributes),
            time: (span.start_time_unix_nano, span.end_time_unix_nano),
            name: span.name,
        }
    }
}

fn attributes(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<AnyValue>| match value.and_then(|it| it.value) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{other:?}"),
    };
    attributes.into_iter().map(|KeyValue { key, value, .. }| (key, text(value))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
