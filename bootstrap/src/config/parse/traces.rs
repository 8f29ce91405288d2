//! How the values of the settings of traces are read.

use std::num::NonZeroUsize;
use std::time::Duration;

use opentelemetry_sdk::trace::Sampler;
use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::one_of;

pub(in super::super) fn endpoint(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| "must be an http or https URL such as http://localhost:4318".to_owned())
}

pub(in super::super) fn headers(text: &str) -> Result<HeaderMap, String> {
    const RULE: &str = "must be headers as NAME=VALUE, separated by commas";
    let pairs = pairs(text).ok_or(RULE)?;
    let headers = pairs.into_iter().map(|(name, value)| {
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, value))
    });
    headers.collect::<Option<_>>().ok_or_else(|| RULE.to_owned())
}

pub(in super::super) fn attributes(text: &str) -> Result<Vec<(String, String)>, String> {
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

pub(in super::super) fn milliseconds(text: &str) -> Result<Duration, String> {
    let milliseconds = text.parse().ok().filter(|milliseconds: &u32| *milliseconds > 0);
    milliseconds
        .map(|milliseconds| Duration::from_millis(milliseconds.into()))
        .ok_or_else(|| "must be a number of milliseconds such as 10000".to_owned())
}

/// The queue is allocated at once, with about 400 bytes for each span.
const MOST_SPANS: usize = 100_000;

pub(in super::super) fn spans(text: &str) -> Result<NonZeroUsize, String> {
    let spans = text.parse().ok().filter(|spans: &NonZeroUsize| spans.get() <= MOST_SPANS);
    spans.ok_or_else(|| format!("must be a number of spans from 1 to {MOST_SPANS}"))
}

pub(in super::super) fn protocol(text: &str) -> Result<(), String> {
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

pub(in super::super) fn compression(text: &str) -> Result<(), String> {
    one_of(text, [("none", ())])
}

pub(in super::super) fn exporter(text: &str) -> Result<bool, String> {
    one_of(text, [("otlp", true), ("none", false)])
}

pub(in super::super) fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "must be a number from 0 to 1".to_owned())
}

/// Which traces are sent.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Sampling {
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

pub(in super::super) fn sampling(text: &str) -> Result<Sampling, String> {
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
    pub(in super::super) fn sampler(self, ratio: f64) -> Sampler {
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
    use super::*;

    #[test]
    fn headers_are_never_shown() {
        let headers = headers("authorization=Basic%20SECRET , x=1").unwrap();
        assert_eq!(headers["authorization"], "Basic SECRET");
        assert!(!format!("{headers:?}").contains("SECRET"));
        for wrong in ["a", "=b", "a b=c", "a=%ff", "a=%0A"] {
            assert!(super::headers(wrong).is_err(), "{wrong}");
        }
    }
}
