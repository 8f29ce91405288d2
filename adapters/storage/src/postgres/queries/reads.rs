//! Statements that read todos and their terms.

use super::super::row::{head_columns, select};

pub(super) const FIND: &str = select!("WHERE workspace = $1 AND id = $2");

/// In any order. An index seek for each id: with `id = ANY($2)`, the plan for a short table reads all of it.
pub(super) const FIND_ALL: &str = concat!(
    "SELECT todo.* FROM unnest($2::uuid[]) AS wanted (wanted_id) CROSS JOIN LATERAL (",
    select!("WHERE workspace = $1 AND id = wanted_id LIMIT 1"),
    ") AS todo"
);

/// The terms of the ranges from each of `$2` to that of `$3`, a seek for each, however many todos have it, and then those
/// that `$known` selects: the first `$4`.
macro_rules! terms {
    ($known:literal, $rest:literal) => {
        concat!(
            "WITH RECURSIVE found (term, last) AS ( \
                SELECT (SELECT term FROM todo_terms \
                        WHERE workspace = $1 AND term >= first AND term <= range.last \
                        ORDER BY term LIMIT 1), range.last \
                FROM unnest($2::text[], $3::text[]) AS range (first, last) \
                UNION ALL \
                SELECT (SELECT next.term FROM todo_terms AS next \
                        WHERE next.workspace = $1 AND next.term > found.term AND next.term <= found.last \
                        ORDER BY next.term LIMIT 1), found.last \
                FROM found WHERE found.term < found.last), \
            terms AS MATERIALIZED (SELECT term FROM found WHERE term IS NOT NULL ", $known, " LIMIT $4)",
            $rest
        )
    };
}

pub(super) const TERMS: &str = terms!("", " SELECT term FROM terms");

/// For each of the terms `$2`, at most `$4` ids from `$3` on, in order.
pub(super) const IDS_OF_TERMS: &str = "SELECT ARRAY( \
         SELECT id FROM todo_terms WHERE workspace = $1 AND todo_terms.term = chosen.term AND id >= $3 \
         ORDER BY id LIMIT $4) \
     FROM unnest($2::text[]) AS chosen (term)";

/// For each term, among them those of `$8` whether any todo has them or not, at most `$6` ids from `$5` on, in order:
/// among them are the first `$6` of all. In the first row also how many terms there are. One statement, so that a todo
/// whose term changes within the ranges is found by the one or by the other.
///
/// A search in an index reads all that matches on a page that it comes to, unless it is told where to end. So of two
/// terms `$6` ids are read, and where one has as many, nothing of the others beyond the last of them: first `$7` of
/// each, a number for each number of terms. The `$6`th of the first `$7` of all terms is then as good a bound, and the
/// rest of the others is read up to the nearer one. Not with slices of arrays, which CockroachDB does not have.
pub(super) const IDS_BY_TERM: &str = terms!(
    "UNION ALL SELECT unnest($8::text[])",
    ", counted AS MATERIALIZED ( \
         SELECT count(*) AS terms, coalesce(($7::bigint[])[count(*)::integer], 0) AS share FROM terms), \
     two AS MATERIALIZED ( \
         SELECT terms, share, ARRAY( \
             SELECT id FROM todo_terms \
             WHERE todo_terms.workspace = $1 AND todo_terms.term = chosen.term AND todo_terms.id >= $5 \
             ORDER BY todo_terms.id LIMIT (SELECT $6::bigint * least(share, 1) FROM counted)) AS ids \
         FROM counted CROSS JOIN (SELECT term FROM terms LIMIT 2) AS chosen), \
     enough AS MATERIALIZED ( \
         SELECT share, coalesce(ids[$6], 'ffffffff-ffff-ffff-ffff-ffffffffffff') AS id FROM two ORDER BY ids[$6] LIMIT 1), \
     others AS MATERIALIZED ( \
         SELECT chosen.term, share, ARRAY( \
             SELECT id FROM todo_terms \
             WHERE todo_terms.workspace = $1 AND todo_terms.term = chosen.term AND todo_terms.id >= $5 \
               AND todo_terms.id <= enough.id \
             ORDER BY todo_terms.id LIMIT (SELECT share FROM counted)) AS ids \
         FROM enough CROSS JOIN (SELECT term FROM terms OFFSET 2) AS chosen), \
     needed AS MATERIALIZED ( \
         SELECT least( \
             (SELECT found.id \
              FROM (SELECT ids[place] AS id FROM two CROSS JOIN LATERAL generate_series(1, share) AS place \
                    UNION ALL SELECT unnest(ids) FROM others) AS found \
              ORDER BY found.id OFFSET $6::bigint - 1 LIMIT 1), \
             enough.id) AS id FROM enough) \
     SELECT ids, terms FROM two \
     UNION ALL SELECT others.ids || ARRAY( \
         SELECT id FROM todo_terms \
         WHERE todo_terms.workspace = $1 AND todo_terms.term = others.term \
           AND others.ids[share] < (SELECT id FROM needed) \
           AND todo_terms.id > others.ids[share] AND todo_terms.id <= (SELECT id FROM needed) \
         ORDER BY todo_terms.id LIMIT $6::bigint - (SELECT share FROM counted)), NULL FROM others"
);

