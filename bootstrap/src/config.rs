//! What the settings mean.
//!
//! Reading them changes nothing and connects to nothing. Every problem is reported at once, each
//! naming the setting and what it should be.

mod database;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;

use todo_adapter_mcp::{HostPattern, PublicUrl, ScopeDenial, WebOrigin};
use todo_adapter_scalekit::ScalekitEnvironment;
use todo_application::domain::Sharing;

use crate::settings::Settings;

pub use database::Database;

/// A complete and consistent configuration.
#[derive(Debug)]
pub struct Config {
    /// Where to listen. Port 0 is any free one.
    pub listen: SocketAddr,
    /// Where the world reaches us; `None` is `http://localhost:{port}/`.
    pub public_url: Option<PublicUrl>,
    /// Who vouches for callers.
    pub identity: Identity,
    /// Where todos are kept.
    pub database: Database,
    /// Who shares todos with whom.
    pub sharing: Sharing,
    /// How a missing scope is answered.
    pub scope_denial: ScopeDenial,
    /// How many requests of one caller are answered each second on average; `None` for no limit.
    pub rate_limit: Option<NonZeroU32>,
    /// Hosts that requests may name beside that of the public URL.
    pub allowed_hosts: Vec<HostPattern>,
    /// Web origins that may send requests beside that of the public URL.
    pub allowed_origins: Vec<WebOrigin>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// What the log holds, as `RUST_LOG` says it.
    pub log_filter: String,
    /// What is not wrong, but worth a word.
    pub notes: Vec<String>,
}

/// Who vouches for callers.
#[derive(Debug)]
pub enum Identity {
    /// A Scalekit environment.
    Scalekit(Box<ScalekitEnvironment>),
    /// Ourselves: a Scalekit environment on loopback, worth nothing anywhere else.
    Local {
        /// Where it listens, on 127.0.0.1. Port 0 is any free one.
        port: u16,
        /// Approve every client without asking.
        auto_consent: bool,
    },
}

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    setting: String,
    rule: String,
}

impl Problem {
    pub(crate) fn new(setting: &str, rule: impl Into<String>) -> Self {
        Self { setting: setting.to_owned(), rule: rule.into() }
    }

    /// The setting it is about.
    pub fn setting(&self) -> &str {
        &self.setting
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}.", self.setting, self.rule)
    }
}

impl Config {
    /// Reads the settings; the error holds every problem there is.
    pub fn from_settings(settings: &Settings) -> Result<Self, Vec<Problem>> {
        parse::config(settings)
    }
}

/// The configuration in a few lines, for `todo-mcp check`.
impl fmt::Display for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.public_url {
            Some(url) => writeln!(formatter, "  MCP endpoint  {}", url.resource())?,
            None => {
                writeln!(formatter, "  MCP endpoint  http://localhost:{}/mcp", self.listen.port())?;
            }
        }
        writeln!(formatter, "  Listens on    {}", self.listen)?;
        match &self.identity {
            Identity::Scalekit(environment) => {
                writeln!(formatter, "  Identity      {}", environment.authorization_server())?;
            }
            Identity::Local { port, .. } => {
                writeln!(formatter, "  Identity      local, on http://127.0.0.1:{port}")?;
            }
        }
        writeln!(formatter, "  Todos         {}, {}", self.database, shared(self.sharing))
    }
}

/// Who sees which todos, for people.
pub(crate) fn shared(sharing: Sharing) -> &'static str {
    match sharing {
        Sharing::Personal => "one list for each user",
        Sharing::Organization => "one list for each organization",
        Sharing::Everyone => "one list for everyone",
    }
}
