-- What came of the requests to add a todo that had a name (an idempotency key). It is kept with the
-- todos of its workspace, so that both are written in one transaction on one machine.
CREATE TABLE IF NOT EXISTS creations (
    workspace   bytea  NOT NULL,
    created_by  text   NOT NULL,
    key         text   NOT NULL,
    fingerprint bigint NOT NULL, -- of what was asked for
    todo        uuid   NOT NULL, -- it may be gone
    created_at  bigint NOT NULL, -- of the todo; milliseconds since 1970
    forget_at   bigint NOT NULL,
    PRIMARY KEY (workspace, created_by, key)
);

-- The condition holds for all of them. It keeps planners from taking this index in place of the
-- primary key while the table is short, and keeping to that when it is long.
CREATE INDEX IF NOT EXISTS creations_by_end ON creations (workspace, forget_at)
    WHERE forget_at >= 0;
