//! What the command line asks for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::load::Span;

/// What a protected MCP server costs: a load benchmark that needs nothing but this repository.
///
/// Without arguments it measures everything that can be measured here, in under ten minutes.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo bench -p todo-tests --bench load --")]
pub(crate) struct Options {
    /// Measure only these
    #[arg(long, value_delimiter = ',', value_name = "PARTS")]
    only: Vec<Part>,
    /// How long each measurement takes, after a third of that to warm up
    #[arg(long, default_value_t = 1.0)]
    pub(crate) seconds: f64,
    /// How often contenders are compared; the medians count. Growth is measured once
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// A second and a round for each, and fewer todos and tokens: to see whether all of it works
    #[arg(long)]
    pub(crate) quick: bool,
    /// Where the results go: figures as JSON, tables, charts
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/load"))]
    pub(crate) out: PathBuf,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// `get_todo`, each contender
    Get,
    /// `list_todos` of 50 todos, each contender
    List,
    /// `create_todo`, each contender, with 32 and with 64 connections
    Create,
    /// `update_todo`, each contender
    Update,
    /// p99 at half of the peak load
    Latency,
    /// Start, memory, size of the program
    Footprint,
    /// Growth with the number of connections
    Connections,
    /// Growth with the length of descriptions
    Payload,
    /// Tokens: the first request of each, and growth with their number
    Tokens,
    /// Growth with the number of todos in a list
    Todos,
    /// The PostgreSQL adapter against pgbench
    Pgbench,
    /// The time a build from nothing takes, and what it makes; only if named, as it takes minutes
    Build,
}

impl Options {
    /// The options as they are meant.
    pub(crate) fn read() -> Self {
        let mut options = Self::parse();
        if options.quick {
            (options.seconds, options.rounds) = (1.0, 1);
        }
        options.seconds = options.seconds.clamp(0.1, 600.0);
        options
    }

    pub(crate) fn includes(&self, part: Part) -> bool {
        if self.only.is_empty() { part != Part::Build } else { self.only.contains(&part) }
    }

    pub(crate) fn span(&self) -> Span {
        let measured = Duration::from_secs_f64(self.seconds);
        Span::Time { warm_up: measured / 3, measured }
    }
}
