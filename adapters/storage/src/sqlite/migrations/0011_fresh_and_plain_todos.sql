-- Whether a todo is as most were created: open, not due, of normal priority, unchanged since, and its id holds when
-- that was. Such todos are neighbours in every order, so one index holds all of them.
ALTER TABLE todos ADD COLUMN fresh INTEGER NOT NULL DEFAULT 0;

DROP INDEX todos_by_done;
DROP INDEX todos_by_due;
DROP INDEX todos_by_priority;
DROP INDEX todos_by_update;

UPDATE todos SET fresh = 1
WHERE completed_at IS NULL AND due IS NULL AND priority = 1 AND updated_at = created_at
  AND substr(hex(id), 1, 13) = format('%012X7', created_at);

CREATE INDEX fresh_todos ON todos (
    workspace, id, title, description, completed_at, due, due_zone, priority, labels,
    created_at, created_by, updated_at, updated_by, version, fresh
) WHERE fresh = 1;

-- Those that have been changed and are neither due nor of another priority: neighbours in every order but that of
-- changes.
CREATE INDEX plain_todos ON todos (
    workspace, done, id, title, description, completed_at, due, due_zone, priority, labels,
    created_at, created_by, updated_at, updated_by, version, fresh, by_due, by_priority, by_update
) WHERE fresh = 0 AND due IS NULL AND priority = 1;

CREATE INDEX other_todos ON todos (
    workspace, done, id, title, description, completed_at, due, due_zone, priority, labels,
    created_at, created_by, updated_at, updated_by, version, fresh, by_due, by_priority, by_update
) WHERE due IS NOT NULL OR priority <> 1;

CREATE INDEX other_todos_by_priority ON todos (
    workspace, done, by_priority, id, title, description, completed_at, due, due_zone, priority, labels,
    created_at, created_by, updated_at, updated_by, version, fresh, by_due, by_update
) WHERE due IS NOT NULL OR priority <> 1;

CREATE INDEX due_todos ON todos (
    workspace, done, by_due, id, title, description, completed_at, due, due_zone, priority, labels,
    created_at, created_by, updated_at, updated_by, version, fresh, by_priority, by_update
) WHERE due IS NOT NULL;

CREATE INDEX changed_todos ON todos (
    workspace, done, by_update, id, title, description, completed_at, due, due_zone, priority, labels,
    created_at, created_by, updated_at, updated_by, version, fresh, by_due, by_priority
) WHERE fresh = 0;
