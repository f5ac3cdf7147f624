"""Facts about songs → the statistics of a data set, small enough to be kept as JSON (Figs. 2.5–2.7)."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.analysis.keys import MINOR, N_KEYS, PROFILES, Key, Profile, count_relations, estimate_keys
from muspy_core.analysis.songs import NO_FIFTHS, Songs
from muspy_core.io.files import write_atomically

DEFAULT_QPM = 120.0
QUANTILES = (0, 5, 25, 50, 75, 95, 100)
# Lengths are counted in bins whose edges are a fifth of an octave apart, from 1 s to about 9 hours.
LENGTH_BINS_PER_OCTAVE = 5
LENGTH_OCTAVES = 15


@dataclasses.dataclass(frozen=True)
class Distribution:
    """A quantity over the songs that state it.

    quantiles: minimum, 5, 25, 50, 75, 95 %, maximum; empty without songs. counts: songs by value or bin.
    """

    n: int
    missing: int
    quantiles: list[float]
    counts: list[tuple[float, int]]

    @property
    def median(self) -> float:
        """The middle value; NaN without songs."""
        return self.quantiles[3] if self.n else float("nan")

    @property
    def quartiles(self) -> tuple[float, float]:
        """The values between which half the songs lie."""
        return (self.quantiles[2], self.quantiles[4]) if self.n else (float("nan"), float("nan"))


@dataclasses.dataclass(frozen=True)
class Statistics:
    """Statistics of a data set.

    lengths: in seconds; counts by the lower edge of bins. tempos: initial, in qpm; counts by whole qpm.
    at_default_tempo: songs at exactly 120. declared, estimated, annotated: counts by key number, of what files say, of
    what notes suggest and of what listeners said. signatures: songs by sharps (+) or flats (−). no_mode: songs whose
    signature has no mode; other_modes: songs in dorian, mixolydian and so on. same_signature: songs whose estimated key
    has the declared signature, of so many. Agreements are counts by relation, empty where nothing can be compared;
    those of estimated keys by profile.
    """

    name: str
    songs: int
    failed: int
    hours: float
    notes: int
    lengths: Distribution
    tempos: Distribution
    at_default_tempo: int
    declared: list[int]
    no_signature: int
    no_mode: int
    other_modes: int
    signatures: dict[str, int]
    estimated: list[int]
    estimated_with_declared: dict[str, dict[str, int]]
    same_signature: tuple[int, int]
    annotated: list[int]
    declared_with_annotated: dict[str, int]
    estimated_with_annotated: dict[str, dict[str, int]]

    @property
    def minor_share(self) -> float:
        """Share of minor among the songs that declare a major or minor key; NaN without any."""
        total = sum(self.declared)
        return sum(self.declared[MINOR:]) / total if total else float("nan")

    @property
    def estimated_minor_share(self) -> float:
        """Share of minor among the songs whose notes suggest a key; NaN without any."""
        total = sum(self.estimated)
        return sum(self.estimated[MINOR:]) / total if total else float("nan")


def summarise(name: str, songs: Songs) -> Statistics:
    """Return the statistics of a data set."""
    table = songs.table
    declared, estimated, annotated = table["declared"].astype(np.int64), songs.estimated, table["annotated"]
    has_signature = (table["fifths"] != NO_FIFTHS) | (table["mode"] != "") | (declared >= 0)
    fifths, counts = np.unique(table["fifths"][table["fifths"] != NO_FIFTHS], return_counts=True)
    signed = (estimated >= 0) & (table["fifths"] != NO_FIFTHS) & ((declared >= 0) | (table["mode"] == ""))
    fifths_of_estimates = np.array([Key.of(key).fifths for key in range(N_KEYS)])[estimated[signed]]
    same = (fifths_of_estimates - table["fifths"][signed]) % 12 == 0
    by_profile = {profile: estimate_keys(table["pitch_classes"], profile) for profile in PROFILES}
    return Statistics(
        name=name,
        songs=len(table),
        failed=len(songs.failed),
        hours=float(table["seconds"].sum()) / 3600,
        notes=int(table["notes"].sum()),
        lengths=_distribution(table["seconds"], _length_bins(table["seconds"])),
        tempos=_distribution(table["qpm"], np.rint(table["qpm"])),
        at_default_tempo=int(np.count_nonzero(np.abs(table["qpm"] - DEFAULT_QPM) < 1e-3)),
        declared=_key_counts(declared),
        no_signature=int(np.count_nonzero(~has_signature)),
        no_mode=int(np.count_nonzero(has_signature & (table["mode"] == ""))),
        other_modes=int(np.count_nonzero((table["mode"] != "") & (declared < 0))),
        signatures={str(f): int(count) for f, count in zip(fifths, counts, strict=True)},
        estimated=_key_counts(estimated),
        estimated_with_declared=_agreements(by_profile, declared),
        same_signature=(int(same.sum()), len(same)),
        annotated=_key_counts(annotated),
        declared_with_annotated=_agreement(declared, annotated),
        estimated_with_annotated=_agreements(by_profile, annotated),
    )


def save_statistics(path: str | os.PathLike[str], statistics: Statistics) -> None:
    """Write statistics as JSON."""
    with write_atomically(Path(path)) as temporary:
        temporary.write_text(json.dumps(dataclasses.asdict(statistics), ensure_ascii=False) + "\n", encoding="utf-8")


def load_statistics(path: str | os.PathLike[str]) -> Statistics:
    """Read statistics from JSON."""
    content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    for name in ("lengths", "tempos"):
        held = content[name]
        content[name] = Distribution(**{**held, "counts": [(value, count) for value, count in held["counts"]]})
    content["same_signature"] = tuple(content["same_signature"])
    return Statistics(**content)


def _distribution(values: NDArray[np.float64], binned: NDArray[np.float64]) -> Distribution:
    known = np.isfinite(values)
    places, counts = np.unique(binned[known], return_counts=True)
    quantiles = np.percentile(values[known], QUANTILES) if known.any() else np.empty(0)
    return Distribution(
        n=int(known.sum()),
        missing=int((~known).sum()),
        quantiles=[round(float(value), 3) for value in quantiles],
        counts=[(round(float(place), 3), int(count)) for place, count in zip(places, counts, strict=True)],
    )


def _length_bins(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lower edge of the bin of each length."""
    octaves = np.log2(np.maximum(seconds, 1))
    steps = np.floor(np.minimum(octaves, LENGTH_OCTAVES) * LENGTH_BINS_PER_OCTAVE)
    return np.asarray(2 ** (steps / LENGTH_BINS_PER_OCTAVE))


def _key_counts(keys: NDArray[np.int64]) -> list[int]:
    counts: list[int] = np.bincount(keys[keys >= 0], minlength=N_KEYS).tolist()
    return counts


def _agreements(keys: Mapping[Profile, NDArray[np.int64]], truth: NDArray[np.int64]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {profile: _agreement(estimates, truth) for profile, estimates in keys.items()}
    return found if any(found.values()) else {}


def _agreement(keys: NDArray[np.int64], truth: NDArray[np.int64]) -> dict[str, int]:
    both = (keys >= 0) & (truth >= 0)
    if not both.any():
        return {}
    return count_relations([(Key.of(int(a)), Key.of(int(b))) for a, b in zip(keys[both], truth[both], strict=True)])
