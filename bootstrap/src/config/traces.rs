//! The values of the settings of traces (OpenTelemetry specification, "Environment Variable Specification" and
//! "OTLP Exporter"). Errors continue a sentence that begins with the name of the setting.

use std::num::NonZeroUsize;
use std::time::Duration;

use opentelemetry_sdk::trace::Sampler;
use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::parse::one_of;
use super::reader::Reader;
use super::table::traces as table;
use crate::telemetry::TraceSettings;

/// How [`TraceSettings`] are read. `None` if there are to be no traces: then the other settings have no
/// effect, and are not read.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<TraceSettings> {
    let is_off = reader.value(&table::DISABLED)? || !reader.value(&table::EXPORTER)?;
    let base = reader.value(&table::ENDPOINT).map(with_path);
    let endpoint = reader.value(&table::TRACES_ENDPOINT).or(base)?;
    if is_off {
        return None;
    }
    let headers = reader.value(&table::HEADERS).unwrap_or_default();
    let timeout = reader.value(&table::TIMEOUT);
    let protocol = reader.value(&table::PROTOCOL);
    let compression = reader.value(&table::COMPRESSION);
    let name = reader.value(&table::SERVICE_NAME);
    let has_name = reader.text(&table::SERVICE_NAME.about).is_some();
    let attributes = reader.value(&table::RESOURCE_ATTRIBUTES).unwrap_or_default();
    let sampling = reader.value(&table::SAMPLER);
    let ratio = reader.value(&table::SAMPLER_ARG);
    let delay = reader.value(&table::SCHEDULE_DELAY);
    let queue = reader.value(&table::MAX_QUEUE_SIZE);
    let batch = reader.value(&table::MAX_EXPORT_BATCH_SIZE);
    let (protocol, compression) = (protocol?, compression?);
    let ((), ()) = (protocol, compression);
    let queue = queue?.get();
    Some(TraceSettings {
        endpoint,
        headers,
        timeout: timeout?,
        resource: resource(name?, has_name, attributes),
        sampler: sampling?.sampler(ratio?),
        delay: delay?,
        queue,
        batch: batch?.get().min(queue),
    })
}

/// The last of two attributes with one name counts. A name of the service that is set counts more than the
/// attributes, and its default less.
fn resource(
    name: String,
    has_name: bool,
    attributes: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let name = ("service.name".to_owned(), name);
    let version = ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    let (before, after) = if has_name { (None, Some(name)) } else { (Some(name), None) };
    before.into_iter().chain([version]).chain(attributes).chain(after).collect()
}

fn with_path(mut base: Url) -> Url {
    let path = format!("{}/v1/traces", base.path().trim_end_matches('/'));
    base.set_path(&path);
    base
}

pub(super) fn endpoint(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| "must be an http or https URL such as http://localhost:4318".to_owned())
}

pub(super) fn headers(text: &str) -> Result<HeaderMap, String> {
    const RULE: &str = "must be headers as NAME=VALUE, separated by commas";
    let pairs = pairs(text).ok_or(RULE)?;
    let headers = pairs.into_iter().map(|(name, value)| {
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, value))
    });
    headers.collect::<Option<_>>().ok_or_else(|| RULE.to_owned())
}

pub(super) fn attributes(text: &str) -> Result<Vec<(String, String)>, String> {
    pairs(text).ok_or_else(|| "must be attributes as NAME=VALUE, separated by commas".to_owned())
}

/// `NAME=VALUE,..`, with percent-encoded values.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let name = name.trim();
        (!name.is_empty()).then(|| (name.to_owned(), value.into_owned()))
    });
    pairs.collect()
}

pub(super) fn milliseconds(text: &str) -> Result<Duration, String> {
    let milliseconds = text.parse().ok().filter(|milliseconds: &u32| *milliseconds > 0);
    milliseconds
        .map(|milliseconds| Duration::from_millis(milliseconds.into()))
        .ok_or_else(|| "must be a number of milliseconds such as 10000".to_owned())
}

/// The queue is allocated at once, with about 400 bytes for each span.
const MOST_SPANS: usize = 100_000;

pub(super) fn spans(text: &str) -> Result<NonZeroUsize, String> {
    let spans = text.parse().ok().filter(|spans: &NonZeroUsize| spans.get() <= MOST_SPANS);
    spans.ok_or_else(|| format!("must be a number of spans from 1 to {MOST_SPANS}"))
}

