//! The statements. Each seeks its rows in an index that begins with the workspace, and returns a row for
//! every row that it reads or writes.
//!
//! They use only what PostgreSQL, YugabyteDB and CockroachDB have in common, and Citus: except [`INSERT`] and
//! [`SAVE`], which are several statements there, as it inserts into no two tables at once.

use todo_application::domain::Order;
use todo_application::ports::Filter;

use super::row::{item_columns, select};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Query {
    Find,
    FindAll,
    Terms,
    IdsByTerm,
    List,
    ListOpen,
    ListDone,
    ListByDue,
    ListByPriority,
    ListByUpdate,
    ListOpenByDue,
    ListOpenByPriority,
    ListOpenByUpdate,
    ListDoneByDue,
    ListDoneByPriority,
    ListDoneByUpdate,
    Insert,
    InsertAll,
    Save,
    SaveItem,
    Remove,
    Exists,
    Load,
    AddTerm,
    RemoveTerms,
    AddToHead,
    AdmitToHead,
    Head,
    HeadsOf,
    Probe,
    Remember,
    FindCreation,
    ListExpired,
    Forget,
}

impl Query {
    pub(super) fn list_by(order: Order, filter: Filter) -> Self {
        match (order, filter.completed) {
            (Order::Due, None) => Self::ListByDue,
            (Order::Priority, None) => Self::ListByPriority,
            (Order::Updated, None) => Self::ListByUpdate,
            (Order::Due, Some(false)) => Self::ListOpenByDue,
            (Order::Priority, Some(false)) => Self::ListOpenByPriority,
            (Order::Updated, Some(false)) => Self::ListOpenByUpdate,
            (Order::Due, Some(true)) => Self::ListDoneByDue,
            (Order::Priority, Some(true)) => Self::ListDoneByPriority,
            (Order::Updated, Some(true)) => Self::ListDoneByUpdate,
        }
    }

