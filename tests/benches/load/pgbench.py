"""The PostgreSQL adapter against pgbench."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

from servers import on_server_core
from workspaces import fill, half_done, todo_id

# Those of adapters/storage/src/postgres/queries/, as scripts of pgbench.
CHANGE = ("change AS (INSERT INTO todo_changes (workspace, number, at, action, todo, title, version, subject, "
          "organization, client, before, after, bytes) ")
STATEMENTS = {
    "columns": "workspace, title, description, completed_at, created_at, created_by, updated_at, "
               "updated_by, version",
    "find": "SELECT id, title, description, completed_at, due, due_zone, priority, labels, created_at, "
            "created_by, updated_at, updated_by, version FROM todo_items WHERE workspace = :workspace AND id = :{id};\n",
    "save": "WITH old AS ("
            "SELECT octet_length(title) + coalesce(octet_length(description), 0) "
            "+ coalesce(octet_length(labels), 0) AS bytes "
            "FROM todo_items WHERE workspace = :workspace AND id = :{id} AND version = :version "
            "FOR UPDATE), "
            "head AS ("
            "UPDATE todo_heads SET todo_bytes = todo_heads.todo_bytes + octet_length(:title::text) + "
            "octet_length(:description::text) - old.bytes, last_number = todo_heads.last_number + 1, "
            "history_bytes = todo_heads.history_bytes + 64 "
            "FROM old WHERE todo_heads.workspace = :workspace RETURNING todo_heads.last_number), "
            f"{CHANGE} "
            "SELECT :workspace::bytea, head.last_number, :updated_at::bigint, 2, :{id}::uuid, :title::text, "
            ":version::bigint, :updated_by::text, 'org_1', 'skc_1', '{}', '{}', 64 FROM head) "
            "UPDATE todo_items SET title = :title, description = :description, "
            "completed_at = :completed_at, due = NULL, due_zone = NULL, priority = 1, labels = NULL, "
            "created_at = :created_at, created_by = :created_by, "
            "updated_at = :updated_at, updated_by = :updated_by, version = :version, "
            "open_id = CASE WHEN :completed_at::bigint IS NULL THEN :{id}::uuid END, "
            "done_id = CASE WHEN :completed_at::bigint IS NOT NULL THEN :{id}::uuid END "
            "FROM head WHERE todo_items.workspace = :workspace AND todo_items.id = :{id} "
            "AND todo_items.version = :version RETURNING todo_items.id;\n",
    "create": "\\set n random(0, 63)\n"
              "WITH head AS ("
              "INSERT INTO todo_heads AS head (workspace, todos, todo_bytes, last_number, last_id, history_bytes) "
              "SELECT {workspace}, 1, octet_length(:title::text) + octet_length(:description::text), "
              "1, NULL, 64 "
              "ON CONFLICT (workspace) DO UPDATE "
              "SET todos = head.todos + 1, todo_bytes = head.todo_bytes + excluded.todo_bytes, "
              "last_number = head.last_number + 1, "
              "history_bytes = head.history_bytes + excluded.history_bytes, "
              "last_id = greatest(head.last_id, excluded.last_id) "
              "WHERE (excluded.last_id > head.last_id) IS NOT FALSE "
              "AND head.todos < 9223372036854775807 "
              "AND head.todo_bytes + excluded.todo_bytes <= 9223372036854775807 "
              "RETURNING workspace, last_number), "
              "new AS MATERIALIZED (SELECT gen_random_uuid() AS id), "
              "terms AS (INSERT INTO todo_terms SELECT head.workspace, "
              "unnest(string_to_array(lower(:title || ' ' || :description), ' ')), new.id "
              "FROM head, new ON CONFLICT DO NOTHING), "
              f"{CHANGE} "
              "SELECT head.workspace, head.last_number, :created_at::bigint, 1, new.id, :title::text, "
              ":version::bigint, :created_by::text, 'org_1', 'skc_1', NULL, '{}', 64 FROM head, new) "
              "INSERT INTO todo_items (workspace, id, title, description, completed_at, due, due_zone, "
              "priority, labels, created_at, created_by, updated_at, updated_by, version, open_id, done_id) "
              "SELECT head.workspace, new.id, :title, :description, :completed_at, NULL, NULL, 1, "
              "NULL, :created_at, :created_by, :updated_at, :updated_by, :version, NULL, new.id "
              "FROM head, new RETURNING id;\n",
}

# Where `create` adds its todos.
WORKSPACES = {
    "create": ":workspace",
    "create-apart": "convert_to('apart' || :n::text, 'UTF8')",
}


def pgbench(bench):
    """The PostgreSQL adapter against pgbench: the same statements, prepared, on as many connections,
    each alone on the server's core while PostgreSQL has the other."""
    setup, seconds = bench.setup, bench.seconds + 1
    if not setup.postgres:
        return
    # Of an organization, whose permits `peers` can obtain.
    settings = setup.settings(url := setup.database()) | {"TODO_SHARING": "organization"}
    with tempfile.TemporaryDirectory() as directory:
        owners = {100_000: setup.tokens("usr_100000", 1)[0]}
        fill(setup, settings, Path(directory), half_done(owners))
        columns = STATEMENTS["columns"]
        psql = ["psql", "--quiet", "-At", url, "--command"]
        query = f"SELECT row_to_json(t) FROM (SELECT {columns} FROM todo_items WHERE id = '{todo_id(0)}') t"
        row = json.loads(subprocess.run([*psql, query], check=True, capture_output=True).stdout)
        defines = [f"--define={name}={value}" for name, value in row.items()]
        # All that are read and written are done: pgbench cannot pass a null.
        done = [todo_id(2 * number) for number in range(64)]
        for statement in ("find", "save", *WORKSPACES):
            files = []
            if statement in WORKSPACES:
                file = Path(directory) / statement
                file.write_text(STATEMENTS["create"].replace("{workspace}", WORKSPACES[statement]))
                files.append(f"--file={file}")
            else:
                for number, each in enumerate(done):
                    file = Path(directory) / f"{statement}{number}"
                    file.write_text(STATEMENTS[statement].replace("{id}", f"id{number}"))
                    files += [f"--define=id{number}={each}", f"--file={file}"]
            command = ["pgbench", "--no-vacuum", "--protocol=prepared", "--jobs=1", "--client=8"]
            command += [f"--time={seconds}", *defines, *files, url]
            workspace = bytes.fromhex(row["workspace"].removeprefix("\\x")).decode()
            adapter = [setup.peers, "adapter", url, workspace, statement, str(bench.seconds)]
            theirs, ours = [], []
            for _ in range(bench.rounds):
                run = lambda command: subprocess.run(
                    command, check=True, capture_output=True, text=True, preexec_fn=on_server_core
                ).stdout
                theirs.append(float(re.search(r"tps = ([\d.]+)", run(command))[1]))
                ours.append(float(run(adapter)))
            bench.figure(f"{statement}: pgbench, 8 connections", "1/s", theirs)
            callers = "64 callers" if statement in WORKSPACES else "8 callers"
            bench.figure(f"{statement}: the adapter, {callers} on 8 connections", "1/s", ours)
            ratios = [our / their for our, their in zip(ours, theirs)]
            bench.figure(f"{statement}: the adapter, of pgbench", "", ratios)
