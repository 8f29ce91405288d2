//! What the settings mean: the table of all settings, and the configuration that is read from them.
//!
//! Reading settings changes nothing and connects to nothing. Every problem is reported at once, with
//! the name of the setting and what it should be.
//!
//! To add a setting: declare it here, list it in [`SETTINGS`], and read it into a field of
//! [`Config`]. `todo-mcp check --help` then shows it, and a test asks for its row in
//! `bootstrap/README.md`.

mod database;
mod names;
mod parse;
mod reader;
mod setting;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use protected_mcp::{HostPattern, PublicUrl, PublicUrlError, ScopeDenial, WebOrigin};
use scalekit::{EnvironmentError, ScalekitEnvironment};
use todo_application::domain::{Quota, Sharing};
use url::Url;

use crate::settings::{Problem, Settings, shown};
pub(crate) use crate::telemetry::LogFormat;
use DefaultValue::{Derived, Text};
use reader::Reader;
use setting::Setting;

pub(crate) use database::Database;
pub use setting::{About, DefaultValue};

/// Names that start like this and are not in the table are misspelt, or another program's.
const OWN_PREFIX: &str = "TODO_";

const PORT: Setting<u16> =
    Setting::new("PORT", Text("3002"), "Port to listen on; `0` is any free port", parse::port);
const BIND_ADDRESS: Setting<IpAddr> = Setting::new(
    "BIND_ADDRESS",
    Text("127.0.0.1"),
    "Address to listen on, if unset also on `::1`; with the local identity, a loopback address",
    parse::address,
);
const MCP_URL: Setting<PublicUrl> = Setting::new(
    "MCP_URL",
    Derived("`http://localhost:{PORT}/`"),
    "Public base URL; a trailing slash or `/mcp` makes no difference",
    parse::from_str,
)
.or(&["BASE_URL", "MCP_BASE_URL"]);
const SCALEKIT_ENVIRONMENT_URL: Setting<String> = Setting::new(
    "SCALEKIT_ENVIRONMENT_URL",
    Derived(""),
    "URL of your Scalekit environment; unset: local identity",
    parse::from_str,
)
.or(&["SK_ENV_URL"]);
const SCALEKIT_RESOURCE_ID: Setting<String> = Setting::new(
    "SCALEKIT_RESOURCE_ID",
    Derived(""),
    "Id of the MCP server in that environment, `res_..`",
    parse::from_str,
)
.or(&["MCP_SERVER_ID"]);
const SCALEKIT_CLIENT_ID: Setting<String> =
    Setting::new("SCALEKIT_CLIENT_ID", Derived(""), "Accepted and not used", parse::from_str);
const DATABASE_URL: Setting<Database> = Setting::new(
    "DATABASE_URL",
    Text(if cfg!(feature = "sqlite") { "sqlite:todos.db" } else { "memory:" }),
    "Database: `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/DATABASE`, or `memory:`",
    parse::from_str,
)
.secret();
const TODO_SHARING: Setting<Sharing> = Setting::new(
    "TODO_SHARING",
    Text("personal"),
    "Who shares a list: `personal` (each user has their own), `organization`, or `everyone`",
    parse::sharing,
);
const TODO_SCOPE_DENIAL: Setting<ScopeDenial> = Setting::new(
    "TODO_SCOPE_DENIAL",
    Text("challenge"),
    "Answer to a missing scope: `challenge` (HTTP 403, the client requests the scope) or \
     `tool_error` (HTTP 200 with a tool result, for clients that cannot)",
    parse::scope_denial,
);
const TODO_RATE_LIMIT: Setting<Option<NonZeroU32>> = Setting::new(
    "TODO_RATE_LIMIT",
    // Far more than a person with a few assistants sends, and far too little to delay others.
    Text("100"),
    "What one caller (a subject in an organization) may cost per second, ten times as much at once: a \
     request costs one, each 64 KiB one more; `off` for no limit",
    parse::rate_limit,
);
const TODO_QUOTA: Setting<Option<NonZeroU32>> = Setting::new(
    "TODO_QUOTA",
    Text("off"),
    "The most todos of one list; `off` for no limit",
    parse::quota,
);
const TODO_QUOTA_MIB: Setting<Option<NonZeroU32>> = Setting::new(
    "TODO_QUOTA_MIB",
    Text("off"),
    "The most MiB that the titles and descriptions of one list have together; `off` for no limit",
    parse::quota,
);
const TODO_ALLOWED_CLIENTS: Setting<String> = Setting::new(
    "TODO_ALLOWED_CLIENTS",
    Derived(""),
    "Ids of the clients that may call, separated by commas or spaces; unset: all",
    parse::client_id,
);
const TODO_MAX_TOKEN_AGE: Setting<Duration> = Setting::new(
    "TODO_MAX_TOKEN_AGE",
    Derived(""),
    "Seconds for which an access token is accepted after it was issued (`iat`); unset: until it expires",
    parse::seconds,
);
const ALLOWED_HOSTS: Setting<HostPattern> = Setting::new(
    "ALLOWED_HOSTS",
    Derived("host of `MCP_URL`"),
    "More hosts that requests may name, for a proxy; separated by commas or spaces",
    parse::from_str,
);
const ALLOWED_ORIGINS: Setting<WebOrigin> = Setting::new(
    "ALLOWED_ORIGINS",
    Derived("origin of `MCP_URL`"),
    "More web origins whose pages may use the server; separated by commas or spaces",
    parse::from_str,
);
const LOG_FORMAT: Setting<LogFormat> = Setting::new(
    "LOG_FORMAT",
    Text("text"),
    "Format of the log on standard error, `text` or `json`",
    parse::log_format,
);
const RUST_LOG: Setting<String> = Setting::new(
    "RUST_LOG",
    Text("info"),
    "What is logged, as a filter such as `info` or `todo_mcp=debug`",
    parse::log_filter,
);
const EMULATOR_PORT: Setting<u16> = Setting::new(
    "EMULATOR_PORT",
    Text("3003"),
    "Port of the local identity, always on 127.0.0.1; `0` is any free port",
    parse::port,
);
const EMULATOR_AUTO_CONSENT: Setting<bool> = Setting::new(
    "EMULATOR_AUTO_CONSENT",
    Text("false"),
    "Whether the local identity approves every client without the consent page",
    parse::flag,
);

