//! The servers that are measured, each started anew for each measurement: with nothing in it, and
//! alone on its core.

mod echo;
mod ours;
mod quickstart;
mod rmcp;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use todo_tests::postgres;

use crate::child::{Child, busy, resident_kib};
use crate::connection::{Answer, Connection};
use crate::failure::{During as _, Failure, Result};
use crate::load::Load;
use crate::machine::{Cores, locked_version};
use crate::messages::{self, Endpoint, Era, Prepared};
use crate::results::Sample;

pub(crate) use crate::contenders::quickstart::Quickstart;
pub(crate) use crate::contenders::rmcp::Form;
pub(crate) use echo::{ROLE as ECHO, serve as serve_echo};
pub(crate) use ours::{
    PROGRAM, Settings, command as ours_command, issuer_settings, sqlite_url, start as start_ours,
};
pub(crate) use rmcp::{ROLE as RMCP, serve as serve_rmcp};

/// About as long as tokens are, for servers that look at none: requests are to be alike.
const TOKEN_LENGTH: usize = 800;

/// A server to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// axum sends back what it gets: what this stack costs before anything is done.
    Echo,
    Ours(Storage),
    /// The same tools on the official SDK.
    Rmcp(Form),
    /// The server in Python that this project grew out of.
    Quickstart,
}

/// Where our program keeps todos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    Memory,
    Sqlite,
    Postgres,
}

impl Kind {
    /// Those that speak MCP, in the order in which they are measured and shown.
    pub(crate) const MCP: [Self; 6] = [
        Self::Ours(Storage::Memory),
        Self::Ours(Storage::Sqlite),
        Self::Ours(Storage::Postgres),
        Self::Rmcp(Form::ByHand),
        Self::Rmcp(Form::Macros),
        Self::Quickstart,
    ];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Echo => format!("echo (axum {})", locked_version("axum")),
            Self::Ours(storage) => format!("todo-mcp, {}", storage.name()),
            Self::Rmcp(form) => format!("rmcp {}, {}", rmcp::version(), rmcp::name(form)),
            Self::Quickstart => format!("quickstart ({})", quickstart::version()),
        }
    }
}

impl Storage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// What all contenders are started with.
pub(crate) struct Grounds {
    pub(crate) cores: Cores,
    /// Runs beside the load and not beside the program: on the core of the load.
    pub(crate) postgres: Option<postgres::Server>,
    /// The quickstart's server, or why it cannot be started.
    pub(crate) quickstart: std::result::Result<Quickstart, String>,
}

impl Grounds {
    /// Why a server cannot be measured here.
    pub(crate) fn lack(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::Ours(Storage::Postgres) if self.postgres.is_none() => {
                Some("PostgreSQL is not installed.")
            }
            Kind::Quickstart => self.quickstart.as_ref().err().map(String::as_str),
            Kind::Echo | Kind::Ours(_) | Kind::Rmcp(_) => None,
        }
    }

    /// Starts it with nothing in it, and waits until it can be used.
    pub(crate) async fn start(&self, kind: Kind) -> Result<Contender> {
        let started = match kind {
            Kind::Echo => echo::start(self).await,
            Kind::Ours(storage) => ours::start_fresh(self, storage).await,
            Kind::Rmcp(form) => rmcp::start(self, form).await,
            Kind::Quickstart => quickstart::start(self).await,
        };
        started.during(|| kind.name())
    }
}

/// A running server.
pub(crate) struct Contender {
    pub(crate) address: SocketAddr,
    pub(crate) endpoint: Endpoint,
    /// One, or many that are used in turn.
    pub(crate) tokens: Arc<[String]>,
    child: Child,
    /// Its files, which go when it does.
    _directory: TempDir,
}

impl Contender {
    pub(crate) fn new(
        (child, address): (Child, SocketAddr),
        path: &str,
        token: String,
        directory: TempDir,
    ) -> Self {
        let endpoint = Endpoint { port: address.port(), path: path.to_owned() };
        Self { address, endpoint, tokens: [token].into(), child, _directory: directory }
    }

    /// In KiB: now, and at most so far.
    pub(crate) fn resident_kib(&self) -> Option<(u64, u64)> {
        resident_kib(self.child.id())
    }

    /// How much of a core it has used up so far.
    pub(crate) fn busy(&self) -> Option<Duration> {
        busy(self.child.id())
    }

    /// Sends one request, looks at the answer as at all others, and gives it to be looked at more
    /// thoroughly.
    pub(crate) async fn ask<T>(
        &self,
        prepared: &Prepared,
        look: impl FnOnce(Answer<'_>) -> Result<T>,
    ) -> Result<T> {
        self.ask_as(&self.tokens[0], prepared, look).await
    }

    /// The same with another token.
    pub(crate) async fn ask_as<T>(
        &self,
        token: &str,
        prepared: &Prepared,
        look: impl FnOnce(Answer<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut connection = Connection::open(self.address).await?;
        let mut request = Vec::new();
        prepared.write(token, &mut request);
        let answer = connection.exchange(&request).await?;
        prepared.check(answer)?;
        look(answer)
    }

    /// Makes so many todos, as a client does, and gives their ids.
    pub(crate) async fn seed(&self, era: Era, count: usize, bytes: usize) -> Result<Vec<String>> {
        let mut ids = Vec::with_capacity(count);
        for number in 0..count {
            let fields = new_todo(number, bytes);
            let create = Prepared::call(&self.endpoint, era, "create_todo", &fields, "");
            let todo = self.ask(&create, |answer| messages::todo(answer, &fields)).await?;
            ids.push(todo["id"].as_str().ok_or_else(|| Failure::new("a todo without id"))?.into());
        }
        Ok(ids)
    }
}

/// A measurement of a server that has been made ready for it.
pub(crate) async fn sample(contender: &Contender, load: Load) -> Result<Sample> {
    let (began, before) = (Instant::now(), contender.busy());
    let measured = load.run().await?;
    let used = before.zip(contender.busy()).map(|(before, after)| after.saturating_sub(before));
    Ok(Sample {
        requests_per_second: measured.per_second(),
        of_echo: None,
        p50_us: measured.quantile(0.5),
        p99_us: measured.quantile(0.99),
        server_busy: used.map(|used| used.as_secs_f64() / began.elapsed().as_secs_f64()),
        shed: measured.shed,
        resident_kib: contender.resident_kib().map(|(now, _)| now),
    })
}

/// The arguments of a `create_todo` whose description has so many bytes.
pub(crate) fn new_todo(number: usize, bytes: usize) -> Value {
    let description: String =
        "Ask for the blue one; they close at six. ".chars().cycle().take(bytes).collect();
    // Tools may strip what is white at the end.
    let description = description.trim_end().to_owned();
    let description = format!("{description:.<bytes$}");
    json!({ "title": format!("Load test todo {number:06}"), "description": description })
}

/// This very executable, asked to be something else.
pub(crate) fn this_program(role: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(role);
    Ok(command)
}

/// Where a program that was started in a directory leaves what it says.
pub(crate) fn log_file(directory: &Path) -> std::path::PathBuf {
    directory.join("log")
}
