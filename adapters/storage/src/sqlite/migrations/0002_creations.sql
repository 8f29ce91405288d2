-- What came of the requests to add a todo that had a name (an idempotency key).
CREATE TABLE creations (
    workspace   TEXT    NOT NULL,
    created_by  TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint INTEGER NOT NULL, -- of what was asked for
    todo        BLOB    NOT NULL, -- the 16 bytes of its id; it may be gone
    created_at  INTEGER NOT NULL, -- of the todo; milliseconds since 1970
    forget_at   INTEGER NOT NULL,
    PRIMARY KEY (workspace, created_by, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX creations_by_end ON creations (workspace, forget_at);
