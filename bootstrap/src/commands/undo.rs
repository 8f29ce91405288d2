//! `todo-mcp undo`: what a client has changed, taken back by the operator.

use std::process::ExitCode;

use todo_application::domain::{
    ClientId, IdentifierError, Instant, Organization, Permission, Permissions, Subject, TimeZone,
};
use todo_application::ports::Principal;
use todo_application::{ListChangesError, UndoClientError, UndoError, UndoneClient};

use crate::archive::command::changes_text;
use crate::clock::SystemClock;
use crate::command_line::UndoArguments;
use crate::config::{Config, Database, sharing_text};
use crate::failure::Failure;
use crate::{compose, console};

/// The client of the operator's changes.
const CLIENT: &str = "operator";

/// The operator, who acts in the list of a caller.
struct Operator {
    subject: Subject,
    organization: Option<Organization>,
    client: ClientId,
}

impl Operator {
    fn of(arguments: &UndoArguments) -> Result<Self, IdentifierError> {
        let list = &arguments.list;
        let (subject, organization) = (list.subject.clone(), list.organization.clone());
        Ok(Self { subject, organization, client: ClientId::try_from(CLIENT)? })
    }
}

impl Principal for Operator {
    fn subject(&self) -> &Subject {
        &self.subject
    }
    fn organization(&self) -> Option<&Organization> {
        self.organization.as_ref()
    }
    fn client(&self) -> Option<&ClientId> {
        Some(&self.client)
    }
    fn permissions(&self) -> Permissions {
        Permissions::from_iter(Permission::ALL)
    }
    fn time_zone(&self) -> Option<&TimeZone> {
        None
    }
    fn expires_at(&self) -> Instant {
        Instant::MAX
    }
}

/// The exit code is 1 if something was left, or if there was nothing to take back: a name may be misspelt.
pub(super) async fn run(config: &Config, arguments: &UndoArguments) -> Result<ExitCode, Failure> {
    if matches!(config.database, Database::Memory) {
        return Err(compose::nothing_to_move());
    }
    let workspace = arguments.list.workspace(config.sharing)?;
    let operator = Operator::of(arguments).map_err(Failure::other)?;
    let storage = compose::open_storage(config).await?;
    let todos = storage.into_todos(config, std::sync::Arc::new(SystemClock));
    let UndoArguments { client, since, dry_run, .. } = arguments;
    let outcome = todos.undo_client(&operator, client, *since, *dry_run).await;
    let UndoneClient { undone, kept } = outcome.map_err(failure)?;

    let list = format!("the list {workspace} ({})", sharing_text(config.sharing));
    if undone == 0 && kept.is_empty() {
        console::note(&format!(
            "Nothing is to be taken back: client {} has no changes since then in {list} that are remembered \
             and in effect. list_changes and the audit log show the ids of clients.",
            client.as_str()
        ));
        return Ok(ExitCode::FAILURE);
    }
    let changes = changes_text(undone as u64);
    let done = if *dry_run { "There are to be taken back" } else { "Took back" };
    console::note(&format!("{done} in {list}: {changes}."));
    for (change, cause) in &kept {
        console::note(&format!(
            "Left as it is: change {} of todo {}: {cause}.",
            change.id, change.recorded.change.todo
        ));
    }
    Ok(if kept.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn failure(error: UndoClientError) -> Failure {
    match error {
        UndoClientError::Listing(ListChangesError::Off)
        | UndoClientError::Undoing(UndoError::Off) => Failure::Usage(
            "TODO_HISTORY_DAYS is 0: no changes are remembered, so none can be taken back"
                .to_owned(),
        ),
        UndoClientError::Listing(ListChangesError::Storage(error))
        | UndoClientError::Undoing(UndoError::Storage(error)) => Failure::unavailable(error),
        error @ (UndoClientError::Listing(_) | UndoClientError::Undoing(_)) => {
            Failure::other(error)
        }
    }
}
