//! `todo-mcp backup`: a copy of the SQLite file, made while a server writes to it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;
use todo_adapter_storage::{BackupError, SqliteBackup};
use tokio::task::spawn_blocking;

use super::command::refuse_the_database_itself;
use super::new_file::NewFile;
use super::progress::Progress;
use crate::command_line::BackupArguments;
use crate::config::{Config, Database};
use crate::failure::Failure;
use crate::signals::StopSignals;
use crate::{compose, console};

pub(crate) async fn run(config: &Config, arguments: &BackupArguments) -> Result<(), Failure> {
    let database = match &config.database {
        Database::Sqlite(path) => path,
        Database::Memory => return Err(compose::nothing_to_move()),
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => {
            return Err(Failure::Usage(
                "DATABASE_URL is a PostgreSQL database: back it up with pg_dump".to_owned(),
            ));
        }
    };
    let path = arguments.file.as_path();
    if path == Path::new("-") {
        return Err(Failure::Usage(
            "a backup cannot go to standard output: pass the path of a file".to_owned(),
        ));
    }
    refuse_the_database_itself(&config.database, path)?;
    let file = NewFile::begin(path, arguments.force)?;
    let mut signals = StopSignals::listen().map_err(|error| Failure::Other(error.into()))?;
    let backup = SqliteBackup::open(database).map_err(Failure::unavailable)?;

    let stopped = Arc::new(AtomicBool::new(false));
    let copying = spawn_blocking({
        let (copy, stopped) = (file.temporary_path().to_owned(), Arc::clone(&stopped));
        let progress = Progress::begin("Backing up", "pages");
        move || {
            backup.copy_to(&copy, |done, total| {
                progress.show(done, Some(total));
                if stopped.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
        }
    });
    tokio::pin!(copying);
    let copied = tokio::select! {
        copied = &mut copying => copied,
        () = signals.received() => {
            stopped.store(true, Ordering::Relaxed);
            copying.await
        }
    };
    match copied.map_err(|error| Failure::Other(error.into()))? {
        Ok(()) => file.complete()?,
        Err(BackupError::Stopped) => {
            return Err(Failure::Other(anyhow!("stopped before everything was copied")));
        }
        Err(error) => return Err(Failure::Other(error.into())),
    }
    console::note(&format!("Backed up {} to {}.", config.database, path.display()));
    Ok(())
}
