"""Results: raw figures as JSON, tables, charts."""

import datetime
import json
import platform
import subprocess
from pathlib import Path
from statistics import median

from charts import bars, curves, figure, of

CHARTS = {"reads.svg": ("get", "list"), "writes.svg": ("create", "update")}


def say(what, sample):
    print(
        f"{what:<72} {sample['requests_per_second']:>9,.0f}/s  {sample['ratio']:.3f}  "
        f"p99 {sample['p99_ms']:.2f} ms  busy {sample['busy']:.0%}", flush=True,
    )


def machine():
    """What the figures depend on."""
    def field(file, name):
        lines = Path(file).read_text().splitlines()
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "?")

    run = lambda *command: subprocess.run(command, capture_output=True, text=True).stdout.strip()
    commit = run("git", "rev-parse", "--short", "HEAD")
    changed = "+" if run("git", "status", "--porcelain") else ""
    memory = round(int(field("/proc/meminfo", "MemTotal").split()[0]) / 2**20)
    processor = field("/proc/cpuinfo", "model name")
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit + changed,
        "machine": f"{processor}, {memory} GiB, Linux {platform.release()}, {run('rustc', '--version')}",
    }


def store(options, stage, bench):
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "results.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    results[stage] = machine() | {
        "seconds": options.seconds, "rounds": options.rounds,
        "notes": bench.setup.notes, "tables": bench.tables, "figures": bench.figures, "plots": bench.plots,
    }
    file.write_text(json.dumps(results, indent=1) + "\n")
    (options.out / "results.md").write_text(markdown(results))
    for name, stages in CHARTS.items():
        tables = [results[stage]["tables"][0] for stage in stages if stage in results]
        if tables:
            (options.out / name).write_text(bars(tables))
    if bench.plots:
        (options.out / f"{stage}.svg").write_text(curves(bench.plots))


def markdown(results):
    text = ["# Results", ""]
    text += ["Medians; of ratios also the lowest and the highest. How they are measured: "
             "[README](../README.md). Raw figures: [results.json](results.json).", ""]
    for stage, result in results.items():
        text += [f"## {stage}", ""]
        text += [f"{result['date']}, commit {result['commit']}, {result['rounds']} rounds of "
                 f"{result['seconds']} s: {result['machine']}.", ""]
        text += [f"* {note}" for note in result["notes"]] + [""] * bool(result["notes"])
        for table in result["tables"]:
            text += [f"### {table['title']}", ""]
            text += [f"| server | MCP | requests/s | {table['ratio_of']} | p50 | p99 | core busy, per request | memory |"]
            text += ["|---|---|--:|--:|--:|--:|--:|--:|"]
            for row in table["rows"]:
                ratios = sorted(sample["ratio"] for sample in row["samples"])
                text += [
                    f"| {row['name']} | {row['era']} | {figure(of(row, 'requests_per_second'))} "
                    f"| {median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f}) "
                    f"| {of(row, 'p50_ms'):.2f} ms | {of(row, 'p99_ms'):.2f} ms "
                    f"| {of(row, 'busy'):.0%}, "
                    f"{of(row, 'busy') / of(row, 'requests_per_second') * 1e6:.1f} µs "
                    f"| {of(row, 'memory_mib'):.0f} MiB |"
                ]
            text += [""]
        if result["figures"]:
            text += ["| | median | |", "|---|--:|---|"]
            for each in result["figures"]:
                text += [f"| {each['what']} | {figure(median(each['values']))} | {each['unit']} |"]
            text += [""]
        if result.get("plots"):
            text += [f"![{stage}]({stage}.svg)", ""]
    return "\n".join(text)
