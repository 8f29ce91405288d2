//! The command line.

mod manual;
#[cfg(feature = "emulator")]
mod token_arguments;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use clap_complete::Shell;
use todo_application::domain::{
    ClientId, DueError, IdentifierError, Instant, Organization, Sharing, Subject, WorkspaceId,
    WrittenDue,
};

use crate::config::SETTINGS;
use crate::console::{WIDTH, wrap};
use crate::failure::Failure;

const PROGRAM: &str = "todo-mcp";

#[derive(Debug)]
pub(crate) enum Command {
    Serve,
    Check,
    Doctor(DoctorArguments),
    Health(HealthArguments),
    Migrate,
    Export(ExportArguments),
    Import(ImportArguments),
    Erase(EraseArguments),
    Undo(UndoArguments),
    #[cfg(feature = "sqlite")]
    Backup(BackupArguments),
    #[cfg(feature = "sqlite")]
    Restore(RestoreArguments),
    #[cfg(feature = "emulator")]
    Token(TokenArguments),
    /// Help, the version, or what is installed beside the program.
    Print(String),
}

/// A todo list that AI assistants use over MCP, protected by Scalekit's OAuth.
///
/// Without a command, it serves. Settings come from the environment and from a .env file in the
/// current directory; `todo-mcp check` shows where each is set.
#[derive(Debug, Parser)]
#[command(name = PROGRAM, version)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Subcommand>,
}

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    /// Serve until SIGINT, SIGTERM or SIGHUP, then finish what is in flight
    Serve,
    /// Check the settings and report every problem at once
    ///
    /// Nothing is opened, bound or changed. The exit code is 64 if a setting is wrong.
    Check,
    /// Check how settings, PostgreSQL, Scalekit, public URL and token fit together
    ///
    /// Each check prints what it found and what to change. The doctor itself changes
    /// nothing. The exit code is 1 if a check failed.
    Doctor(DoctorArguments),
    /// Ask the running server whether it can serve
    ///
    /// The server is found by the settings that it was started with. The exit code is 0
    /// if it can, and 1 if it cannot or does not answer.
    Health(HealthArguments),
    /// Bring the database to the current schema, as serving does
    Migrate,
    /// Write all todos as JSON Lines
    ///
    /// The export shows the database as it was at one moment. A server may be running.
    Export(ExportArguments),
    /// Add the todos of an export
    ///
    /// Todos that already exist are skipped, so that a repeated import adds only what
    /// is missing. The exit code is 1 if a line is wrong, or if a todo already exists
    /// with other content.
    Import(ImportArguments),
    /// Remove a list with all that is remembered of it
    ///
    /// Todos, deleted todos, changes and remembered requests are removed at once, and no
    /// undo brings them back. With SQLite, the server must be stopped. The exit code is 1
    /// if there was nothing to remove.
    Erase(EraseArguments),
    /// Take back what a client has changed in a list
    ///
    /// What others have changed since is left as it is, and reported. Taking back is a
    /// change, too, and can be undone. With SQLite, the server must be stopped. The exit
    /// code is 1 if something was left, or if there was nothing to take back.
    #[command(
        override_usage = "todo-mcp undo [OPTIONS] --subject <usr_..> --client <CLIENT>\n       \
                          --since <INSTANT>"
    )]
    Undo(UndoArguments),
    /// Copy the SQLite database and check the copy
    ///
    /// The copy shows the database as it was at one moment. A server may be running.
    #[cfg(feature = "sqlite")]
    Backup(BackupArguments),
    /// Put a backup in the place of the SQLite database
    ///
    /// The backup is checked before that, and the database is kept under another name
    /// in the same directory. The server must be stopped.
    #[command(verbatim_doc_comment)]
    #[cfg(feature = "sqlite")]
    Restore(RestoreArguments),
    /// Print an access token of the local identity
    ///
    /// The server must be running. Nothing but the token is printed.
    #[cfg(feature = "emulator")]
    Token(TokenArguments),
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
    /// Print the manual page
    ///
    /// To read it: todo-mcp man | man -l -
    Man,
}

#[derive(clap::Args)]
pub(crate) struct DoctorArguments {
    /// Access token to check too; `-` reads it from standard input
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    pub(crate) token: Option<String>,
    /// Check too what the directories of OpenAI and Anthropic demand of the public deployment
    #[arg(long)]
    pub(crate) listing: bool,
}