/// Every setting, in the order of the documentation.
pub const SETTINGS: [About; 20] = [
    PORT.about,
    BIND_ADDRESS.about,
    MCP_URL.about,
    SCALEKIT_ENVIRONMENT_URL.about,
    SCALEKIT_RESOURCE_ID.about,
    SCALEKIT_CLIENT_ID.about,
    DATABASE_URL.about,
    TODO_SHARING.about,
    TODO_SCOPE_DENIAL.about,
    TODO_RATE_LIMIT.about,
    TODO_QUOTA.about,
    TODO_QUOTA_MIB.about,
    TODO_ALLOWED_CLIENTS.about,
    TODO_MAX_TOKEN_AGE.about,
    ALLOWED_HOSTS.about,
    ALLOWED_ORIGINS.about,
    LOG_FORMAT.about,
    RUST_LOG.about,
    EMULATOR_PORT.about,
    EMULATOR_AUTO_CONSENT.about,
];

/// A complete and consistent configuration.
#[derive(Debug)]
pub struct Config {
    /// Where to listen. Port 0 is any free port.
    pub(crate) listen: SocketAddr,
    /// Whether to listen on `::1` too, with the same port: if no address is set, or `localhost`.
    pub(crate) listen_on_ipv6: bool,
    /// As it is set. See [`Config::public_url_at`] for its default.
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) identity: Identity,
    pub(crate) database: Database,
    pub(crate) sharing: Sharing,
    pub(crate) scope_denial: ScopeDenial,
    /// Requests per second that one caller may send on average; `None` for no limit.
    pub(crate) rate_limit: Option<NonZeroU32>,
    /// What one workspace may hold.
    pub(crate) quota: Quota,
    /// The ids of the clients that may call; `None` for all.
    pub(crate) allowed_clients: Option<Vec<String>>,
    /// For how long an access token is accepted after it was issued; `None` until it expires.
    pub(crate) max_token_age: Option<Duration>,
    /// Hosts that requests may name beside the host of the public URL.
    pub(crate) allowed_hosts: Vec<HostPattern>,
    /// Web origins that may send requests beside the origin of the public URL.
    pub(crate) allowed_origins: Vec<WebOrigin>,
    pub(crate) log_format: LogFormat,
    /// In the syntax of `RUST_LOG`.
    pub(crate) log_filter: String,
    /// What is valid but unusual.
    pub notes: Vec<Problem>,
}

/// Who issues the access tokens that the server accepts.
#[derive(Debug)]
pub(crate) enum Identity {
    Scalekit(Box<ScalekitEnvironment>),
    /// The emulated Scalekit environment of this process, on 127.0.0.1.
    Local {
        /// Port 0 is any free port.
        port: u16,
        /// Approve every client without the consent page.
        auto_consent: bool,
    },
}

