"""Made sounds → files: WAV or another format, what was asked for as JSON, and a report one can listen to."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from muspy_core import Audio
from muspy_core.io.files import read_text
from muspy_core.rendering import Facts, Page, Picture, Player
from numpy.typing import NDArray

from clipsonic.features.queries import QueryError


@dataclass(frozen=True)
class Made:
    """A sound that was made. path: of its file. facts: query, seed and settings, by name."""

    path: Path
    audio: Audio
    mels: NDArray[np.float32]
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Prompt:
    """A row of a table of prompts. name: of its files."""

    name: str
    text: str
    n: int = 1
    seed: int = 0
    duration_s: float | None = None
    negative: str | None = None


def read_prompts(path: Path) -> list[Prompt]:
    """Read a CSV of prompts: the column text, and if wanted name, n, seed, duration, negative.

    Raises QueryError, naming the line, for a table without texts, or for a name that is given twice.
    """
    with io.StringIO(read_text(path, QueryError), newline="") as file:
        reader = csv.DictReader(file)
        known = {"text", "name", "n", "seed", "duration", "negative"}
        columns = set(reader.fieldnames or ())
        if "text" not in columns or not columns <= known:
            raise QueryError(f"{path}: needs the column text, and may have {', '.join(sorted(known - {'text'}))}")
        prompts: list[Prompt] = []
        for line, row in enumerate(reader, 2):
            values = {name: (value or "").strip() for name, value in row.items()}
            try:
                prompt = Prompt(
                    values.get("name") or file_name(values["text"]),
                    values["text"],
                    int(values.get("n") or 1),
                    int(values.get("seed") or 0),
                    float(values["duration"]) if values.get("duration") else None,
                    values.get("negative") or None,
                )
            except ValueError as error:
                raise QueryError(f"{path}: line {line}: {error}") from None
            if not prompt.text or prompt.n < 1 or file_name(prompt.name) != prompt.name:
                raise QueryError(
                    f"{path}: line {line}: the text must say something, n be above 0, the name be a file's"
                )
            if prompt.name in {other.name for other in prompts}:
                raise QueryError(f"{path}: line {line}: the name {prompt.name!r} is given twice")
            prompts.append(prompt)
    if not prompts:
        raise QueryError(f"{path}: holds no prompt")
    return prompts


def file_name(text: str) -> str:
    """Return what is left of a text in a file name: letters, digits and hyphens."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:60] or "sound"


def numbered(path: Path, index: int, n: int) -> Path:
    """Return the path of sound `index` of n: the path itself if it is the only one."""
    return path if n == 1 else path.with_name(f"{path.stem}-{index + 1:0{len(str(n))}d}{path.suffix}")


def write_report(path: Path, made: Sequence[Made], *, overwrite: bool) -> None:
    """Write an HTML page with a player of all sounds in order, and the spectrogram and facts of each."""
    silence = Audio(np.zeros(made[0].audio.sample_rate // 4, np.float32), made[0].audio.sample_rate)
    samples = [part.samples[0] for sound in made for part in (sound.audio, silence)]
    sections: list[Any] = [Player(Audio(np.concatenate(samples[:-1]), silence.sample_rate))]
    for sound in made:
        heading = f"{sound.path.name}: {sound.facts.get('query', '')}"
        caption = "Time runs to the right, frequency upwards; light is loud."
        picture = spectrogram_png(sound.mels)
        sections.append(Picture(picture, f"log-mel spectrogram of {sound.path.name}", heading=heading, caption=caption))
        sections.append(Facts({name: value for name, value in sound.facts.items() if value is not None}))
    Page("clipsonic", sections, footer="Made with clipsonic and muspy-core.").write(path, overwrite=overwrite)


def spectrogram_png(mels: NDArray[np.float32]) -> bytes:
    """Return a spectrogram (M, T) within ±1 as a picture of 4 × 4 pixels a value, low bands at the bottom."""
    from PIL import Image

    levels = np.clip((mels[::-1] + 1) * 127.5, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels.repeat(4, 0).repeat(4, 1)).save(buffer, "png")
    return buffer.getvalue()
