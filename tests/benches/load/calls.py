"""The calls that are measured. Each is made once beforehand, and its response is checked field by field."""

import wrk
from servers import MODERN, body, headers

TODOS = 64
PAGE = 50
BYTES = 50
# Digits of versions and instants, and the framing of event streams, may vary by this much.
SLACK = 40


def new_todo(number, length=BYTES):
    text = "Ask for the blue one; they close at six. " * (length // 41 + 1)
    return {"title": f"Load test todo {number:06}", "description": f"{text[:length - 1]}."}


def seed(server, count, era, length=BYTES):
    """Creates todos and returns their ids. The response must hold what was sent."""
    ids = []
    for number in range(count):
        fields = new_todo(number, length)
        todo = server.call(era, "create_todo", fields)["todo"]
        assert fields.items() <= todo.items(), todo
        ids.append(todo["id"])
    return ids


def plan(server, tool, era, length=BYTES):
    """Creates the todos that the requests need, sends every request once, checks the response field by
    field, and returns what wrk has to send."""
    ids = [] if tool == "create_todo" else seed(server, PAGE if tool == "list_todos" else TODOS, era, length)
    # Each todo is done and then opened again, so that every update changes something.
    arguments = {
        "get_todo": [{"todo_id": todo_id} for todo_id in ids],
        "list_todos": [{}],
        "create_todo": [new_todo(number, length) for number in range(TODOS)],
        "update_todo": [{"todo_id": i, "completed": done} for done in (True, False) for i in ids],
    }[tool]
    for each in arguments:
        content = server.call(era, tool, each)
        if tool == "list_todos":
            assert [todo["id"] for todo in content["todos"]] == ids, content
        else:
            expected = {"id" if name == "todo_id" else name: value for name, value in each.items()}
            assert expected.items() <= content["todo"].items(), content
    return plan_of(server, tool, era, arguments)


def plan_of(server, tool, era, arguments, token=None):
    responses = [] if tool == "create_todo" else [server.send(era, tool, a, token) for a in arguments]
    responses = responses or [server.send(era, tool, arguments[0], token)]
    lengths = [len(response.encode()) for response in responses]
    bodies = [body(era, tool, each) for each in arguments]
    slack = (min(lengths) - SLACK, max(lengths) + SLACK)
    return wrk.Plan(headers(era, tool, "@TOKEN@"), bodies, *slack)


def echo_plan(setup, tool, length=BYTES):
    """What the echo returns: the requests themselves; for a list, which is short in and long out, its
    response."""
    with setup.todo_mcp("memory") as server:
        made = plan(server, tool, MODERN, length)
        if tool == "list_todos":
            made.bodies = [server.send(MODERN, tool, {})]
    made.failure = ""
    return made
