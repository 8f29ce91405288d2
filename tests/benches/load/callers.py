"""Many callers, each with a token and a workspace of its own."""

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

import wrk
from calls import new_todo, plan, plan_of
from servers import MODERN
from workspaces import fill_alike, todo_id

CONNECTIONS = 32
# Of `many`, and the sizes of the cache of verified tokens that its default is held against.
CALLERS = [1, 100, 1_000, 10_000, 50_000, 100_000, 200_000]
CACHES = [10_000, 100_000]
# Of `crowd`: all of them at once.
CROWD = [10, 30, 100, 300, 1_000]


@contextlib.contextmanager
def workspaces(bench, count):
    """The settings and the directory of a database in which each of so many callers has a todo."""
    setup, settings = bench.setup, bench.setup.settings("sqlite:todos.db")
    with tempfile.TemporaryDirectory() as directory:
        fill_alike(setup, settings, Path(directory), "usr_caller0", setup.callers(count)[0], count)
        yield settings, Path(directory)


def get_plan(server, token, order):
    return replace(plan_of(server, "get_todo", MODERN, [{"todo_id": todo_id(0)}], token), order=order)


def many(bench):
    """200,000 callers that come again and again, the n-th with a probability of 1/n to the first's."""
    setup, counts = bench.setup, CALLERS[:4] if bench.quick else CALLERS
    all_tokens = setup.callers(counts[-1])
    with workspaces(bench, counts[-1]) as (settings, directory):
        with setup.todo_mcp("SQLite", settings, directory) as server:
            made, seen, memory, first_times = get_plan(server, all_tokens[0], "zipf"), 1, [], []
            for count in counts:
                if count > seen:
                    first_times.append(wrk.send_each(server, made, all_tokens[seen:count]) * 1e6)
                    seen = count
                memory.append((count, server.memory()[0]))
            rows = bench.compare("get_todo by callers", "of one caller", [
                (f"{count:,} callers", MODERN, 0, measure(bench, server, made, all_tokens[:count]))
                for count in counts
            ])
            bench.figure(f"peak memory with {counts[-1]:,} callers", "MiB", [server.memory()[1]])
        known = [sample["busy"] / sample["requests_per_second"] * 1e6 for sample in rows[0]["samples"]]
        bench.figure("processor time of a call", "µs", known)
        bench.figure("processor time of a caller's first call", "µs", first_times[-1:])
        added = (memory[-1][1] - memory[0][1]) * 2**20 / (counts[-1] - 1)
        bench.figure("memory of a caller", "bytes", [added])
        for cache in [counts[-1] // 20] if bench.quick else CACHES:
            cached = settings | {"TODO_CACHED_TOKENS": str(cache)}
            with setup.todo_mcp("SQLite", cached, directory) as server:
                wrk.send_each(server, made, all_tokens)
                bench.compare(f"get_todo, {cache:,} cached tokens", "of one caller", [
                    (f"{count:,} callers", MODERN, 0, measure(bench, server, made, all_tokens[:count]))
                    for count in (1, counts[-1])
                ])
                what = f"peak memory with {counts[-1]:,} callers, {cache:,} cached tokens"
                bench.figure(what, "MiB", [server.memory()[1]])
    curve = lambda name: [
        (count, median(sample[name] for sample in row["samples"])) for count, row in zip(counts, rows)
    ]
    bench.plot("calls per second", "callers", {"todo-mcp, SQLite": curve("requests_per_second")})
    bench.plot("latency, ms", "callers", {"p50": curve("p50_ms"), "p99": curve("p99_ms")})
    bench.plot("memory, MiB", "callers", {"todo-mcp, SQLite": memory})


def measure(bench, server, made, tokens):
    return lambda: wrk.run(server, made, tokens, CONNECTIONS, bench.seconds)


def crowd(bench):
    """A thousand callers at once, as fast as the server goes and at half of that."""
    setup, counts = bench.setup, CROWD[-3:-1] if bench.quick else CROWD
    most = counts[-1]
    tokens = setup.callers(most)
    with workspaces(bench, most) as (settings, directory):
        start = lambda: setup.todo_mcp("SQLite", settings, directory)
        for tool in ("get_todo", "create_todo"):
            entries = [(setup.echo().name, "", 0, bench.echo(tool, most))]
            entries.append(("todo-mcp, SQLite", MODERN, 0, at_once(bench, start, tool, tokens)))
            rmcp = lambda: setup.rmcp("by-hand", protected=True)
            entries.append((rmcp().name, MODERN, 0, at_once(bench, rmcp, tool, tokens)))
            bench.compare(f"{tool}, {most:,} callers at once", "of the echo", entries)
            half_load(bench, start, tool, counts, tokens)


def at_once(bench, start, tool, tokens):
    def run():
        with start() as server:
            return wrk.run(server, crowd_plan(server, tool, tokens[0]), tokens, len(tokens), bench.seconds)
    return run


def crowd_plan(server, tool, token):
    if tool == "create_todo":
        made = plan_of(server, tool, MODERN, [new_todo(number) for number in range(64)], token)
    elif server.name.startswith("todo-mcp"):
        return get_plan(server, token, "again")
    else:
        # All callers of a peer have one list.
        made = plan(server, tool, MODERN)
    return replace(made, order="again")


def half_load(bench, start, tool, counts, tokens):
    """Each caller pauses between its calls, so that all together ask for half of what the server can do."""
    peak, half, memory = [], [], []
    for count in counts:
        with start() as server:
            made = crowd_plan(server, tool, tokens[0])
            full = wrk.run(server, made, tokens[:count], count, bench.seconds)
            made.delay = max(1, round(count / (full["requests_per_second"] / 2) * 1000))
            half.append((count, wrk.run(server, made, tokens[:count], count, 2 * bench.seconds)))
            peak.append((count, full))
            memory.append((count, server.memory()[1]))
    curve = lambda samples, name: [(count, sample[name]) for count, sample in samples]
    bench.plot(f"{tool}: calls per second", "callers at once", {
        "as fast as it goes": curve(peak, "requests_per_second"),
        "with pauses": curve(half, "requests_per_second"),
    })
    bench.plot(f"{tool}: latency with pauses, ms", "callers at once", {
        "p50": curve(half, "p50_ms"), "p99": curve(half, "p99_ms"),
    })
    bench.plot(f"{tool}: peak memory, MiB", "callers at once", {"todo-mcp, SQLite": memory})
    count, last = half[-1]
    bench.figure(f"{tool}, {count:,} callers: load with pauses, of the peak", "",
                 [last["requests_per_second"] / peak[-1][1]["requests_per_second"]])
    for name in ("p50", "p99"):
        bench.figure(f"{tool}, {count:,} callers: {name} at that load", "ms", [last[f"{name}_ms"]])
    bench.figure(f"{tool}, {count:,} callers: peak memory", "MiB", [memory[-1][1]])