impl Config {
    /// The error holds every problem.
    pub fn from_settings(settings: &Settings) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(settings, &SETTINGS, OWN_PREFIX);
        let address = reader.value(&BIND_ADDRESS);
        let address_set = reader.text(&BIND_ADDRESS.about);
        let listen_on_ipv6 = address_set.is_none_or(|(_, set)| set == parse::LOCALHOST);
        let port = reader.value(&PORT);
        let listen = address.zip(port).map(SocketAddr::from);
        let public_url = reader.value(&MCP_URL);
        let identity = identity(&mut reader, listen);
        let database = reader.value(&DATABASE_URL);
        let sharing = reader.value(&TODO_SHARING);
        let scope_denial = reader.value(&TODO_SCOPE_DENIAL);
        let rate_limit = reader.value(&TODO_RATE_LIMIT);
        let todos = reader.value(&TODO_QUOTA);
        let mebibytes = reader.value(&TODO_QUOTA_MIB);
        let allowed_clients = allowed_clients(&mut reader);
        let max_token_age = reader.value(&TODO_MAX_TOKEN_AGE);
        let allowed_hosts = reader.list(&ALLOWED_HOSTS);
        let allowed_origins = reader.list(&ALLOWED_ORIGINS);
        let log_format = reader.value(&LOG_FORMAT);
        let log_filter = reader.value(&RUST_LOG);
        if let Some(url) = &public_url {
            check_public_url(&mut reader, url, port, identity.as_ref());
        }

        let Reader { mut problems, misspelt, mut notes, .. } = reader;
        // A misspelt name may be why something else is wrong.
        if problems.is_empty() { &mut notes } else { &mut problems }.extend(misspelt);
        let config = || {
            Some(Self {
                listen: listen?,
                listen_on_ipv6,
                public_url,
                identity: identity?,
                database: database?,
                sharing: sharing?,
                scope_denial: scope_denial?,
                rate_limit: rate_limit?,
                quota: quota(todos?, mebibytes?),
                allowed_clients,
                max_token_age,
                allowed_hosts,
                allowed_origins,
                log_format: log_format?,
                log_filter: log_filter?,
                notes,
            })
        };
        config().filter(|_| problems.is_empty()).ok_or(problems)
    }

    /// The addresses to listen on. The second one is for a machine that has IPv6.
    pub(crate) fn addresses(&self) -> (SocketAddr, Option<SocketAddr>) {
        let second = SocketAddr::from((Ipv6Addr::LOCALHOST, self.listen.port()));
        (self.listen, self.listen_on_ipv6.then_some(second))
    }

    /// The public URL of a server that listens on `port`.
    pub(crate) fn public_url_at(&self, port: u16) -> Result<PublicUrl, PublicUrlError> {
        if let Some(url) = &self.public_url {
            return Ok(url.clone());
        }
        let listen = self.listen.ip();
        let localhost = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        if listen.is_loopback() && !localhost.contains(&listen) {
            format!("http://{}/", SocketAddr::new(listen, port)).parse()
        } else {
            format!("http://localhost:{port}/").parse()
        }
    }
}

fn quota(todos: Option<NonZeroU32>, mebibytes: Option<NonZeroU32>) -> Quota {
    let bytes = |mebibytes: NonZeroU32| {
        const MEBIBYTE: NonZeroU64 = NonZeroU64::MIN.saturating_add(1024 * 1024 - 1);
        NonZeroU64::from(mebibytes).saturating_mul(MEBIBYTE)
    };
    Quota { todos: todos.map(NonZeroU64::from), bytes: mebibytes.map(bytes) }
}

/// `MCP_URL` or one of its aliases, as it is written.
pub(crate) fn public_url_text(settings: &Settings) -> Option<&str> {
    MCP_URL.about.names().find_map(|name| settings.get(name))
}

/// A list without an item is no way to let all clients call: it is what is left of one.
fn allowed_clients(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let (name, _) = reader.text(&TODO_ALLOWED_CLIENTS.about)?;
    let problems = reader.problems.len();
    let ids = reader.list(&TODO_ALLOWED_CLIENTS);
    if ids.is_empty() && reader.problems.len() == problems {
        reader.problem(name, "must have the id of a client, or be unset to let all clients call");
    }
    Some(ids)
}

fn identity(reader: &mut Reader<'_>, listen: Option<SocketAddr>) -> Option<Identity> {
    if let Some((name, _)) = reader.text(&SCALEKIT_CLIENT_ID.about) {
        reader.note(name, "is not needed: access tokens are checked with public keys");
    }
    let url = reader.text(&SCALEKIT_ENVIRONMENT_URL.about);
    let resource_id = reader.text(&SCALEKIT_RESOURCE_ID.about);
    match (url, resource_id) {
        (Some(url), Some(resource_id)) => scalekit(reader, url, resource_id),
        (Some((name, _)), None) => {
            let rule = format!(
                "must be set too, because {name} is: it is the id of the MCP server in the \
                 Scalekit dashboard and starts with `res_`. Set neither for a local identity"
            );
            reader.problem(SCALEKIT_RESOURCE_ID.about.name, rule);
            None
        }
        (None, Some((name, _))) => {
            let rule = format!(
                "must be set too, because {name} is: it is in the Scalekit dashboard under \
                 Settings. Set neither for a local identity"
            );
            reader.problem(SCALEKIT_ENVIRONMENT_URL.about.name, rule);
            None
        }
        (None, None) => local(reader, listen),
    }
}

