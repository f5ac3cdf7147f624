"""Many pieces → a table of metrics, one row a piece, one column a metric."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from muspy_core.io import read
from muspy_core.io.files import write_atomically
from muspy_core.metrics import pitch, rhythm
from muspy_core.music import Music

Rows = list[tuple[str, list[float]]]
Piece = str | os.PathLike[str] | Music


@dataclasses.dataclass(frozen=True)
class MetricOptions:
    """What some metrics ask for besides the music.

    Args:
        measure_resolution: Time steps in a measure; by default by the first time signature, by 4/4 without one.
        meter: Of `drum_in_pattern_rate`: "duple" or "triple".
        threshold: Of `polyphony_rate`: more pitches than this must sound.
    """

    measure_resolution: int | None = None
    meter: str = "duple"
    threshold: int = 2

    def measure_of(self, music: Music) -> int:
        """Return the time steps in a measure of the music, at least 1."""
        if self.measure_resolution is not None:
            return self.measure_resolution
        if not len(music.time_signatures):
            return 4 * music.resolution
        first = music.time_signatures.array[0]
        return max(4 * music.resolution * int(first["numerator"]) // max(int(first["denominator"]), 1), 1)


METRICS: dict[str, Callable[[Music, MetricOptions], float]] = {
    "n_pitches_used": lambda music, _: pitch.n_pitches_used(music),
    "n_pitch_classes_used": lambda music, _: pitch.n_pitch_classes_used(music),
    "pitch_range": lambda music, _: pitch.pitch_range(music),
    "empty_beat_rate": lambda music, _: rhythm.empty_beat_rate(music),
    "empty_measure_rate": lambda music, options: rhythm.empty_measure_rate(music, options.measure_of(music)),
    "polyphony": lambda music, _: pitch.polyphony(music),
    "polyphony_rate": lambda music, options: pitch.polyphony_rate(music, options.threshold),
    "pitch_in_scale_rate": lambda music, _: _in_declared_scale(music),
    "scale_consistency": lambda music, _: pitch.scale_consistency(music),
    "pitch_entropy": lambda music, _: pitch.pitch_entropy(music),
    "pitch_class_entropy": lambda music, _: pitch.pitch_class_entropy(music),
    "drum_in_pattern_rate": lambda music, options: rhythm.drum_in_pattern_rate(music, options.meter),
    "drum_pattern_consistency": lambda music, _: rhythm.drum_pattern_consistency(music),
    "groove_consistency": lambda music, options: rhythm.groove_consistency(music, options.measure_of(music)),
}


@dataclasses.dataclass(frozen=True)
class MetricTable:
    """Metrics of pieces.

    pieces: name of each row (a path, `path#2` for the second tune of a file, or the place in the input). columns:
    metric → (pieces,) float64, NaN where a metric has no value for a piece. failures: path → what was wrong, of the
    files that could not be read and have no row.
    """

    pieces: tuple[str, ...]
    columns: dict[str, NDArray[np.float64]]
    failures: dict[str, str] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pieces)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self.columns[name]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Iterate over the pieces as dictionaries of `piece` and the metrics."""
        for number, piece in enumerate(self.pieces):
            yield {"piece": piece, **{name: float(column[number]) for name, column in self.columns.items()}}

    def means(self) -> dict[str, float]:
        """Return the mean of each metric over the pieces that have a value, NaN if none has."""
        present = {name: column[~np.isnan(column)] for name, column in self.columns.items()}
        return {name: float(values.mean()) if len(values) else math.nan for name, values in present.items()}

    def to_csv(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write one line a piece, with a header; NaN is written as an empty field."""
        with write_atomically(path, overwrite) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["piece", *self.columns], lineterminator="\n")
            writer.writeheader()
            writer.writerows(
                {name: "" if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
                for row in self.rows()
            )

    def to_json(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write an object of `pieces` (a list of objects, NaN as null) and `failures`."""
        pieces = [
            {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
            for row in self.rows()
        ]
        with write_atomically(path, overwrite) as temporary:
            content = json.dumps({"pieces": pieces, "failures": self.failures}, indent=1, ensure_ascii=False)
            temporary.write_text(content + "\n", encoding="utf-8")


def compute_metrics(
    pieces: Iterable[Piece],
    names: Sequence[str] | None = None,
    n_jobs: int = 1,
    measure_resolution: int | None = None,
    meter: str = "duple",
    threshold: int = 2,
) -> MetricTable:
    """Compute metrics of many pieces.

    A file that cannot be read is listed in `failures` and the others go on. A metric that is not defined for a piece is
    NaN; `pitch_in_scale_rate` is that of the first key signature with a tonic and a major or minor mode.

    Args:
        pieces: `Music` objects and paths of files that `read` knows.
        names: Metrics, by default all of `METRICS`.
        n_jobs: Number of processes, −1 for all cores (see `joblib`; `joblib.parallel_config` changes the backend).
        measure_resolution: Time steps in a measure; by default by the first time signature of each piece.
        meter: Meter of `drum_in_pattern_rate`, "duple" or "triple".
        threshold: `polyphony_rate` counts the time steps with more pitches than this.

    Raises ValueError for an unknown metric or meter or a measure resolution below 1.
    """
    chosen = list(METRICS if names is None else names)
    unknown = sorted(set(chosen) - set(METRICS))
    if unknown:
        raise ValueError(f"unknown metric {', '.join(unknown)}; there are {', '.join(METRICS)}")
    if meter.lower() not in ("duple", "triple"):
        raise ValueError(f"Only duple and triple meters are supported, got {meter!r}")
    if measure_resolution is not None and measure_resolution < 1:
        raise ValueError(f"Measure resolution must be a positive integer, got {measure_resolution}")
    options = MetricOptions(measure_resolution, meter, threshold)
    items = list(pieces)
    labels = [str(number) if isinstance(item, Music) else os.fspath(item) for number, item in enumerate(items)]
    rows: Rows = []
    failures: dict[str, str] = {}
    results = _run(list(zip(labels, items, strict=True)), chosen, options, n_jobs)
    for label, found in tqdm(results, total=len(items), desc="metrics", disable=None, leave=False):
        if isinstance(found, str):
            failures[label] = found
        else:
            rows.extend(found)
    values = np.array([row for _, row in rows], np.float64).reshape(len(rows), len(chosen))
    columns = {name: values[:, number].copy() for number, name in enumerate(chosen)}
    return MetricTable(tuple(name for name, _ in rows), columns, failures)


def _run(
    items: list[tuple[str, Piece]], names: list[str], options: MetricOptions, n_jobs: int
) -> Iterator[tuple[str, Rows | str]]:
    """Iterate over the labels of the items and their rows, or what was wrong with them, in order."""
    if n_jobs == 1:
        for label, item in items:
            yield label, _rows_of(label, item, names, options)
        return
    import joblib

    jobs = (joblib.delayed(_rows_of)(label, item, names, options) for label, item in items)
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    for (label, _), found in zip(items, results, strict=True):
        yield label, found


def _rows_of(label: str, item: Piece, names: list[str], options: MetricOptions) -> Rows | str:
    """Return the row of each piece in an item (a file may hold several), or what was wrong with the file."""
    if isinstance(item, Music):
        pieces: list[Music] = [item]
    else:
        try:
            found = read(item)
        except (ValueError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        pieces = [found] if isinstance(found, Music) else list(found)
    labels = [label if number == 1 else f"{label}#{number}" for number in range(1, len(pieces) + 1)]
    return [
        (label, [_value(METRICS[name], music, options) for name in names])
        for label, music in zip(labels, pieces, strict=True)
    ]


def _value(metric: Callable[[Music, MetricOptions], float], music: Music, options: MetricOptions) -> float:
    try:
        return float(metric(music, options))
    except ValueError:  # not defined, as for music without a track
        return math.nan


def _in_declared_scale(music: Music) -> float:
    signatures = zip(music.key_signatures.optional("root"), music.key_signatures.side("mode"), strict=True)
    for root, mode in signatures:
        if root is not None and mode in ("major", "minor"):
            return pitch.pitch_in_scale_rate(music, root, mode)
    return math.nan