/// Without the token.
impl std::fmt::Debug for DoctorArguments {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DoctorArguments").finish_non_exhaustive()
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct HealthArguments {
    /// Ask only whether the process lives: for what restarts it when it does not
    #[arg(long)]
    pub(crate) live: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArguments {
    /// File to write, readable by its owner only [default: standard output]
    pub(crate) file: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
    /// Write what is remembered of changes and deleted todos too
    #[arg(long)]
    pub(crate) with_history: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArguments {
    /// File to read [default: standard input]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EraseArguments {
    #[command(flatten)]
    pub(crate) list: ListArguments,
}

/// Whose list it is.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArguments {
    /// Id of the user, as access tokens name it (`sub`)
    #[arg(long, value_name = "usr_..", value_parser = subject)]
    pub(crate) subject: Subject,
    /// Id of the organization, as access tokens name it (`oid`)
    #[arg(long, value_name = "org_..", value_parser = organization)]
    pub(crate) organization: Option<Organization>,
}

impl ListArguments {
    pub(crate) fn workspace(&self, sharing: Sharing) -> Result<WorkspaceId, Failure> {
        let workspace = sharing.workspace(&self.subject, self.organization.as_ref());
        workspace.map_err(|error| Failure::Usage(format!("{error}: pass --organization")))
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct UndoArguments {
    #[command(flatten)]
    pub(crate) list: ListArguments,
    /// Id of the client, as access tokens name it (`client_id`) and `list_changes` shows it
    #[arg(long, value_name = "CLIENT", value_parser = client)]
    pub(crate) client: ClientId,
    /// Take back what was changed after this instant, such as 2026-12-24T16:30:00Z
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub(crate) since: Instant,
    /// Only say how many changes there are
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn client(text: &str) -> Result<ClientId, IdentifierError> {
    ClientId::try_from(text)
}

fn instant(text: &str) -> Result<Instant, String> {
    match WrittenDue::try_from(text) {
        Ok(WrittenDue::At(at, _)) => Ok(at),
        Ok(WrittenDue::Day(_) | WrittenDue::Local(_)) | Err(DueError::Form) => {
            Err("must be an instant such as 2026-12-24T16:30:00Z".to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn subject(text: &str) -> Result<Subject, IdentifierError> {
    Subject::try_from(text)
}

fn organization(text: &str) -> Result<Organization, IdentifierError> {
    Organization::try_from(text)
}

#[cfg(feature = "sqlite")]
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArguments {
    /// File to write, readable by its owner only
    pub(crate) file: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

#[cfg(feature = "sqlite")]
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArguments {
    /// File made by `todo-mcp backup`
    pub(crate) file: PathBuf,
}

#[cfg(feature = "emulator")]
#[derive(Debug, clap::Args)]
pub(crate) struct TokenArguments {
    /// Scopes of the token, separated by spaces
    #[arg(
        long,
        value_name = "SCOPES",
        default_value = "todo:read todo:write",
        value_parser = token_arguments::scopes
    )]
    pub(crate) scope: String,
    /// Id of the user [default: the local user]
    #[arg(long, value_name = "usr_..", value_parser = token_arguments::subject)]
    pub(crate) subject: Option<String>,
    /// Id of the organization [default: that of the local user]
    #[arg(long, value_name = "org_..", value_parser = token_arguments::organization)]
    pub(crate) organization: Option<String>,
    /// Lifetime; a negative one gives an expired token
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 3600,
        allow_negative_numbers = true,
        value_parser = token_arguments::lifetime
    )]
    pub(crate) expires_in: i64,
}

#[derive(Debug, clap::Args)]
struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

/// Reads the command line. A wrong one is a [`Failure::Usage`].
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let mut command = CommandLine::command()
        .after_long_help(help_on_settings())
        .mut_subcommand("check", |check| check.after_long_help(help_on_settings()));
    if !std::io::stdout().is_terminal() {
        command = command.term_width(WIDTH);
    }
    let parsed = command
        .try_get_matches_from(arguments)
        .and_then(|matches| CommandLine::from_arg_matches(&matches));
    match parsed {
        Ok(CommandLine { command }) => Ok(match command {
            None | Some(Subcommand::Serve) => Command::Serve,
            Some(Subcommand::Check) => Command::Check,
            Some(Subcommand::Doctor(arguments)) => Command::Doctor(arguments),
            Some(Subcommand::Health(arguments)) => Command::Health(arguments),
            Some(Subcommand::Migrate) => Command::Migrate,
            Some(Subcommand::Export(arguments)) => Command::Export(arguments),
            Some(Subcommand::Import(arguments)) => Command::Import(arguments),
            Some(Subcommand::Erase(arguments)) => Command::Erase(arguments),
            Some(Subcommand::Undo(arguments)) => Command::Undo(arguments),
            #[cfg(feature = "sqlite")]
            Some(Subcommand::Backup(arguments)) => Command::Backup(arguments),
            #[cfg(feature = "sqlite")]
            Some(Subcommand::Restore(arguments)) => Command::Restore(arguments),
            #[cfg(feature = "emulator")]
            Some(Subcommand::Token(arguments)) => Command::Token(arguments),
            Some(Subcommand::Completions(arguments)) => {
                Command::Print(completions(arguments.shell)?)
            }
            Some(Subcommand::Man) => Command::Print(manual::page(CommandLine::command())),
        }),
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            Ok(Command::Print(error.to_string()))
        }
        Err(error) => Err(Failure::Usage(error.to_string())),
    }
}

fn completions(shell: Shell) -> Result<String, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), PROGRAM, &mut script);
    String::from_utf8(script).map_err(Failure::other)
}

/// The table of settings, as ripgrep lists options: a line with the name, and below it the meaning.
fn help_on_settings() -> String {
    let mut text = "Settings:".to_owned();
    for setting in SETTINGS {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {}", setting.name);
        if !setting.aliases.is_empty() {
            let _ = write!(text, " (also {})", setting.aliases.join(", "));
        }
        let default = match setting.default.text() {
            "" => String::new(),
            default => format!(" [default: {default}]"),
        };
        let meaning = format!("{}{default}", setting.meaning);
        let _ = write!(text, "\n          {}", wrap(&meaning, 10));
    }
    text
}
