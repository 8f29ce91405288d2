//! What each migration does, statement by statement.
//!
//! Rules for a new one, so that it runs on a single server and where tables are distributed:
//!
//! * One statement for each [`Step`], without parameters: Citus prepares no two at once.
//! * A repeated step changes nothing: not every engine takes DDL back when a transaction fails. Where the
//!   statement itself cannot say so, [`Step::Unless`] does.
//! * The workspace comes first in every primary key and every unique index, and is the distribution key.
//! * A new table is followed by [`Step::Distribute`]: it would stay on the coordinator, where servers that
//!   are connected to another node do not find it.
//! * No triggers, no identity and no serial columns: Citus refuses them on a distributed table. One index
//!   for each `DROP INDEX`.
//! * A server of the earlier schema may be running. What it must not write any more has another name
//!   afterwards.

use todo_application::domain::{Term, Todo};

/// One step of a migration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A statement that changes nothing when it is repeated.
    Run(&'static str),
    /// A statement that is left out if `done` returns true.
    Unless { done: &'static str, sql: &'static str },
    /// Where `like` is distributed, distributes the new and empty `table` in the same way.
    Distribute { table: &'static str, like: &'static str },
    /// Adds some terms of all todos, of which the table of terms has none.
    AddTerms(fn(&Todo) -> Vec<Term>),
    /// Adds a change for each todo to the empty table of changes.
    AddBaselines,
}

/// The migrations from an empty database to the current schema. The number of the last one applied is
/// the greatest in the table `todo_mcp_migrations`. A migration that has shipped keeps its effect.
pub(super) const MIGRATIONS: [(i32, &[Step]); 10] = [
    (1, &TODOS),
    (2, &CREATIONS),
    (3, &CALLERS),
    (4, &HEADS),
    (5, &FIELDS),
    (6, &ORDERS),
    (7, &TERMS),
    (8, &CHANGES),
    (9, &STATES),
    (10, &FOUR_DAYS),
];

/// Whether the table of todos has the name that migration 4 gives it.
const IS_RENAMED: &str = "SELECT to_regclass('todo_items') IS NOT NULL";

const TODOS: [Step; 3] = [
    Step::Unless {
        done: IS_RENAMED,
        sql: "CREATE TABLE IF NOT EXISTS todos (
            workspace    bytea  NOT NULL, -- as UTF-8: compared byte for byte, whatever the locale
            id           uuid   NOT NULL,
            title        text   NOT NULL,
            description  text,            -- null: none
            completed_at bigint,          -- null: open
            created_at   bigint NOT NULL, -- this and every instant: milliseconds since 1970
            created_by   text   NOT NULL,
            updated_at   bigint NOT NULL,
            updated_by   text   NOT NULL,
            version      bigint NOT NULL,
            -- The id again, as that of an open or of a done todo. They are not generated columns, which
            -- not every engine has.
            open_id      uuid,
            done_id      uuid,
            CONSTRAINT open_or_done CHECK (
                (open_id IS NULL) = (completed_at IS NOT NULL)
                AND (done_id IS NULL) = (completed_at IS NULL)
                AND coalesce(open_id, done_id) = id
            ),
            PRIMARY KEY (workspace, id)
        )",
    },
    // For the lists of open and of done todos, which would otherwise skip over the others. Their columns
    // are their own, so that no planner, whatever it guesses, can take one of them in place of the
    // primary key or the other way round.
    Step::Unless {
        done: IS_RENAMED,
        sql: "CREATE INDEX IF NOT EXISTS todos_open ON todos (workspace, open_id)
              WHERE open_id IS NOT NULL",
    },
    Step::Unless {
        done: IS_RENAMED,
        sql: "CREATE INDEX IF NOT EXISTS todos_done ON todos (workspace, done_id)
              WHERE done_id IS NOT NULL",
    },
];

