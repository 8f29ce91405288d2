//! Removing changes in small steps.

use std::time::Duration;

use futures_util::future::try_join_all;
use todo_application::domain::{Instant, WorkspaceId};
use todo_application::ports::{Forgotten, StorageError};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, Row};

use super::super::connections::{Connections, Work};
use super::super::parameter::Parameter;
use super::super::queries::Query;
use super::super::row;
use super::super::session::{Session, Transaction};

/// How many changes are removed in one step, while writes to their workspace wait.
const STEP: u64 = 1_000;

/// How long a step waits for the head of a workspace. Writes that come later wait behind it.
const PATIENCE: Duration = Duration::from_millis(250);

/// One call: a page of workspaces, and about as many changes as a step removes.
pub(super) async fn forget(
    connections: &Connections,
    until: Instant,
    after: Option<&WorkspaceId>,
) -> Result<Forgotten, StorageError> {
    let surveyed = connections.execute(&Survey { after, until }).await?;
    if surveyed.is_empty() {
        return Ok(Forgotten { changes: 0, after: None });
    }
    let (mut changes, mut passed) = (0, after.cloned());
    for Surveyed { workspace, has_old_changes } in surveyed {
        if has_old_changes {
            let removed = connections.execute(&Step { workspace: &workspace, until }).await?;
            changes += removed;
            if removed >= STEP {
                // The same workspace again, as there may be more of it.
                return Ok(Forgotten { changes, after: passed });
            }
        }
        passed = Some(workspace);
        if changes >= STEP {
            return Ok(Forgotten { changes, after: passed });
        }
    }
    Ok(Forgotten { changes, after: passed })
}

/// Looks at the oldest changes of some workspaces.
struct Survey<'a> {
    after: Option<&'a WorkspaceId>,
    until: Instant,
}

struct Surveyed {
    workspace: WorkspaceId,
    has_old_changes: bool,
}

impl Work for Survey<'_> {
    /// In the order of their keys; none after the last.
    type Output = Vec<Surveyed>;

    fn is_a_read(&self) -> bool {
        true
    }

    fn workspace(&self) -> Option<&[u8]> {
        None
    }

    async fn on(&self, session: &mut Session) -> Result<Vec<Surveyed>, Error> {
        let after = self.after.map_or(&[][..], |workspace| workspace.as_str().as_bytes());
        let heads = session.query(Query::ListHeads, &[Parameter::Bytes(after)]).await?;
        let session = &*session;
        let survey = async |row: &Row| {
            let (key, has_changes): (&[u8], bool) = (row.try_get(0)?, row.try_get(1)?);
            // Some heads are of no workspace, see `probe`.
            let workspace = str::from_utf8(key).ok().and_then(|it| WorkspaceId::try_from(it).ok());
            let Some(workspace) = workspace else { return Ok::<_, Error>(None) };
            let oldest = if has_changes {
                session.query(Query::OldestChanges, &oldest(&workspace, 1)).await?
            } else {
                Vec::new()
            };
            let oldest = oldest.first().map(|row| row.try_get::<_, i64>(1)).transpose()?;
            let has_old_changes = oldest.is_some_and(|at| at < self.until.as_unix_millis());
            Ok(Some(Surveyed { workspace, has_old_changes }))
        };
        let workspaces = try_join_all(heads.iter().map(survey)).await?;
        Ok(workspaces.into_iter().flatten().collect())
    }
}

/// Removes the first changes of a workspace.
struct Step<'a> {
    workspace: &'a WorkspaceId,
    until: Instant,
}

impl Work for Step<'_> {
    /// How many were removed: none if the head is locked for long.
    type Output = u64;

    fn is_a_read(&self) -> bool {
        false
    }

    fn workspace(&self) -> Option<&[u8]> {
        Some(self.workspace.as_str().as_bytes())
    }

    async fn on(&self, session: &mut Session) -> Result<u64, Error> {
        // Before the lock: another server can only remove the same ones meanwhile.
        let first = session.query(Query::OldestChanges, &oldest(self.workspace, STEP)).await?;
        let first = first.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        let first = first.collect::<Result<Vec<(i64, i64)>, Error>>()?;
        let old = first.into_iter().take_while(|(_, at)| *at < self.until.as_unix_millis());
        let Some((last, _)) = old.last() else { return Ok(0) };
        let transaction = session.transaction().await?;
        match self.remove(&transaction, last).await {
            Ok(0) => Ok(0),
            Ok(removed) => transaction.commit().await.map(|()| removed),
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

impl Step<'_> {
    async fn remove(&self, transaction: &Transaction<'_>, last: i64) -> Result<u64, Error> {
        let workspace = || row::key(self.workspace);
        transaction.set_patience(PATIENCE).await?;
        transaction.query(Query::LockHead, &[workspace()]).await?;
        let until = [workspace(), Parameter::Number(Some(last))];
        let removed = transaction.query(Query::ForgetChanges, &until).await?;
        let removed = removed.first().map(|row| row.try_get::<_, i64>(0)).transpose()?;
        Ok(removed.unwrap_or_default().unsigned_abs())
    }
}

/// The parameters of [`Query::OldestChanges`].
fn oldest(workspace: &WorkspaceId, limit: u64) -> [Parameter<'_>; 2] {
    [row::key(workspace), Parameter::Number(Some(limit.cast_signed()))]
}
