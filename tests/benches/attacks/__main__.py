"""What an attack costs the server, and a calm caller beside it.

    python3 tests/benches/attacks [PROGRAM ...] [--only NAME ...] [--seconds N]

Each PROGRAM (by default target/release/todo-mcp) is started anew for each attack, with the default
settings and a database of its own. A calm caller makes ten calls a second, alone and then beside the
attack; the table has its failures, its latencies, and the peak of the server's memory. All traffic stays
on this machine.
"""

import argparse
import multiprocessing
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from attacks import ATTACKS, rehearse, run_all  # noqa: E402
from calm import Calm  # noqa: E402
from server import Server  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]


def measure(program: Path, name: str, seconds: float) -> str:
    with Server(program) as server:
        rehearse(server)
        calm = Calm(server)
        alone = calm.calls(seconds)
        before = server.peak_memory()
        ready, stop = multiprocessing.Event(), multiprocessing.Event()
        arguments = (name, server.address, server.tokens, ready, stop)
        attack = multiprocessing.Process(target=run_all, args=arguments)
        attack.start()
        ready.wait(120)
        beside = calm.calls(seconds)
        healthy = server.is_healthy()
        growth = server.peak_memory() - before
        total = server.peak_memory()
        stop.set()
        attack.join(10)
        attack.kill()
        return (
            f"| {name} | {beside.failures} of {beside.count} | {alone.p50:.1f} | {beside.p50:.1f} "
            f"| {alone.p99:.1f} | {beside.p99:.1f} | {growth / 2**20:.1f} | {total / 2**20:.1f} "
            f"| {'yes' if healthy else 'NO'} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*", type=Path, metavar="PROGRAM")
    parser.add_argument("--only", nargs="+", choices=[*ATTACKS, "all at once"], metavar="NAME")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    for program in options.programs or [ROOT / "target/release/todo-mcp"]:
        print(f"\n{program}\n")
        print("| attack | failed calls | p50 alone, ms | beside | p99 alone, ms | beside "
              "| memory grew by, MiB | to | /healthz |")
        print("|---|---|---|---|---|---|---|---|---|")
        for name in options.only or [*ATTACKS, "all at once"]:
            print(measure(program, name, options.seconds), flush=True)


if __name__ == "__main__":
    main()
