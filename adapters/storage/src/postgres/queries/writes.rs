//! Statements that write todos, their terms, their changes, and the heads of their workspaces.
//!
//! A change is remembered if it has bytes; otherwise the head says that it is forgotten.

use super::super::row::{change_columns, item_columns};

/// A row of `todo_items` with the values of `$1` to `$14`: what follows `INSERT INTO`.
macro_rules! item {
    ($before:literal, $after:expr) => {
        concat!(
            item_columns!(),
            " ",
            $before,
            "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, ",
            "CASE WHEN $5::bigint IS NULL THEN $2::uuid END, ",
            "CASE WHEN $5::bigint IS NOT NULL THEN $2::uuid END",
            $after,
        )
    };
}
pub(super) use item;

/// The arrays `$1` to `$14` with the columns of todos, and their names; further ones in between.
macro_rules! new_items {
    ($arrays:literal, $names:literal) => {
        concat!(
            "unnest($1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], \
             $7::text[], $8::bigint[], $9::text[], $10::bigint[], $11::text[], $12::bigint[], \
             $13::text[], $14::bigint[]",
            $arrays,
            ") AS new (workspace, id, title, description, completed_at, due, due_zone, priority, \
             labels, created_at, created_by, updated_at, updated_by, version",
            $names,
            ")"
        )
    };
}
pub(super) use new_items;

/// The rows of `new_items` as rows of `todo_items`: what follows `INSERT INTO`.
macro_rules! items_of {
    ($from:expr) => {
        concat!(
            item_columns!(),
            " SELECT workspace, id, title, description, completed_at, due, due_zone, priority, labels, \
             created_at, created_by, updated_at, updated_by, version, \
             CASE WHEN completed_at IS NULL THEN id END, \
             CASE WHEN completed_at IS NOT NULL THEN id END FROM ",
            $from
        )
    };
}
pub(super) use items_of;

/// Counts a todo in the head of its workspace, which may have as many todos and bytes then. No row if its id
/// is not after the last one, or if they would be more.
macro_rules! admit {
    ($values:literal, $todos:literal, $bytes:literal) => {
        concat!(
            "INSERT INTO todo_heads AS head (workspace, todos, todo_bytes, last_number, last_id, \
                                             forgotten, history_bytes) ",
            $values,
            " ON CONFLICT (workspace) DO UPDATE ",
            "SET todos = head.todos + 1, todo_bytes = head.todo_bytes + excluded.todo_bytes, ",
            "last_number = head.last_number + 1, ",
            "last_id = greatest(head.last_id, excluded.last_id), ",
            "forgotten = CASE WHEN excluded.forgotten > 0 THEN head.last_number + 1 \
                              ELSE head.forgotten END, ",
            "history_bytes = head.history_bytes + excluded.history_bytes ",
            "WHERE (excluded.last_id > head.last_id) IS NOT FALSE ",
            "AND head.todos + head.deleted < ",
            $todos,
            " AND head.todo_bytes + head.history_bytes \
                  + excluded.todo_bytes + excluded.history_bytes <= ",
            $bytes,
            " RETURNING workspace, last_number"
        )
    };
}

/// Adds a todo with the terms `$19`, of `$15` bytes, whose [minted id](todo_application::domain::Todo::minted_id) is `$16`, to a
/// workspace that may have `$17` todos and `$18` bytes then. No row if its id is not after the last one, or
/// if they would be more. If the id or one of its terms is taken, the statement fails, so that it counts nothing.
///
/// Its change has `$20` bytes, the author `$21` to `$23`, and `$24` in place of nothing. Returns its number.
pub(super) const INSERT: &str = concat!(
    "WITH head AS (",
    admit!(
        "SELECT $1::bytea, 1, $15::bigint, 1, $16::uuid, \
                CASE WHEN $20::bigint IS NULL THEN 1 ELSE 0 END, coalesce($20::bigint, 0) \
         WHERE $15::bigint + coalesce($20::bigint, 0) <= $18::bigint",
        "$17",
        "$18"
    ),
    "), terms AS (INSERT INTO todo_terms (workspace, term, id) \
                  SELECT $1::bytea, unnest($19::text[]), $2::uuid FROM head), \
    change AS (INSERT INTO ",
    change_columns!(),
    "   SELECT $1::bytea, head.last_number, $12::bigint, 1, $2::uuid, $3::text, $14::bigint, \
               $21::text, $22::text, $23::text, NULL, $24::text, $20::bigint \
        FROM head WHERE $20::bigint IS NOT NULL), \
    item AS (INSERT INTO ",
    item!("SELECT ", " FROM head"),
    ") SELECT last_number FROM head",
);

