//! Statements of writes that are made together, in a transaction that has locked the head of their workspace.

use super::super::row::{head_columns, item_columns};
use super::writes::{item, items_of, new_items};

/// Locks those of the todos `$2` that exist, one after the other.
pub(super) const LOCK_ALL: &str = "\
    SELECT todo.id FROM unnest($2::uuid[]) AS wanted (wanted_id) CROSS JOIN LATERAL ( \
        SELECT id FROM todo_items WHERE workspace = $1 AND id = wanted_id LIMIT 1 FOR UPDATE) AS todo";

/// Locks the head of a workspace, which is made if there is none.
pub(super) const LOCK_HEAD: &str = concat!(
    "INSERT INTO todo_heads AS head (workspace, todos, todo_bytes, last_number) \
     VALUES ($1, 0, 0, 0) \
     ON CONFLICT (workspace) DO UPDATE SET last_number = head.last_number RETURNING ",
    head_columns!()
);

pub(super) const SET_HEAD: &str = "\
    UPDATE todo_heads SET todos = $2, todo_bytes = $3, last_id = $4, last_number = $5, \
                          forgotten = $6, deleted = $7, history_bytes = $8 \
    WHERE workspace = $1 RETURNING workspace";

/// Locks the heads that exist of several workspaces, in the order of their keys.
pub(super) const LOCK_HEADS_OF: &str = concat!(
    "SELECT ",
    head_columns!(),
    ", workspace FROM todo_heads WHERE workspace = ANY($1) ORDER BY workspace FOR UPDATE"
);

/// [`SET_HEAD`] for several workspaces, whose keys are `$1`. These are compared twice, as Citus looks for the shard
/// only outside of the join.
pub(super) const SET_HEADS: &str = "\
    UPDATE todo_heads SET todos = new.todos, todo_bytes = new.todo_bytes, last_id = new.last_id, \
                          last_number = new.last_number, forgotten = new.forgotten, \
                          deleted = new.deleted, history_bytes = new.history_bytes \
    FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::uuid[], $5::bigint[], $6::bigint[], \
                $7::bigint[], $8::bigint[]) \
         AS new (workspace, todos, todo_bytes, last_id, last_number, forgotten, deleted, history_bytes) \
    WHERE todo_heads.workspace = ANY($1) AND todo_heads.workspace = new.workspace \
    RETURNING todo_heads.workspace";

/// What follows `INSERT INTO`, to replace a todo that exists.
macro_rules! or_replace {
    ($items:expr) => {
        concat!(
            "INSERT INTO ",
            $items,
            " ON CONFLICT (workspace, id) DO UPDATE \
             SET title = excluded.title, description = excluded.description, \
                 completed_at = excluded.completed_at, due = excluded.due, \
                 due_zone = excluded.due_zone, priority = excluded.priority, \
                 labels = excluded.labels, created_at = excluded.created_at, \
                 created_by = excluded.created_by, updated_at = excluded.updated_at, \
                 updated_by = excluded.updated_by, version = excluded.version, \
                 open_id = excluded.open_id, done_id = excluded.done_id \
             RETURNING id"
        )
    };
}

/// Adds or replaces a todo, without its terms.
pub(super) const PUT_ITEM: &str = or_replace!(item!("VALUES (", ")"));

/// [`PUT_ITEM`] for each place of the arrays `$1` to `$14`.
pub(super) const PUT_ITEMS: &str = or_replace!(items_of!(new_items!("", "")));

/// Removes a todo without its terms.
pub(super) const DROP_ITEM: &str =
    "DELETE FROM todo_items WHERE workspace = $1 AND id = $2 RETURNING id";

/// Gives each todo of `$3` the term in the same place of `$2`.
pub(super) const ADD_TERMS: &str = "\
    INSERT INTO todo_terms (workspace, term, id) \
    SELECT $1::bytea, new.term, new.id FROM unnest($2::text[], $3::uuid[]) AS new (term, id) \
    ON CONFLICT (workspace, term, id) DO NOTHING RETURNING id";
