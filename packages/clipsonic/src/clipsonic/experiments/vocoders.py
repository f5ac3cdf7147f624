"""What makes generated sounds audible: the trained vocoder or Griffin-Lim, chosen by validation sounds (runs → here).

Both make the same validation sounds again of their spectrograms, matched to them as generated sounds are; the smaller
error of log-mel bands decides. Test sounds have no part in it: their copies are rows of the page.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from muspy_core.pretrained import CONFIG_NAME
from muspy_core.runs import write_figures

from clipsonic.checkpoint import load_vocoder
from clipsonic.clips import Clips
from clipsonic.config import MelConfig
from clipsonic.evaluate import balanced
from clipsonic.features.spectrogram import torch_mel_spectrogram
from clipsonic.vocoder.losses import log_mel_error
from clipsonic.vocoder.matching import ITERATIONS, to_sound

if TYPE_CHECKING:
    from clipsonic.checkpoint import Vocoder

Made = Literal["trained", "griffin-lim"]
FILE = "vocoder-choice.json"  # beside the rows of the table
SOUNDS = 128
_CHUNK = 16


@dataclasses.dataclass(frozen=True)
class Choice:
    """A choice. steps: of the vocoder's training. trained, griffin_lim: errors in nats of `n` validation sounds.

    matching: iterations of it.
    """

    steps: int
    matching: int
    n: int
    trained: float
    griffin_lim: float

    @property
    def made(self) -> Made:
        """The better one."""
        return "trained" if self.trained < self.griffin_lim else "griffin-lim"

    @property
    def line(self) -> str:
        """The choice in a sentence for the page."""
        better = "the trained vocoder" if self.made == "trained" else "Griffin-Lim"
        return (
            f"Vocoder: copies of {self.n} validation sounds have an error of log-mel bands of {self.trained:.3f} nats "
            f"by the trained one ({self.steps:,} steps) and of {self.griffin_lim:.3f} by Griffin-Lim, both matched to "
            f"their spectrograms ({self.matching} iterations), so that the choice is {better}; test sounds have no "
            "part in it."
        )


def read_choice(folder: Path) -> Choice | None:
    """Return the choice that was written into the folder of a table's figures, None if there is none."""
    path = folder / FILE
    return Choice(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def choose(vocoder: Path, data: Path, results: Path) -> Choice:
    """Return the choice for a trained vocoder, measured once for each length of its training.

    vocoder: its export. data: folder of clips. results: folder of the table's figures, where the choice is written.
    """
    steps = int(json.loads((vocoder / CONFIG_NAME).read_text(encoding="utf-8"))["steps"])
    known = read_choice(results)
    if known is not None and (known.steps, known.matching) == (steps, ITERATIONS):
        return known
    loaded = load_vocoder(vocoder)
    waves = validation_sounds(Clips.load(data), loaded.mel)
    errors = copy_error(waves, loaded, loaded.mel), copy_error(waves, None, loaded.mel)
    choice = Choice(steps, ITERATIONS, len(waves), *(round(error, 4) for error in errors))
    results.mkdir(parents=True, exist_ok=True)
    write_figures(results / FILE, dataclasses.asdict(choice))
    return choice


def validation_sounds(clips: Clips, mel: MelConfig, n: int = SOUNDS) -> torch.Tensor:
    """Return at most n validation sounds, evenly over labels, (n, N) as long as the shortest, of whole frames."""
    chosen = balanced(clips.of("valid"), n, np.random.default_rng(0))
    samples = min(clip.samples for clip in chosen) // mel.hop_length * mel.hop_length
    return torch.from_numpy(np.stack([clips.samples(clip, 0, samples) for clip in chosen]).astype(np.float32))


@torch.inference_mode()
def copy_error(waves: torch.Tensor, vocoder: Vocoder | None, mel: MelConfig) -> float:
    """Return the error of the log-mel bands of copies in nats. waves: (n, N). vocoder: None for Griffin-Lim."""
    copies = []
    for part in torch_mel_spectrogram(waves, mel).split(_CHUNK):
        copies.append(to_sound(part, mel, vocoder))
    return float(log_mel_error(torch.cat(copies), waves, mel))
