-- The numbers by which lists are ordered (`Order` in the domain).
ALTER TABLE todos ADD COLUMN by_due INTEGER AS (ifnull(due, 1000000000000000)) VIRTUAL;
ALTER TABLE todos ADD COLUMN by_priority INTEGER
    AS ((3 - priority) * 10000000000000000 + ifnull(due, 1000000000000000)) VIRTUAL;
ALTER TABLE todos ADD COLUMN by_update INTEGER AS (-updated_at) VIRTUAL;

CREATE INDEX todos_by_due ON todos (workspace, done, by_due, id);
CREATE INDEX todos_by_priority ON todos (workspace, done, by_priority, id);
CREATE INDEX todos_by_update ON todos (workspace, done, by_update, id);

-- With the new columns too: a statement that uses a generated column counts as using all columns.
DROP INDEX todos_by_done;
CREATE INDEX todos_by_done ON todos (
    workspace, done, id, title, description, completed_at, due, due_zone, priority, labels,
    created_at, created_by, updated_at, updated_by, version, by_due, by_priority, by_update
);
