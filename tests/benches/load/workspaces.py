"""Large workspaces: how they get into a database, and what is asked of them."""

import json
import re
import subprocess

from calls import PAGE, new_todo
from servers import MODERN


def todo_id(number):
    return f"{number:08x}-0000-7000-8000-000000000000"


def fill(setup, settings, directory, lists):
    """A database with lists of todos, imported at once. They are by subject: a token, and the fields in
    which each todo differs from one that the server exports."""
    header, lines = exported(setup, settings, directory, [token for token, _ in lists.values()])
    import_todos(setup, settings, directory, header, (
        json.dumps(line | {"id": todo_id(number)} | todo)
        for line in lines for number, todo in enumerate(lists[line["created_by"]][1])
    ))


def fill_alike(setup, settings, directory, subject, token, count):
    """A database with one todo, of the same id, in the workspace of each of so many subjects: of
    `subject`, whose token this is and which ends in 0, and of those with other numbers there."""
    header, [line] = exported(setup, settings, directory, [token])
    line = json.dumps(line | {"id": todo_id(0)})
    assert line.count(subject) == 3, line
    import_todos(setup, settings, directory, header, (
        line.replace(subject, f"{subject.removesuffix('0')}{number}") for number in range(count)
    ))


def exported(setup, settings, directory, tokens):
    """The header of an export, and a todo for each token. Their format is the program's own business."""
    with setup.todo_mcp("", settings, directory) as server:
        for token in tokens:
            server.call(MODERN, "create_todo", new_todo(0), token)
    export = run_program(setup, settings, directory, "export").stdout
    header, *lines = map(json.loads, export.splitlines())
    del header["todos"]
    return header, lines


def import_todos(setup, settings, directory, header, lines):
    with open(directory / "todos.jsonl", "w") as file:
        file.write(json.dumps(header) + "\n")
        file.writelines(f"{line}\n" for line in lines)
    run_program(setup, settings, directory, "import", "todos.jsonl")
    (directory / "todos.jsonl").unlink()
    if (url := settings["DATABASE_URL"]).startswith("postgres"):
        # As autovacuum does a minute later.
        for command in ("VACUUM (ANALYZE)", "CHECKPOINT"):
            subprocess.run(["psql", "--quiet", url, "--command", command], check=True)


def run_program(setup, settings, directory, *arguments):
    return subprocess.run(
        [setup.program, *arguments], cwd=directory, env=settings, check=True, capture_output=True
    )


def half_done(owners):
    """For each owner so many todos, every second one done."""
    at = "2026-01-01T00:00:00.000Z"
    done, open_ = ({"created_at": at, "updated_at": at, "completed_at": done} for done in (at, None))
    return {
        f"usr_{count}": (token, (open_ if number % 2 else done for number in range(count)))
        for count, token in owners.items()
    }


def growth_requests(server, owners):
    """A kind of request, its tool, and for each owner the arguments of its calls."""
    # Spread over all of a workspace, in an order that jumps about.
    numbers = {count: [i * 37 % 96 * count // 96 for i in range(96)] for count in owners}
    gets = {count: [{"todo_id": todo_id(n)} for n in numbers[count]] for count in owners}
    yield "get", "get_todo", gets
    for kind, only in (("all", {}), ("open", {"completed": False}), ("done", {"completed": True})):
        yield f"page of 50, {kind}", "list_todos", {
            count: [only | {"limit": PAGE} | after for after in cursors(server, token, only)]
            for count, token in owners.items()
        }
    yield "update", "update_todo", {
        count: [{"todo_id": todo_id(n), "completed": (n % 2 == 0) == again}
                for again in (False, True) for n in numbers[count]]
        for count in owners
    }


def cursors(server, token, only):
    """Where pages begin: at the start, and at up to 63 places all over the workspace."""
    found, cursor = [{}], {}
    while True:
        page = server.send(MODERN, "list_todos", only | {"limit": 200} | cursor, token)
        following = re.search(r'"next_cursor":"([^"]+)"', page)
        if not following:
            # The last ones may be followed by less than a page.
            found = found[:-1] or found
            return found[::max(1, len(found) // 64)]
        cursor = {"cursor": following[1]}
        found.append(cursor)
