"""A server with a local identity, in a directory of its own."""

import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Server:
    def __init__(self, program: Path, settings: dict[str, str] | None = None):
        self.program = program.resolve()
        self.settings = settings or {}
        self.address = ("127.0.0.1", free_port())
        self.identity = ("127.0.0.1", free_port())
        self.tokens: dict[str, str] = {}

    def __enter__(self) -> "Server":
        self.directory = tempfile.TemporaryDirectory()
        environment = {
            "PORT": str(self.address[1]), "EMULATOR_PORT": str(self.identity[1]),
            "RUST_LOG": "warn", "PATH": os.environ.get("PATH", ""),
        } | self.settings
        self.log = open(Path(self.directory.name) / "log", "w")
        self.process = subprocess.Popen(
            [self.program, "serve"], cwd=self.directory.name, env=environment,
            stdout=subprocess.DEVNULL, stderr=self.log,
        )
        self.wait_for(self.address)
        self.wait_for(self.identity)
        self.tokens = {
            "calm": self.token(subject="usr_calm"),
            "greedy": self.token(subject="usr_greedy"),
            "no scope": self.token(subject="usr_stranger", scope="openid"),
        }
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.directory.cleanup()

    def wait_for(self, address: tuple[str, int]) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(address):
                    return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(f"{self.program} did not start") from None
                time.sleep(0.02)

    def token(self, **request: str | int) -> str:
        connection = http.client.HTTPConnection(*self.identity, timeout=10)
        headers = {"content-type": "application/json"}
        connection.request("POST", "/emulator/token", json.dumps(request), headers)
        return json.load(connection.getresponse())["access_token"]

    def peak_memory(self) -> int:
        """In bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmHWM")

    def is_healthy(self) -> bool:
        try:
            connection = http.client.HTTPConnection(*self.address, timeout=2)
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
