"""Every filter and every sort of `list_todos`: in a list of 1,000,000 todos, and in one of 100."""

import contextlib
import datetime
import random
import tempfile
from pathlib import Path
from statistics import median

import wrk
from calls import PAGE, plan_of
from servers import MODERN, READ_ANEW, cpu_seconds
from texts import LABELS, NOW, PRIORITIES, UNIQUE_WORD, WORDS, todos
from workspaces import fill

# Few: some pages take many milliseconds.
CONNECTIONS = 4
# The pages of the long list that are asked for, one after the other.
PAGES = 16

# The arguments of lists. `is_selected` says what each means.
SELECTIONS = [
    {"sort": sort} | completed
    for sort in ("created", "due", "priority", "updated")
    for completed in ({}, {"completed": False}, {"completed": True})
]
SELECTIONS += [
    {"due": due} | completed
    for due in ("overdue", "today", "week", "any", "none")
    for completed in ({}, {"completed": False}, {"completed": True})
]
SELECTIONS += [
    {"priority": priority} | completed
    for priority in PRIORITIES
    for completed in ({}, {"completed": False}, {"completed": True})
]
# The most frequent label and the rarest.
SELECTIONS += [{"label": label} for label in (LABELS[0], LABELS[-1])]
# A frequent word and a rare one, two words, the beginning of many words, a word of one todo.
SELECTIONS += [
    {"query": query}
    for query in (WORDS[130], WORDS[3_000], f"{WORDS[121]} {WORDS[122]}", WORDS[130][:3], UNIQUE_WORD)
]
# Filters by day count in this zone.
ZONE = {"time_zone": "UTC"}


def is_selected(selection, todo):
    """Whether a list contains a todo, which is one of a result or of an export."""
    is_done, due = bool(todo.get("completed_at")), (todo.get("due") or "")[:10]
    day = lambda days: (NOW + datetime.timedelta(days=days)).date().isoformat()
    by = lambda last: "" < due <= last and (not is_done or "completed" in selection)
    words = " ".join([todo["title"], todo["description"] or "", *todo["labels"]]).lower().split()
    checks = {
        "sort": lambda _: True,
        "time_zone": lambda _: True,
        "completed": lambda completed: is_done == completed,
        "due": {
            "overdue": by(day(-1)), "today": by(day(0)), "week": by(day(7)),
            "any": due != "", "none": due == "",
        }.get,
        "priority": lambda priority: todo["priority"] == priority,
        "label": lambda label: label in todo["labels"],
        "query": lambda query: all(
            any(word.startswith(each) for word in words) for each in query.split()
        ),
    }
    return all(checks[name](value) for name, value in selection.items())


def name(selection):
    return ", ".join(f"{name} {value}" for name, value in selection.items())


def short_list(selection, pool):
    """100 todos of which a page is selected, or as many of the pool as are."""
    selected = [todo for todo in pool if is_selected(selection, todo)][:PAGE]
    others = (todo for todo in pool if not is_selected(selection, todo))
    made = selected + [todo for todo, _ in zip(others, range(100 - len(selected)))]
    if len(made) < 100:
        # Everything is selected.
        made = pool[:100]
    random.Random(2).shuffle(made)
    return made


def pages(server, selection, limit, token):
    """The arguments of the first pages of a list. What the list contains is checked."""
    arguments = selection | ZONE | {"limit": limit}
    made, sizes = [], []
    while len(made) < PAGES:
        page = server.call(MODERN, "list_todos", arguments, token)
        wrong = [todo for todo in page["todos"] if not is_selected(selection, todo)]
        if wrong:
            raise SystemExit(f"{name(selection)} lists {wrong[0]}")
        if made and len(page["todos"]) < limit and "next_cursor" not in page:
            break
        made.append(arguments)
        sizes.append(len(page["todos"]))
        if "next_cursor" not in page:
            break
        arguments = arguments | {"cursor": page["next_cursor"]}
    return made, sizes


def selections(bench):
    """Processor time, of the server and of PostgreSQL, of a page in each list: in turn, and with as many
    todos on the page."""
    setup, count = bench.setup, 20_000 if bench.quick else 1_000_000
    pool = list(todos(1, 100_000))
    long = setup.tokens("usr_long", 1)[0]
    for storage in bench.storages()[1:]:
        with contextlib.ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            settings = setup.settings("sqlite:todos.db" if storage == "SQLite" else setup.database())
            settings |= READ_ANEW
            owners = [setup.tokens(f"usr_{number}", 1)[0] for number in range(len(SELECTIONS))]
            lists = {f"usr_{number}": (owners[number], short_list(selection, pool))
                     for number, selection in enumerate(SELECTIONS)}
            fill(setup, settings, directory, lists | {"usr_long": (long, todos(3, count))})
            server = stack.enter_context(setup.todo_mcp(storage, settings, directory))
            databases = [setup.postgres.process.pid] if storage == "PostgreSQL" else []
            busy = lambda: cpu_seconds(server.process.pid, *databases)
            entries = []
            for selection, token in zip(SELECTIONS, owners):
                (first, *_), (size, *_) = pages(server, selection, PAGE, token)
                if not size:
                    raise SystemExit(f"{name(selection)} selects nothing of {len(pool)} todos")
                arguments, sizes = pages(server, selection, size, long)
                baseline = len(entries)
                for what, token, calls in (
                    (f"100 todos, {size} on the page", token, [first | {"limit": size}]),
                    (f"{count:,} todos, {median(sizes):g} on the page", long, arguments),
                ):
                    made_plan = plan_of(server, "list_todos", MODERN, calls, token)
                    run = lambda plan=made_plan, token=token: \
                        wrk.run(server, plan, [token], CONNECTIONS, bench.seconds, busy)
                    entries.append((f"{name(selection)}: {what}", MODERN, baseline, run))
            bench.compare(f"selections in {storage}", "time, of 100 todos", entries, processor_time)


def processor_time(sample, base):
    cost = lambda sample: sample["busy"] / sample["requests_per_second"]
    return cost(sample) / cost(base)
