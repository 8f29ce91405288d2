//! What each command does.

mod check;
mod doctor;
mod health;
#[cfg(feature = "emulator")]
mod token;
mod undo;

use std::process::ExitCode;

use crate::archive::command::{export, import};
use crate::archive::erase;
#[cfg(feature = "sqlite")]
use crate::archive::{backup, restore};
use crate::command_line::Command;
use crate::config::Config;
use crate::failure::Failure;
use crate::passed_sockets::PassedSockets;
use crate::settings::Settings;
use crate::{compose, console, serve};

pub(crate) fn execute(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Print(text) => console::print(&text),
        Command::Serve => {
            let passed = PassedSockets::take()?;
            runtime()?.block_on(serve::serve(&config()?, passed))
        }
        Command::Check => {
            let settings = settings()?;
            let config = Config::from_settings(&settings).map_err(Failure::Configuration)?;
            check::run(&settings, &config)
        }
        Command::Doctor(arguments) => return runtime()?.block_on(doctor::run(arguments)),
        Command::Health(arguments) => runtime()?.block_on(health::run(&config()?, &arguments)),
        Command::Migrate => runtime()?.block_on(migrate(&config()?)),
        Command::Export(arguments) => runtime()?.block_on(export(&config()?, &arguments)),
        Command::Import(arguments) => return runtime()?.block_on(import(&config()?, &arguments)),
        Command::Erase(arguments) => {
            return runtime()?.block_on(erase::run(&config()?, &arguments));
        }
        Command::Undo(arguments) => {
            return runtime()?.block_on(undo::run(&config()?, &arguments));
        }
        #[cfg(feature = "sqlite")]
        Command::Backup(arguments) => runtime()?.block_on(backup::run(&config()?, &arguments)),
        #[cfg(feature = "sqlite")]
        Command::Restore(arguments) => restore::run(&config()?, &arguments),
        #[cfg(feature = "emulator")]
        Command::Token(arguments) => runtime()?.block_on(token::run(&config()?, arguments)),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Read only by the commands that need it: `--help` must work whatever the settings are.
fn config() -> Result<Config, Failure> {
    Config::from_settings(&settings()?).map_err(Failure::Configuration)
}

fn settings() -> Result<Settings, Failure> {
    Settings::from_environment().map_err(Failure::Configuration)
}

/// `todo-mcp migrate`: opening the database brings it to the current schema.
async fn migrate(config: &Config) -> Result<(), Failure> {
    compose::open_storage(config).await?;
    console::print_lines(&format!("The database is up to date: {}\n", config.database))
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| {
        Failure::Other(anyhow::Error::new(error).context("the runtime cannot start its threads"))
    })
}
