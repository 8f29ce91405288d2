-- In every key the workspace comes first and is the distribution key: on an engine that spreads rows
-- over machines (Citus, YugabyteDB, CockroachDB), each statement stays on one of them.
--
-- Written so that running it again changes nothing: not every engine takes DDL back when a
-- transaction fails.
CREATE TABLE IF NOT EXISTS todos (
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
    -- The id again, as that of an open or of a done todo. They are not generated columns, which not
    -- every engine has.
    open_id      uuid,
    done_id      uuid,
    CONSTRAINT open_or_done CHECK (
        (open_id IS NULL) = (completed_at IS NOT NULL)
        AND (done_id IS NULL) = (completed_at IS NULL)
        AND coalesce(open_id, done_id) = id
    ),
    PRIMARY KEY (workspace, id)
);

-- For the lists of open and of done todos, which would otherwise skip over the others. Their columns
-- are their own, so that no planner, whatever it guesses, can take one of them in place of the
-- primary key or the other way round.
CREATE INDEX IF NOT EXISTS todos_open ON todos (workspace, open_id) WHERE open_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS todos_done ON todos (workspace, done_id) WHERE done_id IS NOT NULL;
