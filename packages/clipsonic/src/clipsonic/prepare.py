"""Videos or labelled sounds → prepared clips with their vectors (the first step of training; §7.4.1)."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from muspy_core.errors import MuspyError
from muspy_core.io.files import read_text, write_atomically
from muspy_core.media import Manifest, MediaItem, content_hash
from numpy.typing import NDArray
from tqdm.auto import tqdm

from clipsonic.clips import AUDIO, Clip, Clips, DataError, Wording, stacked
from clipsonic.features.queries import CLIP_TEMPLATE, QueryEncoder

SPLITS = {"train": "train", "test": "test", "validation": "valid", "valid": "valid"}
VALIDATION = 0.05  # of the training items, where a split has no validation part
SHARES = (0.8, 0.1, 0.1)  # train, test, validation, where a manifest has no split
FRAMES = 4  # of each clip, from which training takes one at random
SHORTEST_S = 0.1
SILENT = 1e-4  # root mean square below which a whole file teaches only silence


@dataclass(frozen=True)
class Prepared:
    """What `prepare` did. failed: (file, reason) of files that could not be used."""

    clips: Clips
    failed: list[tuple[str, str]] = field(default_factory=list)


def prepare(
    manifest: Manifest,
    output: str | os.PathLike[str],
    encoder: QueryEncoder,
    *,
    template: str = "{}",
    wordings: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    frames: int = FRAMES,
    sample_rate: int = 16_000,
    seed: int = 0,
    progress: bool | None = None,
) -> Prepared:
    """Read the sounds of a manifest, and make the vectors of their labels and, of videos, of their frames.

    output: folder, which is made. template: in which a label is put as a text. wordings: further texts of labels, as
    (text, "train" or "test"). frames: of each video. seed: of the split, where the manifest has none. Raises DataError
    if no file can be used or a template names no place for the label.
    """
    if "{}" not in template:
        raise DataError(f"template={template!r} has no {{}} for the label")
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    if any(item.split is None for item in manifest):
        manifest = manifest.with_splits(SHARES, seed)
    elif not {"valid", "validation"} & set(manifest.splits):
        manifest = _with_validation(manifest, seed)
    clips: list[Clip] = []
    parts: list[NDArray[np.float32]] = []
    failed = list(manifest.failed)
    rows = first = 0
    with write_atomically(output / AUDIO) as temporary, open(temporary, "wb") as file:
        for index, item in enumerate(
            tqdm(manifest, desc="preparing", disable=None if progress is None else not progress)
        ):
            if item.kind == "image" or item.split not in SPLITS:
                continue
            try:
                samples = _sound(manifest, index, sample_rate)
                vectors = _frame_vectors(manifest, index, encoder, frames)
            except (MuspyError, OSError) as error:
                failed.append((item.path, str(error)))
                continue
            file.write(samples.tobytes())
            place = (rows, len(vectors))
            clips.append(Clip(item.path, item.label or "", SPLITS[item.split], first, len(samples), place))
            parts.append(vectors)
            first, rows = first + len(samples), rows + len(vectors)
        if not clips:
            raise DataError(
                f"none of {len(manifest)} files can be used: {failed[0][1] if failed else 'none is a sound'}"
            )
    labels = sorted({clip.label for clip in clips if clip.label})
    texts = _wordings(labels, template, wordings or {}, rows)
    parts.append(
        encoder.texts([wording.text for wording in texts]) if texts else np.zeros((0, _width(parts)), np.float32)
    )
    vectors = stacked([part for part in parts if len(part)], _width(parts))
    towers: Any = encoder
    has_tokens = bool(texts) and hasattr(encoder, "tokens")
    tokens = towers.tokens([wording.text for wording in texts]).astype(np.float16) if has_tokens else None
    prepared = Clips(output, sample_rate, encoder.identity, template, tuple(clips), texts, vectors, tokens)
    prepared.save()
    return Prepared(prepared, failed)


def read_wordings(path: str | os.PathLike[str]) -> dict[str, list[tuple[str, str]]]:
    """Read further texts of labels: a CSV with the columns label, text, split. Raises DataError."""
    wordings: dict[str, list[tuple[str, str]]] = {}
    with io.StringIO(read_text(path, DataError), newline="") as file:
        reader = csv.DictReader(file)
        if not {"label", "text", "split"} <= set(reader.fieldnames or ()):
            raise DataError(f"{path}: needs the columns label, text and split (train or test)")
        for number, row in enumerate(reader, 2):
            if row["split"] not in ("train", "test") or not row["label"] or not row["text"]:
                raise DataError(f"{path}: line {number}: label and text must be given, split be train or test")
            wordings.setdefault(row["label"], []).append((row["text"], row["split"]))
    return wordings


def template_of(encoder: str) -> str:
    """Return the template that fits an encoder: CLIP is asked for photos (§7.4.1), labels and sentences are plain."""
    from clipsonic.features.queries import CLAP_TEMPLATE

    if encoder.startswith("clap"):
        return CLAP_TEMPLATE
    return CLIP_TEMPLATE if "/" in encoder else "{}"


def _with_validation(manifest: Manifest, seed: int) -> Manifest:
    """Published splits have no validation part: a share of the training items is set aside, groups together."""
    train = manifest.where(split="train").with_splits((1 - VALIDATION, VALIDATION), seed)
    aside = {(item.path, item.start_s) for item in train if item.split == "test"}
    return manifest.of(
        dataclasses.replace(item, split="valid") if (item.path, item.start_s) in aside else item for item in manifest
    )


def _sound(manifest: Manifest, index: int, sample_rate: int) -> NDArray[np.int16]:
    audio = manifest.clip(index, sample_rate=sample_rate, channels=1).audio
    if audio.duration < SHORTEST_S:
        raise DataError(f"{audio.duration:.2f} s of sound; at least {SHORTEST_S} s are needed")
    if audio.rms < SILENT:
        raise DataError("is silent")
    return np.ascontiguousarray(audio.to_int16()[:, 0], "<i2")


def _frame_vectors(manifest: Manifest, index: int, encoder: QueryEncoder, frames: int) -> NDArray[np.float32]:
    item: MediaItem = manifest[index]
    towers: Any = encoder
    if item.kind != "video" or not hasattr(encoder, "frames"):
        return np.zeros((0, 0), np.float32)
    path = manifest.path(index)
    end = item.end_s if item.end_s is not None else item.duration_s
    if end is None:
        from muspy_core.media import probe

        end = probe(path).duration_s
    length = (end or 0.0) - item.start_s
    times = [item.start_s + length * (place + 0.5) / frames for place in range(frames)]
    sha256 = item.sha256 or content_hash(path)
    return np.asarray(towers.frames(path, times, sha256=sha256), np.float32)


def _wordings(
    labels: Sequence[str], template: str, more: Mapping[str, Sequence[tuple[str, str]]], first: int
) -> tuple[Wording, ...]:
    texts: list[tuple[str, str, str]] = []
    for label in labels:
        texts.append((label, template.format(label), "train"))
        texts += [(label, text, split) for text, split in more.get(label, ())]
    return tuple(Wording(label, text, first + row, split) for row, (label, text, split) in enumerate(texts))


def _width(parts: Sequence[NDArray[np.float32]]) -> int:
    return max((part.shape[1] for part in parts if part.ndim == 2 and len(part)), default=0)
