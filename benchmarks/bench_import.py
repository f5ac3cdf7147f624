"""How long `import muspy_core` takes and how much memory it needs, beside its peers, in fresh interpreters.

python benchmarks/bench_import.py [--json OUT]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPEATS = 7
TARGET_S, TARGET_MB = 0.4, 60
MODULES = ("numpy", "muspy_core", "symusic", "mido", "pretty_midi", "music21", "muspy")

# Peak resident memory: VmHWM on Linux (ru_maxrss would show the parent's, which survives exec), ru_maxrss in bytes
# on macOS; Windows has neither.
PROGRAM = """
import sys, time
start = time.perf_counter()
import {module}
seconds = time.perf_counter() - start
try:
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) / 1e3 for line in status if line.startswith("VmHWM"))
except OSError:
    try:
        import resource
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    except ImportError:
        peak = float("nan")
print(seconds, peak)
"""


def import_once(module: str) -> tuple[float, float]:
    """Import a module in a fresh interpreter. Returns (seconds, peak resident memory in MB)."""
    program = PROGRAM.format(module=module)
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), float(peak)


def installed() -> list[str]:
    return [module for module in MODULES if importlib.util.find_spec(module) is not None]


def rows(repeats: int = REPEATS) -> list[dict[str, Any]]:
    """One row a module: median seconds and MB over `repeats` interpreters (after one to warm the file cache)."""
    table = []
    for module in installed():
        import_once(module)
        seconds, peaks = zip(*(import_once(module) for _ in range(repeats)), strict=True)
        table.append({"module": module, "seconds": statistics.median(seconds), "mb": statistics.median(peaks)})
    return table


@pytest.mark.parametrize("module", installed())
@pytest.mark.benchmark(group="import in a fresh interpreter")
def bench_import(benchmark: Any, module: str) -> None:
    benchmark.extra_info["who"] = "muspy-core" if module == "muspy_core" else module
    figures: list[tuple[float, float]] = []
    benchmark.pedantic(lambda: figures.append(import_once(module)), rounds=REPEATS, warmup_rounds=1)
    seconds, peaks = zip(*figures, strict=True)
    benchmark.extra_info["figures"] = {"s": statistics.median(seconds), "MB": statistics.median(peaks)}


def main() -> None:
    parser = argparse.ArgumentParser(description="time and memory of importing muspy_core and its peers")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    arguments = parser.parse_args()
    table = rows()
    ours = next(row for row in table if row["module"] == "muspy_core")
    print(f"{'module':<12} {'s':>7} {'MB':>7} {'ratio':>7}   (median of {REPEATS} fresh interpreters)")
    for row in table:
        ratio = row["seconds"] / ours["seconds"]
        print(f"{row['module']:<12} {row['seconds']:7.3f} {row['mb']:7.1f} {ratio:6.2f}x")
    print(f"targets for muspy_core: {TARGET_S} s, {TARGET_MB} MB")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
