//! Statements on the requests that are remembered.

/// Remembers a request, and replaces an expired one. No row if there is one that is not expired.
pub(super) const REMEMBER: &str = "\
    INSERT INTO creations (workspace, caller, key, fingerprint, todo, created_at, forget_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) \
    ON CONFLICT (workspace, caller, key) DO UPDATE \
    SET fingerprint = excluded.fingerprint, todo = excluded.todo, \
        created_at = excluded.created_at, forget_at = excluded.forget_at, \
        outcome = NULL \
    WHERE creations.forget_at <= excluded.created_at RETURNING todo";

/// Of a request that was remembered in the same transaction.
pub(super) const SET_OUTCOME: &str = "\
    UPDATE creations SET outcome = $4 WHERE workspace = $1 AND caller = $2 AND key = $3 RETURNING todo";

pub(super) const FIND_CREATION: &str = "\
    SELECT todo, created_at, fingerprint, outcome, forget_at FROM creations \
    WHERE workspace = $1 AND caller = $2 AND key = $3";

/// A few of the expired requests: more than are remembered at a time, so that they do not accumulate, and
/// not so many that it would take long. One that is being replaced at this moment is left to its writer,
/// which waits for the head of the workspace.
pub(super) const LIST_EXPIRED: &str = "\
    SELECT caller, key, todo FROM creations \
    WHERE workspace = $1 AND forget_at >= 0 AND forget_at <= $2 ORDER BY forget_at LIMIT 16 \
    FOR UPDATE SKIP LOCKED";

/// With the id of the todo: another request with the same key may have replaced this one.
pub(super) const FORGET: &str = "\
    DELETE FROM creations WHERE workspace = $1 AND caller = $2 AND key = $3 AND todo = $4 \
    RETURNING todo";
