//! What the settings mean: the table of all settings, and the configuration that is read from them.
//!
//! Reading settings changes nothing and connects to nothing. Every problem is reported at once, with
//! the name of the setting and what it should be.
//!
//! To add a setting: declare it in `config/table.rs`, list it in [`SETTINGS`], and read it into a field of
//! [`Config`]. `todo-mcp check --help` then shows it, and a test asks for its row in
//! `bootstrap/README.md`.

mod database;
mod names;
mod parse;
mod reader;
mod setting;
mod table;
#[cfg(test)]
mod tests;
mod traces;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::time::Duration;

use protected_mcp::{
    ConnectionLimit, HostPattern, Links, PublicUrl, PublicUrlError, ScopeDenial, WebOrigin,
};
use scalekit::{EnvironmentError, ScalekitEnvironment};
use todo_application::domain::{Quota, Sharing, TimeZone};
use url::Url;

use crate::audit::AuditTarget;
use crate::settings::{Problem, Settings, shown};
pub(crate) use crate::telemetry::LogFormat;
use crate::telemetry::TraceSettings;
use reader::Reader;
use table::{
    ALLOWED_HOSTS, ALLOWED_ORIGINS, BIND_ADDRESS, DATABASE_URL, EMULATOR_AUTO_CONSENT,
    EMULATOR_PORT, LOG_FORMAT, MCP_URL, PORT, RUST_LOG, SCALEKIT_CLIENT_ID,
    SCALEKIT_ENVIRONMENT_URL, SCALEKIT_RESOURCE_ID, TODO_ADMIN_ADDRESS, TODO_ALLOWED_CLIENTS,
    TODO_AUDIT_LOG, TODO_AUDIT_STRICT, TODO_CACHED_TOKENS, TODO_CONNECTIONS, TODO_DRAIN_SECONDS,
    TODO_HISTORY_DAYS, TODO_MAX_TOKEN_AGE, TODO_OPENAI_CHALLENGE, TODO_POSTGRES_POOL,
    TODO_PRIVACY_URL, TODO_QUOTA, TODO_QUOTA_MIB, TODO_RATE_LIMIT, TODO_RECENT_MIB,
    TODO_SCOPE_DENIAL, TODO_SHARING, TODO_SUPPORT_URL, TODO_TERMS_URL, TODO_TIME_ZONE,
};

pub(crate) use database::Database;
pub use setting::{About, DefaultValue};
pub use table::SETTINGS;

