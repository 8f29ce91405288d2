-- Without rowid, the table itself is in the order of lists: a page is one run of neighbours.
CREATE TABLE todos (
    workspace    TEXT    NOT NULL,
    id           BLOB    NOT NULL, -- the 16 bytes of the UUID
    title        TEXT    NOT NULL,
    description  TEXT,             -- null: none
    completed_at INTEGER,          -- null: open
    created_at   INTEGER NOT NULL, -- this and every instant: milliseconds since 1970
    created_by   TEXT    NOT NULL,
    updated_at   INTEGER NOT NULL,
    updated_by   TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    done         INTEGER NOT NULL AS (completed_at IS NOT NULL) VIRTUAL,
    PRIMARY KEY (workspace, id)
) STRICT, WITHOUT ROWID;

-- For the lists of open and of done todos, which would otherwise skip over the others.
CREATE INDEX todos_by_done ON todos (workspace, done, id);
