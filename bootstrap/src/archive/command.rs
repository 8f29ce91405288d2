//! `todo-mcp export` and `todo-mcp import`.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use indicatif::HumanCount;
use todo_application::archive::{self, ChangeTally, Tally};
use todo_application::domain::OperatorPermit;
use todo_application::ports::{Clock as _, StorageError, TodoSnapshot};

use super::export::{self, ExportError};
use super::import::{ImportError, LineSource, SourceError};
use super::new_file::NewFile;
use super::progress::Progress;
use crate::clock::SystemClock;
use crate::command_line::{ExportArguments, ImportArguments};
use crate::compose;
use crate::config::{Config, Database};
use crate::console;
use crate::failure::Failure;
use crate::signals::StopSignals;

/// Writes all todos to a file or to standard output.
pub(crate) async fn export(config: &Config, arguments: &ExportArguments) -> Result<(), Failure> {
    let summary = match file(arguments.file.as_deref()) {
        Some(path) => {
            let mut signals =
                StopSignals::listen().map_err(|error| Failure::Other(error.into()))?;
            tokio::select! {
                summary = export_to_file(&config.database, path, arguments) => summary?,
                () = signals.received() => {
                    return Err(Failure::Other(anyhow!("stopped before all todos were written")));
                }
            }
        }
        // A signal ends the process: there is nothing to clean up.
        None => match export_to_stdout(&config.database, arguments).await? {
            Some(summary) => summary,
            None => return Ok(()),
        },
    };
    console::note(&summary);
    Ok(())
}

async fn export_to_file(
    database: &Database,
    path: &Path,
    arguments: &ExportArguments,
) -> Result<String, Failure> {
    refuse_the_database_itself(database, path)?;
    let file = NewFile::begin(path, arguments.force)?;
    let mut snapshot = compose::open_snapshot(database).await?;
    let progress = Progress::begin("Exporting", "todos");
    let exported = write(&mut *snapshot, file.as_file(), arguments, &progress).await;
    let todos = exported.map_err(|error| failure(error, &path.display()))?;
    file.complete()?;
    Ok(format!("Exported {} to {}.", count(todos), path.display()))
}