/// [`INSERT`] for todos of different workspaces, each in the same place of the arrays `$1` to `$16` and `$20` to
/// `$24`, with its terms in the lines of `$19`. Returns the workspaces that take theirs, and the numbers. Fails if a term of one
/// is known, which takes half the time of looking for it first.
pub(super) const INSERT_ALL: &str = concat!(
    "WITH new AS (SELECT * FROM ",
    new_items!(
        ", $15::bigint[], $16::uuid[], $19::text[], $20::bigint[], $21::text[], $22::text[], \
         $23::text[], $24::text[]",
        ", bytes, minted_id, terms, change_bytes, subject, organization, client, after"
    ),
    "), head AS (",
    admit!(
        "SELECT workspace, 1, bytes, 1, minted_id, \
                CASE WHEN change_bytes IS NULL THEN 1 ELSE 0 END, coalesce(change_bytes, 0) \
         FROM new WHERE bytes + coalesce(change_bytes, 0) <= $18::bigint",
        "$17",
        "$18"
    ),
    "), taken AS MATERIALIZED (SELECT new.*, head.last_number FROM head JOIN new USING (workspace)), \
    terms AS (INSERT INTO todo_terms (workspace, term, id) \
              SELECT workspace, unnest(string_to_array(terms, E'\\n')), id FROM taken), \
    change AS (INSERT INTO ",
    change_columns!(),
    "   SELECT workspace, last_number, updated_at, 1, id, title, version, subject, organization, client, \
               NULL, after, change_bytes \
        FROM taken WHERE change_bytes IS NOT NULL), \
    item AS (INSERT INTO ",
    items_of!("taken"),
    ") SELECT last_number, workspace FROM taken",
);

/// The first part of [`INSERT`], with the parameters `$15` to `$18` as `$2` to `$5`, and `$20` as `$6`. That the
/// todo and its change alone have no more than `$5` bytes is for the caller to check.
pub(super) const ADMIT_TO_HEAD: &str = admit!(
    "VALUES ($1, 1, $2, 1, $3, CASE WHEN $6::bigint IS NULL THEN 1 ELSE 0 END, \
             coalesce($6::bigint, 0))",
    "$4",
    "$5"
);

/// Adds a todo that was created elsewhere, without counting it and without its terms. No row if the id is taken.
pub(super) const LOAD: &str = concat!(
    "INSERT INTO ",
    item!("VALUES (", ") ON CONFLICT (workspace, id) DO NOTHING RETURNING id"),
);

pub(super) const ADD_TERM: &str = "\
    INSERT INTO todo_terms (workspace, term, id) VALUES ($1, $2, $3) \
    ON CONFLICT (workspace, term, id) DO NOTHING RETURNING id";

/// One at a time: with several, the plan for a short table reads all terms of the workspace.
pub(super) const REMOVE_TERM: &str =
    "DELETE FROM todo_terms WHERE workspace = $1 AND term = $2 AND id = $3 RETURNING id";

/// Counts `$2` todos that are loaded, of `$3` bytes, of whose minted ids `$4` is the greatest, and of whose changes
/// `$5` are forgotten and the others have `$6` bytes. Returns the number of the last change.
pub(super) const ADD_TO_HEAD: &str = "\
    INSERT INTO todo_heads AS head (workspace, todos, todo_bytes, last_number, last_id, \
                                    forgotten, history_bytes) \
    VALUES ($1, $2, $3, $2, $4, $5, $6) \
    ON CONFLICT (workspace) DO UPDATE \
    SET todos = head.todos + excluded.todos, todo_bytes = head.todo_bytes + excluded.todo_bytes, \
        last_number = head.last_number + excluded.last_number, \
        last_id = greatest(head.last_id, excluded.last_id), \
        forgotten = CASE WHEN excluded.forgotten > 0 THEN head.last_number + excluded.last_number \
                         ELSE head.forgotten END, \
        history_bytes = head.history_bytes + excluded.history_bytes \
    RETURNING last_number";

/// A write to see whether writes are committed. The workspace `$1` is none.
pub(super) const PROBE: &str = "\
    INSERT INTO todo_heads AS head (workspace, todos, todo_bytes, last_number) VALUES ($1, 0, 0, 0) \
    ON CONFLICT (workspace) DO UPDATE SET last_number = head.last_number + 1 RETURNING workspace";

