//! The log, on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Config, LogFormat};
use crate::failure::Failure;

/// Starts logging as the configuration says.
pub(crate) fn start(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log_filter)
        .map_err(|error| Failure::Usage(format!("RUST_LOG: {error}")))?;
    let (text, json) = match config.log_format {
        LogFormat::Text => {
            let ansi = std::io::stderr().is_terminal();
            (Some(layer().with_writer(std::io::stderr).with_ansi(ansi)), None)
        }
        LogFormat::Json => {
            (None, Some(layer().json().flatten_event(true).with_writer(std::io::stderr)))
        }
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(text)
        .with(json)
        .try_init()
        .map_err(|error| Failure::Other(error.into()))
}
