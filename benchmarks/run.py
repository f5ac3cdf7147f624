"""Run the benchmark suites and print how many times faster we are than each peer (`nox -s bench`).

    python benchmarks/run.py [NAME ...] [--json OUT] [--publish]

NAME is part of a file name: `midi` runs bench_midi.py; without one, all suites run. Everything is timed by
pytest-benchmark in one process, ours and the peers one after the other. The ratio is the peer's best time to ours; the
best of several is what other work on the machine disturbs least. Suites that time many calls (`pieces.time_each`) give
the best processor time of each; their ratio is that of the sums.

`--publish` keeps the figures in results.json and writes the table of targets into README.md (see targets.py).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from pieces import ratios
from targets import publish

HERE = Path(__file__).resolve().parent
OURS = "muspy-core"


def run_suites(files: list[Path], output: Path) -> int:
    """Time the suites with pytest-benchmark into a JSON file; returns pytest's exit code."""
    options = [
        "--benchmark-only",
        f"--benchmark-json={output}",
        "--benchmark-columns=min,median,rounds",
        "--benchmark-sort=name",
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(HERE / "pytest.ini"), *options, *map(str, files)]
    return subprocess.run(command, cwd=HERE.parent).returncode


def who(benchmark: dict[str, Any]) -> str:
    """Whose time it is: the suite says so in `extra_info["who"]`."""
    return str(benchmark["extra_info"].get("who", benchmark["name"]))


def ratio_rows(benchmarks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for every peer in every group in which our own time was taken."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for benchmark in benchmarks:
        groups[benchmark["group"] or benchmark["fullname"]].append(benchmark)
    rows = []
    for group, members in groups.items():
        ours = next((member for member in members if who(member) == OURS), None)
        rows += [
            {"group": group, "peer": who(member), **ratios(times(ours), times(member))}
            for member in members
            if ours is not None and member is not ours
        ]
    return rows


def times(benchmark: dict[str, Any]) -> list[float | None]:
    """Milliseconds of each call, of all together where they were not timed one by one."""
    found: list[float | None] | None = benchmark["extra_info"].get("ms")
    return [1e3 * benchmark["stats"]["min"]] if found is None else found


def figures_of(benchmarks: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """What was measured of us alone, by group: seconds, megabytes."""
    return {
        str(benchmark["group"]): benchmark["extra_info"]["figures"]
        for benchmark in benchmarks
        if who(benchmark) == OURS and "figures" in benchmark["extra_info"]
    }


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print the ratios, one line a peer."""
    width = max([len(row["group"]) for row in rows] + [5])
    print(f"\n{'what':<{width}}  {OURS + ' ms':>14}  {'peer':<28} {'ms':>11}  {'ratio':>8}  {'median':>8}")
    for row in rows:
        print(
            f"{row['group']:<{width}}  {row['ours_ms']:14.2f}  {row['peer']:<28} {row['peer_ms']:11.2f}"
            f"  {row['ratio']:7.2f}x  {row['median']:7.2f}x"
        )


def main() -> int:
    """Run, print, and write what `--json` asks for."""
    parser = argparse.ArgumentParser(description="time muspy-core beside its peers")
    parser.add_argument("names", nargs="*", metavar="NAME", help="part of a suite's file name; default: all")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the ratios there as well")
    parser.add_argument("--publish", action="store_true", help="keep the figures and write the table of targets")
    arguments = parser.parse_args()
    suites = sorted(HERE.glob("bench_*.py"))
    chosen = [s for s in suites if not arguments.names or any(name in s.stem for name in arguments.names)]
    if not chosen:
        parser.error(f"no suite matches; there are {', '.join(s.stem.removeprefix('bench_') for s in suites)}")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "benchmark.json"
        code = run_suites(chosen, output)
        benchmarks = json.loads(output.read_text(encoding="utf-8"))["benchmarks"] if output.exists() else []
    rows, figures = ratio_rows(benchmarks), figures_of(benchmarks)
    if rows:
        print_table(rows)
    results = {"rows": rows, "figures": figures}
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if arguments.publish:
        publish(results)
    return code


if __name__ == "__main__":
    sys.exit(main())
