-- With all columns, a page of open or of done todos is one run of neighbours like any other page. If
-- each todo were looked up in the table, those of a long list would be on as many pages.
DROP INDEX todos_by_done;
CREATE INDEX todos_by_done ON todos (
    workspace, done, id,
    title, description, completed_at, created_at, created_by, updated_at, updated_by, version
);
