"""What the suites share: pieces as MusPy's objects and as our columns, and how work is timed."""

from __future__ import annotations

import functools
import importlib.util
import os
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from muspy_core import EventList, Music, Note, Track

CHECKOUT = Path(__file__).resolve().parents[1]
REPEATS = {"muspy-core": 15, "MusPy": 3}
EVERY = 5  # of the files of the corpus

Work = Callable[[], Any]


def has_muspy() -> bool:
    """Whether the peer of these suites is installed."""
    return importlib.util.find_spec("muspy") is not None


@functools.cache
def muspy() -> Any:
    """MusPy, which warns while it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import muspy

        return muspy


@functools.cache
def pieces(folder: Path | None = None) -> list[tuple[Music, Any]]:
    """Pairs of the same notes as our columns and as MusPy's objects, which MusPy reads from MIDI.

    folder: MIDI files; by default every fifth one of the corpus beside the checkout, where it is missing made-up ones.
    """
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
    """The notes of MusPy's piece in columns, as our readers give them."""
    copied = Music(resolution=music.resolution)
    for track in music.tracks:
        rows = [Note(note.time, note.pitch, note.duration, note.velocity) for note in track.notes]
        notes = EventList.from_columns(Note, EventList(Note, rows).array.copy())
        copied.tracks.append(Track(track.program, track.is_drum, notes=notes))
    return copied


def best_ms(work: Work, repeats: int, gives_up: tuple[type[Exception], ...] = ()) -> float | None:
    """The shortest of several times in milliseconds of processor time, which other work on the machine changes least.

    None if the work ends in an exception of `gives_up`.
    """
    times = []
    for _ in range(repeats):
        start = time.process_time()
        try:
            work()
        except gives_up:
            return None
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def time_each(
    benchmark: Any, who: str, calls: Sequence[Work], repeats: int, gives_up: tuple[type[Exception], ...] = ()
) -> None:
    """Time each call by itself and keep the best times, from which run.py makes the ratios.

    What pytest-benchmark itself shows is one round of the first call.
    """
    benchmark.extra_info["who"] = who
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peers warn of odd files and old names
        benchmark.pedantic(calls[0], rounds=1)
        benchmark.extra_info["ms"] = [best_ms(call, repeats, gives_up) for call in calls]


def ratios(ours: Sequence[float | None], theirs: Sequence[float | None]) -> dict[str, Any]:
    """Compare the times of the same calls, of which a peer may have given up some (None).

    Returns the sums in milliseconds, their ratio, the median of the ratios, and the number of calls.
    """
    pairs = np.array([pair for pair in zip(ours, theirs, strict=True) if None not in pair], dtype=float)
    ours_ms, peer_ms = pairs.sum(axis=0).tolist()
    median = float(np.median(pairs[:, 1] / pairs[:, 0]))
    return {"ours_ms": ours_ms, "peer_ms": peer_ms, "ratio": peer_ms / ours_ms, "median": median, "calls": len(pairs)}


def compare(works: dict[str, list[Work]], repeats: dict[str, int]) -> dict[str, Any]:
    """Time the work of both, and compare."""
    times = {who: [best_ms(call, repeats[who]) for call in calls] for who, calls in works.items()}
    return ratios(*times.values())
