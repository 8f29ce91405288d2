//! `todo-mcp restore`: a backup in the place of the SQLite file.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use todo_adapter_storage::SqliteRestore;
use todo_application::ports::Clock as _;

use super::command::refuse_the_database_itself;
use super::new_file::NewFile;
use crate::clock::SystemClock;
use crate::command_line::RestoreArguments;
use crate::config::{Config, Database};
use crate::failure::Failure;
use crate::{compose, console};

/// Blocks on the disk. A signal ends the process, which leaves the database as it was, the restored
/// one, or a note that requires another restore.
pub(crate) fn run(config: &Config, arguments: &RestoreArguments) -> Result<(), Failure> {
    let database = match &config.database {
        Database::Sqlite(path) => path,
        Database::Memory => return Err(compose::nothing_to_move()),
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => {
            return Err(Failure::Usage(
                "DATABASE_URL is a PostgreSQL database: restore it with pg_restore or psql"
                    .to_owned(),
            ));
        }
    };
    let backup = arguments.file.as_path();
    if backup == Path::new("-") {
        return Err(Failure::Usage(
            "a backup cannot be read from standard input: pass the path of a file".to_owned(),
        ));
    }
    refuse_the_database_itself(&config.database, backup)?;
    let name = || backup.display().to_string();
    let mut from = File::open(backup)
        .with_context(|| format!("{} cannot be read", name()))
        .map_err(Failure::Unavailable)?;
    // A log is beside the file, and not beside a link to it.
    let followed = backup.canonicalize().unwrap_or_else(|_| backup.to_owned());
    SqliteRestore::check_alone(&followed).map_err(|problem| unusable(backup, &problem))?;

    let restore = SqliteRestore::begin(database).map_err(Failure::unavailable)?;
    let copy = NewFile::begin(restore.file(), true)?;
    io::copy(&mut from, &mut copy.as_file())
        .with_context(|| format!("{} cannot be copied to {}", name(), database.display()))
        .map_err(Failure::Other)?;
    SqliteRestore::check(copy.temporary_path()).map_err(|problem| unusable(backup, &problem))?;

    let aside = aside(restore.file());
    let existed = restore.replace(&aside, || copy.complete().map_err(Moving::Put));
    let existed = existed.map_err(|moving| match moving {
        Moving::Put(failure) => failure,
        Moving::Files(error) => Failure::Other(anyhow!(error).context(format!(
            "the files of {} cannot be moved: correct this and run `todo-mcp restore` again",
            database.display()
        ))),
    })?;
    console::note(&format!("Restored {} from {}.", config.database, name()));
    if existed {
        console::note(&format!(
            "The database as it was before is {}: remove it when you no longer need it.",
            aside.display()
        ));
    }
    Ok(())
}

enum Moving {
    Files(io::Error),
    Put(Failure),
}

impl From<io::Error> for Moving {
    fn from(error: io::Error) -> Self {
        Self::Files(error)
    }
}

fn unusable(backup: &Path, problem: &todo_adapter_storage::RestoreProblem) -> Failure {
    Failure::Other(anyhow!("{} {problem}", backup.display()))
}

/// Where the database goes: beside it, under a name with the time, which is unused.
fn aside(database: &Path) -> PathBuf {
    let now = SystemClock.now().as_unix_millis();
    let now = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    let stem = format!("{}.before-restore-{}", database.display(), now.strftime("%Y%m%dT%H%M%SZ"));
    let unused = |path: &PathBuf| path.symlink_metadata().is_err();
    let numbered = (2..).map(|number| PathBuf::from(format!("{stem}-{number}")));
    let mut names = std::iter::once(PathBuf::from(&stem)).chain(numbered);
    names.find(unused).unwrap_or_else(|| stem.into())
}
