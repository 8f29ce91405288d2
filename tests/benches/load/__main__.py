"""How fast todo-mcp is beside other servers: `python3 tests/benches/load` (see ../README.md)."""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

# The tree stays clean: what follows is imported from this directory.
sys.dont_write_bytecode = True

import report
import wrk
from callers import crowd, many
from calls import BYTES, echo_plan, plan, plan_of
from pgbench import pgbench
from selections import selections
from servers import (
    ALL_CORES, ANEW, LEGACY, MODERN, READ_ANEW, ROOT, Server, Setup, free_port, on_server_core,
    wait_for,
)
from streams import streams
from workspaces import fill, growth_requests, half_done

CONNECTIONS = 32


def rate(sample, base):
    return sample["requests_per_second"] / base["requests_per_second"]


class Bench:
    def __init__(self, options):
        self.seconds, self.rounds, self.quick = options.seconds, options.rounds, options.quick
        self.setup = Setup()
        self.tables, self.figures, self.plots = [], [], []

    def compare(self, title, ratio_of, entries, ratio=rate):
        """Measures the entries in turn, round after round. An entry is a name, an era, the index of
        the entry that it is compared with, and what measures it."""
        rows = [{"name": name, "era": era, "samples": []} for name, era, _, _ in entries]
        for _ in range(self.rounds):
            for row, (_, _, baseline, measure) in zip(rows, entries):
                sample = measure()
                row["samples"].append(sample)
                base = rows[baseline]["samples"][-1]
                sample["ratio"] = ratio(sample, base)
                report.say(f"{title}: {row['name']} {row['era']}", sample)
        self.tables.append({"title": title, "ratio_of": ratio_of, "rows": rows})
        return rows

    def figure(self, what, unit, values):
        self.figures.append({"what": what, "unit": unit, "values": values})
        print(f"{what}: {median(values):.3g} {unit}", flush=True)

    def plot(self, title, x, series):
        """Lines over a logarithmic axis: for each name, pairs of x and y."""
        self.plots.append({"title": title, "x": x, "series": series})

    def fresh(self, start, tool, era, connections=CONNECTIONS, length=BYTES):
        """Measures a server that is started for it and holds only what the requests need."""
        def measure():
            with start() as server:
                made = plan(server, tool, era, length)
                return wrk.run(server, made, [server.token], connections, self.seconds)
        return measure

    def echo(self, tool, connections=CONNECTIONS, length=BYTES):
        made = echo_plan(self.setup, tool, length)

        def measure():
            with self.setup.echo() as server:
                return wrk.run(server, made, [server.token], connections, self.seconds)
        return measure

    def storages(self):
        return ["memory", "SQLite"] + (["PostgreSQL"] if self.setup.postgres else [])

    def peers(self, reads=False):
        """Every server that speaks MCP, and how it is started."""
        setup = self.setup
        storages = self.storages() + ([ANEW] if reads else [])
        starts = [lambda storage=storage: setup.todo_mcp(storage) for storage in storages]
        starts += [lambda: setup.rmcp("by-hand"), lambda: setup.rmcp("macros")]
        starts += [lambda: setup.rmcp("by-hand", protected=True)]
        starts += [setup.typescript] if setup.node else []
        starts += [setup.quickstart] if setup.python else []
        return [(start().name, start) for start in starts]

    def tool(self, tool, eras, connections):
        entries = [(self.setup.echo().name, "", 0, self.echo(tool, connections))]
        for name, start in self.peers(tool in ("get_todo", "list_todos")):
            for era in eras:
                entries.append((name, era, 0, self.fresh(start, tool, era, connections)))
        self.compare(f"{tool}, {connections} connections", "of the echo", entries)


# Stages. Each is measured, stored and reported on its own.


def get(bench):
    bench.tool("get_todo", [LEGACY, MODERN], CONNECTIONS)


def list_(bench):
    bench.tool("list_todos", [LEGACY, MODERN], CONNECTIONS)


def create(bench):
    """One caller waits for each write; of 64 many share a commit."""
    bench.tool("create_todo", [MODERN], 64)
    one, many = [
        (f"todo-mcp, SQLite, {connections} connections", MODERN, 0,
         bench.fresh(lambda: bench.setup.todo_mcp("SQLite"), "create_todo", MODERN, connections))
        for connections in (1, 64)
    ]
    bench.compare("create_todo, group commit", "of one connection", [one, many])


def update(bench):
    bench.tool("update_todo", [MODERN], CONNECTIONS)


