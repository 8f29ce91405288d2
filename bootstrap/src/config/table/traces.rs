//! Settings of traces, by the names of OpenTelemetry's specification.

use std::num::NonZeroUsize;
use std::time::Duration;

use reqwest::header::HeaderMap;
use url::Url;

use super::super::parse::{self, traces as parse_traces};
use super::super::setting::DefaultValue::{Derived, Text};
use super::super::setting::Setting;

pub(in super::super) const ENDPOINT: Setting<Url> = Setting::new(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    Derived(""),
    "URL of an OpenTelemetry collector that speaks OTLP over HTTP, such as `http://localhost:4318`; \
     unset: no traces",
    parse_traces::endpoint,
);
pub(in super::super) const TRACES_ENDPOINT: Setting<Url> = Setting::new(
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    Derived("`{OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces`"),
    "The same with its whole path",
    parse_traces::endpoint,
);
pub(in super::super) const HEADERS: Setting<HeaderMap> = Setting::new(
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    Derived(""),
    "Headers of requests to the collector, `NAME=VALUE,..` with percent-encoded values",
    parse_traces::headers,
)
.or(&["OTEL_EXPORTER_OTLP_HEADERS"])
.secret();
pub(in super::super) const TIMEOUT: Setting<Duration> = Setting::new(
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    Text("10000"),
    "Milliseconds to deliver a batch of spans, with all attempts",
    parse_traces::milliseconds,
)
.or(&["OTEL_EXPORTER_OTLP_TIMEOUT"]);
pub(in super::super) const PROTOCOL: Setting<()> = Setting::new(
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    Text("http/protobuf"),
    "No other protocol is supported",
    parse_traces::protocol,
)
.or(&["OTEL_EXPORTER_OTLP_PROTOCOL"]);
pub(in super::super) const COMPRESSION: Setting<()> = Setting::new(
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    Text("none"),
    "No compression is supported",
    parse_traces::compression,
)
.or(&["OTEL_EXPORTER_OTLP_COMPRESSION"]);
pub(in super::super) const EXPORTER: Setting<bool> = Setting::new(
    "OTEL_TRACES_EXPORTER",
    Text("otlp"),
    "`none`: no traces, even if there is an endpoint",
    parse_traces::exporter,
);
pub(in super::super) const DISABLED: Setting<bool> = Setting::new(
    "OTEL_SDK_DISABLED",
    Text("false"),
    "`true`: no traces, even if there is an endpoint",
    parse::flag,
);
pub(in super::super) const SERVICE_NAME: Setting<String> = Setting::new(
    "OTEL_SERVICE_NAME",
    Text("todo-mcp"),
    "`service.name` of the spans",
    parse::from_str,
);
pub(in super::super) const RESOURCE_ATTRIBUTES: Setting<Vec<(String, String)>> = Setting::new(
    "OTEL_RESOURCE_ATTRIBUTES",
    Derived(""),
    "More attributes of what sends the spans, `NAME=VALUE,..` with percent-encoded values",
    parse_traces::attributes,
);
pub(in super::super) const SAMPLER: Setting<parse_traces::Sampling> = Setting::new(
    "OTEL_TRACES_SAMPLER",
    Text("parentbased_always_on"),
    "Which traces are sent: `always_on`, `always_off`, `traceidratio`, or one of them with \
     `parentbased_` before it, which decides only where the client has not",
    parse_traces::sampling,
);
pub(in super::super) const SAMPLER_ARG: Setting<f64> = Setting::new(
    "OTEL_TRACES_SAMPLER_ARG",
    Text("1.0"),
    "The part of the traces that `traceidratio` sends, from 0 to 1",
    parse_traces::ratio,
);
pub(in super::super) const SCHEDULE_DELAY: Setting<Duration> = Setting::new(
    "OTEL_BSP_SCHEDULE_DELAY",
    Text("5000"),
    "Milliseconds for which spans are collected before they are sent",
    parse_traces::milliseconds,
);
pub(in super::super) const MAX_QUEUE_SIZE: Setting<NonZeroUsize> = Setting::new(
    "OTEL_BSP_MAX_QUEUE_SIZE",
    Text("2048"),
    "The most spans that wait to be sent; those beyond are dropped",
    parse_traces::spans,
);
pub(in super::super) const MAX_EXPORT_BATCH_SIZE: Setting<NonZeroUsize> = Setting::new(
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    Text("512"),
    "The most spans of one request to the collector",
    parse_traces::spans,
);