/// What came of the requests to add a todo that had a name (an idempotency key). It is kept with the
/// todos of its workspace, so that both are written in one transaction on one machine.
const CREATIONS: [Step; 3] = [
    Step::Run(
        "CREATE TABLE IF NOT EXISTS creations (
            workspace   bytea  NOT NULL,
            created_by  text   NOT NULL,
            key         text   NOT NULL,
            fingerprint bigint NOT NULL, -- of what was asked for
            todo        uuid   NOT NULL, -- it may be gone
            created_at  bigint NOT NULL, -- of the todo, in milliseconds since 1970
            forget_at   bigint NOT NULL,
            PRIMARY KEY (workspace, created_by, key)
        )",
    ),
    Step::Distribute { table: "creations", like: "todos" },
    // The condition holds for all of them. It keeps planners from taking this index in place of the
    // primary key while the table is short, and keeping to that when it is long.
    Step::Run(
        "CREATE INDEX IF NOT EXISTS creations_by_end ON creations (workspace, forget_at)
         WHERE forget_at >= 0",
    ),
];

/// The requests of a subject whose workspace says the organization. It is personal:ORGANIZATION:SUBJECT, with
/// the colons of the organization escaped, or organization:ORGANIZATION. No subject has a line break.
macro_rules! of_a_subject {
    () => {
        "WHERE position(chr(10) IN caller) = 0
           AND (substr(workspace, 1, 13) = 'organization:'::bytea
                OR (substr(workspace, 1, 9) = 'personal:'::bytea
                    AND substr(workspace, 10, 1) <> ':'::bytea))"
    };
}

/// The requests belong to a caller, which is a subject in an organization, and no longer to a subject. The
/// key of a workspace says the organization, except for the workspace of everyone: there, a repetition of
/// a request from before this migration counts as a new one.
const CALLERS: [Step; 3] = [
    Step::Unless {
        done: "SELECT NOT EXISTS (SELECT 1 FROM pg_attribute \
               WHERE attrelid = to_regclass('creations') AND attname = 'created_by')",
        sql: "ALTER TABLE creations RENAME COLUMN created_by TO caller",
    },
    // As new rows in place of the old ones: Citus computes no new value with `convert_from`.
    Step::Run(concat!(
        "INSERT INTO creations (workspace, caller, key, fingerprint, todo, created_at, forget_at)
         SELECT workspace, caller || chr(10) || CASE
             WHEN substr(workspace, 1, 13) = 'organization:'::bytea
             THEN substr(convert_from(workspace, 'UTF8'), 14)
             ELSE replace(replace(
                 substr(convert_from(workspace, 'UTF8'), 10,
                        length(convert_from(workspace, 'UTF8')) - 10 - length(caller)),
                 '%3A', ':'), '%25', '%')
             END, key, fingerprint, todo, created_at, forget_at
         FROM creations ",
        of_a_subject!(),
        " ON CONFLICT (workspace, caller, key) DO NOTHING",
    )),
    Step::Run(concat!("DELETE FROM creations ", of_a_subject!())),
];

/// The head of each workspace, changed in the transaction of each write. The table of todos gets another
/// name, which a server of an earlier schema does not know: it would write without changing the heads.
const HEADS: [Step; 4] = [
    // First: it waits for the writes of such servers, and excludes further ones.
    Step::Unless { done: IS_RENAMED, sql: "ALTER TABLE todos RENAME TO todo_items" },
    Step::Run(
        "CREATE TABLE IF NOT EXISTS todo_heads (
            workspace   bytea  NOT NULL PRIMARY KEY,
            todos       bigint NOT NULL, -- how many there are
            bytes       bigint NOT NULL, -- of their titles and descriptions, as UTF-8
            last_change bigint NOT NULL, -- one more for each write that changes something
            last_id     uuid             -- the greatest id that was minted here, null: none
        )",
    ),
    Step::Distribute { table: "todo_heads", like: "todo_items" },
    // An id counts as minted here if it is of version 7 and its time at most 366 days after the creation.
    Step::Unless {
        done: HAS_TEXT_BYTES,
        sql: "INSERT INTO todo_heads (workspace, todos, bytes, last_change, last_id)
         SELECT workspace, count(*), sum(octet_length(title) + coalesce(octet_length(description), 0)),
                count(*), max(CASE
                    WHEN substr(id::text, 15, 1) = '7'
                     AND replace(substr(id::text, 1, 13), '-', '') COLLATE \"C\"
                         <= lpad(to_hex(created_at + 31622400000), 12, '0') COLLATE \"C\"
                    THEN id::text END COLLATE \"C\")::uuid
         FROM todo_items GROUP BY workspace
         ON CONFLICT (workspace) DO NOTHING",
    },
];

