"""Open `subscriptions/listen` streams, each of a caller with a workspace of its own, and changes in one
workspace in a hundred."""

import contextlib
import json
import resource
import select
import socket
import tempfile
import time
from pathlib import Path

from calls import new_todo
from servers import MODERN, headers

STREAMS = [100, 1_000, 2_500, 5_000, 10_000]
# One workspace in so many is changed.
CHANGED = 100
CHANGES = 2_000
# Connections that are opened at once: fewer than wait for `accept` at most.
OPENING = 100
# Half of the connections may have a stream, and a server has some files besides.
SETTINGS = {"TODO_CONNECTIONS": str(2 * STREAMS[-1] + 100)}
OTHER_FILES = 600


def streams(bench):
    counts, changes = ([100, 1_000], 200) if bench.quick else (STREAMS, CHANGES)
    most = most_streams()
    counts = [count for count in counts if count < most] + [most] * (counts[-1] >= most)
    tokens = bench.setup.callers(counts[-1])
    with tempfile.TemporaryDirectory() as directory:
        settings = bench.setup.settings("sqlite:todos.db") | SETTINGS
        with bench.setup.todo_mcp("SQLite", settings, Path(directory)) as server, Listeners(server) as open_:
            # Whatever the first changes allocate is not of the streams.
            cost, memory, delays = [change(server, open_, tokens[:1], changes)[0]], [], []
            alone = server.memory()[0]
            for count in counts:
                open_.up_to(tokens[:count])
                memory.append((count, server.memory()[0]))
                used, took = change(server, open_, tokens[:count:CHANGED], changes)
                cost.append(used)
                delays.append(sorted(took))
            idle = server.busy()
            time.sleep(2 * bench.seconds)
            idle = (server.busy() - idle) / (2 * bench.seconds)
            peak = server.memory()[1]
    at = lambda share: [(count, each[int(len(each) * share)]) for count, each in zip(counts, delays)]
    p50, p99 = at(0.5), at(0.99)
    count = counts[-1]
    bench.figure("memory of a stream, with its connection and its caller", "KiB",
                 [(memory[-1][1] - alone) * 1024 / count])
    bench.figure(f"peak memory with {count:,} streams", "MiB", [peak])
    bench.figure(f"{count:,} streams: p50 from the request of a change to its event", "ms", [p50[-1][1]])
    bench.figure(f"{count:,} streams: p99 from the request of a change to its event", "ms", [p99[-1][1]])
    bench.figure("processor time of a change, no streams", "µs", cost[:1])
    bench.figure(f"processor time of a change, {count:,} streams", "µs", cost[-1:])
    bench.figure(f"share of the core that {count:,} streams take without changes", "%", [idle * 100])
    bench.plot("from the request of a change to its event, ms", "open streams", {"p50": p50, "p99": p99})
    bench.plot("processor time of a change, µs", "open streams", {"todo-mcp": list(zip(counts, cost[1:]))})
    bench.plot("memory, MiB", "open streams", {"todo-mcp, SQLite": memory})


def most_streams():
    """As many as the limit on open files allows, which is raised if this user may. Servers inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * STREAMS[-1] + OTHER_FILES
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, wanted), max(hard, wanted)))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard >= wanted:
        return STREAMS[-1]
    most = (hard - OTHER_FILES) // 200 * 100
    print(f"{hard:,} open files are allowed, and so {most:,} streams: {STREAMS[-1]:,} need {wanted:,} files")
    return most


def change(server, listeners, tokens, count):
    """Creates a todo in each workspace in turn, so many in all. Returns the processor time of one, in
    microseconds, and how many milliseconds after each request its event was there."""
    took, busy = [], server.busy()
    for number in range(count):
        token = tokens[number % len(tokens)]
        began = time.monotonic()
        server.send(MODERN, "create_todo", new_todo(number), token)
        if listeners.are_open:
            listeners.wait_for(token)
        took.append((time.monotonic() - began) * 1000)
    return (server.busy() - busy) / count * 1e6, took


class Listeners:
    """Streams by the token of their caller, and what waits for their events."""

    def __init__(self, server):
        self.server, self.sockets, self.tokens = server, {}, {}
        self.poll = select.epoll()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.sockets.values():
            each.close()
        self.poll.close()

    @property
    def are_open(self):
        return bool(self.sockets)

    def up_to(self, tokens):
        new = tokens[len(self.sockets):]
        for begin in range(0, len(new), OPENING):
            group = new[begin:begin + OPENING]
            for token in group:
                self.open(token)
            waiting = set(group)
            while waiting:
                for token, text in self.events():
                    if not text.startswith(b"HTTP/1.1 200 ") and b"acknowledged" not in text:
                        raise SystemExit(f"a stream is not opened: {text[:500]}")
                    if b"acknowledged" in text:
                        waiting.discard(token)

    def open(self, token):
        stream = socket.create_connection(("127.0.0.1", self.server.port))
        stream.sendall(request(token))
        stream.setblocking(False)
        self.poll.register(stream, select.EPOLLIN)
        self.sockets[stream.fileno()] = stream
        self.tokens[stream.fileno()] = token

    def events(self):
        """The caller of each stream that has something to read, and what it is."""
        ready = self.poll.poll(30)
        if not ready:
            raise SystemExit("a stream has no event after 30 seconds")
        for number, _ in ready:
            text = self.sockets[number].recv(65_536)
            if not text:
                raise SystemExit("the server closed a stream")
            yield self.tokens[number], text

    def wait_for(self, token):
        """Waits for the event of the one stream whose workspace has changed. No other may have one."""
        while True:
            for owner, text in self.events():
                if b"list_changed" in text and owner != token:
                    raise SystemExit("a stream has an event of another workspace")
                if b"list_changed" in text:
                    return


def request(token):
    lines = headers(MODERN, "", token) | {"Mcp-Method": "subscriptions/listen", "Host": "127.0.0.1"}
    del lines["Mcp-Name"]
    params = {"notifications": {"resourcesListChanged": True}, "_meta": {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params})
    lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST /mcp HTTP/1.1\r\n{head}\r\n{body}".encode()
