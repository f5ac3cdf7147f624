"""What is in a data set, counted: songs, hours, notes, tracks (compare with the published figures of Table 2.2)."""

from __future__ import annotations

import dataclasses

import numpy as np
from tqdm.auto import tqdm

from muspy_core.datasets.sources import Source, part_of
from muspy_core.errors import MuspyError

RUNS_OF_A_JOB = 16
# Seconds, tracks with notes, notes and drum tracks with notes of a piece; or why it cannot be read.
Measured = tuple[float, int, int, int] | str


@dataclasses.dataclass(frozen=True)
class Counts:
    """Counts of the pieces that can be read. failed: (name, reason) of the others. Medians are None without pieces."""

    songs: int
    hours: float
    notes: int
    songs_with_drums: int
    median_seconds: float | None
    median_notes: float | None
    median_tracks: float | None
    failed: list[tuple[str, str]]


def count_pieces(source: Source, n_jobs: int = 1, progress: bool | None = None) -> Counts:
    """Read all pieces and count.

    Args:
        source: The pieces.
        n_jobs: Number of processes, −1 for all cores.
        progress: Show a progress bar; None: on terminals only.

    A chord counts as its notes, tracks without notes do not count. Hours are to the ends of the pieces.
    """
    measured = _measure_all(source, n_jobs, None if progress is None else not progress)
    failed = [(source.name(i), item) for i, item in enumerate(measured) if isinstance(item, str)]
    table = np.array([item for item in measured if not isinstance(item, str)], dtype=np.float64).reshape(-1, 4)
    seconds, tracks, notes, drums = table.T
    return Counts(
        songs=len(table),
        hours=float(seconds.sum()) / 3600,
        notes=int(notes.sum()),
        songs_with_drums=int(np.count_nonzero(drums)),
        median_seconds=float(np.median(seconds)) if len(table) else None,
        median_notes=float(np.median(notes)) if len(table) else None,
        median_tracks=float(np.median(tracks)) if len(table) else None,
        failed=failed,
    )


def _measure_all(source: Source, n_jobs: int, hidden: bool | None) -> list[Measured]:
    if n_jobs == 1:
        return [_measure(source, number) for number in tqdm(range(len(source)), desc="reading", disable=hidden)]
    import joblib

    length = max(1, -(-len(source) // (RUNS_OF_A_JOB * joblib.effective_n_jobs(n_jobs))))
    runs = [range(start, min(start + length, len(source))) for start in range(0, len(source), length)]
    jobs = (joblib.delayed(_measure_run)(part_of(source, run)) for run in runs)
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    return [item for result in tqdm(results, desc="reading", total=len(runs), disable=hidden) for item in result]


def _measure_run(source: Source) -> list[Measured]:
    return [_measure(source, number) for number in range(len(source))]


def _measure(source: Source, number: int) -> Measured:
    try:
        music = source.music(number)
        notes = [len(track.notes) + sum(len(chord.pitches) for chord in track.chords) for track in music.tracks]
        drums = sum(bool(count) and track.is_drum for count, track in zip(notes, music.tracks, strict=True))
        return music.get_real_end_time(), sum(map(bool, notes)), sum(notes), drums
    except (MuspyError, OSError) as error:
        return " ".join(str(error).split())
