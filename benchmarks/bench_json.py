"""Saving and loading music as JSON and YAML, beside MusPy with the same notes and the same files.

python benchmarks/bench_json.py [FOLDER] [--json OUT]

FOLDER holds MIDI files; by default every fifth one of the Freedoom corpus beside the checkout, and where that is
missing, pieces made from a seed. Both save the same notes, and load the files that MusPy saved. Times are sums over
pieces of the best processor time of several runs. YAML takes MusPy seconds a piece, so only a few small ones are used.
"""

from __future__ import annotations

import argparse
import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import muspy_core
import pytest
from pieces import REPEATS, Work, compare, has_muspy, muspy, pieces, time_each

TARGETS = {"save JSON": 5, "load JSON": 5}
TASKS = ("save JSON", "load JSON", "save YAML", "load YAML")
YAML_PIECES, YAML_NOTES = 4, 2500
YAML_REPEATS = {"muspy-core": 3, "MusPy": 1}


@functools.cache
def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder that lasts as long as the process."""
    return tempfile.TemporaryDirectory(prefix="muspy-core-bench-")


@functools.cache
def tasks(form: str, folder: Path | None = None) -> dict[str, dict[str, list[Work]]]:
    """Task of a format ("json" or "yaml") → library → one call a piece."""
    pairs = pieces(folder)
    if form == "yaml":
        pairs = [pair for pair in pairs if sum(len(track.notes) for track in pair[0].tracks) < YAML_NOTES][:YAML_PIECES]
    saved = [Path(scratch().name) / f"{number}.{form}" for number in range(len(pairs))]
    libraries = {"muspy-core": (muspy_core, 0), "MusPy": (muspy(), 1)}
    for path, (_, theirs) in zip(saved, pairs, strict=True):
        getattr(muspy(), f"save_{form}")(path, theirs)
    made: dict[str, dict[str, list[Work]]] = {f"save {form.upper()}": {}, f"load {form.upper()}": {}}
    for who, (library, side) in libraries.items():
        save, load = getattr(library, f"save_{form}"), getattr(library, f"load_{form}")
        made[f"save {form.upper()}"][who] = [
            functools.partial(save, path.with_suffix(f".{side}.{form}"), pair[side])
            for path, pair in zip(saved, pairs, strict=True)
        ]
        made[f"load {form.upper()}"][who] = [functools.partial(load, path) for path in saved]
    return made


def repeats_of(task: str) -> dict[str, int]:
    return YAML_REPEATS if "YAML" in task else REPEATS


@pytest.mark.skipif(not has_muspy(), reason="MusPy is the peer of this suite")
@pytest.mark.parametrize("who", ["muspy-core", "MusPy"])
@pytest.mark.parametrize("task", TASKS)
def bench_json(benchmark: Any, task: str, who: str) -> None:
    benchmark.group = task
    time_each(benchmark, who, tasks(task.split()[1].lower())[task][who], repeats_of(task)[who])


def main() -> None:
    parser = argparse.ArgumentParser(description="time saving and loading beside MusPy")
    parser.add_argument("folder", nargs="?", type=Path, help="MIDI files to use")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    arguments = parser.parse_args()
    table = []
    print(f"{'task':<12} {'pieces':>6} {'muspy-core ms':>14} {'MusPy ms':>10} {'ratio':>8} {'median':>8} {'target':>7}")
    for form in ("json", "yaml"):
        for task, works in tasks(form, arguments.folder).items():
            row = {"task": task, **compare(works, repeats_of(task)), "target": TARGETS.get(task)}
            target = f"{row['target']}x" if row["target"] else ""
            print(
                f"{task:<12} {row['calls']:>6} {row['ours_ms']:14.2f} {row['peer_ms']:10.1f} {row['ratio']:7.1f}x "
                f"{row['median']:7.1f}x {target:>7}"
            )
            table.append(row)
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
