"""Songs → the paper's figures: objective metrics with confidence intervals, and -log p of a note (§3.4.3).

Metrics are those of muspy-core on songs trimmed to 64 beats: pitch class entropy (bits), scale consistency, groove
consistency over measures of four beats. What is closer to the songs of the test set is better.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from muspy_core.metrics import groove_consistency, pitch_class_entropy, scale_consistency
from numpy.typing import NDArray

from mmt.baselines import mmm
from mmt.checkpoint import Training
from mmt.data import Collate, SongDataset, Window
from mmt.encoding import END_OF_SONG, decode, encode
from mmt.losses import field_sums
from mmt.model import MMT
from mmt.notes import BEAT, RESOLUTION, NoteRows, music_of
from mmt.songs import Songs

TRIM_BEATS = 64
MEASURE = 4 * RESOLUTION
NORMAL_95 = 1.96


@dataclass(frozen=True)
class Estimate:
    """A mean over songs. half_width: of its 95 % confidence interval. sd: standard deviation. n: songs that count."""

    mean: float
    half_width: float
    sd: float
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Estimate:
        """Estimate from values; those that are not numbers (songs without notes) do not count."""
        array = np.array([value for value in values if np.isfinite(value)])
        if not len(array):
            return cls(float("nan"), float("nan"), float("nan"), 0)
        sd = float(array.std(ddof=1)) if len(array) > 1 else float("nan")
        return cls(float(array.mean()), NORMAL_95 * sd / len(array) ** 0.5, sd, len(array))

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.half_width:.3f}"


@dataclass(frozen=True)
class Metrics:
    """The paper's three metrics over a set of songs."""

    pitch_class_entropy: Estimate
    scale_consistency: Estimate
    groove_consistency: Estimate

    @classmethod
    def of(cls, songs: Iterable[NoteRows], beats: int = TRIM_BEATS) -> Metrics:
        """Measure songs, (n, 5) each, trimmed to so many beats."""
        pieces = [music_of(notes[notes[:, BEAT] < beats]) for notes in songs]
        return cls(
            Estimate.of(pitch_class_entropy(music) for music in pieces),
            Estimate.of(scale_consistency(music) for music in pieces),
            Estimate.of(groove_consistency(music, MEASURE) for music in pieces if music.tracks),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return asdict(self)


@dataclass(frozen=True)
class Likelihood:
    """-log p in nats of the notes of songs, each event's type included. fields: shares of `nll_note` by field."""

    nll_note: float
    fields: tuple[float, ...]
    notes: int
    songs: int


def likelihood(model: MMT, songs: Songs, training: Training | None = None, batch_size: int = 4) -> Likelihood:
    """Measure a model on the beginnings of songs, as long as it sees at once.

    The sum of -log p over all predicted codes, divided by the number of notes; padding and undefined fields do not
    count.
    """
    config = model.config
    beats = config.max_beat if config.encoding == "mmt" else TRIM_BEATS
    data = SongDataset(
        songs, config.encoding, Window(beats, config.max_length), training.order if training else "grammar"
    )
    sums, notes = _sums(model, data, batch_size)
    return _likelihood(sums.sum(0), int(notes.sum()), len(songs))


def excerpt_likelihood(model: MMT, excerpts: Songs, batch_size: int = 8) -> tuple[Likelihood, NDArray[np.float64]]:
    """Measure a model on whole excerpts, the same for every encoding (C2), and give -log p a note of each, (songs,).

    excerpts: what `excerpts_of` returns. All codes but the end of song count, which is an end of the excerpt only.
    Raises ValueError if the model does not see an excerpt as a whole.
    """
    config = model.config
    data = SongDataset(
        excerpts, config.encoding, Window(config.max_beat if config.encoding == "mmt" else TRIM_BEATS, 2**31), "grammar"
    )
    longest = max(len(data[index]) for index in range(len(data)))
    if longest > config.max_length + 1:
        raise ValueError(f"an excerpt has {longest} events, and the model sees {config.max_length}: take fewer notes")
    sums, _ = _sums(model, data, batch_size, ends_count=False)
    notes = np.diff(excerpts.starts)
    return _likelihood(sums.sum(0), int(notes.sum()), len(excerpts)), sums.sum(1) / notes


def excerpts_of(songs: Songs, notes: int, beats: int = TRIM_BEATS) -> Songs:
    """Return the first notes of songs, within so many beats, as every encoding can say them.

    Durations are among the 32 known ones, programs are those of instruments, and each note stands once.
    """
    return Songs.of((name, plain(songs[index], beats)[:notes]) for index, name in enumerate(songs.names))


def plain(rows: NoteRows, beats: int) -> NoteRows:
    """Return the notes of a song within so many beats as MMT's codes keep them."""
    return decode(encode(rows[rows[:, BEAT] < beats]))


@torch.inference_mode()
def _sums(
    model: MMT, data: SongDataset, batch_size: int, *, ends_count: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """-log p of each song by field, (songs, fields), and its notes, (songs,)."""
    collate = Collate(model.config.encoding)
    last = END_OF_SONG if model.config.encoding in ("mmt", "extended") else mmm.END_OF_SONG
    sums, notes = [], []
    for start in range(0, len(data), batch_size):
        batch = collate([data[index] for index in range(start, min(start + batch_size, len(data)))])
        codes, targets, counted = batch.codes[:, :-1], batch.codes[:, 1:], batch.counted[:, 1:]
        if not ends_count:
            counted = counted & (targets[..., 0] != last)
        logits = model(codes, targets)
        for song in range(len(codes)):
            part, _ = field_sums([field[song] for field in logits], targets[song], counted[song])
            sums.append(part.double().numpy())
        notes.append(batch.notes.numpy())
    return np.array(sums), np.concatenate(notes)


def _likelihood(sums: NDArray[np.float64], notes: int, songs: int) -> Likelihood:
    shares = (sums / max(notes, 1)).tolist()
    return Likelihood(sum(shares), tuple(shares), notes, songs)
