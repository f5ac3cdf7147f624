"""Videos, sounds or a published set → a prepared folder: sound at 16 kHz, splits, vectors of queries (§6.5.1).

Work that was interrupted goes on: sounds that are there are kept, and vectors come from the cache.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from muspy_core.datasets.splits import shares_of
from muspy_core.errors import MuspyError
from muspy_core.media import Manifest, MediaItem, extract_audio, find_media
from numpy.typing import NDArray
from tqdm.auto import tqdm

from clipsep.config import SAMPLE_RATE
from clipsep.features.queries import FrameEncoder, QueryEncoder
from clipsep.features.wordings import plain
from clipsep.library import Library, LibraryError, Vectors

logger = logging.getLogger(__name__)

SHARES = (0.8, 0.1, 0.1)  # train, test, validation
MIN_SECONDS = 0.1
WITHOUT_TEXTS = ("resnet",)  # kinds of encoders


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What `prepare` did. failed: (file, reason). left_out: items whose picture and label do not fit each other."""

    library: Library
    failed: list[tuple[str, str]]
    left_out: int = 0


def prepare(
    source: Manifest | str | Path,
    output: str | Path,
    *,
    encoder: QueryEncoder | None = None,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
    min_similarity: float | None = None,
    jobs: int = 1,
    progress: bool | None = None,
) -> Prepared:
    """Prepare a folder of videos or sounds, or a manifest, for training.

    Args:
        source: A folder whose sub-folders are labels, or a manifest (of `muspy_core.media.music`, `esc50`, …). Splits
            that it has are kept; otherwise one is drawn over its groups.
        output: The folder to make.
        encoder: Makes vectors of labels and, if it sees, of a picture a second; None: only labels are known.
        shares: Of train, test and validation.
        seed: Of the split.
        min_similarity: Leave out videos whose pictures have a smaller mean cosine with their label's text; None: keep
            all (C16's correspondence filter; CLIP only).
        jobs: Processes that extract sound.
        progress: Show bars; None: on terminals only.

    Raises LibraryError if no file has sound, OSError for a folder that cannot be read or written.
    """
    shares_of(shares)  # what is no split is said before any sound is read
    listed = source if isinstance(source, Manifest) else find_media(source, kinds=("video", "audio"))
    output = Path(output)
    (output / "audio").mkdir(parents=True, exist_ok=True)
    names = _names(listed)
    work = (delayed(_extract)(listed, index, output / name) for index, name in enumerate(names))
    runs = Parallel(n_jobs=jobs, return_as="generator")(work) if jobs != 1 else (f(*a) for f, a, _ in work)
    made = list(tqdm(runs, total=len(names), desc="sound", disable=None if progress is None else not progress))
    failed = [(item.path, str(reason)) for item, reason in zip(listed, made, strict=True) if isinstance(reason, str)]
    kept = [index for index, seconds in enumerate(made) if not isinstance(seconds, str)]
    if not kept:
        raise LibraryError(f"{listed.root}: none of {len(listed)} files has sound that can be used; {failed[0][1]}")
    items = [_item(listed[index], names[index], float(made[index])) for index in kept]
    manifest = Manifest(tuple(items), output)
    if not any(item.split for item in items):
        manifest = manifest.with_splits(tuple(shares), seed)
    vectors, left_out = Vectors.empty(), 0
    if encoder is not None:
        vectors = embed(listed.of([listed[index] for index in kept]), encoder, progress=progress)
        if min_similarity is not None:
            fitting = _fitting(manifest, vectors, min_similarity)
            left_out = len(manifest) - len(fitting)
            manifest, vectors = _subset(manifest, vectors, fitting)
    library = Library(manifest, vectors)
    library.write(output)
    return Prepared(library, failed, left_out)


def embed(listed: Manifest, encoder: QueryEncoder, *, progress: bool | None = None) -> Vectors:
    """Return the vectors of a manifest's labels and, if the encoder sees, of a picture a second of each video.

    Encoders that read no texts have no vectors of labels.
    """
    labels = () if encoder.describe()["kind"] in WITHOUT_TEXTS else listed.labels
    text = [encoder.text(plain(label)) for label in labels]
    image: list[NDArray[np.float32]] = []
    frames: list[tuple[int, int]] = []
    if isinstance(encoder, FrameEncoder) and any(item.kind == "video" for item in listed):
        first = 0
        for index in tqdm(range(len(listed)), desc="pictures", disable=None if progress is None else not progress):
            found = _pictures(listed, index, encoder)
            image.append(found)
            frames.append((first, len(found)))
            first += len(found)
    return Vectors(
        encoder.describe(),
        np.stack(text).astype(np.float16) if text else np.zeros((0, encoder.dim), np.float16),
        np.concatenate(image).astype(np.float16) if image else np.zeros((0, encoder.dim), np.float16),
        tuple(plain(label) for label in labels),
        {"train": {plain(label): [row] for row, label in enumerate(labels)}},
        frames=tuple(frames),
    )


