"""Whether the server's memory, files and threads stay as they are under steady use.

    python3 tests/benches/soak [PROGRAM] [--seconds N] [--rate N] [--set NAME=VALUE ...]

PROGRAM (by default target/release/todo-mcp) is started with a database of its own. Twenty callers use all
tools, resources, prompts and completions, open and leave streams, send wrong arguments and wrong tokens, at
so many requests a second (by default 100), and keep their lists short. An audit log is written and rotated,
and the metrics are scraped. The first third warms up. After that, the run fails if memory grows by more
than 3 MiB, if there are never again as few files or threads as before, or if an answer is not the expected
one. All traffic stays on this machine.
"""

import argparse
import http.client
import itertools
import json
import random
import signal
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/benches/attacks"))

from server import Server, free_port  # noqa: E402

CALLERS = 20
DAY = 24 * 60 * 60
GROWTH = 3 * 2**20
WORDS = "buy call write read fix plan pay send clean tax milk report garden".split()


class Unexpected(Exception):
    pass


class Caller:
    def __init__(self, server: Server, number: int):
        self.server = server
        self.token = server.token(subject=f"usr_{number}", expires_in=DAY)
        self.connection: http.client.HTTPConnection | None = None
        self.todos: list[str] = []
        self.latest = None
        self.random = random.Random(number)
        self.steps = itertools.cycle([
            self.create, self.page, self.update, self.search, self.bulk, self.read, self.undo,
            self.changes, self.wrong, self.complete, self.prompt, self.strange, self.delete, self.listen,
        ])
        for _ in range(number):
            next(self.steps)

    def send(self, method: str, params: dict, token: str | None = None):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        headers = {"authorization": f"Bearer {token or self.token}", "content-type": "application/json",
                   "accept": "application/json, text/event-stream"}
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.server.address, timeout=30)
        self.connection.request("POST", "/mcp", body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def result(self, method: str, params: dict) -> dict:
        status, text = self.send(method, params)
        answer = json.loads(text)
        if status != 200 or "result" not in answer:
            raise Unexpected(f"{method} {params}: {status} {text[:300]!r}")
        return answer["result"]

    def call(self, tool: str, **arguments) -> dict:
        result = self.result("tools/call", {"name": tool, "arguments": arguments})
        if result["isError"]:
            raise Unexpected(f"{tool} {arguments}: {result}")
        return result["structuredContent"]

    def text(self, words: int) -> str:
        return " ".join(self.random.choice(WORDS) for _ in range(words))

    def create(self) -> None:
        todo = self.call("create_todo", title=self.text(3), description=self.text(30),
                         labels=[self.random.choice(WORDS)], due="2026-12-24T17:30",
                         time_zone="Europe/Berlin", idempotency_key=str(self.random.random()))
        self.todos.append(todo["todo"]["id"])

    def page(self) -> None:
        sort = self.random.choice(["created", "due", "priority", "updated"])
        self.call("list_todos", sort=sort, limit=20)

    def search(self) -> None:
        self.call("list_todos", query=self.random.choice(WORDS)[:3], detail="short")

    def update(self) -> None:
        if self.todos:
            todo = self.random.choice(self.todos)
            self.call("update_todo", todo_id=todo, title=self.text(3), priority="high")
            self.call("get_todo", todo_id=todo)

    def bulk(self) -> None:
        changes = [{"action": "create", "title": self.text(2)} for _ in range(5)]
        self.batch = self.call("change_todos", changes=changes)["batch_id"]

    def undo(self) -> None:
        if getattr(self, "batch", None):
            self.call("undo_change", change_id=self.batch)
            self.batch = None

    def changes(self) -> None:
        since = {"since": self.latest} if self.latest else {}
        self.latest = self.call("list_changes", **since)["latest"]

    def read(self) -> None:
        self.result("resources/read", {"uri": "todo://todos"})
        self.result("resources/list", {})

    def complete(self) -> None:
        self.result("completion/complete", {
            "ref": {"type": "ref/resource", "uri": "todo://labels/{label}"},
            "argument": {"name": "label", "value": "b"}})

    def prompt(self) -> None:
        self.result("prompts/get", {"name": "plan_my_day", "arguments": {}})

    def wrong(self) -> None:
        result = self.result("tools/call", {"name": "create_todo", "arguments": {"titel": "x"}})
        if not result["isError"]:
            raise Unexpected("a wrong argument is accepted")

    def strange(self) -> None:
        token = self.token[:-6] + "".join(self.random.choice("abcdef") for _ in range(6))
        status, text = self.send("tools/list", {}, token)
        if status != 401:
            raise Unexpected(f"a wrong token: {status} {text!r}")

    def delete(self) -> None:
        while len(self.todos) > 20:
            self.call("delete_todo", todo_id=self.todos.pop(0))

    def listen(self) -> None:
        """Opens a stream, reads its first message, and goes away."""
        version = "2026-07-28"
        meta = {"io.modelcontextprotocol/protocolVersion": version,
                "io.modelcontextprotocol/clientCapabilities": {}}
        params = {"_meta": meta, "notifications": {"resourcesListChanged": True}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params})
        connection = http.client.HTTPConnection(*self.server.address, timeout=30)
        connection.request("POST", "/mcp", body, {
            "authorization": f"Bearer {self.token}", "content-type": "application/json",
            "accept": "application/json, text/event-stream", "mcp-protocol-version": version,
            "mcp-method": "subscriptions/listen"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise Unexpected(f"subscriptions/listen: {answer.status} {answer.read()!r}")
        answer.readline()
        connection.close()


def sample(server: Server) -> dict[str, int]:
    process = Path(f"/proc/{server.process.pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return {
        "memory": int(status["VmRSS"].split()[0]) * 1024,
        "threads": int(status["Threads"]),
        "files": len(list((process / "fd").iterdir())),
    }


def soak(server: Server, seconds: float, rate: float, admin: int | None) -> list[dict[str, int]]:
    callers = [Caller(server, number) for number in range(CALLERS)]
    samples, requests = [], 0
    began = time.monotonic()
    next_sample = began + 1
    for caller in itertools.cycle(callers):
        now = time.monotonic()
        if now - began > seconds:
            return samples
        next(caller.steps)()
        requests += 1
        if now > next_sample:
            next_sample += 1
            samples.append(sample(server))
            if len(samples) % 5 == 0 and admin is not None:
                scrape(server, admin)
            if len(samples) % 30 == 0:
                rotate(server)
                last = samples[-1]
                print(f"{len(samples):>5} s  {requests:>7} steps  {last['memory'] / 2**20:6.1f} MiB"
                      f"  {last['threads']} threads  {last['files']} files", flush=True)
        time.sleep(max(0.0, began + requests / rate - time.monotonic()))
    return samples


def scrape(server: Server, admin: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", admin, timeout=10)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200 or b"mcp_server_operation_duration_seconds" not in text:
        raise Unexpected(f"/metrics: {answer.status} {text[:300]!r}")


def rotate(server: Server) -> None:
    """As logrotate does, which keeps one old file here."""
    log = Path(server.directory.name) / "audit.jsonl"
    if log.exists():
        for line in log.read_text().splitlines()[:-1]:
            json.loads(line)
        log.rename(log.with_suffix(".old"))
        server.process.send_signal(signal.SIGUSR1)


def growth(samples: list[dict[str, int]], of: str) -> tuple[float, float]:
    """What is usual in the second third and at the end. Of threads and files the fewest: those that are lent for a
    while come and go, and one that is not given back is in every sample."""
    usual = statistics.median if of == "memory" else min
    third = len(samples) // 3
    early = usual(it[of] for it in samples[third:third + max(1, third // 2)])
    late = usual(it[of] for it in samples[-max(1, third // 2):])
    return early, late


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="?", type=Path, default=ROOT / "target/release/todo-mcp")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    admin = free_port()
    settings = {"TODO_AUDIT_LOG": "audit.jsonl", "TODO_ADMIN_ADDRESS": f"127.0.0.1:{admin}",
                "TODO_TIME_ZONE": "Europe/Berlin"}
    settings |= dict(it.split("=", 1) for it in options.set)
    with Server(options.program, settings) as server:
        samples = soak(server, options.seconds, options.rate, admin)
    failed = False
    for of, unit, size, tolerance in [("memory", "MiB", 2**20, GROWTH), ("threads", "", 1, 0),
                                      ("files", "", 1, 0)]:
        early, late = growth(samples, of)
        grew = late - early > tolerance
        failed |= grew
        print(f"{of}: {early / size:.1f} {unit} after a third, {late / size:.1f} {unit} at the end"
              f"{'  MORE THAN EXPECTED' if grew else ''}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
