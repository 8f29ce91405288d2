//! The statements. Each seeks its rows in an index that begins with the workspace, and returns a row for
//! every row that it reads or writes.
//!
//! They use only what PostgreSQL, Citus, YugabyteDB and CockroachDB have in common.

use super::row::select;

/// The greatest id of version 7 before `$1`, with a seek for each workspace.
pub(super) const NEWEST: &str = "\
    WITH RECURSIVE workspaces (workspace) AS ( \
        (SELECT workspace FROM todos ORDER BY workspace LIMIT 1) \
        UNION ALL \
        SELECT (SELECT next.workspace FROM todos next WHERE next.workspace > workspaces.workspace \
                ORDER BY next.workspace LIMIT 1) \
        FROM workspaces WHERE workspaces.workspace IS NOT NULL) \
    SELECT newest.id FROM workspaces, LATERAL ( \
        SELECT todos.id FROM todos \
        WHERE todos.workspace = workspaces.workspace AND todos.id < $1 \
          AND substr(todos.id::text, 15, 1) = '7' \
        ORDER BY todos.id DESC LIMIT 1) newest \
    ORDER BY newest.id DESC LIMIT 1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Query {
    Find,
    List,
    ListOpen,
    ListDone,
    Insert,
    Save,
    Remove,
    Exists,
    Remember,
    FindCreation,
    ListExpired,
    Forget,
}

impl Query {
    /// In the order of their discriminants.
    pub(super) const ALL: [Self; 12] = [
        Self::Find,
        Self::List,
        Self::ListOpen,
        Self::ListDone,
        Self::Insert,
        Self::Save,
        Self::Remove,
        Self::Exists,
        Self::Remember,
        Self::FindCreation,
        Self::ListExpired,
        Self::Forget,
    ];

    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Find => FIND,
            Self::List => LIST,
            Self::ListOpen => LIST_OPEN,
            Self::ListDone => LIST_DONE,
            Self::Insert => INSERT,
            Self::Save => SAVE,
            Self::Remove => REMOVE,
            Self::Exists => EXISTS,
            Self::Remember => REMEMBER,
            Self::FindCreation => FIND_CREATION,
            Self::ListExpired => LIST_EXPIRED,
            Self::Forget => FORGET,
        }
    }

    /// Whether it changes nothing, so that it can be retried.
    pub(super) fn is_a_read(self) -> bool {
        match self {
            Self::Find
            | Self::List
            | Self::ListOpen
            | Self::ListDone
            | Self::Exists
            | Self::FindCreation
            | Self::ListExpired => true,
            Self::Insert | Self::Save | Self::Remove | Self::Remember | Self::Forget => false,
        }
    }
}

// A session finds its statements by discriminant.
const _: () = {
    let mut place = 0;
    while place < Query::ALL.len() {
        assert!(Query::ALL[place] as usize == place);
        place += 1;
    }
};

const FIND: &str = select!("WHERE workspace = $1 AND id = $2");

/// Beginning at the id `$2`.
const LIST: &str = select!("WHERE workspace = $1 AND id >= $2 ORDER BY id LIMIT $3");

const LIST_OPEN: &str = select!("WHERE workspace = $1 AND open_id >= $2 ORDER BY open_id LIMIT $3");

const LIST_DONE: &str = select!("WHERE workspace = $1 AND done_id >= $2 ORDER BY done_id LIMIT $3");

/// No row if the id is taken.
const INSERT: &str = "\
    INSERT INTO todos (workspace, id, title, description, completed_at, created_at, created_by, \
                       updated_at, updated_by, version, open_id, done_id) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
            CASE WHEN $5::bigint IS NULL THEN $2::uuid END, \
            CASE WHEN $5::bigint IS NOT NULL THEN $2::uuid END) \
    ON CONFLICT (workspace, id) DO NOTHING RETURNING id";

const SAVE: &str = "\
    UPDATE todos SET title = $3, description = $4, completed_at = $5, created_at = $6, \
                     created_by = $7, updated_at = $8, updated_by = $9, version = $10, \
                     open_id = CASE WHEN $5::bigint IS NULL THEN $2::uuid END, \
                     done_id = CASE WHEN $5::bigint IS NOT NULL THEN $2::uuid END \
    WHERE workspace = $1 AND id = $2 AND version = $11 RETURNING id";

const REMOVE: &str = "\
    DELETE FROM todos WHERE workspace = $1 AND id = $2 AND version = coalesce($3, version) \
    RETURNING id";

/// Whether a todo exists, as the number of rows. Also the query of the health check.
const EXISTS: &str = "SELECT id FROM todos WHERE workspace = $1 AND id = $2";

/// Remembers a request, and replaces an expired one. No row if there is one that is not expired.
const REMEMBER: &str = "\
    INSERT INTO creations (workspace, caller, key, fingerprint, todo, created_at, forget_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) \
    ON CONFLICT (workspace, caller, key) DO UPDATE \
    SET fingerprint = excluded.fingerprint, todo = excluded.todo, \
        created_at = excluded.created_at, forget_at = excluded.forget_at \
    WHERE creations.forget_at <= excluded.created_at RETURNING todo";

const FIND_CREATION: &str = "\
    SELECT todo, created_at, fingerprint FROM creations \
    WHERE workspace = $1 AND caller = $2 AND key = $3";

/// A few of the expired requests: more than are remembered at a time, so that they do not accumulate, and
/// not so many that it would take long.
const LIST_EXPIRED: &str = "\
    SELECT caller, key, todo FROM creations \
    WHERE workspace = $1 AND forget_at >= 0 AND forget_at <= $2 ORDER BY forget_at LIMIT 16";

/// With the id of the todo: another request with the same key may have replaced this one.
const FORGET: &str = "\
    DELETE FROM creations WHERE workspace = $1 AND caller = $2 AND key = $3 AND todo = $4 \
    RETURNING todo";
