//! How the values of settings are read. Errors continue a sentence that begins with the name of the
//! setting.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::str::FromStr;

use protected_mcp::ScopeDenial;
use todo_application::domain::Sharing;
use tracing_subscriber::EnvFilter;

use crate::telemetry::LogFormat;

pub(super) fn from_str<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "must be a port from 0 to 65535".to_owned())
}

pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        text => text
            .parse()
            .map_err(|_| "must be an IP address such as 127.0.0.1 or 0.0.0.0".to_owned()),
    }
}

pub(super) fn rate_limit(text: &str) -> Result<Option<NonZeroU32>, String> {
    limit(text, "must be off, or a number of requests per second such as 100")
}

pub(super) fn quota(text: &str) -> Result<Option<NonZeroU32>, String> {
    limit(text, "must be off, or a number such as 1000")
}

fn limit(text: &str, rule: &str) -> Result<Option<NonZeroU32>, String> {
    match text {
        off if off.eq_ignore_ascii_case("off") => Ok(None),
        number => number.parse().map(Some).map_err(|_| rule.to_owned()),
    }
}

pub(super) fn sharing(text: &str) -> Result<Sharing, String> {
    from_str(&text.to_ascii_lowercase())
}

pub(super) fn scope_denial(text: &str) -> Result<ScopeDenial, String> {
    one_of(text, [("challenge", ScopeDenial::Challenge), ("tool_error", ScopeDenial::ToolError)])
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    one_of(text, [("text", LogFormat::Text), ("json", LogFormat::Json)])
}

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("must be a filter such as info or todo_mcp=debug ({error})")),
    }
}

pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text {
        "1" => Ok(true),
        "0" => Ok(false),
        text => one_of(text, [("true", true), ("false", false)]),
    }
}

fn one_of<T, const N: usize>(text: &str, choices: [(&str, T); N]) -> Result<T, String> {
    let words = choices.each_ref().map(|(word, _)| *word).join(" or ");
    let chosen = choices.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    chosen.map(|(_, value)| value).ok_or_else(|| format!("must be {words}"))
}