/// Names that start like this and are not in the table are misspelt, or another program's.
const OWN_PREFIX: &str = "TODO_";

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
    /// The most connections to PostgreSQL, apart from that of the change feed.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "there is no PostgreSQL"))]
    pub(crate) postgres_pool: NonZeroUsize,
    pub(crate) sharing: Sharing,
    pub(crate) scope_denial: ScopeDenial,
    /// Requests per second that one caller may send on average; `None` for no limit.
    pub(crate) rate_limit: Option<NonZeroU32>,
    /// The zone of callers whose token does not say theirs.
    pub(crate) time_zone: Option<TimeZone>,
    /// For how many days changes are remembered; 0 for none.
    pub(crate) history_days: u32,
    /// What one workspace may hold.
    pub(crate) quota: Quota,
    /// The ids of the clients that may call; `None` for all.
    pub(crate) allowed_clients: Option<Vec<String>>,
    /// For how long an access token is accepted after it was issued; `None` until it expires.
    pub(crate) max_token_age: Option<Duration>,
    /// How many bytes of what was read from SQLite are kept, about.
    pub(crate) recent_reads: u64,
    /// How many verified access tokens are cached.
    pub(crate) cached_tokens: NonZeroUsize,
    /// The most connections of clients.
    pub(crate) connections: ConnectionLimit,
    /// Where monitoring reads metrics and probes; `None` for nowhere.
    pub(crate) admin_address: Option<SocketAddr>,
    /// For how long requests are served after the server is asked to stop.
    pub(crate) drain: Duration,
    pub(crate) links: Links,
    /// What OpenAI looks for, to see that the server is its operator's.
    pub(crate) openai_challenge: Option<String>,
    /// Where operations are recorded.
    pub(crate) audit_log: AuditTarget,
    /// Whether a change is refused while it cannot be recorded.
    pub(crate) audit_is_strict: bool,
    /// Hosts that requests may name beside the host of the public URL.
    pub(crate) allowed_hosts: Vec<HostPattern>,
    /// Web origins that may send requests beside the origin of the public URL.
    pub(crate) allowed_origins: Vec<WebOrigin>,
    pub(crate) log_format: LogFormat,
    /// In the syntax of `RUST_LOG`.
    pub(crate) log_filter: String,
    /// `None` for no traces.
    pub(crate) traces: Option<TraceSettings>,
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
        let postgres_pool = reader.value(&TODO_POSTGRES_POOL);
        let sharing = reader.value(&TODO_SHARING);
        let scope_denial = reader.value(&TODO_SCOPE_DENIAL);
        let rate_limit = reader.value(&TODO_RATE_LIMIT);
        let time_zone = reader.value(&TODO_TIME_ZONE);
        let history_days = reader.value(&TODO_HISTORY_DAYS);
        let todos = reader.value(&TODO_QUOTA);
        let mebibytes = reader.value(&TODO_QUOTA_MIB);
        let allowed_clients = allowed_clients(&mut reader);
        let max_token_age = reader.value(&TODO_MAX_TOKEN_AGE);
        let recent_reads = reader.value(&TODO_RECENT_MIB);
        let cached_tokens = reader.value(&TODO_CACHED_TOKENS);
        let connections = reader.value(&TODO_CONNECTIONS);
        let admin_address = reader.value(&TODO_ADMIN_ADDRESS);
        let drain = reader.value(&TODO_DRAIN_SECONDS);
        let links = Links {
            privacy: reader.value(&TODO_PRIVACY_URL),
            terms: reader.value(&TODO_TERMS_URL),
            support: reader.value(&TODO_SUPPORT_URL),
        };
        let openai_challenge = reader.value(&TODO_OPENAI_CHALLENGE);
        let audit_log = reader.value(&TODO_AUDIT_LOG);
        let audit_is_strict = reader.value(&TODO_AUDIT_STRICT);
        if audit_log == Some(AuditTarget::Off) && audit_is_strict == Some(true) {
            let rule = "needs TODO_AUDIT_LOG, the file that changes are recorded in";
            reader.problem(TODO_AUDIT_STRICT.about.name, rule);
        }
        let allowed_hosts = reader.list(&ALLOWED_HOSTS);
        let allowed_origins = reader.list(&ALLOWED_ORIGINS);
        let log_format = reader.value(&LOG_FORMAT);
        let log_filter = reader.value(&RUST_LOG);
        let traces = traces::read(&mut reader);
        if let Some(url) = &public_url {
            check_public_url(&mut reader, url, port, identity.as_ref());
        }
        if let Some(address) = admin_address.filter(|address| !address.ip().is_loopback()) {
            let rule = format!("is {address}: anyone who can reach it sees the metrics");
            reader.note(TODO_ADMIN_ADDRESS.about.name, rule);
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
                postgres_pool: postgres_pool?,
                sharing: sharing?,
                scope_denial: scope_denial?,
                rate_limit: rate_limit?,
                time_zone,
                history_days: history_days?,
                quota: quota(todos?, mebibytes?),
                allowed_clients,
                max_token_age,
                recent_reads: recent_reads?,
                cached_tokens: cached_tokens?,
                connections: connections?,
                admin_address,
                drain: drain?,
                links,
                openai_challenge,
                audit_log: audit_log?,
                audit_is_strict: audit_is_strict?,
                allowed_hosts,
                allowed_origins,
                log_format: log_format?,
                log_filter: log_filter?,
                traces,
                notes,
            })
        };
        config().filter(|_| problems.is_empty()).ok_or(problems)
    }

    /// Whether changes are remembered.
    pub(crate) fn remembers_changes(&self) -> bool {
        self.history_days > 0
    }

    /// The addresses to listen on. The second one is for a machine that has IPv6.
    pub(crate) fn addresses(&self) -> (SocketAddr, Option<SocketAddr>) {
        let second = SocketAddr::from((Ipv6Addr::LOCALHOST, self.listen.port()));
        (self.listen, self.listen_on_ipv6.then_some(second))
    }

    /// The public URL of a server that listens on `address`.
    pub(crate) fn public_url_at(&self, address: SocketAddr) -> Result<PublicUrl, PublicUrlError> {
        if let Some(url) = &self.public_url {
            return Ok(url.clone());
        }
        let localhost = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        if address.ip().is_loopback() && !localhost.contains(&address.ip()) {
            format!("http://{address}/").parse()
        } else {
            format!("http://localhost:{}/", address.port()).parse()
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
