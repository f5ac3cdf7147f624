"""How fast metrics are computed, beside MusPy on the same notes.

python benchmarks/bench_metrics.py [FOLDER] [--json OUT]

FOLDER holds MIDI files; by default every fifth one of the Freedoom corpus beside the checkout, and where that is
missing, pieces made from a seed. MusPy reads the files, and its notes are given to us as columns. Times are sums over
pieces of the best processor time of several runs; MusPy's grow with the number of time steps, so long pieces have rows
of their own.
"""

from __future__ import annotations

import argparse
import functools
import json
from pathlib import Path
from typing import Any

import pytest
from muspy_core import metrics
from pieces import REPEATS, Work, compare, has_muspy, muspy, pieces, time_each

LONG = 100_000  # time steps
METRICS: dict[str, tuple[Any, ...]] = {
    "polyphony": (),
    "polyphony_rate": (),
    "empty_beat_rate": (),
    "scale_consistency": (),
    "pitch_class_entropy": (),
    "groove_consistency": (1920,),
}
TARGETS = {"polyphony, long pieces": 1000, "polyphony_rate, long pieces": 1000}


@functools.cache
def tasks(folder: Path | None = None) -> dict[str, dict[str, list[Work]]]:
    """Task → library → one call a piece."""
    everything = pieces(folder)
    sets = {"all pieces": everything, "long pieces": [pair for pair in everything if pair[0].get_end_time() >= LONG]}
    made: dict[str, dict[str, list[Work]]] = {}
    for name, arguments in METRICS.items():
        for label, pairs in sets.items():
            if pairs:
                made[f"{name}, {label}"] = {
                    "muspy-core": [functools.partial(getattr(metrics, name), ours, *arguments) for ours, _ in pairs],
                    "MusPy": [functools.partial(getattr(muspy(), name), theirs, *arguments) for _, theirs in pairs],
                }
    return made


def rows(folder: Path | None = None) -> list[dict[str, Any]]:
    """One row a task: milliseconds of both, the ratio of the sums, the median of the ratios, and the target."""
    return [
        {"task": task, **compare(works, REPEATS), "target": TARGETS.get(task)} for task, works in tasks(folder).items()
    ]


@pytest.mark.skipif(not has_muspy(), reason="MusPy is the peer of this suite")
@pytest.mark.parametrize("who", ["muspy-core", "MusPy"])
@pytest.mark.parametrize("name", list(METRICS))
def bench_metrics(benchmark: Any, name: str, who: str) -> None:
    task = next(task for task in (f"{name}, long pieces", f"{name}, all pieces") if task in tasks())
    benchmark.group = task
    time_each(benchmark, who, tasks()[task][who], REPEATS[who])


def main() -> None:
    parser = argparse.ArgumentParser(description="time metrics beside MusPy")
    parser.add_argument("folder", nargs="?", type=Path, help="MIDI files to use")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    arguments = parser.parse_args()
    lengths = [ours.get_end_time() for ours, _ in pieces(arguments.folder)]
    print(f"{len(lengths)} pieces, {sum(length >= LONG for length in lengths)} of {LONG} steps and more")
    print(f"{'task':<32} {'muspy-core ms':>14} {'MusPy ms':>10} {'ratio':>8} {'median':>8} {'target':>7}")
    table = rows(arguments.folder)
    for row in table:
        target = f"{row['target']}x" if row["target"] else ""
        ours, theirs = row["ours_ms"], row["peer_ms"]
        print(f"{row['task']:<32} {ours:14.3f} {theirs:10.1f} {row['ratio']:7.1f}x {row['median']:7.1f}x {target:>7}")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