/// Due dates, priorities and labels.
const FIELDS: [Step; 4] = [
    // The day since 1970 times 100,000,000, for a time plus 1 and its milliseconds; null: none.
    Step::Run("ALTER TABLE todo_items ADD COLUMN IF NOT EXISTS due bigint"),
    // Of a local time; null: `due` is a day, or a time in UTC.
    Step::Run("ALTER TABLE todo_items ADD COLUMN IF NOT EXISTS due_zone text"),
    // 0: low, 1: normal, 2: high, 3: urgent.
    Step::Run("ALTER TABLE todo_items ADD COLUMN IF NOT EXISTS priority bigint NOT NULL DEFAULT 1"),
    // One on each line; null: none.
    Step::Run("ALTER TABLE todo_items ADD COLUMN IF NOT EXISTS labels text"),
];

/// The orders of lists, for open and for done todos. They need no columns, so that a server of an earlier
/// schema keeps them too.
const ORDERS: [Step; 6] = [
    Step::Run(
        "CREATE INDEX IF NOT EXISTS todos_open_by_due ON todo_items
         (workspace, (coalesce(due, 1000000000000000)), id) WHERE completed_at IS NULL",
    ),
    Step::Run(
        "CREATE INDEX IF NOT EXISTS todos_open_by_priority ON todo_items
         (workspace, ((3 - priority) * 10000000000000000 + coalesce(due, 1000000000000000)), id) WHERE completed_at IS NULL",
    ),
    Step::Run(
        "CREATE INDEX IF NOT EXISTS todos_open_by_update ON todo_items
         (workspace, (- updated_at), id) WHERE completed_at IS NULL",
    ),
    Step::Run(
        "CREATE INDEX IF NOT EXISTS todos_done_by_due ON todo_items
         (workspace, (coalesce(due, 1000000000000000)), id) WHERE completed_at IS NOT NULL",
    ),
    Step::Run(
        "CREATE INDEX IF NOT EXISTS todos_done_by_priority ON todo_items
         (workspace, ((3 - priority) * 10000000000000000 + coalesce(due, 1000000000000000)), id) WHERE completed_at IS NOT NULL",
    ),
    Step::Run(
        "CREATE INDEX IF NOT EXISTS todos_done_by_update ON todo_items
         (workspace, (- updated_at), id) WHERE completed_at IS NOT NULL",
    ),
];

/// Whether a column of the heads has the name that migration 7 gives it, or the later one.
const HAS_TEXT_BYTES: &str = "\
    SELECT EXISTS (SELECT 1 FROM pg_attribute \
                   WHERE attrelid = to_regclass('todo_heads') AND attname IN ('text_bytes', 'todo_bytes'))";

/// What leads to the todos that have a word or a label (`Term` in the domain). A column of the heads gets
/// another name, which a server of an earlier schema does not know: it would write without changing the terms.
const TERMS: [Step; 5] = [
    // First: it waits for the writes of such servers, and excludes further ones.
    Step::Unless {
        done: HAS_TEXT_BYTES,
        sql: "ALTER TABLE todo_heads RENAME COLUMN bytes TO text_bytes",
    },
    Step::Run(
        "CREATE TABLE IF NOT EXISTS todo_terms (
            workspace bytea            NOT NULL,
            term      text COLLATE \"C\" NOT NULL,
            id        uuid             NOT NULL, -- of the todo
            PRIMARY KEY (workspace, term, id)
        )",
    ),
    Step::Distribute { table: "todo_terms", like: "todo_items" },
    Step::Run("DELETE FROM todo_terms"),
    Step::AddTerms(Term::of_texts),
];

