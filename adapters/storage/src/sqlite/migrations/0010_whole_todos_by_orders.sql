-- With all columns, as `todos_by_done` has them: a page in an order is one run of neighbours, and not todos from
-- as many places of the table.
DROP INDEX todos_by_due;
CREATE INDEX todos_by_due ON todos (
    workspace, done, by_due, id, title, description, completed_at, due, due_zone, priority, labels,
    created_at, created_by, updated_at, updated_by, version, by_priority, by_update
);
DROP INDEX todos_by_priority;
CREATE INDEX todos_by_priority ON todos (
    workspace, done, by_priority, id, title, description, completed_at, due, due_zone, priority, labels,
    created_at, created_by, updated_at, updated_by, version, by_due, by_update
);
DROP INDEX todos_by_update;
CREATE INDEX todos_by_update ON todos (
    workspace, done, by_update, id, title, description, completed_at, due, due_zone, priority, labels,
    created_at, created_by, updated_at, updated_by, version, by_due, by_priority
);
