//! What a protected MCP server costs with everything on: `cargo bench -p todo-tests --bench load`.
//!
//! Each server is a process of its own on one core, and the load comes from another one; each is
//! started anew for each measurement, warmed up, and measured in turn with the others, round after
//! round. Medians are what counts, and of those the ratios to an echo in the same round: absolute
//! figures wander between machines, and with whatever else a machine does.
//!
//! * `load`, `connection`, `messages` — the load: requests, answers, and what is looked at in them
//! * `contender`, `child`, `machine` — the servers, and the core they run on
//! * `work`, `stages` — what is measured
//! * `results`, `report` — the figures, as JSON, tables and charts
//!
//! Nothing leaves the machine, except that Python's packages for the quickstart's server are fetched
//! once.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are what this is for")]

mod child;
mod connection;
mod contender;
#[path = "../contenders/mod.rs"]
mod contenders;
mod failure;
mod load;
mod machine;
mod messages;
mod options;
mod report;
mod results;
mod stages;
mod work;

use std::process::ExitCode;
use std::time::Instant;

use todo_tests::postgres;

use contender::{ECHO, Grounds, Kind, Quickstart, RMCP};
use failure::Result;
use machine::{Cores, Machine};
use options::Options;
use results::Results;
use stages::{Bench, adapter};

// That of our program (`bootstrap/src/main.rs`), for the echo and for the servers on `rmcp` too: it is
// to make no difference between them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // This executable is also some of the programs that it measures.
    let done = match arguments.first().map(String::as_str) {
        Some(ECHO) => contender::serve_echo(),
        Some(RMCP) => contender::serve_rmcp(&arguments[1..]),
        Some(adapter::ROLE) => adapter::serve(&arguments[1..]),
        _ => measure(Options::read()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: Options) -> Result<()> {
    machine::allow_many_connections()?;
    // Before that, as it looks at the cores that we may use.
    let machine = Machine::look();
    let cores = Cores::split()?;
    // On this thread alone, and with it on one core.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (seconds, rounds) = (options.seconds, options.rounds);
    let results = Results {
        machine,
        seconds,
        rounds,
        notes: Vec::new(),
        comparisons: Vec::new(),
        curves: Vec::new(),
        figures: Vec::new(),
    };
    let reason = match cores {
        Cores::Apart { .. } => None,
        Cores::Shared { reason } => Some(reason),
    };
    let postgres = postgres::Server::prepare().map(postgres::Server::start);
    // The first time it takes a while, and whatever is missing is known before anything is measured.
    let quickstart = runtime.block_on(Quickstart::prepare());
    let grounds = Grounds { cores, postgres, quickstart };
    let mut bench = Bench { options, grounds, results };
    if let Some(reason) = reason {
        bench.note(format!("server and load are not on cores of their own: {reason}"));
    }
    for kind in Kind::MCP {
        let lack = bench.grounds.lack(kind).map(str::to_owned);
        if let Some(reason) = lack {
            bench.note(format!("left out: {}. {reason}", kind.name()));
        }
    }
    let began = Instant::now();
    runtime.block_on(bench.run())?;
    bench.note(format!("all of it took {} s", began.elapsed().as_secs()));
    report::write(&bench.results, &bench.options.out)
}
