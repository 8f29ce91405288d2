//! Connection URLs.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use thiserror::Error;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// The schemes that PostgreSQL's own programs accept.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The parameters that are passed to the driver, besides `sslmode`, `sslrootcert` and
/// `target_session_attrs`, which are handled here.
const PASSED_ON: [&str; 17] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslnegotiation",
    "tcp_user_timeout",
    "user",
];

/// How long connecting to one host may take, unless the URL sets it.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How soon a connection to an unreachable machine is detected when it is idle and when it is in use,
/// unless the URL sets it.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

/// The driver's default.
const DRIVERS_KEEPALIVE_IDLE: Duration = Duration::from_hours(2);

/// A connection URL as `psql` accepts it (PostgreSQL, "Connection URIs"), with these differences:
///
/// * Of several hosts, the first that accepts writes is used (`target_session_attrs=read-write`).
/// * `sslmode` is `disable`, `prefer` (the default), `require` or `verify-full`. As with `psql`, the
///   middle two encrypt without verifying the server; `verify-full` also verifies that the certificate
///   is for the host and is issued by an authority of the operating system, or of `sslrootcert`. It does
///   not accept a certificate of X.509 version 1, which `psql` does.
///
/// `Display` and `Debug` omit the password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    /// One for each host, in their order. Never empty.
    pub(super) hosts: Vec<Config>,
    pub(super) verification: Verification,
}

/// Which authorities must have issued the certificate of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verification {
    /// Any: it is not verified.
    None,
    /// Those of the operating system.
    System,
    /// Those in this file (PEM).
    File(PathBuf),
}

/// Why a text is not a valid PostgreSQL URL. It never contains a part of the text that may belong to a
/// password, and a password with an unescaped character can end up in any part.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PostgresUrlError {
    #[error(
        "must be `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with %40 for @ and %2F for / in the \
         user and the password, and with commas between several hosts"
    )]
    Form,
    /// Where the user and the password end is ambiguous.
    #[error(
        "has a character that must be escaped in the user, the password or a parameter: write %40 for \
         @, %2F for /, %3F for ?, %23 for #, %3A for :, %25 for % and %20 for a space"
    )]
    Unescaped,
    #[error("has no host after `postgres://`")]
    NoHost,
    /// A parameter without a value, or with a name that may be a part of a password.
    #[error("has an unknown parameter: {}", known_parameters())]
    Parameter,
    #[error("has {}; {known}", remove(.0), known = known_parameters())]
    UnknownParameters(Vec<String>),
    #[error("has a parameter with an invalid value")]
    Value,
    #[error("has an sslmode other than disable, prefer, require or verify-full")]
    SslMode,
    /// The `sslrootcert` would have no effect.
    #[error("has an sslrootcert, which requires sslmode=verify-full")]
    UnusedRoots,
    #[error("has a target_session_attrs other than read-write")]
    SessionAttributes,
}

impl FromStr for PostgresUrl {
    type Err = PostgresUrlError;

    fn from_str(text: &str) -> Result<Self, PostgresUrlError> {
        if !SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
            return Err(PostgresUrlError::Form);
        }
        check_escapes(text)?;
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        base.parse::<Config>().map_err(|_| PostgresUrlError::Form)?;

        let mut ssl_mode = "prefer";
        let mut roots = None;
        let mut passed_on = Vec::new();
        let mut unknown = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(PostgresUrlError::Parameter)?;
            match name {
                "sslmode" => ssl_mode = value,
                "sslrootcert" => {
                    let path = percent_decode_str(value).decode_utf8();
                    roots = Some(path.map_err(|_| PostgresUrlError::Value)?.into_owned());
                }
                "target_session_attrs" if value == "read-write" => {}
                "target_session_attrs" => return Err(PostgresUrlError::SessionAttributes),
                _ if PASSED_ON.contains(&name) => passed_on.push(pair),
                _ if may_be_named(name, &passed_on) => unknown.push(name.to_owned()),
                _ => return Err(PostgresUrlError::Parameter),
            }
        }
        if !unknown.is_empty() {
            return Err(PostgresUrlError::UnknownParameters(unknown));
        }
        let (ssl_mode, verified) = match ssl_mode {
            "disable" => (SslMode::Disable, false),
            "prefer" => (SslMode::Prefer, false),
            "require" => (SslMode::Require, false),
            "verify-full" => (SslMode::Require, true),
            _ => return Err(PostgresUrlError::SslMode),
        };
        let verification = match (verified, roots) {
            (false, None) => Verification::None,
            (false, Some(_)) => return Err(PostgresUrlError::UnusedRoots),
            (true, None) => Verification::System,
            (true, Some(path)) => Verification::File(path.into()),
        };

        let mut hosts = Vec::new();
        for base in each_host(base) {
            let url = format!("{base}?{}", passed_on.join("&"));
            let mut config: Config = url.parse().map_err(|_| PostgresUrlError::Value)?;
            if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
                return Err(PostgresUrlError::NoHost);
            }
            config.ssl_mode(ssl_mode);
            set_defaults(&mut config);
            hosts.push(config);
        }
        Ok(Self { hosts, verification })
    }
}

