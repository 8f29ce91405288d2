//! The statements. Each goes straight to its rows through an index that begins with the workspace,
//! and each returns a row for every row that it reads or writes.
//!
//! They stay within what PostgreSQL, Citus, YugabyteDB and CockroachDB have in common.

use super::row::select;

/// One of them.
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
    ListOver,
    Forget,
}

impl Query {
    /// All of them, in their order.
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
        Self::ListOver,
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
            Self::ListOver => LIST_OVER,
            Self::Forget => FORGET,
        }
    }

    /// Whether it changes nothing, and so can be sent as often as one likes.
    pub(super) fn is_a_read(self) -> bool {
        match self {
            Self::Find
            | Self::List
            | Self::ListOpen
            | Self::ListDone
            | Self::Exists
            | Self::FindCreation
            | Self::ListOver => true,
            Self::Insert | Self::Save | Self::Remove | Self::Remember | Self::Forget => false,
        }
    }
}

// A session finds its statements by their place.
const _: () = {
    let mut place = 0;
    while place < Query::ALL.len() {
        assert!(Query::ALL[place] as usize == place);
        place += 1;
    }
};

const FIND: &str = select!("WHERE workspace = $1 AND id = $2");

/// From the id `$2` on.
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

/// Whether a todo is there, as the number of rows; also what a readiness check asks.
const EXISTS: &str = "SELECT id FROM todos WHERE workspace = $1 AND id = $2";

/// Remembers a request in place of one whose time is over. No row if there is one whose time is not.
const REMEMBER: &str = "\
    INSERT INTO creations (workspace, created_by, key, fingerprint, todo, created_at, forget_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) \
    ON CONFLICT (workspace, created_by, key) DO UPDATE \
    SET fingerprint = excluded.fingerprint, todo = excluded.todo, \
        created_at = excluded.created_at, forget_at = excluded.forget_at \
    WHERE creations.forget_at <= excluded.created_at RETURNING todo";

const FIND_CREATION: &str = "\
    SELECT todo, created_at, fingerprint FROM creations \
    WHERE workspace = $1 AND created_by = $2 AND key = $3";

/// A few of those whose time is over: more than are remembered at a time, so that none piles up, and
/// not so many that it would take long.
const LIST_OVER: &str = "\
    SELECT created_by, key, todo FROM creations \
    WHERE workspace = $1 AND forget_at >= 0 AND forget_at <= $2 ORDER BY forget_at LIMIT 16";

/// The todo is named, too: another request of the same name may have taken its place.
const FORGET: &str = "\
    DELETE FROM creations WHERE workspace = $1 AND created_by = $2 AND key = $3 AND todo = $4 \
    RETURNING todo";
