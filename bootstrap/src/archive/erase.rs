//! `todo-mcp erase`: all that is kept of a caller's list.

use std::process::ExitCode;

use todo_application::ports::Erased;

use super::command::{changes_text, count, operator, storage};
use crate::command_line::EraseArguments;
use crate::config::{Config, Database, sharing_text};
use crate::failure::Failure;
use crate::{compose, console};

/// The exit code is 1 if there was nothing to remove: a name may be misspelt.
pub(crate) async fn run(config: &Config, arguments: &EraseArguments) -> Result<ExitCode, Failure> {
    if matches!(config.database, Database::Memory) {
        return Err(compose::nothing_to_move());
    }
    let workspace = arguments.list.workspace(config.sharing)?;
    let history = compose::open_storage(config).await?.history;
    let erased = history.erase(&operator(), &workspace).await;
    let Erased { todos, changes } =
        erased.map_err(|error| storage(error, "nothing was removed"))?;
    let list = format!("the list {workspace} ({})", sharing_text(config.sharing));
    if todos == 0 && changes == 0 {
        console::note(&format!(
            "Nothing is kept in {list}. A list belongs to a subject in an organization, as access tokens \
             name them (`sub` and `oid`)."
        ));
        return Ok(ExitCode::FAILURE);
    }
    console::note(&format!("Erased {list}: {} and {}.", count(todos), changes_text(changes)));
    Ok(ExitCode::SUCCESS)
}