def latency(bench):
    """Latencies at about half of the peak: each of 128 callers pauses at random between requests."""
    callers = 128
    for tool in ("get_todo", "list_todos", "create_todo"):
        rates, p50, p99 = [], [], []
        for _ in range(bench.rounds):
            with bench.setup.todo_mcp("SQLite") as server:
                made = plan(server, tool, MODERN)
                peak = wrk.run(server, made, [server.token], CONNECTIONS, bench.seconds)
                made.delay = round(callers / (peak["requests_per_second"] / 2) * 1000)
                half = wrk.run(server, made, [server.token], callers, 2 * bench.seconds)
            rates.append(half["requests_per_second"] / peak["requests_per_second"])
            p50.append(half["p50_ms"])
            p99.append(half["p99_ms"])
        bench.figure(f"{tool}, SQLite: load, of the peak", "", rates)
        bench.figure(f"{tool}, SQLite: p50 at that load", "ms", p50)
        bench.figure(f"{tool}, SQLite: p99 at that load", "ms", p99)


def memory(bench):
    """The size of the program, and resident memory after one request."""
    bench.figure("size of the program", "MiB", [Path(bench.setup.program).stat().st_size / 2**20])
    for name, start in bench.peers():
        with start() as server:
            server.call(MODERN, "list_todos", {})
            bench.figure(f"{name}: idle memory", "MiB", [server.memory()[0]])


def start(bench):
    """From the start of the process to the first response, with the local identity and SQLite."""
    program, ports = bench.setup.program, [free_port(), free_port()]
    environment = {"PORT": str(ports[0]), "EMULATOR_PORT": str(ports[1])}
    with tempfile.TemporaryDirectory() as directory:
        times, token = [], None
        for _ in range(11):
            began = time.monotonic()
            with Server("todo-mcp", [program], ports[0], environment, Path(directory)) as server:
                if token is None:
                    # Its keys stay, and so does the token. The first time, the identity makes keys meanwhile.
                    wait_for(ports[1])
                    command = subprocess.run(
                        [program, "token"], cwd=directory, env=environment, check=True,
                        capture_output=True, text=True,
                    )
                    token = command.stdout.strip()
                server.call(MODERN, "list_todos", {}, token)
                times.append((time.monotonic() - began) * 1000)
                memory = server.memory()[0]
    bench.figure("very first start, which creates files and keys, to the first response", "ms", times[:1])
    bench.figure("start to the first response", "ms", times[1:])
    bench.figure("idle memory with the local identity", "MiB", [memory])


def shape(bench):
    """Other numbers of connections, and longer descriptions."""
    variants = [("get_todo", count, BYTES, f"{count} connections") for count in (1, 256)]
    variants += [
        (tool, CONNECTIONS, length, f"descriptions of {length:,} bytes")
        for tool in ("get_todo", "create_todo") for length in (1024, 16_384)
    ]
    for tool, connections, length, what in variants:
        bench.compare(f"{tool}, {what}", "of the echo", [
            (bench.setup.echo().name, "", 0, bench.echo(tool, connections, length)),
            ("todo-mcp, SQLite", MODERN, 0,
             bench.fresh(lambda: bench.setup.todo_mcp("SQLite"), tool, MODERN, connections, length)),
        ])


def tokens(bench):
    """What the first request of a token costs, in processor time: every request has a token that the server has
    not seen. With pauses, as it takes a quarter of a core for new tokens at most."""
    setup = bench.setup
    all_tokens = setup.tokens("usr_owner", 40_000 * bench.seconds)

    def measure(tokens):
        def run():
            with setup.todo_mcp("SQLite") as server:
                made = plan(server, "get_todo", MODERN)
                made.delay = 8  # milliseconds on average: about 4,000 requests per second
                return wrk.run(server, made, tokens, CONNECTIONS, bench.seconds)
        return run
    known, new = bench.compare("get_todo, by tokens", "of one token", [
        ("one token", MODERN, 0, measure(all_tokens[:1])),
        ("a new token for every request", MODERN, 0, measure(all_tokens[1:])),
    ])
    verify = [setup.peers, "verify"]
    timed = [
        subprocess.run(verify, check=True, capture_output=True, preexec_fn=on_server_core).stdout.split()
        for _ in range(bench.rounds)
    ]
    bare, paused = (list(map(float, times)) for times in zip(*timed))
    cost = lambda sample: sample["busy"] / sample["requests_per_second"] * 1e6
    times = [[cost(sample) for sample in row["samples"]] for row in (known, new)]
    added = [new - known for known, new in zip(*times)]
    bench.figure("one bare RS256 verification", "µs", bare)
    bench.figure("what a new token adds to a request", "µs", added)
    bench.figure("the same, in bare verifications", "", [a / b for a, b in zip(added, bare)])
    bench.figure("one bare RS256 verification after a pause, as new tokens come here", "µs", paused)
    bench.figure("what a new token adds, in these", "", [a / b for a, b in zip(added, paused)])


