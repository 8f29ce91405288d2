//! Statements that merge the ids of terms as they are read: a search in the index for each, and hardly an id more than
//! the page needs. A term more is a part of the statement more, so there is one for each of a few sizes.

/// The first `$3` ids from `$2` on, of the terms `$6` and the following, which may be null, and of the last two terms that
/// the range from `$4` to `$5` has. If it has more, nothing but a row without an id.
///
/// A search in an index reads all that matches on a page that it comes to, unless it is told where to end. That is where
/// the ids would end if all were of the first term, so this should be one that many todos have.
macro_rules! merged {
    (last $before:literal) => {
        concat!(
            "(SELECT term FROM todo_terms WHERE workspace = $1 AND term >= $4 AND term ",
            $before, " ORDER BY term DESC LIMIT 1)"
        )
    };
    (of $term:literal) => {
        concat!(
            "(SELECT id FROM todo_terms WHERE workspace = $1 AND term = ", $term,
            " AND id >= $2 AND id <= bound.id ORDER BY id LIMIT $3)"
        )
    };
    ($($term:literal)+) => {
        concat!(
            "WITH latest AS MATERIALIZED (SELECT ", merged!(last "<= $5"), " AS one), ",
            "second AS MATERIALIZED (SELECT one, ", merged!(last "< one"), " AS two FROM latest), ",
            "found AS MATERIALIZED (SELECT one, two, ", merged!(last "< two"), " AS three FROM second), ",
            "bound AS MATERIALIZED ( \
                SELECT coalesce( \
                    (SELECT id FROM todo_terms WHERE workspace = $1 AND term = $6 AND id >= $2 \
                     ORDER BY id OFFSET $3::bigint - 1 LIMIT 1), \
                    'ffffffff-ffff-ffff-ffff-ffffffffffff') AS id) \
             SELECT merged.id FROM (SELECT one, two FROM found WHERE three IS NULL) AS few \
             CROSS JOIN bound CROSS JOIN LATERAL (SELECT id FROM (",
            merged!(of "one"), " UNION ALL ", merged!(of "two"),
            $(" UNION ALL ", merged!(of $term),)+
            ") AS each_id ORDER BY id LIMIT $3) AS merged \
             UNION ALL SELECT NULL FROM found WHERE three IS NOT NULL"
        )
    };
}

pub(super) const IDS_OF_4: &str = merged!("$6" "$7" "$8" "$9");

pub(super) const IDS_OF_8: &str = merged!("$6" "$7" "$8" "$9" "$10" "$11" "$12" "$13");

pub(super) const IDS_OF_12: &str = merged!(
    "$6" "$7" "$8" "$9" "$10" "$11" "$12" "$13" "$14" "$15" "$16" "$17"
);

pub(super) const IDS_OF_16: &str = merged!(
    "$6" "$7" "$8" "$9" "$10" "$11" "$12" "$13" "$14" "$15" "$16" "$17"
    "$18" "$19" "$20" "$21"
);

pub(super) const IDS_OF_20: &str = merged!(
    "$6" "$7" "$8" "$9" "$10" "$11" "$12" "$13" "$14" "$15" "$16" "$17"
    "$18" "$19" "$20" "$21" "$22" "$23" "$24" "$25"
);

/// As many as lead to what is due before a day, on any day.
pub(super) const IDS_OF_24: &str = merged!(
    "$6" "$7" "$8" "$9" "$10" "$11" "$12" "$13" "$14" "$15" "$16" "$17"
    "$18" "$19" "$20" "$21" "$22" "$23" "$24" "$25" "$26" "$27" "$28" "$29"
);
