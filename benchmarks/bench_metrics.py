"""How fast metrics are computed, beside MusPy on the same notes.

python benchmarks/bench_metrics.py [FOLDER] [--json OUT]

FOLDER holds MIDI files; by default every fifth one of the Freedoom corpus beside the checkout, and where that is
missing, pieces made from a seed. MusPy reads the files, and its notes are given to us as columns. Times are sums over
pieces of the best of several runs; MusPy's grow with the number of time steps, so long pieces have rows of their own.
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

import numpy as np
import pytest
from muspy_core import EventList, Music, Note, Track, metrics

CHECKOUT = Path(__file__).resolve().parents[1]
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
    for music in theirs:
        for track in music.tracks:
            track.annotations = []
    return [(as_columns(music), music) for music in theirs if any(track.notes for track in music.tracks)]


def made_up(seed: int) -> Any:
    """Ten tracks of 500 notes at 480 steps a quarter."""
    rng = np.random.default_rng(seed)
    music = muspy().Music(resolution=480)
    for program in range(10):
        times = np.sort(rng.integers(0, 100_000 * (1 + seed % 2), 500)) // 120 * 120
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


def best(work: Work, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def rows(folder: Path | None = None) -> list[dict[str, Any]]:
    """One row a task: milliseconds of both, the ratio of the sums and of the best piece, and the target."""
    table = []
    for task, works in tasks(folder).items():
        times = {who: [1e3 * best(work, REPEATS[who]) for work in calls] for who, calls in works.items()}
        ratios = [theirs / ours for ours, theirs in zip(times["muspy-core"], times["MusPy"], strict=True)]
        ms = {who: sum(values) for who, values in times.items()}
        ratio = ms["MusPy"] / ms["muspy-core"]
        table.append({"task": task, "ms": ms, "ratio": ratio, "best": max(ratios), "target": TARGETS.get(task)})
    return table


@pytest.mark.skipif(not has_muspy(), reason="MusPy is the peer of this suite")
@pytest.mark.parametrize("who", ["muspy-core", "MusPy"])
@pytest.mark.parametrize("name", list(METRICS))
def bench_metrics(benchmark: Any, name: str, who: str) -> None:
    task = next(task for task in (f"{name}, long pieces", f"{name}, all pieces") if task in tasks())
    calls = tasks()[task][who]
    benchmark.group = task
    benchmark.extra_info["who"] = who
    benchmark.pedantic(lambda: [call() for call in calls], rounds=REPEATS[who], warmup_rounds=1)


def main() -> None:
    parser = argparse.ArgumentParser(description="time metrics beside MusPy")
    parser.add_argument("folder", nargs="?", type=Path, help="MIDI files to use")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    arguments = parser.parse_args()
    lengths = [ours.get_end_time() for ours, _ in pieces(arguments.folder)]
    print(f"{len(lengths)} pieces, {sum(length >= LONG for length in lengths)} of {LONG} steps and more")
    print(f"{'task':<32} {'muspy-core ms':>14} {'MusPy ms':>10} {'ratio':>8} {'best':>8} {'target':>7}")
    table = rows(arguments.folder)
    for row in table:
        target = f"{row['target']}x" if row["target"] else ""
        ours, theirs = row["ms"]["muspy-core"], row["ms"]["MusPy"]
        print(f"{row['task']:<32} {ours:14.3f} {theirs:10.1f} {row['ratio']:7.1f}x {row['best']:7.1f}x {target:>7}")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
