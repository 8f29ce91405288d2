//! The commands.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;
use clap::error::ErrorKind;

use crate::failure::Failure;

/// What the program is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Serve until told to stop.
    Serve,
    /// Read the configuration, and nothing else.
    Check,
    /// Say whether settings, Scalekit, public URL and a token fit together.
    Doctor(DoctorArguments),
    /// Bring the database to the current schema.
    Migrate,
    /// Write all todos as JSON Lines.
    Export(ExportArguments),
    /// Add the todos of an export.
    Import(ImportArguments),
    /// Copy the SQLite file.
    #[cfg(feature = "sqlite")]
    Backup(BackupArguments),
    /// Print an access token of the running local identity.
    #[cfg(feature = "emulator")]
    Token(TokenArguments),
    /// Help or the version: already answered.
    Said(String),
}

/// A todo list that AI assistants use over MCP, protected by Scalekit's OAuth.
///
/// Without a command it serves. Settings come from the environment and from a .env file; the README
/// lists them.
#[derive(Debug, Parser)]
#[command(name = "todo-mcp", version, disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Subcommand>,
}

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    /// Serve until SIGINT or SIGTERM, then finish what is in flight and stop
    Serve,
    /// Read the configuration, report every problem at once, and bind nothing
    Check,
    /// Say, check by check, whether the settings, Scalekit, the public URL and a token fit
    /// together, and what to change; exit code 0 if nothing failed, 1 otherwise
    Doctor(DoctorArguments),
    /// Bring the database to the current schema (serving does this too)
    Migrate,
    /// Write all todos, a JSON object on each line, as they are at this moment; a server may be
    /// running
    Export(ExportArguments),
    /// Add the todos of an export, except those that are there already; doing it again adds what is
    /// missing. Exit code 1 if a line is wrong, or if a todo is there with other content
    Import(ImportArguments),
    /// Copy the SQLite file as it is at this moment, and check the copy; a server may be running
    #[cfg(feature = "sqlite")]
    Backup(BackupArguments),
    /// Print an access token of the running server's local identity, and nothing else
    #[cfg(feature = "emulator")]
    Token(TokenArguments),
}

/// What is examined beside the settings.
#[derive(clap::Args)]
pub(crate) struct DoctorArguments {
    /// An access token to check too; `-` reads it from standard input, out of sight of other users
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    pub(crate) token: Option<String>,
}

/// Without the token.
impl std::fmt::Debug for DoctorArguments {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DoctorArguments").finish_non_exhaustive()
    }
}

/// Where an export goes.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArguments {
    /// The file to write, for nobody's eyes but yours; without it, or as `-`, standard output
    pub(crate) file: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Where an import comes from.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArguments {
    /// The file to read; without it, or as `-`, standard input
    pub(crate) file: Option<PathBuf>,
}

/// Where a copy goes.
#[cfg(feature = "sqlite")]
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArguments {
    /// The file to write, for nobody's eyes but yours
    pub(crate) file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// What the token is to hold. What is left out is as for the local user.
#[cfg(feature = "emulator")]
#[derive(Debug, clap::Args)]
pub(crate) struct TokenArguments {
    /// What it allows
    #[arg(long, value_name = "SCOPES", default_value = "todo:read todo:write")]
    pub(crate) scope: String,
    /// Whom it stands for
    #[arg(long, value_name = "usr_..")]
    pub(crate) subject: Option<String>,
    /// For which organization
    #[arg(long, value_name = "org_..")]
    pub(crate) organization: Option<String>,
    /// How long it lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, allow_negative_numbers = true)]
    pub(crate) expires_in: i64,
}

/// Reads the command line. A mistake in it is a [`Failure::Usage`].
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    match CommandLine::try_parse_from(arguments) {
        Ok(CommandLine { command }) => Ok(match command {
            None | Some(Subcommand::Serve) => Command::Serve,
            Some(Subcommand::Check) => Command::Check,
            Some(Subcommand::Doctor(arguments)) => Command::Doctor(arguments),
            Some(Subcommand::Migrate) => Command::Migrate,
            Some(Subcommand::Export(arguments)) => Command::Export(arguments),
            Some(Subcommand::Import(arguments)) => Command::Import(arguments),
            #[cfg(feature = "sqlite")]
            Some(Subcommand::Backup(arguments)) => Command::Backup(arguments),
            #[cfg(feature = "emulator")]
            Some(Subcommand::Token(arguments)) => Command::Token(arguments),
        }),
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            Ok(Command::Said(error.to_string()))
        }
        Err(error) => Err(Failure::Usage(error.to_string())),
    }
}
