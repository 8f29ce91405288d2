//! From texts to a [`Config`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;

use todo_adapter_mcp::{HostPattern, PublicUrl, ScopeDenial, WebOrigin};
use todo_adapter_scalekit::{EnvironmentError, ScalekitEnvironment};
use todo_application::domain::Sharing;
use tracing_subscriber::EnvFilter;

use super::{Config, Database, Identity, LogFormat, Problem};
use crate::settings::{SETTINGS, Settings};

const DEFAULT_PORT: u16 = 3002;
const DEFAULT_EMULATOR_PORT: u16 = 3003;
const DEFAULT_LOG_FILTER: &str = "info";

/// Far more than a person with a few assistants sends, and far less than keeps others waiting.
const DEFAULT_RATE_LIMIT: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);

/// What the names of our own settings start with: one of these that we do not know is a mistake.
const OWN_PREFIX: &str = "TODO_";

/// Reads settings and gathers what is wrong with them.
struct Reader<'a> {
    settings: &'a Settings,
    problems: Vec<Problem>,
    notes: Vec<String>,
}

pub(super) fn config(settings: &Settings) -> Result<Config, Vec<Problem>> {
    let mut reader = Reader { settings, problems: Vec::new(), notes: Vec::new() };
    reader.unknown_settings();
    let listen = reader.listen();
    let public_url = reader.public_url();
    let identity = reader.identity(listen);
    let database = reader.parsed("DATABASE_URL", Database::from_str).unwrap_or_default();
    let sharing = reader.parsed("TODO_SHARING", Sharing::from_str).unwrap_or_default();
    let scope_denial = reader.scope_denial();
    let rate_limit = reader.rate_limit();
    let allowed_hosts = reader.list("ALLOWED_HOSTS", HostPattern::from_str);
    let allowed_origins = reader.list("ALLOWED_ORIGINS", WebOrigin::from_str);
    let log_format = reader.log_format();
    let log_filter = reader.log_filter();
    reader.advise(public_url.as_ref(), identity.as_ref());

    let Reader { problems, notes, .. } = reader;
    match identity {
        Some(identity) if problems.is_empty() => Ok(Config {
            listen,
            public_url,
            identity,
            database,
            sharing,
            scope_denial,
            rate_limit,
            allowed_hosts,
            allowed_origins,
            log_format,
            log_filter,
            notes,
        }),
        _ => Err(problems),
    }
}