/// Beginning at the id `$2`.
pub(super) const LIST: &str = select!("WHERE workspace = $1 AND id >= $2 ORDER BY id LIMIT $3");

pub(super) const LIST_OPEN: &str =
    select!("WHERE workspace = $1 AND open_id >= $2 ORDER BY open_id LIMIT $3");

pub(super) const LIST_DONE: &str =
    select!("WHERE workspace = $1 AND done_id >= $2 ORDER BY done_id LIMIT $3");

/// After the number `$2` and the id `$3` in an order (`Order` in the domain). The expressions are those of the
/// indexes.
macro_rules! list_by {
    // Merged as they are read, each with an end of its own: without that, version 15 reads and sorts all of both.
    // One statement, so that a todo that is completed meanwhile is among the ones or the others.
    (both, $number:literal) => {
        concat!(
            "SELECT ", select!(columns), " FROM ((",
            select!(number $number, list_by!(rest open, $number)), ") UNION ALL (",
            select!(number $number, list_by!(rest done, $number)),
            ")) AS todo ORDER BY number, id LIMIT $4"
        )
    };
    ($todos:ident, $number:literal) => {
        select!(list_by!(rest $todos, $number))
    };
    (rest open, $number:literal) => {
        list_by!(rest "IS NULL", $number)
    };
    (rest done, $number:literal) => {
        list_by!(rest "IS NOT NULL", $number)
    };
    (rest $done:literal, $number:literal) => {
        concat!(
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

pub(super) const LIST_BY_DUE: &str = by_due!(both);
pub(super) const LIST_BY_PRIORITY: &str = by_priority!(both);
pub(super) const LIST_BY_UPDATE: &str = by_update!(both);
pub(super) const LIST_OPEN_BY_DUE: &str = by_due!(open);
pub(super) const LIST_OPEN_BY_PRIORITY: &str = by_priority!(open);
pub(super) const LIST_OPEN_BY_UPDATE: &str = by_update!(open);
pub(super) const LIST_DONE_BY_DUE: &str = by_due!(done);
pub(super) const LIST_DONE_BY_PRIORITY: &str = by_priority!(done);
pub(super) const LIST_DONE_BY_UPDATE: &str = by_update!(done);

pub(super) const HEAD: &str =
    concat!("SELECT ", head_columns!(), " FROM todo_heads WHERE workspace = $1");

/// Whether a todo exists, as the number of rows. Also the query of the health check while writes succeed.
pub(super) const EXISTS: &str = "SELECT id FROM todo_items WHERE workspace = $1 AND id = $2";

/// Which of several workspaces have a head.
pub(super) const HEADS_OF: &str = "SELECT workspace FROM todo_heads WHERE workspace = ANY($1)";