/// Rejects a URL in which the user and the password do not certainly end at its only `@`.
///
/// RFC 3986 section 3.2.1 allows none of these characters in the user part, and parsers disagree about
/// where a part ends that has one: the rest of the password would be taken for a host, and be shown.
fn check_escapes(text: &str) -> Result<(), PostgresUrlError> {
    let after_scheme = text.split_once("//").map_or(text, |(_, rest)| rest);
    let (user_part, after) = after_scheme.rsplit_once('@').unwrap_or(("", after_scheme));
    let hosts = after.split(['/', '?']).next().unwrap_or_default();
    let password = user_part.split_once(':').map_or("", |(_, password)| password);
    let is_ambiguous = user_part.contains(['@', '/', '?', '#'])
        || password.contains(':')
        || !hosts.bytes().all(is_in_a_host)
        || text.contains(|char: char| char == '#' || char.is_whitespace() || char.is_control())
        || text.split('%').skip(1).any(|after| !begins_with_two_hex_digits(after));
    if is_ambiguous { Err(PostgresUrlError::Unescaped) } else { Ok(()) }
}

fn is_in_a_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-_:[],%".contains(&byte)
}

fn begins_with_two_hex_digits(text: &str) -> bool {
    text.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
}

/// Whether the name of an unknown parameter may be shown. It may be what follows an unescaped `&` in a
/// password.
fn may_be_named(name: &str, before: &[&str]) -> bool {
    let is_a_name = name.len() <= 40
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    is_a_name && !before.iter().any(|pair| pair.starts_with("password="))
}

fn remove(unknown: &[String]) -> String {
    match unknown {
        [one] => format!("the unknown parameter `{one}`: remove it"),
        several => format!("the unknown parameters `{}`: remove them", several.join("`, `")),
    }
}

fn known_parameters() -> String {
    let passed_on = PASSED_ON.join(", ");
    format!("the known ones are sslmode, sslrootcert, target_session_attrs, {passed_on}")
}

/// The URL once for each of its hosts.
fn each_host(url: &str) -> impl Iterator<Item = String> {
    let (scheme, rest) = url.split_at(url.find("//").map_or(0, |slashes| slashes + 2));
    let (user, rest) = rest.split_at(rest.find('@').map_or(0, |at| at + 1));
    let (hosts, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    hosts.split(',').map(move |host| format!("{scheme}{user}{host}{path}"))
}

fn set_defaults(config: &mut Config) {
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    if config.get_application_name().is_none() {
        config.application_name("todo-mcp");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_keepalives_idle() == DRIVERS_KEEPALIVE_IDLE {
        config.keepalives_idle(KEEPALIVE_IDLE);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(TCP_USER_TIMEOUT);
    }
}

/// User, hosts and database.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("postgres://")?;
        let any = self.hosts.first();
        if let Some(user) = any.and_then(Config::get_user) {
            write!(formatter, "{user}@")?;
        }
        let hosts: Vec<String> = self.hosts.iter().flat_map(addresses).collect();
        formatter.write_str(&hosts.join(","))?;
        match any.and_then(Config::get_dbname) {
            Some(name) => write!(formatter, "/{name}"),
            None => Ok(()),
        }
    }
}

fn addresses(config: &Config) -> impl Iterator<Item = String> {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(host) if host.contains(':') => format!("[{host}]"),
        Host::Tcp(host) => host.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    hosts.enumerate().map(|(index, host)| {
        let port = ports.get(index).or_else(|| ports.first());
        port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
    })
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests;
