//! Removing the changes that are no longer to be remembered, and all that is stored of a workspace.

use rusqlite::{Connection, OptionalExtension as _, params};
use todo_application::domain::{ChangeNumber, Instant, WorkspaceId};
use todo_application::ports::{Erased, StorageError};

use super::change_reads::unreadable;
use super::failure::failure;
use super::heads::StoredHead;

const OLDEST: &str = "\
    SELECT number, at, bytes, action = 3 AND undone_by IS NULL FROM changes \
    WHERE workspace = ?1 ORDER BY number LIMIT ?2";

const FORGET: &str = "DELETE FROM changes WHERE workspace = ?1 AND number <= ?2";

const NEXT_WORKSPACES: &str = "\
    SELECT workspace FROM heads WHERE workspace > ?1 ORDER BY workspace LIMIT ?2";

/// The workspaces after this one, and whether each has changes that were made before an instant.
pub(super) fn to_be_forgotten(
    connection: &Connection,
    until: Instant,
    after: Option<&WorkspaceId>,
    limit: i64,
) -> Result<Vec<(WorkspaceId, bool)>, StorageError> {
    let after = after.map_or("", WorkspaceId::as_str);
    let mut next = connection.prepare_cached(NEXT_WORKSPACES).map_err(failure)?;
    let mut oldest = connection.prepare_cached(OLDEST).map_err(failure)?;
    let keys = next.query_map(params![after, limit], |row| row.get::<_, String>(0));
    let keys: Vec<String> = keys.and_then(Iterator::collect).map_err(failure)?;
    let found = keys.into_iter().map(|key| {
        let at: Option<i64> =
            oldest.query_row(params![key, 1], |row| row.get(1)).optional().map_err(failure)?;
        let is_old = at.is_some_and(|at| at < until.as_unix_millis());
        let workspace = WorkspaceId::try_from(key.as_str());
        Ok((workspace.map_err(|error| failure(unreadable(0, error.into())))?, is_old))
    });
    found.collect()
}

/// Removes the oldest changes that were made before an instant, and returns how many.
pub(super) fn forget(
    connection: &Connection,
    workspace: &WorkspaceId,
    head: &mut StoredHead,
    until: Instant,
    limit: usize,
) -> rusqlite::Result<u64> {
    let mut oldest = connection.prepare_cached(OLDEST)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = oldest.query(params![workspace.as_str(), limit])?;
    let (mut last, mut count, mut bytes, mut deletions) = (None, 0, 0, 0);
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? >= until.as_unix_millis() {
            break;
        }
        last = ChangeNumber::new(row.get(0)?);
        count += 1;
        bytes += row.get::<_, i64>(2)?.unsigned_abs();
        deletions += u64::from(row.get::<_, bool>(3)?);
    }
    if let Some(last) = last {
        let key = params![workspace.as_str(), last.as_i64()];
        connection.prepare_cached(FORGET)?.execute(key)?;
        head.change(|head| head.forget(last, bytes, deletions));
    }
    Ok(count)
}

/// Removes all of a workspace.
pub(super) fn erase(connection: &Connection, workspace: &WorkspaceId) -> rusqlite::Result<Erased> {
    let remove = |sql| connection.execute(sql, [workspace.as_str()]).map(|rows| rows as u64);
    remove("DELETE FROM terms WHERE workspace = ?1")?;
    remove("DELETE FROM creations WHERE workspace = ?1")?;
    remove("DELETE FROM heads WHERE workspace = ?1")?;
    let todos = remove("DELETE FROM todos WHERE workspace = ?1")?;
    let changes = remove("DELETE FROM changes WHERE workspace = ?1")?;
    Ok(Erased { todos, changes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::queries::tests::assert_searches;

    #[test]
    fn every_query_seeks_in_an_index_and_sorts_nothing() {
        let searches = [
            (OLDEST, "PRIMARY KEY (workspace=?)"),
            (FORGET, "PRIMARY KEY (workspace=? AND number<?)"),
        ];
        assert_searches("changes", &searches);
    }
}
