"""How fast music is encoded into representations and decoded from them, beside MusPy on the same notes.

python benchmarks/bench_representations.py [FOLDER] [--json OUT]

FOLDER holds MIDI files; by default every fifth one of the Freedoom corpus beside the checkout, and where that is
missing, pieces made from a seed. MusPy reads the files, and its notes are given to us as columns, so both start from
what their reader would give them. Times are sums over pieces of the best of several runs.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import muspy_core
import numpy as np
import pytest
from muspy_core import EventList, Music, Note, Track

CHECKOUT = Path(__file__).resolve().parents[1]
KINDS = ("pianoroll", "event", "note", "pitch")
TARGETS = {"encode pianoroll": 50, "encode event": 10, "encode note": 5}
REPEATS = {"muspy-core": 15, "MusPy": 3}
EVERY = 5

Work = Callable[[], Any]


def has_muspy() -> bool:
    return importlib.util.find_spec("muspy") is not None


@functools.cache
def muspy() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import muspy

        return muspy


@functools.cache
def pieces(folder: Path | None = None) -> list[tuple[Music, Any]]:
    """Pairs of the same notes as our columns and as MusPy's objects."""
    shared = Path(os.environ.get("MUSPY_SHARED_DATA") or CHECKOUT.parent / "shared/data") / "freedoom-midi"
    if folder is None and not shared.is_dir():
        theirs = [made_up(seed) for seed in range(8)]
    else:
        paths = sorted((folder or shared).rglob("*.mid"))[:: 1 if folder else EVERY]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = [muspy().read_midi(path) for path in paths]
    return [(as_columns(music), music) for music in theirs if any(track.notes for track in music.tracks)]


def made_up(seed: int) -> Any:
    """Ten tracks of 500 notes at 480 steps a quarter."""
    rng = np.random.default_rng(seed)
    music = muspy().Music(resolution=480)
    for program in range(10):
        times = np.sort(rng.integers(0, 100_000, 500)) // 120 * 120
        columns = (times, rng.integers(36, 84, 500), rng.integers(60, 960, 500), rng.integers(30, 120, 500))
        rows = zip(*(column.tolist() for column in columns), strict=True)
        music.tracks.append(muspy().Track(program, notes=[muspy().Note(*row) for row in rows]))
    return music


def as_columns(music: Any) -> Music:
    copied = Music(resolution=music.resolution)
    for track in music.tracks:
        rows = [Note(note.time, note.pitch, note.duration, note.velocity) for note in track.notes]
        notes = EventList.from_columns(Note, EventList(Note, rows).array.copy())
        copied.tracks.append(Track(track.program, track.is_drum, notes=notes))
    return copied


def tasks(folder: Path | None = None) -> dict[str, dict[str, list[Work]]]:
    """Task → library → one call a piece."""
    made: dict[str, dict[str, list[Work]]] = {}
    for kind in KINDS:
        encode, decode = f"to_{kind}_representation", f"from_{kind}_representation"
        pairs = pieces(folder)
        made[f"encode {kind}"] = {
            "muspy-core": [functools.partial(getattr(muspy_core, encode), ours) for ours, _ in pairs],
            "MusPy": [functools.partial(getattr(muspy(), encode), theirs) for _, theirs in pairs],
        }
        # MusPy decodes pitches from a vector only, with a recent NumPy.
        arrays = [getattr(muspy_core, encode)(ours) for ours, _ in pairs]
        arrays = [array.reshape(-1) if kind == "pitch" else array for array in arrays]
        made[f"decode {kind}"] = {
            "muspy-core": [functools.partial(getattr(muspy_core, decode), array) for array in arrays],
            "MusPy": [functools.partial(getattr(muspy(), decode), array) for array in arrays],
        }
    return made


def best(work: Work, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def rows(folder: Path | None = None) -> list[dict[str, Any]]:
    """One row a task: milliseconds of both, the ratio of the sums, and the target where there is one."""
    table = []
    for task, works in tasks(folder).items():
        ms = {who: 1e3 * sum(best(work, REPEATS[who]) for work in calls) for who, calls in works.items()}
        ratio = ms["MusPy"] / ms["muspy-core"]
        table.append({"task": task, "ms": ms, "ratio": ratio, "target": TARGETS.get(task)})
    return table


@pytest.mark.skipif(not has_muspy(), reason="MusPy is the peer of this suite")
@pytest.mark.parametrize("who", ["muspy-core", "MusPy"])
@pytest.mark.parametrize("task", [f"{way} {kind}" for kind in KINDS for way in ("encode", "decode")])
def bench_representations(benchmark: Any, task: str, who: str) -> None:
    calls = tasks()[task][who]
    benchmark.group = task
    benchmark.extra_info["who"] = who
    benchmark.pedantic(lambda: [call() for call in calls], rounds=REPEATS[who], warmup_rounds=1)


def main() -> None:
    parser = argparse.ArgumentParser(description="time representations beside MusPy")
    parser.add_argument("folder", nargs="?", type=Path, help="MIDI files to use")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    arguments = parser.parse_args()
    notes = [sum(len(track.notes) for track in ours.tracks) for ours, _ in pieces(arguments.folder)]
    print(f"{len(notes)} pieces, {sum(notes)} notes")
    print(f"{'task':<18} {'muspy-core ms':>14} {'MusPy ms':>10} {'ratio':>8} {'target':>7}")
    table = rows(arguments.folder)
    for row in table:
        target = f"{row['target']}x" if row["target"] else ""
        ours, theirs = row["ms"]["muspy-core"], row["ms"]["MusPy"]
        print(f"{row['task']:<18} {ours:14.2f} {theirs:10.1f} {row['ratio']:7.1f}x {target:>7}")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
