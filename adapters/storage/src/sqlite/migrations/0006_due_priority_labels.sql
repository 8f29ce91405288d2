-- The day since 1970 times 100,000,000, for a time plus 1 and its milliseconds; null: none.
ALTER TABLE todos ADD COLUMN due INTEGER;
-- Of a local time; null: `due` is a day, or a time in UTC.
ALTER TABLE todos ADD COLUMN due_zone TEXT;
-- 0: low, 1: normal, 2: high, 3: urgent.
ALTER TABLE todos ADD COLUMN priority INTEGER NOT NULL DEFAULT 1;
-- One on each line; null: none.
ALTER TABLE todos ADD COLUMN labels TEXT;

-- With all columns again.
DROP INDEX todos_by_done;
CREATE INDEX todos_by_done ON todos (
    workspace, done, id, title, description, completed_at, due, due_zone, priority, labels,
    created_at, created_by, updated_at, updated_by, version
);
