"""A model beside the songs of the test set: everything that `mmt evaluate` says (§3.4.3; the end of the flow).

Samples and songs are compared by the paper's metrics; the likelihood is that of the notes of excerpts; and three
questions go beyond the paper: which faults samples have, how long they copy, and whether the instruments play that were
asked for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from mmt.bigram import Bigram
from mmt.checkpoint import Checkpoint, Training
from mmt.copies import longest_copies
from mmt.encoding import NOTE, TYPE, Codes, decode
from mmt.evaluate import TRIM_BEATS, Estimate, Metrics, excerpt_likelihood, excerpts_of
from mmt.generate import Options, generate, instrument_informed, unconditioned
from mmt.instruments import CODE_OF_PROGRAM, NAMES
from mmt.model import MMT
from mmt.notes import DEFAULT_QPM, PROGRAM, RESOLUTION, EncodingError, NoteRows
from mmt.songs import Songs, load_split
from mmt.validity import Validity, validity

BATCH = 25
COPY_LIMIT = 32  # notes; a longer run that training songs hold counts as copied


@dataclass(frozen=True)
class Corpus:
    """Songs of a folder that `mmt prepare` made. train: those that the model was trained on. test: none of them."""

    train: Songs
    test: Songs

    @classmethod
    def of(cls, folder: str | os.PathLike[str], training: Training) -> Corpus:
        """Read a folder; where a model does not say what it was trained on, its split does.

        Raises EncodingError if the model has been trained on all test songs, or on none of the folder's songs.
        """
        songs, split = Songs.load(folder), load_split(folder)
        seen = set(training.songs or split["train"])
        train = [name for name in songs.names if name in seen]
        test = [name for name in split["test"] if name not in seen]
        if not train or not test:
            what = "none of its songs was trained on" if not train else "the model was trained on all its test songs"
            raise EncodingError(f"{folder}: {what}; give the folder that the model was trained with")
        return cls(songs.subset(train), songs.subset(test))


@dataclass(frozen=True)
class Samples:
    """Songs by a model. codes: as it wrote them. rows: their notes, (n, 5). seconds: of processor time, all of them."""

    codes: Sequence[Codes]
    rows: Sequence[NoteRows]
    seconds: float

    @property
    def notes(self) -> int:
        """Number of notes of all songs."""
        return sum(map(len, self.rows))


@dataclass(frozen=True)
class Assessment:
    """What `mmt evaluate` says; `to_dict` names it as `--json` does.

    truth, samples: the paper's metrics. nll_note: -log p of a note of the model on excerpts, in nats; bigram_nll_note:
    of a model that knows the event before. validity: None for baselines. longest_copy: notes of the longest run of each
    sample that a training song holds. playing: share of instruments asked for that play, of those in training songs;
    None for baselines. length_s: of samples at 100 beats a minute.
    """

    model: str
    test_songs: int
    train_songs: int
    truth: Metrics
    samples: Metrics
    n_samples: int
    length: int
    seed: int
    nll_note: float
    bigram_nll_note: float
    excerpt_notes: int
    validity: Validity | None
    longest_copy: int
    copied: float
    playing: float | None
    length_s: Estimate
    notes: Estimate
    notes_per_s: float

    @property
    def within_sd(self) -> dict[str, bool]:
        """Whether the mean of the samples lies within one standard deviation of the test songs, by metric."""
        truth, samples = asdict(self.truth), asdict(self.samples)
        return {name: abs(samples[name]["mean"] - truth[name]["mean"]) <= truth[name]["sd"] for name in truth}

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return {**asdict(self), "within_sd": self.within_sd}


def assess(
    checkpoint: Checkpoint,
    corpus: Corpus,
    options: Options,
    samples: int = 100,
    excerpt_notes: int = 64,
) -> Assessment:
    """Measure a model. samples: songs that are drawn. excerpt_notes: notes of the excerpts for the likelihood.

    Raises ValueError if the model does not see such an excerpt at once.
    """
    model = checkpoint.model
    excerpts = excerpts_of(corpus.test, excerpt_notes, beats_of(model))
    likelihood, _ = excerpt_likelihood(model, excerpts)
    made = draw_samples(model, samples, options)
    copies = longest_copies(made.rows, corpus.train)
    test = [corpus.test[index] for index in range(len(corpus.test))]
    is_mmt = model.config.encoding == "mmt"
    return Assessment(
        model=checkpoint.name,
        test_songs=len(corpus.test),
        train_songs=len(corpus.train),
        truth=Metrics.of(test),
        samples=Metrics.of(made.rows),
        n_samples=samples,
        length=options.length,
        seed=options.seed,
        nll_note=likelihood.nll_note,
        bigram_nll_note=Bigram.of(corpus.train).nll_note(excerpts),
        excerpt_notes=excerpt_notes,
        validity=validity(made.codes, test) if is_mmt else None,
        longest_copy=int(copies.max(initial=0)),
        copied=float((copies > COPY_LIMIT).mean()),
        playing=share_that_plays(model, corpus, options, samples) if is_mmt else None,
        length_s=Estimate.of(map(length_s, made.rows)),
        notes=Estimate.of(map(len, made.rows)),
        notes_per_s=made.notes / max(made.seconds, 1e-9),
    )


def draw_samples(model: MMT, count: int, options: Options) -> Samples:
    """Draw songs from nothing, by any of the three encodings; song i from seed + i."""
    start = time.process_time()
    codes = [song for part in _parts(count) for song in _draw(model, part, options)]
    seconds = time.process_time() - start
    if model.config.encoding == "mmt":
        return Samples(codes, [decode(_defined(song)) for song in codes], seconds)
    from mmt.baselines import generating

    return Samples(codes, [generating.decode(model, song) for song in codes], seconds)


def _draw(model: MMT, part: range, options: Options) -> list[Codes]:
    options = replace(options, seed=options.seed + part.start)
    if model.config.encoding == "mmt":
        return generate(model, [unconditioned()] * len(part), options)
    from mmt.baselines import generating

    settings = generating.BaselineOptions(options.length, options.sampling, options.seed)
    songs: list[Codes] = generating.generate(model, len(part), settings)
    return songs


def _parts(count: int) -> Iterable[range]:
    return (range(start, min(start + BATCH, count)) for start in range(0, count, BATCH))


def _defined(codes: Codes) -> Codes:
    """The song without note events that cannot be decoded, which only the published rules allow."""
    kept: Codes = codes[(codes[:, TYPE] != NOTE) | (codes[:, 1:] > 0).all(1)]
    return kept


def share_that_plays(model: MMT, corpus: Corpus, options: Options, count: int) -> float:
    """Return the share of instruments asked for that play a note, over songs for the instruments of test songs.

    Only instruments that training songs have are asked for.
    """
    seen = set(np.unique(CODE_OF_PROGRAM[corpus.train.rows[:, PROGRAM]]).tolist())
    asked = [sorted(set(CODE_OF_PROGRAM[corpus.test[index][:, PROGRAM]].tolist()) & seen)
             for index in range(min(count, len(corpus.test)))]  # fmt: skip
    asked = [players for players in asked if players]
    playing = 0
    for part in _parts(len(asked)):
        prompts = [instrument_informed(NAMES[code - 1] for code in asked[index]) for index in part]
        songs = generate(model, prompts, replace(options, seed=options.seed + part.start))
        for index, song in zip(part, songs, strict=True):
            playing += len(set(asked[index]) & set(song[song[:, TYPE] == NOTE, -1].tolist()))
    return playing / max(sum(map(len, asked)), 1)


def length_s(rows: NoteRows) -> float:
    """Return how long a song of rows, (n, 5), lasts at the default tempo."""
    ends = rows[:, 0] * RESOLUTION + rows[:, 1] + rows[:, 3]
    return float(ends.max(initial=0)) / RESOLUTION * 60 / DEFAULT_QPM


def beats_of(model: MMT) -> int:
    """Return the beats of songs that a model is measured on: 64, or as many as it knows."""
    return min(TRIM_BEATS, model.config.max_beat) if model.config.encoding == "mmt" else TRIM_BEATS
