"""A caller as there are many: ten calls a second on one connection."""

import http.client
import itertools
import json
import time
from dataclasses import dataclass

from server import Server


@dataclass
class Outcome:
    count: int
    failures: int
    p50: float
    p99: float


class Calm:
    def __init__(self, server: Server):
        self.server = server
        self.connection = None
        self.call("create_todo", {"title": "Buy milk"})

    def call(self, tool: str, arguments: dict) -> bool:
        body = json.dumps({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments},
        })
        headers = {
            "authorization": f"Bearer {self.server.tokens['calm']}",
            "content-type": "application/json", "accept": "application/json, text/event-stream",
        }
        # A client reconnects once when its idle connection was closed, as every client does.
        for fresh in (self.connection is None, True):
            try:
                if fresh:
                    self.connection = http.client.HTTPConnection(*self.server.address, timeout=10)
                self.connection.request("POST", "/mcp", body, headers)
                answer = self.connection.getresponse()
                text = answer.read()
                return answer.status == 200 and b'"isError":false' in text
            except (OSError, http.client.HTTPException):
                self.connection = None
                if fresh:
                    return False
        return False

    def calls(self, seconds: float) -> Outcome:
        tools = itertools.cycle([("list_todos", {}), ("list_todos", {"limit": 5}),
                                 ("create_todo", {"title": "Buy more milk"})])
        latencies, failures = [], 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            started = time.monotonic()
            failures += not self.call(*next(tools))
            latencies.append((time.monotonic() - started) * 1000)
            time.sleep(max(0.0, 0.1 - (time.monotonic() - started)))
        latencies.sort()
        at = lambda part: latencies[min(len(latencies) - 1, int(len(latencies) * part))]  # noqa: E731
        return Outcome(len(latencies), failures, at(0.5), at(0.99))