    /// In the order of their discriminants.
    pub(super) const ALL: [Self; 34] = [
        Self::Find,
        Self::FindAll,
        Self::Terms,
        Self::IdsByTerm,
        Self::List,
        Self::ListOpen,
        Self::ListDone,
        Self::ListByDue,
        Self::ListByPriority,
        Self::ListByUpdate,
        Self::ListOpenByDue,
        Self::ListOpenByPriority,
        Self::ListOpenByUpdate,
        Self::ListDoneByDue,
        Self::ListDoneByPriority,
        Self::ListDoneByUpdate,
        Self::Insert,
        Self::InsertAll,
        Self::Save,
        Self::SaveItem,
        Self::Remove,
        Self::Exists,
        Self::Load,
        Self::AddTerm,
        Self::RemoveTerms,
        Self::AddToHead,
        Self::AdmitToHead,
        Self::Head,
        Self::HeadsOf,
        Self::Probe,
        Self::Remember,
        Self::FindCreation,
        Self::ListExpired,
        Self::Forget,
    ];

    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Find => FIND,
            Self::FindAll => FIND_ALL,
            Self::Terms => TERMS,
            Self::IdsByTerm => IDS_BY_TERM,
            Self::List => LIST,
            Self::ListOpen => LIST_OPEN,
            Self::ListDone => LIST_DONE,
            Self::ListByDue => LIST_BY_DUE,
            Self::ListByPriority => LIST_BY_PRIORITY,
            Self::ListByUpdate => LIST_BY_UPDATE,
            Self::ListOpenByDue => LIST_OPEN_BY_DUE,
            Self::ListOpenByPriority => LIST_OPEN_BY_PRIORITY,
            Self::ListOpenByUpdate => LIST_OPEN_BY_UPDATE,
            Self::ListDoneByDue => LIST_DONE_BY_DUE,
            Self::ListDoneByPriority => LIST_DONE_BY_PRIORITY,
            Self::ListDoneByUpdate => LIST_DONE_BY_UPDATE,
            Self::Insert => INSERT,
            Self::InsertAll => INSERT_ALL,
            Self::Save => SAVE,
            Self::SaveItem => SAVE_ITEM,
            Self::Remove => REMOVE,
            Self::Exists => EXISTS,
            Self::Load => LOAD,
            Self::AddTerm => ADD_TERM,
            Self::RemoveTerms => REMOVE_TERMS,
            Self::AddToHead => ADD_TO_HEAD,
            Self::AdmitToHead => ADMIT_TO_HEAD,
            Self::Head => HEAD,
            Self::HeadsOf => HEADS_OF,
            Self::Probe => PROBE,
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
            | Self::FindAll
            | Self::Terms
            | Self::IdsByTerm
            | Self::List
            | Self::ListOpen
            | Self::ListDone
            | Self::ListByDue
            | Self::ListByPriority
            | Self::ListByUpdate
            | Self::ListOpenByDue
            | Self::ListOpenByPriority
            | Self::ListOpenByUpdate
            | Self::ListDoneByDue
            | Self::ListDoneByPriority
            | Self::ListDoneByUpdate
            | Self::Exists
            | Self::Head
            | Self::HeadsOf
            | Self::FindCreation
            | Self::ListExpired => true,
            Self::Insert
            | Self::InsertAll
            | Self::Save
            | Self::SaveItem
            | Self::Remove
            | Self::Load
            | Self::AddTerm
            | Self::RemoveTerms
            | Self::AddToHead
            | Self::AdmitToHead
            | Self::Probe
            | Self::Remember
            | Self::Forget => false,
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

/// In any order. An index seek for each id: with `id = ANY($2)`, the plan for a short table reads all of it.
const FIND_ALL: &str = concat!(
    "SELECT todo.* FROM unnest($2::uuid[]) AS wanted (wanted_id) CROSS JOIN LATERAL (",
    select!("WHERE workspace = $1 AND id = wanted_id LIMIT 1"),
    ") AS todo"
);

/// The first `$4` terms from `$2` to `$3`: a seek for each, however many todos have it.
macro_rules! terms {
    ($rest:literal) => {
        concat!(
            "WITH RECURSIVE found (term) AS ( \
                (SELECT term FROM todo_terms WHERE workspace = $1 AND term >= $2 AND term <= $3 \
                 ORDER BY term LIMIT 1) \
                UNION ALL \
                SELECT (SELECT next.term FROM todo_terms AS next \
                        WHERE next.workspace = $1 AND next.term > found.term AND next.term <= $3 \
                        ORDER BY next.term LIMIT 1) \
                FROM found WHERE found.term IS NOT NULL), \
            terms AS MATERIALIZED (SELECT term FROM found WHERE term IS NOT NULL LIMIT $4) ",
            $rest
        )
    };
}

const TERMS: &str = terms!("SELECT term FROM terms");

/// With ids of each, beginning at `$5`: as many as `$6` says in the place of the number of terms. One statement,
/// so that a todo whose term changes within the range is found by the one or by the other.
const IDS_BY_TERM: &str = terms!(
    "SELECT terms.term, of_term.id FROM terms LEFT JOIN LATERAL ( \
         SELECT id FROM todo_terms \
         WHERE todo_terms.workspace = $1 AND todo_terms.term = terms.term AND todo_terms.id >= $5 \
         ORDER BY todo_terms.id \
         LIMIT (SELECT ($6::bigint[])[count(*)::integer] FROM terms)) AS of_term ON true"
);

/// Beginning at the id `$2`.
const LIST: &str = select!("WHERE workspace = $1 AND id >= $2 ORDER BY id LIMIT $3");

const LIST_OPEN: &str = select!("WHERE workspace = $1 AND open_id >= $2 ORDER BY open_id LIMIT $3");

const LIST_DONE: &str = select!("WHERE workspace = $1 AND done_id >= $2 ORDER BY done_id LIMIT $3");

/// After the number `$2` and the id `$3` in an order (`Order` in the domain). The expressions are those of the
/// indexes.
macro_rules! list_by {
    (open, $number:literal) => {
        list_by!(@ "IS NULL", $number)
    };
    (done, $number:literal) => {
        list_by!(@ "IS NOT NULL", $number)
    };
    // One statement, so that a todo that is completed meanwhile is among the ones or the others.
    (both, $number:literal) => {
        concat!(
            "SELECT * FROM (", list_by!(open, $number), ") AS open \
             UNION ALL SELECT * FROM (", list_by!(done, $number), ") AS done"
        )
    };
    (@ $done:literal, $number:literal) => {
        select!(
            "WHERE workspace = $1 AND completed_at ", $done,
            " AND (", $number, ", id) > ($2, $3) ORDER BY ", $number, ", id LIMIT $4"
        )
    };
}

macro_rules! by_due {
    ($todos:ident) => {
        list_by!($todos, "coalesce(due, 1000000000000000)")
    };
}

macro_rules! by_priority {
    ($todos:ident) => {
        list_by!($todos, "((3 - priority) * 10000000000000000 + coalesce(due, 1000000000000000))")
    };
}

macro_rules! by_update {
    ($todos:ident) => {
        list_by!($todos, "(- updated_at)")
    };
}

/// Open ones, then done ones, at most `$4` of each.
const LIST_BY_DUE: &str = by_due!(both);
const LIST_BY_PRIORITY: &str = by_priority!(both);
const LIST_BY_UPDATE: &str = by_update!(both);
const LIST_OPEN_BY_DUE: &str = by_due!(open);
const LIST_OPEN_BY_PRIORITY: &str = by_priority!(open);
const LIST_OPEN_BY_UPDATE: &str = by_update!(open);
const LIST_DONE_BY_DUE: &str = by_due!(done);
const LIST_DONE_BY_PRIORITY: &str = by_priority!(done);
const LIST_DONE_BY_UPDATE: &str = by_update!(done);

/// A row of `todo_items` with the values of `$1` to `$14`: what follows `INSERT INTO`.
macro_rules! item {
    ($before:literal, $after:literal) => {
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

/// Counts a todo in the head of its workspace, which may have as many todos and bytes then. No row if its id
/// is not after the last one, or if they would be more.
macro_rules! admit {
    ($values:literal, $todos:literal, $bytes:literal) => {
        concat!(
            "INSERT INTO todo_heads AS head (workspace, todos, text_bytes, last_change, last_id) ",
            $values,
            " ON CONFLICT (workspace) DO UPDATE ",
            "SET todos = head.todos + 1, text_bytes = head.text_bytes + excluded.text_bytes, ",
            "last_change = head.last_change + 1, ",
            "last_id = greatest(head.last_id, excluded.last_id) ",
            "WHERE (excluded.last_id > head.last_id) IS NOT FALSE ",
            "AND head.todos < ",
            $todos,
            " AND head.text_bytes + excluded.text_bytes <= ",
            $bytes,
            " RETURNING workspace"
        )
    };
}

/// Adds a todo with the terms `$19`, of `$15` bytes, whose [minted id](todo_application::domain::Todo::minted_id) is `$16`, to a
/// workspace that may have `$17` todos and `$18` bytes then. No row if its id is not after the last one, or
/// if they would be more. If the id or one of its terms is taken, the statement fails, so that it counts nothing.
const INSERT: &str = concat!(
    "WITH head AS (",
    admit!(
        "SELECT $1::bytea, 1, $15::bigint, 1, $16::uuid WHERE $15::bigint <= $18::bigint",
        "$17",
        "$18"
    ),
    "), terms AS (INSERT INTO todo_terms (workspace, term, id) \
                  SELECT $1::bytea, unnest($19::text[]), $2::uuid FROM head) \
    INSERT INTO ",
    item!("SELECT ", " FROM head RETURNING id"),
);

/// [`INSERT`] for todos of different workspaces, each in the same place of the arrays `$1` to `$16`, with its
/// terms in the lines of `$19`. Returns the workspaces that take theirs. Fails if a term of one is known, which
/// takes half the time of looking for it first.
const INSERT_ALL: &str = concat!(
    "WITH new AS (SELECT * FROM unnest(\
         $1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], \
         $8::bigint[], $9::text[], $10::bigint[], $11::text[], $12::bigint[], $13::text[], \
         $14::bigint[], $15::bigint[], $16::uuid[], $19::text[]) \
     AS new (workspace, id, title, description, completed_at, due, due_zone, priority, labels, \
             created_at, created_by, updated_at, updated_by, version, bytes, minted_id, terms)), \
     head AS (",
    admit!(
        "SELECT workspace, 1, bytes, 1, minted_id FROM new WHERE bytes <= $18::bigint",
        "$17",
        "$18"
    ),
    "), terms AS (INSERT INTO todo_terms (workspace, term, id) \
                  SELECT workspace, unnest(string_to_array(terms, E'\\n')), id \
                  FROM head JOIN new USING (workspace)) \
    INSERT INTO ",
    item_columns!(),
    " SELECT workspace, id, title, description, completed_at, due, due_zone, priority, labels, \
             created_at, created_by, updated_at, updated_by, version, \
             CASE WHEN completed_at IS NULL THEN id END, \
             CASE WHEN completed_at IS NOT NULL THEN id END \
    FROM head JOIN new USING (workspace) RETURNING workspace",
);

/// The first half of [`INSERT`], with the parameters `$15` to `$18` as `$2` to `$5`. That the todo alone has
/// no more than `$5` bytes is for the caller to check.
const ADMIT_TO_HEAD: &str = admit!("VALUES ($1, 1, $2, 1, $3)", "$4", "$5");

/// Adds a todo that was created elsewhere, without counting it and without its terms. No row if the id is taken.
const LOAD: &str = concat!(
    "INSERT INTO ",
    item!("VALUES (", ") ON CONFLICT (workspace, id) DO NOTHING RETURNING id"),
);

const ADD_TERM: &str = "\
    INSERT INTO todo_terms (workspace, term, id) VALUES ($1, $2, $3) \
    ON CONFLICT (workspace, term, id) DO NOTHING RETURNING id";

const REMOVE_TERMS: &str = "\
    DELETE FROM todo_terms USING unnest($2::text[]) AS gone (term) \
    WHERE todo_terms.workspace = $1 AND todo_terms.term = gone.term AND todo_terms.id = $3 \
    RETURNING todo_terms.id";

/// Counts `$2` todos that are loaded, of `$3` bytes, of whose minted ids `$4` is the greatest.
const ADD_TO_HEAD: &str = "\
    INSERT INTO todo_heads AS head (workspace, todos, text_bytes, last_change, last_id) \
    VALUES ($1, $2, $3, $2, $4) \
    ON CONFLICT (workspace) DO UPDATE \
    SET todos = head.todos + excluded.todos, text_bytes = head.text_bytes + excluded.text_bytes, \
        last_change = head.last_change + excluded.last_change, \
        last_id = greatest(head.last_id, excluded.last_id) \
    RETURNING workspace";

const HEAD: &str = "SELECT todos, text_bytes, last_id FROM todo_heads WHERE workspace = $1";

/// Which of several workspaces have a head.
const HEADS_OF: &str = "SELECT workspace FROM todo_heads WHERE workspace = ANY($1)";

/// A write to see whether writes are committed. The workspace `$1` is none.
const PROBE: &str = "\
    INSERT INTO todo_heads AS head (workspace, todos, text_bytes, last_change) VALUES ($1, 0, 0, 0) \
    ON CONFLICT (workspace) DO UPDATE SET last_change = head.last_change + 1 RETURNING workspace";

/// The new texts have `$16` bytes. No row if the version is another, or if the todo becomes longer and the
/// workspace would have more than `$17` bytes. The version is checked with the todo locked: a concurrent change is
/// waited for before anything is counted.
macro_rules! save {
    ($terms:literal) => {
        concat!(
            "WITH old AS ( \
                SELECT octet_length(title) + coalesce(octet_length(description), 0) \
                       + coalesce(octet_length(labels), 0) AS bytes \
                FROM todo_items WHERE workspace = $1 AND id = $2 AND version = $15 FOR UPDATE), \
            head AS ( \
                UPDATE todo_heads SET text_bytes = todo_heads.text_bytes + $16::bigint - old.bytes, \
                                      last_change = todo_heads.last_change + 1 \
                FROM old WHERE todo_heads.workspace = $1 \
                  AND ($16::bigint <= old.bytes \
                       OR todo_heads.text_bytes + $16::bigint - old.bytes <= $17) \
                RETURNING todo_heads.workspace) ",
            $terms,
            "UPDATE todo_items SET title = $3, description = $4, completed_at = $5, due = $6, \
                                   due_zone = $7, priority = $8, labels = $9, created_at = $10, \
                                   created_by = $11, updated_at = $12, updated_by = $13, \
                                   version = $14, \
                                   open_id = CASE WHEN $5::bigint IS NULL THEN $2::uuid END, \
                                   done_id = CASE WHEN $5::bigint IS NOT NULL THEN $2::uuid END \
             FROM head \
             WHERE todo_items.workspace = $1 AND todo_items.id = $2 AND todo_items.version = $15 \
             RETURNING todo_items.id"
        )
    };
}

/// Also takes the terms `$18` from the todo and gives it the terms `$19`.
const SAVE: &str = save!(
    ", removed AS ( \
        DELETE FROM todo_terms USING head, unnest($18::text[]) AS gone (term) \
        WHERE todo_terms.workspace = $1 AND todo_terms.term = gone.term \
          AND todo_terms.id = $2), \
    added AS ( \
        INSERT INTO todo_terms (workspace, term, id) \
        SELECT $1::bytea, unnest($19::text[]), $2::uuid FROM head \
        ON CONFLICT (workspace, term, id) DO NOTHING) "
);

const SAVE_ITEM: &str = save!("");

/// With its terms `$4`.
const REMOVE: &str = "\
    WITH removed AS ( \
        DELETE FROM todo_items WHERE workspace = $1 AND id = $2 AND version = $3 \
        RETURNING id, octet_length(title) + coalesce(octet_length(description), 0) \
                      + coalesce(octet_length(labels), 0) AS bytes), \
    head AS ( \
        UPDATE todo_heads SET todos = todo_heads.todos - 1, \
                              text_bytes = todo_heads.text_bytes - removed.bytes, \
                              last_change = todo_heads.last_change + 1 \
        FROM removed WHERE todo_heads.workspace = $1), \
    terms AS ( \
        DELETE FROM todo_terms USING removed, unnest($4::text[]) AS gone (term) \
        WHERE todo_terms.workspace = $1 AND todo_terms.term = gone.term \
          AND todo_terms.id = $2) \
    SELECT id FROM removed";

/// Whether a todo exists, as the number of rows. Also the query of the health check while writes succeed.
const EXISTS: &str = "SELECT id FROM todo_items WHERE workspace = $1 AND id = $2";

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
/// not so many that it would take long. One that is being replaced at this moment is left to its writer,
/// which waits for the head of the workspace.
const LIST_EXPIRED: &str = "\
    SELECT caller, key, todo FROM creations \
    WHERE workspace = $1 AND forget_at >= 0 AND forget_at <= $2 ORDER BY forget_at LIMIT 16 \
    FOR UPDATE SKIP LOCKED";

/// With the id of the todo: another request with the same key may have replaced this one.
const FORGET: &str = "\
    DELETE FROM creations WHERE workspace = $1 AND caller = $2 AND key = $3 AND todo = $4 \
    RETURNING todo";
