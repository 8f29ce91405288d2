//! The statements. Each goes straight to its rows through an index that begins with the workspace,
//! and each returns a row for every row that it reads or writes.
//!
//! They stay within what PostgreSQL, Citus, YugabyteDB and CockroachDB have in common.

use super::row::select;

pub(super) const FIND: &str = select!("WHERE workspace = $1 AND id = $2");

/// From the id `$2` on.
pub(super) const LIST: &str = select!("WHERE workspace = $1 AND id >= $2 ORDER BY id LIMIT $3");

// A comparison of rows, and no `done = $4`: with that, the primary key would give the same order,
// and a planner that takes most todos for matches would walk it in search of the few that are. This
// order only the index `todos_by_done` has.
pub(super) const LIST_BY_DONE: &str = select!(
    "WHERE workspace = $1 AND (done, id) >= ($4, $2) AND done <= $4 ORDER BY done, id LIMIT $3"
);

/// No row if the id is taken.
pub(super) const INSERT: &str = "\
    INSERT INTO todos (workspace, id, title, description, completed_at, created_at, created_by, \
                       updated_at, updated_by, version, done) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
    ON CONFLICT (workspace, id) DO NOTHING RETURNING id";

pub(super) const SAVE: &str = "\
    UPDATE todos SET title = $3, description = $4, completed_at = $5, created_at = $6, \
                     created_by = $7, updated_at = $8, updated_by = $9, version = $10, done = $11 \
    WHERE workspace = $1 AND id = $2 AND version = $12 RETURNING id";

pub(super) const REMOVE: &str = "\
    DELETE FROM todos WHERE workspace = $1 AND id = $2 AND version = coalesce($3, version) \
    RETURNING id";

/// Whether a todo is there, as the number of rows; also what a readiness check asks.
pub(super) const EXISTS: &str = "SELECT id FROM todos WHERE workspace = $1 AND id = $2";

/// Remembers a request in place of one whose time is over. No row if there is one whose time is not.
pub(super) const REMEMBER: &str = "\
    INSERT INTO creations (workspace, created_by, key, fingerprint, todo, created_at, forget_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) \
    ON CONFLICT (workspace, created_by, key) DO UPDATE \
    SET fingerprint = excluded.fingerprint, todo = excluded.todo, \
        created_at = excluded.created_at, forget_at = excluded.forget_at \
    WHERE creations.forget_at <= excluded.created_at RETURNING todo";

pub(super) const FIND_CREATION: &str = "\
    SELECT todo, created_at, fingerprint FROM creations \
    WHERE workspace = $1 AND created_by = $2 AND key = $3";

pub(super) const FORGET: &str = "\
    DELETE FROM creations WHERE workspace = $1 AND forget_at <= $2 RETURNING todo";

/// All of them, to see whether the table has what they name.
pub(super) const ALL: [&str; 10] =
    [FIND, LIST, LIST_BY_DONE, INSERT, SAVE, REMOVE, EXISTS, REMEMBER, FIND_CREATION, FORGET];
