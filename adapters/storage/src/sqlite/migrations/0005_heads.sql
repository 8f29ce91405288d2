-- The head of each workspace, changed in the transaction of each write.
CREATE TABLE heads (
    workspace   TEXT    NOT NULL PRIMARY KEY,
    todos       INTEGER NOT NULL, -- how many there are
    bytes       INTEGER NOT NULL, -- of their titles and descriptions, as UTF-8
    last_change INTEGER NOT NULL, -- one more for each write that changes something
    last_id     BLOB              -- the greatest id that was minted here; null: none
) STRICT, WITHOUT ROWID;

-- An id counts as minted here if it is of version 7 and its time at most 366 days after the creation.
INSERT INTO heads
SELECT workspace, count(*), sum(octet_length(title) + ifnull(octet_length(description), 0)), count(*),
       max(iif(substr(hex(id), 13, 1) = '7'
               AND substr(hex(id), 1, 12) <= format('%012X', created_at + 31622400000), id, NULL))
FROM todos GROUP BY workspace;