/// The new texts have `$16` bytes, and the change `$18`. No row if the version is another, or if the workspace
/// would have more than `$17` bytes and the todo becomes longer, or more than `$19`. The version is checked with
/// the todo locked: a concurrent change is waited for before anything is counted.
macro_rules! save {
    ($also:expr, $returning:literal) => {
        concat!(
            "WITH old AS ( \
                SELECT octet_length(title) + coalesce(octet_length(description), 0) \
                       + coalesce(octet_length(labels), 0) AS bytes \
                FROM todo_items WHERE workspace = $1 AND id = $2 AND version = $15 FOR UPDATE), \
            head AS ( \
                UPDATE todo_heads SET todo_bytes = todo_heads.todo_bytes + $16::bigint - old.bytes, \
                                      last_number = todo_heads.last_number + 1, \
                                      forgotten = CASE WHEN $18::bigint IS NULL \
                                                       THEN todo_heads.last_number + 1 \
                                                       ELSE todo_heads.forgotten END, \
                                      history_bytes = todo_heads.history_bytes \
                                                      + coalesce($18::bigint, 0) \
                FROM old WHERE todo_heads.workspace = $1 \
                  AND todo_heads.todo_bytes + todo_heads.history_bytes + $16::bigint - old.bytes \
                      + coalesce($18::bigint, 0) \
                      <= CASE WHEN $16::bigint > old.bytes THEN $17::bigint ELSE $19::bigint END \
                RETURNING todo_heads.last_number) ",
            $also,
            "UPDATE todo_items SET title = $3, description = $4, completed_at = $5, due = $6, \
                                   due_zone = $7, priority = $8, labels = $9, created_at = $10, \
                                   created_by = $11, updated_at = $12, updated_by = $13, \
                                   version = $14, \
                                   open_id = CASE WHEN $5::bigint IS NULL THEN $2::uuid END, \
                                   done_id = CASE WHEN $5::bigint IS NOT NULL THEN $2::uuid END \
             FROM head \
             WHERE todo_items.workspace = $1 AND todo_items.id = $2 AND todo_items.version = $15 \
             RETURNING ",
            $returning
        )
    };
}

/// Also takes the terms `$20` from the todo and gives it the terms `$21`. Its change has the author `$22` to `$24`,
/// and `$26` in place of `$25`. Returns its number.
pub(super) const SAVE: &str = save!(
    concat!(
        ", removed AS ( \
            DELETE FROM todo_terms USING head, unnest($20::text[]) AS gone (term) \
            WHERE todo_terms.workspace = $1 AND todo_terms.term = gone.term \
              AND todo_terms.id = $2), \
        added AS ( \
            INSERT INTO todo_terms (workspace, term, id) \
            SELECT $1::bytea, unnest($21::text[]), $2::uuid FROM head \
            ON CONFLICT (workspace, term, id) DO NOTHING), \
        change AS (INSERT INTO ",
        change_columns!(),
        "   SELECT $1::bytea, head.last_number, $12::bigint, 2, $2::uuid, $3::text, $14::bigint, \
                   $22::text, $23::text, $24::text, $25::text, $26::text, $18::bigint \
            FROM head WHERE $18::bigint IS NOT NULL) "
    ),
    "head.last_number"
);

/// Returns the number of its change.
pub(super) const SAVE_ITEM: &str = save!("", "head.last_number");

/// With its terms `$4`. Its change has `$5` bytes.
macro_rules! remove {
    ($rest:expr) => {
        concat!(
            "WITH removed AS ( \
                DELETE FROM todo_items WHERE workspace = $1 AND id = $2 AND version = $3 \
                RETURNING id, title, version, \
                          octet_length(title) + coalesce(octet_length(description), 0) \
                          + coalesce(octet_length(labels), 0) AS bytes), \
            head AS ( \
                UPDATE todo_heads SET todos = todo_heads.todos - 1, \
                                      todo_bytes = todo_heads.todo_bytes - removed.bytes, \
                                      last_number = todo_heads.last_number + 1, \
                                      forgotten = CASE WHEN $5::bigint IS NULL \
                                                       THEN todo_heads.last_number + 1 \
                                                       ELSE todo_heads.forgotten END, \
                                      deleted = todo_heads.deleted \
                                                + CASE WHEN $5::bigint IS NULL THEN 0 ELSE 1 END, \
                                      history_bytes = todo_heads.history_bytes \
                                                      + coalesce($5::bigint, 0) \
                FROM removed WHERE todo_heads.workspace = $1 \
                RETURNING todo_heads.last_number), \
            terms AS ( \
                DELETE FROM todo_terms USING removed, unnest($4::text[]) AS gone (term) \
                WHERE todo_terms.workspace = $1 AND todo_terms.term = gone.term \
                  AND todo_terms.id = $2)",
            $rest
        )
    };
}

/// Its change has the author `$6` to `$8`, nothing in place of `$9`, and is made at `$10`. Returns its number.
pub(super) const REMOVE: &str = remove!(concat!(
    ", change AS (INSERT INTO ",
    change_columns!(),
    "   SELECT $1::bytea, head.last_number, $10::bigint, 3, removed.id, removed.title, removed.version, \
               $6::text, $7::text, $8::text, $9::text, NULL, $5::bigint \
        FROM head, removed WHERE $5::bigint IS NOT NULL) \
    SELECT last_number FROM head"
));

/// Returns the number of its change.
pub(super) const REMOVE_ITEM: &str = remove!(" SELECT last_number FROM head");
