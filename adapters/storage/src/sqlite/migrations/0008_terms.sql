-- What leads to the todos that have a word or a label (`Term` in the domain).
CREATE TABLE terms (
    workspace TEXT NOT NULL,
    term      TEXT NOT NULL,
    id        BLOB NOT NULL, -- of the todo
    PRIMARY KEY (workspace, term, id)
) STRICT, WITHOUT ROWID;
