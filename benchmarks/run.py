"""Run the benchmark suites and print how many times faster we are than each peer (`nox -s bench`).

    python benchmarks/run.py [NAME ...] [--json OUT]

NAME is part of a file name: `midi` runs bench_midi.py; without one, all suites run. Everything is timed by
pytest-benchmark in one process, ours and the peers one after the other. The ratio is the peer's best time to ours; the
best of several is what other work on the machine disturbs least.
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
        for member in members:
            if ours is None or member is ours:
                continue
            times = {"ours_ms": 1e3 * ours["stats"]["min"], "peer_ms": 1e3 * member["stats"]["min"]}
            rows.append({"group": group, "peer": who(member), **times, "ratio": times["peer_ms"] / times["ours_ms"]})
    return rows


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print the ratios, one line a peer."""
    width = max([len(row["group"]) for row in rows] + [5])
    print(f"\n{'what':<{width}}  {OURS + ' ms':>14}  {'peer':<28} {'ms':>11}  {'ratio':>8}")
    for row in rows:
        print(
            f"{row['group']:<{width}}  {row['ours_ms']:14.2f}  {row['peer']:<28} {row['peer_ms']:11.2f}"
            f"  {row['ratio']:7.2f}x"
        )


def main() -> int:
    """Run, print, and write what `--json` asks for."""
    parser = argparse.ArgumentParser(description="time muspy-core beside its peers")
    parser.add_argument("names", nargs="*", metavar="NAME", help="part of a suite's file name; default: all")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the ratios there as well")
    arguments = parser.parse_args()
    suites = sorted(HERE.glob("bench_*.py"))
    chosen = [s for s in suites if not arguments.names or any(name in s.stem for name in arguments.names)]
    if not chosen:
        parser.error(f"no suite matches; there are {', '.join(s.stem.removeprefix('bench_') for s in suites)}")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "benchmark.json"
        code = run_suites(chosen, output)
        benchmarks = json.loads(output.read_text(encoding="utf-8"))["benchmarks"] if output.exists() else []
    rows = ratio_rows(benchmarks)
    if rows:
        print_table(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