/// Whether a value is copied from an example: the quickstart's `https://your-environment-url.scalekit.com`,
/// or those of this project, which are in `.env.example` and in the manual.
fn is_placeholder(value: &str) -> bool {
    const MARKS: [&str; 6] = ["your-", "your_", "<", "//example.", "1234567890", "xxx"];
    let value = value.to_ascii_lowercase();
    MARKS.iter().any(|mark| value.contains(mark))
}

fn scalekit(
    reader: &mut Reader<'_>,
    (url_name, url): (&str, &str),
    (resource_id_name, resource_id): (&str, &str),
) -> Option<Identity> {
    for (name, value, place) in [
        (url_name, url, "the dashboard, Settings"),
        (resource_id_name, resource_id, "the dashboard, MCP Servers"),
    ] {
        if is_placeholder(value) {
            let rule = format!(
                "is still the placeholder {}: copy yours from {place}; until then, no token is \
                 accepted",
                shown(value)
            );
            reader.note(name, rule);
        }
    }
    if !resource_id.starts_with("res_") {
        let rule = format!(
            "is {}; the ids of MCP servers start with `res_`. If every token is \
             rejected for its audience, this is why",
            shown(resource_id)
        );
        reader.note(resource_id_name, rule);
    }
    match ScalekitEnvironment::new(url, resource_id) {
        Ok(environment) => Some(Identity::Scalekit(Box::new(environment))),
        Err(error) => {
            let name = match error {
                EnvironmentError::ResourceId => resource_id_name,
                EnvironmentError::NotAUrl(_)
                | EnvironmentError::NotHttps
                | EnvironmentError::NotBare(_) => url_name,
            };
            reader.problem(name, error.to_string());
            None
        }
    }
}

fn local(reader: &mut Reader<'_>, listen: Option<SocketAddr>) -> Option<Identity> {
    if !cfg!(feature = "emulator") {
        let rule = "and SCALEKIT_RESOURCE_ID must be set: this build has no local identity";
        reader.problem(SCALEKIT_ENVIRONMENT_URL.about.name, rule);
        return None;
    }
    if let Some(address) = listen.map(|listen| listen.ip()).filter(|ip| !ip.is_loopback()) {
        let rule = format!(
            "is {address}, which other machines can reach, and the local identity lets everyone in: \
             set SCALEKIT_ENVIRONMENT_URL and SCALEKIT_RESOURCE_ID, or listen on 127.0.0.1"
        );
        reader.problem(BIND_ADDRESS.about.name, rule);
    }
    let port = reader.value(&EMULATOR_PORT);
    if let Some(port) =
        port.filter(|port| *port != 0 && listen.is_some_and(|it| it.port() == *port))
    {
        let rule = format!("is {port}, and so is PORT: they must differ");
        reader.problem(EMULATOR_PORT.about.name, rule);
    }
    let auto_consent = reader.value(&EMULATOR_AUTO_CONSENT);
    Some(Identity::Local { port: port?, auto_consent: auto_consent? })
}

fn check_public_url(
    reader: &mut Reader<'_>,
    url: &PublicUrl,
    port: Option<u16>,
    identity: Option<&Identity>,
) {
    let name = reader.text(&MCP_URL.about).map_or(MCP_URL.about.name, |(name, _)| name);
    let origin = url.origin();
    if url.is_loopback() {
        let named = Url::parse(origin).ok().and_then(|url| url.port_or_known_default());
        let other = named.zip(port).filter(|(named, port)| *port != 0 && named != port);
        if let Some((named, port)) = other.filter(|_| !url.is_https()) {
            let rule = format!(
                "names port {named}, and the server listens on port {port}: set both to the same \
                 port, or unset {name}"
            );
            reader.note(name, rule);
        }
        return;
    }
    if !url.is_https() {
        let rule = format!(
            "is {origin}: without https, anyone on the network path can read access tokens"
        );
        reader.note(name, rule);
    }
    if matches!(identity, Some(Identity::Local { .. })) {
        let rule = format!(
            "is {origin}, which other machines can reach, and the local identity lets everyone in: \
             set SCALEKIT_ENVIRONMENT_URL and SCALEKIT_RESOURCE_ID too"
        );
        reader.problem(name, rule);
    }
}

/// Who shares a list of todos, in the words of the banner and of `check`.
pub(crate) fn sharing_text(sharing: Sharing) -> &'static str {
    match sharing {
        Sharing::Personal => "one list for each user",
        Sharing::Organization => "one list for each organization",
        Sharing::Everyone => "one list for everyone",
    }
}
