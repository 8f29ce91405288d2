"""Runs wrk against a server, on the core of the load."""

import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass
class Plan:
    """Requests, and what their responses look like."""

    headers: dict
    bodies: list
    # Of the response's body, in bytes.
    shortest: int
    longest: int
    # Every response contains the first and none the second. Empty: only the status is checked.
    success: str = '"structuredContent"'
    failure: str = '"isError":true'
    # Milliseconds between a response and the next request, on average.
    delay: int = 0
    # Which token the next request takes: "new", one that no request had; "again", the next, and after the
    # last the first; "zipf", any, the n-th with a probability of 1/n to the first's.
    order: str = "new"

    def lua(self):
        quote = lambda text: f"[=[{text}]=]"
        headers = "".join(f'["{name}"] = {quote(value)}, ' for name, value in self.headers.items())
        bodies = "".join(f"{quote(body)},\n" for body in self.bodies)
        return (
            f'return {{ path = "/mcp", headers = {{ {headers} }}, bodies = {{\n{bodies}}},\n'
            f"shortest = {self.shortest}, longest = {self.longest}, delay = {self.delay},\n"
            f"order = {quote(self.order)}, success = {quote(self.success)}, failure = {quote(self.failure)} }}\n"
        )


def command_of(server, plan, tokens, connections, seconds):
    plan_file, token_file = server.directory / "plan.lua", server.directory / "tokens"
    plan_file.write_text(plan.lua())
    token_file.write_text("\n".join(tokens) + "\n")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", SCRIPT]
    return command + [f"http://127.0.0.1:{server.port}/mcp", "--", plan_file, token_file]


def send_each(server, plan, tokens):
    """Sends a request with each token, and returns the processor time of one."""
    busy = server.busy()
    command = command_of(server, replace(plan, order="each"), tokens, 32, 600)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        # It goes on for its time, though without requests.
        line = next((line for line in process.stdout if line.startswith("EACH ")), "EACH ended")
        process.kill()
    if line.split()[1] != "0":
        raise SystemExit(f"{server.name}: wrong responses: {line}")
    return (server.busy() - busy) / len(tokens)


def run(server, plan, tokens, connections, seconds, processor_time=None):
    """One measurement: throughput, latencies, how busy the server's core is, its memory. How busy is told
    by `processor_time`, if other processes count too."""
    processor_time = processor_time or server.busy
    command = command_of(server, plan, tokens, connections, seconds)
    busy, began = processor_time(), time.monotonic()
    output = subprocess.run(command, check=True, capture_output=True, text=True)
    busy, took = processor_time() - busy, time.monotonic() - began
    lines = output.stdout.splitlines()
    result = [line.split()[1:] for line in lines if line.startswith("RESULT ")]
    if not result:
        raise SystemExit(f"wrk failed: {output.stdout}{output.stderr}")
    requests, duration, p50, p99, failed, broken = map(int, result[0])
    if failed or broken or not requests:
        raise SystemExit(
            f"{server.name}: {failed} of {requests} responses are wrong, {broken} connections failed. "
            f"The first: {lines[-1]}"
        )
    if plan.order == "new" and 1 < len(tokens) < requests:
        raise SystemExit(f"{len(tokens)} tokens are too few for {requests} requests")
    return {
        "requests_per_second": requests / duration * 1e6,
        "p50_ms": p50 / 1000,
        "p99_ms": p99 / 1000,
        "busy": busy / min(took, duration / 1e6),
        "memory_mib": server.memory()[0],
    }
