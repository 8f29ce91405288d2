//! What the settings of traces mean (OpenTelemetry specification, "Environment Variable Specification" and "OTLP
//! Exporter").

use url::Url;

use super::reader::Reader;
use super::table::traces as table;
use crate::telemetry::TraceSettings;

/// How [`TraceSettings`] are read. `None` if there are to be no traces: then the other settings have no
/// effect, and are not read.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<TraceSettings> {
    let base = reader.value(&table::ENDPOINT).map(with_path);
    let endpoint = reader.value(&table::TRACES_ENDPOINT).or(base)?;
    if reader.value(&table::DISABLED)? || !reader.value(&table::EXPORTER)? {
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
        // Platforms set such names for every program: without an endpoint they have no effect.
        let others = [("OTEL_TRACES_EXPORTER", "console"), ("OTEL_SDK_DISABLED", "maybe")];
        assert!(traces(others).is_none());
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
    fn a_batch_is_no_longer_than_the_queue() {
        let endpoint = (ENDPOINT, "http://localhost");
        let settings = traces([endpoint, ("OTEL_BSP_MAX_QUEUE_SIZE", "10")]).unwrap();
        assert_eq!((settings.queue, settings.batch), (10, 10));
    }
}
