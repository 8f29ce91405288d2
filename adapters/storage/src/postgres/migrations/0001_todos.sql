-- In every key the workspace comes first and is the distribution key: on an engine that spreads rows
-- over machines (Citus, YugabyteDB, CockroachDB), each statement stays on one of them.
--
-- Written so that running it again changes nothing: not every engine takes DDL back when a
-- transaction fails.
CREATE TABLE IF NOT EXISTS todos (
    workspace    bytea   NOT NULL, -- as UTF-8: compared byte for byte, whatever the locale
    id           uuid    NOT NULL,
    title        text    NOT NULL,
    description  text,             -- null: none
    completed_at bigint,           -- null: open
    created_at   bigint  NOT NULL, -- this and every instant: milliseconds since 1970
    created_by   text    NOT NULL,
    updated_at   bigint  NOT NULL,
    updated_by   text    NOT NULL,
    version      bigint  NOT NULL,
    done         boolean NOT NULL, -- not generated: not every engine has generated columns
    CONSTRAINT done_is_completed CHECK (done = (completed_at IS NOT NULL)),
    PRIMARY KEY (workspace, id)
);

-- For the lists of open and of done todos, which would otherwise skip over the others.
CREATE INDEX IF NOT EXISTS todos_by_done ON todos (workspace, done, id);