/// What is remembered of the writes. A column of the heads gets another name, which a server of an earlier schema
/// does not know: it would write without a change.
const CHANGES: [Step; 10] = [
    // First: it waits for the writes of such servers, and excludes further ones.
    Step::Unless {
        done: "SELECT EXISTS (SELECT 1 FROM pg_attribute \
               WHERE attrelid = to_regclass('todo_heads') AND attname = 'last_number')",
        sql: "ALTER TABLE todo_heads RENAME COLUMN last_change TO last_number",
    },
    // The greatest number of a write that is not remembered.
    Step::Run("ALTER TABLE todo_heads ADD COLUMN IF NOT EXISTS forgotten bigint NOT NULL DEFAULT 0"),
    // How many deletions are remembered and not undone.
    Step::Run("ALTER TABLE todo_heads ADD COLUMN IF NOT EXISTS deleted bigint NOT NULL DEFAULT 0"),
    // Of the changes that are remembered.
    Step::Run(
        "ALTER TABLE todo_heads ADD COLUMN IF NOT EXISTS history_bytes bigint NOT NULL DEFAULT 0",
    ),
    // What came of a call that could make several writes; null: its todo.
    Step::Run("ALTER TABLE creations ADD COLUMN IF NOT EXISTS outcome text"),
    Step::Run(
        "CREATE TABLE IF NOT EXISTS todo_changes (
            workspace    bytea  NOT NULL,
            number       bigint NOT NULL, -- of the write, from the head
            at           bigint NOT NULL, -- in milliseconds since 1970
            action       bigint NOT NULL, -- 1: created, 2: updated, 3: deleted, 4: restored
            todo         uuid   NOT NULL, -- it may be gone
            title        text   NOT NULL, -- this and the version: after the change, or the last ones
            version      bigint NOT NULL,
            subject      text   NOT NULL, -- this and the next two: its author
            organization text,
            client       text,
            before       text,            -- what it replaced, as JSON, null: nothing
            after        text,            -- what it put in its place
            bytes        bigint NOT NULL, -- what it counts in a quota
            batch        bigint,          -- the first change of the call
            undoes       bigint,          -- the change that it takes back
            undone_by    bigint,          -- the change that takes it back
            PRIMARY KEY (workspace, number)
        )",
    ),
    Step::Distribute { table: "todo_changes", like: "todo_items" },
    // Negated, so that no planner, whatever it guesses, takes the primary key in place of these; and the condition,
    // which holds for all, keeps it from taking this one in place of the primary key.
    Step::Run(
        "CREATE INDEX IF NOT EXISTS changes_by_todo ON todo_changes (workspace, todo, (- number))
         WHERE number > 0",
    ),
    Step::Run(
        "CREATE INDEX IF NOT EXISTS changes_deleting ON todo_changes (workspace, (- number))
         WHERE action = 3",
    ),
    Step::AddBaselines,
];

/// Terms of priorities and of the days on which todos are due: migration 10 adds all of them, in the same transaction.
const STATES: [Step; 0] = [];

/// Terms of priorities and days anew: todos that are due have one of four days, too. A column of the heads gets another
/// name, which a server of an earlier schema does not know: it would write without them.
const FOUR_DAYS: [Step; 3] = [
    // First: it waits for the writes of such servers, and excludes further ones.
    Step::Unless {
        done: "SELECT EXISTS (SELECT 1 FROM pg_attribute \
               WHERE attrelid = to_regclass('todo_heads') AND attname = 'todo_bytes')",
        sql: "ALTER TABLE todo_heads RENAME COLUMN text_bytes TO todo_bytes",
    },
    Step::Run("DELETE FROM todo_terms WHERE term >= '+' AND term < ','"),
    Step::AddTerms(Term::of_state),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_one_statement_that_distributed_tables_allow() {
        for step in MIGRATIONS.into_iter().flat_map(|(_, steps)| steps) {
            let (Step::Run(sql) | Step::Unless { done: _, sql }) = step else { continue };
            let words = sql.to_ascii_uppercase();
            for refused in [";", "TRIGGER", "SERIAL", "IDENTITY", "UNIQUE"] {
                assert!(!words.contains(refused), "{refused} in {sql}");
            }
        }
    }

    #[test]
    fn migrations_are_numbered_from_one_without_gaps() {
        let numbers = MIGRATIONS.map(|(number, _)| number);
        assert!((1..).zip(numbers).all(|(expected, number)| expected == number), "{numbers:?}");
    }
}
