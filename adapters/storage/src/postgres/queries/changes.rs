//! Statements on the changes that are remembered.

use super::super::row::change_columns;

/// With all its columns but `undone_by` as `$1` to `$15`.
pub(super) const ADD_CHANGE: &str = concat!(
    "INSERT INTO ",
    change_columns!(all),
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING number"
);

/// [`ADD_CHANGE`] for each place of the arrays `$2` to `$15`.
pub(super) const ADD_CHANGES: &str = concat!(
    "INSERT INTO ",
    change_columns!(all),
    " SELECT $1::bytea, new.* FROM unnest(\
         $2::bigint[], $3::bigint[], $4::bigint[], $5::uuid[], $6::text[], $7::bigint[], $8::text[], \
         $9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[], \
         $15::bigint[]) AS new RETURNING number"
);

pub(super) const MARK_UNDONE: &str = "\
    UPDATE todo_changes SET undone_by = $3 WHERE workspace = $1 AND number = $2 RETURNING number";

macro_rules! select {
    ($($rest:tt)+) => {
        concat!(
            "SELECT number, at, action, todo, title, version, subject, organization, client, before, \
             after, batch, undoes, undone_by FROM todo_changes WHERE workspace = $1 AND ",
            $($rest)+
        )
    };
}

/// Those with the numbers `$2`, in any order.
pub(super) const FIND_CHANGES: &str = concat!(
    "SELECT change.* FROM unnest($2::bigint[]) AS wanted (wanted_number) CROSS JOIN LATERAL (",
    select!("number = wanted_number LIMIT 1"),
    ") AS change"
);

/// At most `$3` changes, beside what the head says of all at the same moment. A row without a change, if there
/// is none. `$2` is a number, or a negated one, see the index.
macro_rules! changes {
    ($($which:tt)+) => {
        concat!(
            "SELECT change.*, todo_heads.last_number, todo_heads.forgotten FROM todo_heads \
             LEFT JOIN LATERAL (",
            select!($($which)+ " LIMIT $3"),
            ") AS change ON true WHERE todo_heads.workspace = $1"
        )
    };
}

pub(super) const CHANGES_BACK: &str = changes!("number < $2 ORDER BY number DESC",);

pub(super) const CHANGES_ON: &str = changes!("number > $2 ORDER BY number",);

// Negated, so that the primary key cannot serve the order: no planner, whatever it guesses, reads all changes
// to find some.
macro_rules! negated {
    (back, $which:literal) => {
        changes!($which, " AND (- number) > $2 ORDER BY (- number)",)
    };
    (on, $which:literal) => {
        changes!($which, " AND (- number) < $2 ORDER BY (- number) DESC",)
    };
}

/// Of the todo `$4`.
pub(super) const CHANGES_OF_TODO_BACK: &str = negated!(back, "todo = $4 AND number > 0");
pub(super) const CHANGES_OF_TODO_ON: &str = negated!(on, "todo = $4 AND number > 0");

pub(super) const DELETIONS_BACK: &str = negated!(back, "action = 3");
pub(super) const DELETIONS_ON: &str = negated!(on, "action = 3");

/// Among the changes of the todo, not among all deletions: the sum keeps the planner from the index of those.
pub(super) const DELETIONS_OF_TODO_BACK: &str =
    negated!(back, "todo = $4 AND number > 0 AND action + 0 = 3");
pub(super) const DELETIONS_OF_TODO_ON: &str =
    negated!(on, "todo = $4 AND number > 0 AND action + 0 = 3");

/// The heads of some workspaces after `$1`, and whether changes of them are remembered.
pub(super) const LIST_HEADS: &str = "\
    SELECT workspace, history_bytes > 0 FROM todo_heads \
    WHERE workspace > $1 ORDER BY workspace LIMIT 500";

pub(super) const OLDEST_CHANGES: &str = "\
    SELECT number, at FROM todo_changes WHERE workspace = $1 ORDER BY number LIMIT $2";

/// Removes the changes until the number `$2`, of a workspace whose head is locked. Returns how many.
pub(super) const FORGET_CHANGES: &str = "\
    WITH gone AS ( \
        DELETE FROM todo_changes WHERE workspace = $1 AND number <= $2 \
        RETURNING bytes, action, undone_by), \
    total AS ( \
        SELECT count(*) AS changes, coalesce(sum(bytes), 0)::bigint AS bytes, \
               count(*) FILTER (WHERE action = 3 AND undone_by IS NULL) AS deletions FROM gone) \
    UPDATE todo_heads SET forgotten = greatest(todo_heads.forgotten, $2), \
                          history_bytes = greatest(todo_heads.history_bytes - total.bytes, 0), \
                          deleted = greatest(todo_heads.deleted - total.deletions, 0) \
    FROM total WHERE todo_heads.workspace = $1 RETURNING total.changes";
