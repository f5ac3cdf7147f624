"""The facts about each song of a data set that chapter 2.4 compares: length, initial tempo, key.

Length is as played (repeats included), to the last event. A tempo or key that a file does not state is missing, not
the default: this is what separates corpora that know their tempo from those that never say it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from muspy_core.analysis.keys import declared_key, estimate_keys, first_signature, parse_key, pitch_class_durations
from muspy_core.datasets.catalogue.counts import Counts
from muspy_core.datasets.sources import Source, part_of
from muspy_core.errors import MuspyError
from muspy_core.music import Music

RUNS_OF_A_JOB = 16
NO_FIFTHS = -128

# What is known of a song. Chords count as their notes, tracks without notes do not count. Missing: NaN (qpm), −1
# (keys), −128 (fifths), "" (mode).
SONG = np.dtype(
    [
        ("seconds", "f8"),
        ("notes", "i8"),
        ("tracks", "i8"),
        ("drums", "?"),
        ("qpm", "f8"),
        ("fifths", "i2"),
        ("mode", "U16"),
        ("declared", "i1"),
        ("annotated", "i1"),
        ("pitch_classes", "f8", 12),
    ]
)


@dataclasses.dataclass(frozen=True)
class Songs:
    """Facts about songs. table: (songs,) of dtype `SONG`. failed: (name, reason) of those that cannot be read."""

    names: list[str]
    table: NDArray[Any]
    failed: list[tuple[str, str]]

    @property
    def estimated(self) -> NDArray[np.int64]:
        """The keys that the notes suggest, 0–23 or −1, (songs,)."""
        return estimate_keys(self.table["pitch_classes"])

    @property
    def counts(self) -> Counts:
        """The counts of Table 2.2."""
        table = self.table
        medians = [float(np.median(table[name])) if len(table) else None for name in ("seconds", "notes", "tracks")]
        return Counts(
            songs=len(table),
            hours=float(table["seconds"].sum()) / 3600,
            notes=int(table["notes"].sum()),
            songs_with_drums=int(np.count_nonzero(table["drums"])),
            median_seconds=medians[0],
            median_notes=medians[1],
            median_tracks=medians[2],
            failed=self.failed,
        )


def initial_tempo(music: Music) -> float | None:
    """Return the first tempo of a piece in quarter notes a minute, None if it states none."""
    first = min(music.tempos, key=lambda tempo: tempo.time, default=None)
    return None if first is None else float(first.qpm)


def song_facts(music: Music) -> NDArray[Any]:
    """Return the facts about one piece, () of dtype `SONG`."""
    facts = np.zeros((), SONG)
    qpm = initial_tempo(music)
    signature = first_signature(music)
    declared = declared_key(music)
    facts["seconds"] = music.get_real_end_time()
    notes = [len(track.notes) + sum(len(chord.pitches) for chord in track.chords) for track in music.tracks]
    facts["notes"], facts["tracks"] = sum(notes), sum(map(bool, notes))
    facts["drums"] = any(count and track.is_drum for count, track in zip(notes, music.tracks, strict=True))
    facts["qpm"] = np.nan if qpm is None else qpm
    facts["fifths"] = NO_FIFTHS if signature is None or signature.fifths is None else signature.fifths
    facts["mode"] = (signature.mode if signature is not None else None) or ""
    facts["declared"] = -1 if declared is None else declared.number
    facts["annotated"] = _annotated_key(music)
    facts["pitch_classes"] = pitch_class_durations(music)
    return facts


def measure_songs(source: Source, n_jobs: int = 1, progress: bool | None = None) -> Songs:
    """Read all pieces and note the facts.

    Args:
        source: The pieces.
        n_jobs: Number of processes, −1 for all cores.
        progress: Show a progress bar; None: on terminals only.
    """
    hidden = None if progress is None else not progress
    measured = _in_processes(source, n_jobs, hidden) if n_jobs != 1 else _measure(source, hidden)
    names = [source.name(number) for number in range(len(source))]
    read = [not isinstance(item, str) for item in measured]
    facts = [item for item in measured if not isinstance(item, str)]
    return Songs(
        names=[name for name, good in zip(names, read, strict=True) if good],
        table=np.stack(facts) if facts else np.empty(0, SONG),
        failed=[(name, item) for name, item in zip(names, measured, strict=True) if isinstance(item, str)],
    )


def _in_processes(source: Source, n_jobs: int, hidden: bool | None) -> list[NDArray[Any] | str]:
    import joblib

    length = max(1, -(-len(source) // (RUNS_OF_A_JOB * joblib.effective_n_jobs(n_jobs))))
    runs = [range(start, min(start + length, len(source))) for start in range(0, len(source), length)]
    jobs = (joblib.delayed(_measure)(part_of(source, run), True) for run in runs)
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    return [item for result in tqdm(results, desc="reading", total=len(runs), disable=hidden) for item in result]


def _measure(source: Source, hidden: bool | None) -> list[NDArray[Any] | str]:
    measured: list[NDArray[Any] | str] = []
    for number in tqdm(range(len(source)), desc="reading", disable=hidden):
        try:
            measured.append(song_facts(source.music(number)))
        except (MuspyError, OSError) as error:
            measured.append(" ".join(str(error).split()))
    return measured


def _annotated_key(music: Music) -> int:
    """The first key that listeners have annotated (group "key"), −1 without one."""
    first = min((a for a in music.annotations if a.group == "key"), key=lambda a: a.time, default=None)
    key = None if first is None else parse_key(str(first.annotation))
    return -1 if key is None else key.number