pub(super) fn protocol(text: &str) -> Result<(), String> {
    match text {
        "http/protobuf" => Ok(()),
        "grpc" => {
            Err("must be http/protobuf: this server speaks no gRPC. Set the endpoint to the HTTP \
                       port of the collector too, which is usually 4318"
                .to_owned())
        }
        _ => Err("must be http/protobuf".to_owned()),
    }
}

pub(super) fn compression(text: &str) -> Result<(), String> {
    one_of(text, [("none", ())])
}

pub(super) fn exporter(text: &str) -> Result<bool, String> {
    one_of(text, [("otlp", true), ("none", false)])
}

pub(super) fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "must be a number from 0 to 1".to_owned())
}

/// Which traces are sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampling {
    root: Root,
    /// Whether the client decides for its traces.
    is_parent_based: bool,
}

#[derive(Debug, Clone, Copy)]
enum Root {
    On,
    Off,
    Ratio,
}

pub(super) fn sampling(text: &str) -> Result<Sampling, String> {
    let sampling = |root, is_parent_based| Sampling { root, is_parent_based };
    one_of(
        text,
        [
            ("always_on", sampling(Root::On, false)),
            ("always_off", sampling(Root::Off, false)),
            ("traceidratio", sampling(Root::Ratio, false)),
            ("parentbased_always_on", sampling(Root::On, true)),
            ("parentbased_always_off", sampling(Root::Off, true)),
            ("parentbased_traceidratio", sampling(Root::Ratio, true)),
        ],
    )
}

impl Sampling {
    fn sampler(self, ratio: f64) -> Sampler {
        let root = match self.root {
            Root::On => Sampler::AlwaysOn,
            Root::Off => Sampler::AlwaysOff,
            Root::Ratio => Sampler::TraceIdRatioBased(ratio),
        };
        if self.is_parent_based { Sampler::ParentBased(Box::new(root)) } else { root }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;
    use crate::settings::Settings;

    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

    fn traces<const N: usize>(settings: [(&str, &str); N]) -> Option<TraceSettings> {
        Config::from_settings(&Settings::from_iter(settings)).unwrap().traces
    }

    #[test]
    fn the_endpoint_of_traces_is_used_as_it_is_and_that_of_all_signals_gets_the_path() {
        for (endpoint, expected) in [
            ("http://localhost:4318", "http://localhost:4318/v1/traces"),
            ("https://otlp.example.com/a/", "https://otlp.example.com/a/v1/traces"),
        ] {
            assert_eq!(traces([(ENDPOINT, endpoint)]).unwrap().endpoint.as_str(), expected);
            let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://[::1]:4318/x");
            let settings = traces([(ENDPOINT, endpoint), own]).unwrap();
            assert_eq!(settings.endpoint.as_str(), own.1);
        }
        assert!(traces([]).is_none());
    }

    #[test]
    fn a_service_name_that_is_set_counts_more_than_attributes_and_the_default_less() {
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a, service.version=2%2C5,");
        let name = |settings: Option<TraceSettings>| {
            let resource = settings.unwrap().resource.into_iter();
            resource.rev().find(|(name, _)| name == "service.name").unwrap().1
        };
        let endpoint = (ENDPOINT, "http://localhost");
        assert_eq!(name(traces([endpoint])), "todo-mcp");
        assert_eq!(name(traces([endpoint, attributes])), "a");
        assert_eq!(name(traces([endpoint, attributes, ("OTEL_SERVICE_NAME", "b")])), "b");
        let last = traces([endpoint, attributes]).unwrap().resource.pop().unwrap();
        assert_eq!(last, ("service.version".to_owned(), "2,5".to_owned()));
    }

    #[test]
    fn headers_are_never_shown() {
        let headers = headers("authorization=Basic%20SECRET , x=1").unwrap();
        assert_eq!(headers["authorization"], "Basic SECRET");
        assert!(!format!("{headers:?}").contains("SECRET"));
        for wrong in ["a", "=b", "a b=c", "a=%ff", "a=%0A"] {
            assert!(super::headers(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_batch_is_no_longer_than_the_queue() {
        let endpoint = (ENDPOINT, "http://localhost");
        let settings = traces([endpoint, ("OTEL_BSP_MAX_QUEUE_SIZE", "10")]).unwrap();
        assert_eq!((settings.queue, settings.batch), (10, 10));
    }
}