/// `None` if the reader has closed the pipe, as `head` does.
async fn export_to_stdout(
    database: &Database,
    arguments: &ExportArguments,
) -> Result<Option<String>, Failure> {
    let mut snapshot = compose::open_snapshot(database).await?;
    let stdout = io::stdout();
    // A progress bar must not mix with the todos.
    let progress = if stdout.is_terminal() {
        Progress::hidden()
    } else {
        Progress::begin("Exporting", "todos")
    };
    match write(&mut *snapshot, stdout, arguments, &progress).await {
        Ok(todos) => Ok(Some(format!("Exported {}.", count(todos)))),
        Err(ExportError::Sink(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        Err(error) => Err(failure(error, &"standard output")),
    }
}

async fn write(
    snapshot: &mut dyn TodoSnapshot,
    to: impl Write,
    arguments: &ExportArguments,
    progress: &Progress,
) -> Result<u64, ExportError> {
    let total = Some(snapshot.count());
    let show = |written| progress.show(written, total);
    let to = &mut BufWriter::new(to);
    export::export(&operator(), snapshot, to, arguments.with_history, show).await
}

fn failure(error: ExportError, name: &impl Display) -> Failure {
    match error {
        ExportError::Storage(error) => storage(error, "not all todos can be read"),
        ExportError::Sink(error) => {
            Failure::Other(anyhow!(error).context(format!("{name} cannot be written")))
        }
    }
}

/// Adds the todos of a file or of standard input. The exit code is 1 if some already exist with other
/// content, as the store then differs from the file.
pub(crate) async fn import(
    config: &Config,
    arguments: &ImportArguments,
) -> Result<ExitCode, Failure> {
    if matches!(config.database, Database::Memory) {
        return Err(compose::nothing_to_move());
    }
    let path = file(arguments.file.as_deref());
    let name = path.map_or("standard input".to_owned(), |path| path.display().to_string());
    let from: Box<dyn BufRead + Send> = match path {
        Some(path) if path.is_dir() => {
            return Err(Failure::Usage(format!(
                "{name} is a directory: pass the file of an export"
            )));
        }
        Some(path) => {
            let file = File::open(path).with_context(|| format!("{name} cannot be read"));
            Box::new(BufReader::new(file.map_err(Failure::Unavailable)?))
        }
        None => Box::new(BufReader::new(io::stdin())),
    };
    let mut signals = StopSignals::listen().map_err(|error| Failure::Other(error.into()))?;
    let source = LineSource::open(from, signals.received()).await;
    let mut source =
        source.map_err(|error| Failure::Other(anyhow!(error).context(name.clone())))?;
    let loader = compose::open_loader(config).await?;

    let mut tally = Tally::default();
    let progress = Progress::begin("Importing", "todos");
    let show = |read, total| progress.show(read, total);
    let remembered_at = config.remembers_changes().then(|| SystemClock.now());
    let (permit, loader) = (operator(), &*loader);
    let imported =
        archive::import(&permit, &mut source, loader, remembered_at, &mut tally, show).await;
    drop(progress);

    let summary = summary(&tally);
    let and_no_more = format!("{summary}, and no more");
    match imported {
        Ok(()) => {
            console::note(&format!("{summary}."));
            let complete = tally.different == 0 && tally.changes.left_out == 0;
            Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(ImportError::Storage(error)) => Err(storage(error, &and_no_more)),
        Err(ImportError::Source(SourceError::Stopped)) => {
            Err(Failure::Other(anyhow!("stopped").context(and_no_more)))
        }
        Err(ImportError::Incomplete { announced, found }) => {
            let incomplete = anyhow!(
                "the first line says that {announced} todos follow, and {found} do: is the file \
                 complete?"
            );
            Err(Failure::Other(incomplete.context(name).context(and_no_more)))
        }
        Err(ImportError::IncompleteHistory { announced, found }) => {
            let incomplete = anyhow!(
                "the first line says that {announced} changes follow, and {found} do: is the file \
                 complete?"
            );
            Err(Failure::Other(incomplete.context(name).context(and_no_more)))
        }
        Err(ImportError::Source(error)) => {
            Err(Failure::Other(anyhow!(error).context(name).context(and_no_more)))
        }
    }
}

/// The commands are for the operator: no request reaches them.
#[expect(clippy::disallowed_methods, reason = "these are the commands of the operator")]
pub(super) fn operator() -> OperatorPermit {
    OperatorPermit::for_the_operator()
}

/// The outcome of an import, as the beginning of a sentence.
pub fn summary(tally: &Tally) -> String {
    let Tally { added, same, different, first_different, changes } = tally;
    let ChangeTally { added: new_changes, same: known_changes, left_out } = changes;
    let added = format!("Imported {}", count(*added));
    let same = (*same > 0).then(|| format!("{} already existed", HumanCount(*same)));
    let different = first_different.map(|line| match different {
        1 => format!("1 exists with other content and stays as it is (line {line})"),
        many => format!(
            "{} exist with other content and stay as they are (the first in line {line})",
            HumanCount(*many)
        ),
    });
    let changes = (*new_changes > 0 || *known_changes > 0)
        .then(|| format!("{} added to the history", HumanCount(*new_changes)));
    let left_out = (*left_out > 0).then(|| {
        format!(
            "{} left out of the history, as their lists have one of their own",
            HumanCount(*left_out)
        )
    });
    [Some(added), same, different, changes, left_out]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}

pub(super) fn count(todos: u64) -> String {
    match todos {
        1 => "1 todo".to_owned(),
        many => format!("{} todos", HumanCount(many)),
    }
}

pub(crate) fn changes_text(changes: u64) -> String {
    match changes {
        1 => "1 change".to_owned(),
        many => format!("{} changes", HumanCount(many)),
    }
}

/// A failure of the store. The exit code tells whether a later retry may help.
pub(super) fn storage(error: StorageError, consequence: &str) -> Failure {
    let may_pass = matches!(error, StorageError::Unavailable(_));
    let error = anyhow::Error::new(error).context(consequence.to_owned());
    if may_pass { Failure::Unavailable(error) } else { Failure::Other(error) }
}

/// `None` and `-` are standard input or output.
fn file(file: Option<&Path>) -> Option<&Path> {
    file.filter(|file| *file != Path::new("-"))
}

/// With `--force` this would overwrite all todos.
pub(super) fn refuse_the_database_itself(database: &Database, path: &Path) -> Result<(), Failure> {
    let Database::Sqlite(database) = database else { return Ok(()) };
    match (database.canonicalize(), path.canonicalize()) {
        (Ok(one), Ok(other)) if one == other => Err(Failure::Usage(format!(
            "{} is the database itself: choose another file",
            path.display()
        ))),
        _ => Ok(()),
    }
}