def picture_times(start_s: float, seconds: float) -> list[float]:
    """Return the middles of the whole seconds of a part, at least one."""
    return [start_s + 0.5 + index for index in range(int(seconds))] or [start_s + seconds / 2]


def _pictures(listed: Manifest, index: int, encoder: FrameEncoder) -> NDArray[np.float32]:
    item = listed[index]
    if item.kind != "video":
        return np.zeros((0, encoder.dim), np.float32)
    from muspy_core.media.frames import video_duration

    end = item.end_s if item.end_s is not None else item.duration_s or video_duration(listed.path(index))
    times = picture_times(item.start_s, end - item.start_s)
    return encoder.frames(listed.path(index), times, sha256=item.sha256)


def _extract(listed: Manifest, index: int, target: Path) -> float | str:
    """Write the sound of an item; return its length in seconds, or why it has none."""
    from muspy_core.audio_blocks import read_blocks

    item = listed[index]
    try:
        if target.exists():
            seconds = sum(block.duration for block in read_blocks(target))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            seconds = extract_audio(
                listed.path(index), target, start_s=item.start_s, end_s=item.end_s, sample_rate=SAMPLE_RATE, channels=1
            )
    except (MuspyError, OSError) as error:
        return str(error)
    if seconds < MIN_SECONDS:
        target.unlink()
        return f"its sound is {seconds:.3f} s long; at least {MIN_SECONDS} s are needed"
    return seconds


def _names(listed: Manifest) -> list[str]:
    """Where the sound of each item goes: as its file is named; parts of one file get their beginning."""
    names = []
    for item in listed:
        inside = Path("audio", item.path.removeprefix("/"))
        part = f"_{round(1000 * item.start_s):09d}" if item.start_s or item.end_s else ""
        names.append(inside.with_name(f"{inside.stem}{part}.wav").as_posix())
    for place, name in enumerate(names):
        if names.index(name) != place:
            names[place] = name.replace(".wav", f"-{place}.wav")
    return names


def _item(item: MediaItem, name: str, seconds: float) -> MediaItem:
    """The row of an extracted sound: what was said of the file is no longer true of it."""
    return MediaItem(
        name, "audio", None if item.label is None else plain(item.label), item.split, item.group or item.path,
        duration_s=round(seconds, 4), has_audio=True, sample_rate=SAMPLE_RATE, channels=1,
    )  # fmt: skip


# --- the correspondence filter ---------------------------------------------------------------------------------------


def _fitting(manifest: Manifest, vectors: Vectors, least: float) -> list[int]:
    """The items whose pictures have at least this mean cosine with the text of their label."""
    similar = list(similarities(manifest, vectors))
    fitting = [index for index, value in enumerate(similar) if value is None or value >= least]
    if not fitting:
        highest = max(value for value in similar if value is not None)
        raise LibraryError(f"no video has a similarity of {least}; the highest is {highest:.3f}")
    return fitting


def similarities(manifest: Manifest, vectors: Vectors) -> Iterator[float | None]:
    """Yield for each item the mean cosine of its pictures and its label's text; None where one of them is missing."""
    rows: Mapping[str, Sequence[int]] = vectors.wordings.get("train", {})
    for item, (first, count) in zip(manifest, vectors.frames or [(0, 0)] * len(manifest), strict=True):
        if not count or item.label is None:
            yield None
            continue
        text = _unit(vectors.text[rows[item.label][0]][None])
        yield float((_unit(vectors.image[first : first + count]) @ text.T).mean())


def _unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    array = np.asarray(vectors, np.float32)
    return np.asarray(array / np.maximum(np.linalg.norm(array, axis=1, keepdims=True), 1e-9), np.float32)


def _subset(manifest: Manifest, vectors: Vectors, kept: Sequence[int]) -> tuple[Manifest, Vectors]:
    frames = tuple(vectors.frames[index] for index in kept) if vectors.frames else ()
    return manifest.of(manifest[index] for index in kept), dataclasses.replace(vectors, frames=frames)
