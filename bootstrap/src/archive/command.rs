//! `todo-mcp export` and `todo-mcp import`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use todo_application::ports::{StorageError, TodoSnapshot};

use super::new_file::NewFile;
use super::progress::Progress;
use super::{ExportError, ImportError, Tally, Todos};
use crate::command_line::{ExportArguments, ImportArguments};
use crate::compose;
use crate::config::{Config, Database};
use crate::console;
use crate::failure::Failure;
use crate::signals::StopSignals;

/// Writes all todos to a file or to standard output.
pub(crate) async fn export(config: &Config, arguments: &ExportArguments) -> Result<(), Failure> {
    let summary = match named(arguments.file.as_deref()) {
        Some(path) => {
            let mut signals =
                StopSignals::listen().map_err(|error| Failure::Other(error.into()))?;
            tokio::select! {
                summary = export_to_file(&config.database, path, arguments.force) => summary?,
                () = signals.received() => {
                    return Err(Failure::Other(anyhow!("stopped before all todos were written")));
                }
            }
        }
        // A signal just ends this: there is nothing to tidy up.
        None => export_to_stdout(&config.database).await?,
    };
    console::note(&summary);
    Ok(())
}

async fn export_to_file(
    database: &Database,
    path: &Path,
    replace: bool,
) -> Result<String, Failure> {
    refuse_the_database_itself(database, path)?;
    let file = NewFile::begin(path, replace)?;
    let mut snapshot = compose::open_snapshot(database).await?;
    let progress = Progress::begin("Exporting", "todos");
    let todos = write(&mut *snapshot, file.as_file(), &path.display(), &progress).await?;
    file.complete()?;
    Ok(format!("Exported {} to {}.", Todos(todos), path.display()))
}

async fn export_to_stdout(database: &Database) -> Result<String, Failure> {
    let mut snapshot = compose::open_snapshot(database).await?;
    let stdout = io::stdout();
    // A bar among the todos would help nobody.
    let progress = if stdout.is_terminal() {
        Progress::hidden()
    } else {
        Progress::begin("Exporting", "todos")
    };
    let todos = write(&mut *snapshot, stdout, &"standard output", &progress).await?;
    Ok(format!("Exported {}.", Todos(todos)))
}

async fn write(
    snapshot: &mut dyn TodoSnapshot,
    to: impl Write,
    name: &impl std::fmt::Display,
    progress: &Progress,
) -> Result<u64, Failure> {
    let total = Some(snapshot.count());
    let show = |written| progress.show(written, total);
    super::export(snapshot, &mut BufWriter::new(to), show).await.map_err(|error| match error {
        ExportError::Storage(error) => storage(error, "not all todos can be read"),
        ExportError::Write(error) => {
            Failure::Other(anyhow!(error).context(format!("{name} cannot be written")))
        }
    })
}

/// Adds the todos of a file or of standard input. The exit code is 1 if some are there with other
/// content: the store is not what the file says then.
pub(crate) async fn import(
    config: &Config,
    arguments: &ImportArguments,
) -> Result<ExitCode, Failure> {
    let path = named(arguments.file.as_deref());
    let name = path.map_or("standard input".to_owned(), |path| path.display().to_string());
    let from: Box<dyn BufRead + Send> = match path {
        Some(path) => {
            let file = File::open(path).with_context(|| format!("{name} cannot be read"));
            Box::new(BufReader::new(file.map_err(Failure::Unavailable)?))
        }
        None => Box::new(BufReader::new(io::stdin())),
    };
    let loader = compose::open_loader(&config.database).await?;
    let mut signals = StopSignals::listen().map_err(|error| Failure::Other(error.into()))?;

    let mut tally = Tally::default();
    let progress = Progress::begin("Importing", "todos");
    let show = |read, total| progress.show(read, total);
    let imported = super::import(from, &*loader, &mut tally, show, signals.received()).await;
    drop(progress);

    let and_no_more = format!("{tally}, and no more");
    match imported {
        Ok(()) => {
            console::note(&format!("{tally}."));
            let complete = tally.different == 0;
            Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(ImportError::Storage(error)) => Err(storage(error, &and_no_more)),
        Err(ImportError::Stopped) => Err(Failure::Other(anyhow!("stopped").context(and_no_more))),
        Err(error) => Err(Failure::Other(anyhow!(error).context(name).context(and_no_more))),
    }
}

/// A failure of the store, which may be of use again later or not.
fn storage(error: StorageError, consequence: &str) -> Failure {
    let may_pass = matches!(error, StorageError::Unavailable(_));
    let error = anyhow::Error::new(error).context(consequence.to_owned());
    if may_pass { Failure::Unavailable(error) } else { Failure::Other(error) }
}

/// A file, unless it is standard input or output that is meant.
fn named(file: Option<&Path>) -> Option<&Path> {
    file.filter(|file| *file != Path::new("-"))
}

/// With `--force` one slip would cost all todos.
pub(super) fn refuse_the_database_itself(database: &Database, path: &Path) -> Result<(), Failure> {
    let Database::Sqlite(database) = database else { return Ok(()) };
    match (database.canonicalize(), path.canonicalize()) {
        (Ok(one), Ok(other)) if one == other => Err(Failure::Usage(format!(
            "{} is the database itself: name another file",
            path.display()
        ))),
        _ => Ok(()),
    }
}