def growth(bench):
    """Workspaces of 100 and of 1,000,000 todos in one database, in turn."""
    setup, counts = bench.setup, (100, 10_000 if bench.quick else 1_000_000)
    owners = {count: setup.tokens(f"usr_{count}", 1)[0] for count in counts}
    for storage in bench.storages()[1:]:
        with contextlib.ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            settings = setup.settings("sqlite:todos.db" if storage == "SQLite" else setup.database())
            settings |= READ_ANEW
            fill(setup, settings, directory, half_done(owners))
            server = stack.enter_context(setup.todo_mcp(storage, settings, directory))
            entries = {"growth": [], "updates": []}
            for kind, tool, arguments in growth_requests(server, owners):
                # Last and apart, as the next round of pages would not be the pages that were checked.
                alike = entries["updates" if tool == "update_todo" else "growth"]
                baseline = len(alike)
                for count, token in owners.items():
                    made = plan_of(server, tool, MODERN, arguments[count], token)
                    run = lambda made=made, token=token: \
                        wrk.run(server, made, [token], CONNECTIONS, bench.seconds)
                    alike.append((f"{kind}, {count:,} todos", MODERN, baseline, run))
            for what, alike in entries.items():
                bench.compare(f"{what} in {storage}", "of 100 todos", alike)
            what = f"todo-mcp, {storage}: peak memory, with {counts[-1]:,} todos under load"
            bench.figure(what, "MiB", [server.memory()[1]])


def build(bench):
    """Time to build from nothing, with all sources on disk. Minutes on both cores."""
    free = lambda: os.sched_setaffinity(0, ALL_CORES)
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as target:
        for profile in ("dev", "release"):
            began = time.monotonic()
            subprocess.run(
                ["cargo", "build", "--quiet", "--locked", "--package", "todo-mcp", "--profile", profile],
                cwd=ROOT, env=os.environ | {"CARGO_TARGET_DIR": target}, check=True, preexec_fn=free,
            )
            bench.figure(f"build from nothing, {profile}", "s", [time.monotonic() - began])


STAGES = {
    "get": get, "list": list_, "create": create, "update": update, "latency": latency,
    "memory": memory, "start": start, "shape": shape,
    "tokens": tokens, "growth": growth, "selections": selections, "pgbench": pgbench,
    "many": many, "crowd": crowd, "streams": streams, "build": build,
}
# Unless others are named: what the README of the project says, in less than ten minutes.
DEFAULT = ["get", "list", "create", "update", "latency", "memory", "start", "tokens"]


def main():
    parser = argparse.ArgumentParser(prog="python3 tests/benches/load", description=__doc__)
    parser.add_argument(
        "stages", nargs="*", metavar="STAGE",
        help=f"one or more of: {', '.join(STAGES)}; or `all`, which are all but build "
             f"(default: {', '.join(DEFAULT)})",
    )
    parser.add_argument("--seconds", type=int, default=1, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of each comparison; medians count")
    parser.add_argument("--quick", action="store_true", help="one round, less data: does it work?")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "target/load/results",
        help="where results are written; stages that are not measured stay as they are there",
    )
    options = parser.parse_args()
    options.rounds = 1 if options.quick else options.rounds
    if options.stages == ["all"]:
        options.stages = [name for name in STAGES if name != "build"]
    if unknown := set(options.stages) - set(STAGES):
        parser.error(f"unknown stages: {', '.join(sorted(unknown))}")
    for program, package in (("wrk", "wrk"), ("cargo", "rustup")):
        if not shutil.which(program):
            parser.error(f"`{program}` is not installed (package {package})")
    # So that a terminated benchmark stops its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    bench = Bench(options)
    for name in options.stages or DEFAULT:
        bench.tables, bench.figures, bench.plots = [], [], []
        began = time.monotonic()
        STAGES[name](bench)
        report.store(options, name, bench)
        print(f"{name}: took {time.monotonic() - began:.0f} s", flush=True)
    print("\n".join(bench.setup.notes))
    print(f"results: {options.out}/results.md")


main()
