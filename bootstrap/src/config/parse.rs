//! How the values of settings are read. Errors continue a sentence that begins with the name of the
//! setting.

pub(super) mod traces;

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::str::FromStr;
use std::time::Duration;

use protected_mcp::{ConnectionLimit, ScopeDenial, is_loopback_host};
use todo_application::domain::{Sharing, TimeZone};
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::audit::AuditTarget;
use crate::telemetry::LogFormat;

pub(super) fn from_str<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "must be a port from 0 to 65535".to_owned())
}

/// The address that has both families.
pub(super) const LOCALHOST: &str = "localhost";

pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    match text {
        LOCALHOST => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        text => text
            .parse()
            .map_err(|_| "must be an IP address such as 127.0.0.1 or 0.0.0.0".to_owned()),
    }
}

pub(super) fn address_and_port(text: &str) -> Result<SocketAddr, String> {
    let rule = || "must be an IP address and a port such as 127.0.0.1:9464".to_owned();
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(rule)?;
    if host != LOCALHOST {
        return Err(rule());
    }
    port.parse().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))).map_err(|_| rule())
}

pub(super) fn rate_limit(text: &str) -> Result<Option<NonZeroU32>, String> {
    limit(text, "must be off, or a number of requests per second such as 100")
}

pub(super) fn quota(text: &str) -> Result<Option<NonZeroU32>, String> {
    limit(text, "must be off, or a number such as 1000")
}

pub(super) fn history_days(text: &str) -> Result<u32, String> {
    /// A hundred years.
    const MOST: u32 = 36_500;
    let days = text.parse().ok().filter(|days| *days <= MOST);
    days.ok_or_else(|| format!("must be a number of days from 0 to {MOST}"))
}

fn limit(text: &str, rule: &str) -> Result<Option<NonZeroU32>, String> {
    match text {
        off if off.eq_ignore_ascii_case("off") => Ok(None),
        number => number.parse().map(Some).map_err(|_| rule.to_owned()),
    }
}

/// Each connection is a process of PostgreSQL, and more of them than it has cores make nothing faster.
const MOST_CONNECTIONS: usize = 200;

pub(super) fn pool(text: &str) -> Result<NonZeroUsize, String> {
    count(text, MOST_CONNECTIONS)
}

/// More than any list that is read again and again.
const MOST_RECENT_MIB: u64 = 4096;

/// In bytes.
pub(super) fn recent_reads(text: &str) -> Result<u64, String> {
    let mebibytes = text.parse().ok().filter(|mebibytes: &u64| *mebibytes <= MOST_RECENT_MIB);
    let bytes = mebibytes.map(|mebibytes| mebibytes * 1024 * 1024);
    bytes.ok_or_else(|| format!("must be a number from 0 to {MOST_RECENT_MIB}"))
}

/// A few GB of memory.
const MOST_CACHED_TOKENS: usize = 10_000_000;

pub(super) fn cached_tokens(text: &str) -> Result<NonZeroUsize, String> {
    count(text, MOST_CACHED_TOKENS)
}

pub(super) fn connections(text: &str) -> Result<ConnectionLimit, String> {
    /// More than an address has ports, for each client.
    const MOST: usize = 1_000_000;
    count(text, MOST).map(ConnectionLimit::new)
}

fn count(text: &str, most: usize) -> Result<NonZeroUsize, String> {
    let count = text.parse().ok().filter(|count: &NonZeroUsize| count.get() <= most);
    count.ok_or_else(|| format!("must be a number from 1 to {most}"))
}

/// An id is one to 2048 visible ASCII characters (RFC 6749 appendix A.1), without the separators of a list.
pub(super) fn client_id(text: &str) -> Result<String, String> {
    if text.len() <= 2048 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("is no client id: they look like m2m_123 or https://client.example/metadata".to_owned())
    }
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: Result<NonZeroU32, _> = text.parse();
    seconds
        .map(|seconds| Duration::from_secs(seconds.get().into()))
        .map_err(|_| "must be a number of seconds such as 3600".to_owned())
}

pub(super) fn drain(text: &str) -> Result<Duration, String> {
    /// Longer than any load balancer looks away, and a stop that takes longer is none.
    const MOST: u64 = 600;
    let seconds = text.parse().ok().filter(|seconds| *seconds <= MOST);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| format!("must be a number of seconds from 0 to {MOST}"))
}

/// A page that people open in a browser.
pub(super) fn link(text: &str) -> Result<Url, String> {
    let is_safe = |url: &Url| match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(is_loopback_host),
        _ => false,
    };
    let url = Url::parse(text).ok().filter(is_safe);
    url.ok_or_else(|| "must be an https URL such as https://example.com/privacy".to_owned())
}

pub(super) fn challenge(text: &str) -> Result<String, String> {
    if text.len() <= 512 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("must be the token as OpenAI shows it, without spaces".to_owned())
    }
}

/// Any text is one: whether the file can be written is seen at the start.
#[expect(clippy::unnecessary_wraps, reason = "as settings are read")]
pub(super) fn audit_target(text: &str) -> Result<AuditTarget, String> {
    Ok(AuditTarget::parse(text))
}

pub(super) fn time_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::try_from(text).map_err(|_| "must be an IANA name such as Europe/Berlin".to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_https_or_on_loopback() {
        for good in ["https://example.com/privacy", "http://localhost:8080/terms"] {
            assert_eq!(link(good).unwrap().as_str(), good);
        }
        for bad in ["http://example.com/", "example.com", "mailto:help@example.com", "javascript:1"]
        {
            assert!(link(bad).unwrap_err().contains("https URL"), "{bad}");
        }
    }

    #[test]
    fn a_server_drains_for_at_most_ten_minutes() {
        assert_eq!(drain("600"), Ok(Duration::from_mins(10)));
        for bad in ["601", "-1", "5s"] {
            assert!(drain(bad).unwrap_err().contains("from 0 to 600"), "{bad}");
        }
    }

    #[test]
    fn a_challenge_is_one_word() {
        assert!(challenge("8a_-.~").is_ok());
        assert!(challenge("two words").is_err());
        assert!(challenge(&"a".repeat(513)).is_err());
    }
}
