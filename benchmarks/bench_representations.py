"""How fast music is encoded into representations and decoded from them, beside MusPy on the same notes.

python benchmarks/bench_representations.py [FOLDER] [--json OUT]

FOLDER holds MIDI files; by default every fifth one of the Freedoom corpus beside the checkout, and where that is
missing, pieces made from a seed. MusPy reads the files, and its notes are given to us as columns, so both start from
what their reader would give them. Times are sums over pieces of the best processor time of several runs; beside the
ratio of the sums stands the median of the ratios of the pieces.

A piano roll is a dense array of 128 bytes a time step, up to 239 MB for a few thousand notes at 960 steps a quarter.
The system gives the memory of a new array page by page when it is first written, to MusPy and to us, and each note of
ours costs a step of a loop that copies a string over a buffer. We reach 3 times the speed of MusPy, in the sum as in
the median of the pieces, and not the 50 that were aimed at.
"""

from __future__ import annotations

import argparse
import functools
import json
from pathlib import Path
from typing import Any

import muspy_core
import pytest
from pieces import REPEATS, Work, compare, has_muspy, muspy, pieces, time_each

KINDS = ("pianoroll", "event", "note", "pitch")
TARGETS = {"encode pianoroll": 50, "encode event": 10, "encode note": 5}


@functools.lru_cache(maxsize=1)
def tasks(kind: str, folder: Path | None = None) -> dict[str, dict[str, list[Work]]]:
    """Task of a kind → library → one call a piece."""
    encode, decode = f"to_{kind}_representation", f"from_{kind}_representation"
    pairs = pieces(folder)
    # MusPy decodes pitches from a vector only, with a recent NumPy.
    arrays = [getattr(muspy_core, encode)(ours) for ours, _ in pairs]
    arrays = [array.reshape(-1) if kind == "pitch" else array for array in arrays]
    return {
        f"encode {kind}": {
            "muspy-core": [functools.partial(getattr(muspy_core, encode), ours) for ours, _ in pairs],
            "MusPy": [functools.partial(getattr(muspy(), encode), theirs) for _, theirs in pairs],
        },
        f"decode {kind}": {
            "muspy-core": [functools.partial(getattr(muspy_core, decode), array) for array in arrays],
            "MusPy": [functools.partial(getattr(muspy(), decode), array) for array in arrays],
        },
    }


def rows(folder: Path | None = None) -> list[dict[str, Any]]:
    """One row a task: milliseconds of both, the ratio of the sums, the median of the ratios, and the target."""
    return [
        {"task": task, **compare(works, REPEATS), "target": TARGETS.get(task)}
        for kind in KINDS
        for task, works in tasks(kind, folder).items()
    ]


@pytest.mark.skipif(not has_muspy(), reason="MusPy is the peer of this suite")
@pytest.mark.parametrize("who", ["muspy-core", "MusPy"])
@pytest.mark.parametrize("way", ["encode", "decode"])
@pytest.mark.parametrize("kind", KINDS)
def bench_representations(benchmark: Any, kind: str, way: str, who: str) -> None:
    benchmark.group = f"{way} {kind}"
    time_each(benchmark, who, tasks(kind)[f"{way} {kind}"][who], REPEATS[who])


def main() -> None:
    parser = argparse.ArgumentParser(description="time representations beside MusPy")
    parser.add_argument("folder", nargs="?", type=Path, help="MIDI files to use")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    arguments = parser.parse_args()
    notes = [sum(len(track.notes) for track in ours.tracks) for ours, _ in pieces(arguments.folder)]
    print(f"{len(notes)} pieces, {sum(notes)} notes")
    print(f"{'task':<18} {'muspy-core ms':>14} {'MusPy ms':>10} {'ratio':>8} {'median':>8} {'target':>7}")
    table = rows(arguments.folder)
    for row in table:
        target = f"{row['target']}x" if row["target"] else ""
        ours, theirs = row["ours_ms"], row["peer_ms"]
        print(f"{row['task']:<18} {ours:14.2f} {theirs:10.1f} {row['ratio']:7.1f}x {row['median']:7.1f}x {target:>7}")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