impl Reader<'_> {
    fn problem(&mut self, setting: &str, rule: impl Into<String>) {
        self.problems.push(Problem::new(setting, rule));
    }

    /// The first of several names that is set, with the name. Others that say something else are
    /// pointed out.
    fn first(&mut self, names: &[&'static str]) -> Option<(&'static str, &str)> {
        let mut set = names.iter().filter_map(|name| Some((*name, self.settings.get(name)?)));
        let (name, value) = set.next()?;
        for (other, different) in set.filter(|(_, other)| *other != value) {
            self.notes.push(format!("{other} ({different}) is ignored, because {name} is set."));
        }
        Some((name, value))
    }

    fn parsed<T, E: std::fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.settings.get(name)?;
        parse(value).map_err(|error| self.problem(name, error.to_string())).ok()
    }

    /// A list, separated by commas or spaces.
    fn list<T, E: std::fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let items = self.settings.get(name).unwrap_or_default();
        let items = items.split([',', ' ']).filter(|item| !item.is_empty());
        let (good, bad): (Vec<_>, Vec<_>) =
            items.map(|item| parse(item).map_err(|error| (item, error))).partition(Result::is_ok);
        for (item, error) in bad.into_iter().filter_map(Result::err) {
            self.problem(name, format!("has `{item}`, which {error}"));
        }
        good.into_iter().filter_map(Result::ok).collect()
    }

    fn unknown_settings(&mut self) {
        let settings = self.settings;
        let own = |name: &&str| name.starts_with(OWN_PREFIX);
        let known: Vec<&str> = SETTINGS.into_iter().filter(own).collect();
        for name in settings.names().filter(own).filter(|name| !known.contains(name)) {
            self.problem(name, format!("is not known: there are {}", known.join(", ")));
        }
    }

    fn port(&mut self, name: &'static str, default: u16) -> u16 {
        let parse = |text: &str| text.parse().map_err(|_| "must be a port from 0 to 65535");
        self.parsed(name, parse).unwrap_or(default)
    }

    fn listen(&mut self) -> SocketAddr {
        let parse = |text: &str| match text {
            "localhost" => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            text => text.parse().map_err(|_| "must be an IP address such as 127.0.0.1 or 0.0.0.0"),
        };
        let address = self.parsed("BIND_ADDRESS", parse);
        let port = self.port("PORT", DEFAULT_PORT);
        SocketAddr::new(address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port)
    }

    fn public_url(&mut self) -> Option<PublicUrl> {
        let (name, value) = self.first(&["MCP_URL", "BASE_URL", "MCP_BASE_URL"])?;
        let parsed = value.parse();
        parsed
            .map_err(|error: todo_adapter_mcp::PublicUrlError| {
                self.problem(name, error.to_string());
            })
            .ok()
    }

    fn identity(&mut self, listen: SocketAddr) -> Option<Identity> {
        if self.settings.get("SCALEKIT_CLIENT_ID").is_some() {
            self.notes.push(
                "SCALEKIT_CLIENT_ID is not needed: access tokens are checked with public keys."
                    .to_owned(),
            );
        }
        let url = self.first(&["SCALEKIT_ENVIRONMENT_URL", "SK_ENV_URL"]);
        let url = url.map(|(name, value)| (name, value.to_owned()));
        let resource = self.first(&["SCALEKIT_RESOURCE_ID", "MCP_SERVER_ID"]);
        let resource = resource.map(|(name, value)| (name, value.to_owned()));
        match (url, resource) {
            (Some(url), Some(resource)) => self.scalekit(&url, &resource),
            (Some((name, _)), None) => {
                self.problem(
                    "SCALEKIT_RESOURCE_ID",
                    format!(
                        "must be set too, because {name} is: it is the id of the MCP server in the \
                         Scalekit dashboard and starts with `res_`. Set neither for a local identity"
                    ),
                );
                None
            }
            (None, Some((name, _))) => {
                self.problem(
                    "SCALEKIT_ENVIRONMENT_URL",
                    format!(
                        "must be set too, because {name} is: it is in the Scalekit dashboard under \
                         Settings. Set neither for a local identity"
                    ),
                );
                None
            }
            (None, None) => self.local(listen),
        }
    }

    fn scalekit(
        &mut self,
        (url_name, url): &(&'static str, String),
        (resource_name, resource): &(&'static str, String),
    ) -> Option<Identity> {
        if !resource.starts_with("res_") {
            self.notes.push(format!(
                "{resource_name} is `{resource}`; the ids of MCP servers start with `res_`. If every \
                 token is refused for its audience, this is why."
            ));
        }
        match ScalekitEnvironment::new(url, resource) {
            Ok(environment) => Some(Identity::Scalekit(Box::new(environment))),
            Err(error) => {
                let name = match error {
                    EnvironmentError::ResourceId => resource_name,
                    EnvironmentError::NotAUrl(_)
                    | EnvironmentError::NotHttps
                    | EnvironmentError::NotBare(_) => url_name,
                };
                self.problem(name, error.to_string());
                None
            }
        }
    }

    fn local(&mut self, listen: SocketAddr) -> Option<Identity> {
        if !cfg!(feature = "emulator") {
            self.problem(
                "SCALEKIT_ENVIRONMENT_URL",
                "and SCALEKIT_RESOURCE_ID must be set: this build has no local identity",
            );
            return None;
        }
        if !listen.ip().is_loopback() {
            self.problem(
                "BIND_ADDRESS",
                format!(
                    "is {}, which others can reach, and the local identity lets everybody in: set \
                     SCALEKIT_ENVIRONMENT_URL and SCALEKIT_RESOURCE_ID, or listen on 127.0.0.1",
                    listen.ip()
                ),
            );
        }
        let port = self.port("EMULATOR_PORT", DEFAULT_EMULATOR_PORT);
        if port != 0 && port == listen.port() {
            self.problem("EMULATOR_PORT", format!("is {port}, and so is PORT: they must differ"));
        }
        let auto_consent = self.parsed("EMULATOR_AUTO_CONSENT", |text| match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("must be true or false"),
        });
        Some(Identity::Local { port, auto_consent: auto_consent.unwrap_or(false) })
    }

    fn scope_denial(&mut self) -> ScopeDenial {
        let parsed = self.parsed("TODO_SCOPE_DENIAL", |text| match text {
            "challenge" => Ok(ScopeDenial::Challenge),
            "tool_error" => Ok(ScopeDenial::ToolError),
            _ => Err("must be challenge or tool_error"),
        });
        parsed.unwrap_or_default()
    }

    fn rate_limit(&mut self) -> Option<NonZeroU32> {
        let parsed = self.parsed("TODO_RATE_LIMIT", |text| {
            match text {
            "off" => Ok(None),
            number => number.parse().map(Some).map_err(|_| {
                "must be off, or how many requests one caller may send each second, such as 100"
            }),
        }
        });
        parsed.unwrap_or(Some(DEFAULT_RATE_LIMIT))
    }

    fn log_format(&mut self) -> LogFormat {
        let parsed = self.parsed("LOG_FORMAT", |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("must be text or json"),
        });
        parsed.unwrap_or_default()
    }

    fn log_filter(&mut self) -> String {
        let parsed = self.parsed("RUST_LOG", |text| match EnvFilter::try_new(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(error) => Err(format!("must be a filter such as info or todo_mcp=debug ({error})")),
        });
        parsed.unwrap_or_else(|| DEFAULT_LOG_FILTER.to_owned())
    }

    fn advise(&mut self, public_url: Option<&PublicUrl>, identity: Option<&Identity>) {
        let Some(url) = public_url else { return };
        if !url.is_https() && !url.is_loopback() {
            self.notes.push(format!(
                "MCP_URL is {}: without https everyone on the way can read access tokens.",
                url.origin()
            ));
        }
        if matches!(identity, Some(Identity::Local { .. })) && !url.is_loopback() {
            self.problem(
                "MCP_URL",
                format!(
                    "is {}, which others can reach, and the local identity lets everybody in: set \
                     SCALEKIT_ENVIRONMENT_URL and SCALEKIT_RESOURCE_ID too",
                    url.origin()
                ),
            );
        }
    }
}
