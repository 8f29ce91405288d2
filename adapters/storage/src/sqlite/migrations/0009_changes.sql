-- What each write has done (`Change` in the domain), kept for as long as the operator wants.
CREATE TABLE changes (
    workspace    TEXT    NOT NULL,
    number       INTEGER NOT NULL, -- from `latest` of the head
    at           INTEGER NOT NULL,
    action       INTEGER NOT NULL, -- 1: created, 2: updated, 3: deleted, 4: restored
    todo         BLOB    NOT NULL,
    title        TEXT    NOT NULL, -- afterwards; of a deleted todo, the last one
    version      INTEGER NOT NULL, -- likewise
    subject      TEXT    NOT NULL,
    organization TEXT,
    client       TEXT,
    before       TEXT,             -- JSON, see `history.rs`
    after        TEXT,
    bytes        INTEGER NOT NULL, -- what it counts in a quota
    batch        INTEGER,          -- the first change of the same call
    undoes       INTEGER,
    undone_by    INTEGER,
    PRIMARY KEY (workspace, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX changes_by_todo ON changes (workspace, todo, number);
CREATE INDEX deletions ON changes (workspace, number) WHERE action = 3;

ALTER TABLE heads RENAME COLUMN last_change TO latest;
ALTER TABLE heads ADD COLUMN forgotten     INTEGER NOT NULL DEFAULT 0; -- the greatest number of a write without a change
ALTER TABLE heads ADD COLUMN deleted       INTEGER NOT NULL DEFAULT 0; -- remembered deletions that are not undone
ALTER TABLE heads ADD COLUMN history_bytes INTEGER NOT NULL DEFAULT 0; -- of the changes

-- What came of a request that made several changes.
ALTER TABLE creations ADD COLUMN outcome TEXT;
