//! Puts todo-mcp together and runs it: the only crate that reads the environment, names two
//! adapters at once, and starts tasks.
//!
//! * [`settings`] — where settings come from: the environment and a `.env` file
//! * [`config`] — what they mean: every problem found, none acted on
//! * [`compose`] — the one place where adapters meet
//! * [`archive`] — todos as JSON Lines, and copies of a database
//! * [`serve`] — listening, and stopping in good order
//! * [`doctor`] — whether settings, Scalekit, public URL and a token fit together
//! * `command_line` — the commands
//! * `telemetry`, `console` — what operators and people see

pub mod archive;
mod clock;
mod command_line;
pub mod compose;
pub mod config;
mod console;
pub mod doctor;
mod failure;
mod ids;
pub mod serve;
pub mod settings;
mod signals;
mod telemetry;
#[cfg(feature = "emulator")]
mod token;

use std::ffi::OsString;
use std::process::ExitCode;

pub use clock::SystemClock;
pub use failure::Failure;
pub use ids::UuidV7Source;

use command_line::Command;
use config::Config;
use settings::Settings;

/// Runs the command that the arguments name and says how it went.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let outcome = command_line::parse(arguments).and_then(execute);
    match outcome {
        Ok(exit_code) => exit_code,
        Err(failure) => {
            console::error(&failure.to_string());
            failure.exit_code()
        }
    }
}

fn execute(command: Command) -> Result<ExitCode, Failure> {
    // Read by the commands that need it: help must not fail over a setting.
    let config = || {
        let settings = Settings::from_environment()?;
        Config::from_settings(&settings).map_err(Failure::Configuration)
    };
    match command {
        Command::Said(text) => console::print(&text),
        Command::Serve => runtime()?.block_on(serve::serve(config()?)),
        Command::Check => check(&config()?),
        Command::Doctor(arguments) => return runtime()?.block_on(doctor::run(arguments)),
        Command::Migrate => runtime()?.block_on(compose::migrate(&config()?)),
        Command::Export(arguments) => {
            runtime()?.block_on(archive::command::export(&config()?, &arguments))
        }
        Command::Import(arguments) => {
            return runtime()?.block_on(archive::command::import(&config()?, &arguments));
        }
        #[cfg(feature = "sqlite")]
        Command::Backup(arguments) => {
            runtime()?.block_on(archive::backup::run(&config()?, &arguments))
        }
        #[cfg(feature = "emulator")]
        Command::Token(request) => runtime()?.block_on(token::print(&config()?, request)),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// `todo-mcp check`: the configuration is read, and nothing else happens.
fn check(config: &Config) -> Result<(), Failure> {
    let notes =
        config.notes.iter().fold(String::new(), |notes, note| notes + "note: " + note + "\n");
    console::print(&format!("{notes}The configuration is fine.\n\n{config}"))
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(anyhow::Error::new(error).context("no threads to run on")))
}
