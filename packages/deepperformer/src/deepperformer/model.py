"""Notes → their times, and timed notes → a mel spectrogram: the two models of §5.3.

Symbols as in `layers`; M mel bands.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from deepperformer.config import AlignmentConfig, SynthesisConfig
from deepperformer.layers import (
    DURATION,
    ONSET,
    Conditions,
    FFTBlock,
    NoteEncoder,
    PolyphonicMixer,
    rolls,
    sinusoids,
    sounding,
)

MIN_FRAMES = 1.0
STEPS_PER_MINUTE_AND_QPM = 24


class AlignmentModel(nn.Module):
    """Says when a performer plays the notes of a score (§5.3.1).

    Args:
        config: Size and target.
    """

    def __init__(self, config: AlignmentConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or AlignmentConfig()
        self.encoder = NoteEncoder(config)
        self.output = nn.Linear(config.dim, 2)

    @property
    def n_parameters(self) -> int:
        """Number of trainable values."""
        return count_parameters(self)

    def start_from_constant_tempo(self) -> None:
        """Let an untrained model, whose target is no absolute time, keep exactly to the tempo."""
        with torch.no_grad():
            self.output.weight.zero_()
            self.output.bias.zero_()

    def forward(
        self, notes: Tensor, mask: Tensor, performer: Tensor, tempo: Tensor, marks: Tensor | None = None
    ) -> Tensor:
        """Return what `config.target` says of onset and duration, (B, N, 2).

        notes: (B, N, 4), onsets from the anchor. mask: (B, N). performer, tempo: (B,). marks: (B, N, K), which only a
        model with `config.marks` reads; None: no note has one.
        """
        result: Tensor = self.output(self.encoder(notes, mask, performer, tempo, marks))
        return result

    def decode(self, output: Tensor, notes: Tensor, frames_per_step: Tensor) -> Tensor:
        """Return onsets from the anchor and durations in frames, (B, N, 2), of an output. frames_per_step: (B,)."""
        if self.config.target == "absolute":
            return output
        nominal = constant_tempo(notes, frames_per_step)
        if self.config.target == "deviation":
            return nominal + output
        # Written out, as ONNX does not know torch.diff.
        gaps = nominal[..., 0] - torch.cat([nominal[:, :1, 0], nominal[:, :-1, 0]], dim=1)
        onsets = torch.cumsum(gaps * torch.exp(output[..., 0].clamp(-3, 3)), dim=1)
        onsets = onsets - anchored(onsets, notes)
        return torch.stack([onsets, nominal[..., 1] * torch.exp(output[..., 1].clamp(-3, 3))], dim=2)

    def encode(self, times: Tensor, notes: Tensor, frames_per_step: Tensor) -> Tensor:
        """Return what the output should be for onsets from the anchor and durations in frames, (B, N, 2).

        Where a note starts together with the one before, its ratio says nothing; it is 0.
        """
        if self.config.target == "absolute":
            return times
        nominal = constant_tempo(notes, frames_per_step)
        if self.config.target == "deviation":
            return times - nominal
        gaps = torch.diff(nominal[..., 0], dim=1, prepend=nominal[:, :1, 0])
        played = torch.diff(times[..., 0], dim=1, prepend=times[:, :1, 0]).clamp(min=0.1)
        ratios = torch.where(gaps > 0, torch.log(played / gaps.clamp(min=1e-6)), 0.0)
        lengths = torch.log(times[..., 1].clamp(min=MIN_FRAMES) / nominal[..., 1].clamp(min=1e-6))
        return torch.stack([ratios.clamp(-3, 3), lengths.clamp(-3, 3)], dim=2)


def constant_tempo(notes: Tensor, frames_per_step: Tensor) -> Tensor:
    """Return onsets from the anchor and durations in frames at a constant tempo, (B, N, 2)."""
    return notes[..., [ONSET, DURATION]] * frames_per_step[:, None, None]


def anchored(onsets: Tensor, notes: Tensor) -> Tensor:
    """Return the onset of each clip's anchor, (B, 1): of the first note with score onset 0, or of the first note."""
    at = (notes[..., ONSET] == 0).to(torch.int64).argmax(dim=1, keepdim=True)
    return torch.gather(onsets, 1, at)


def frames_per_step(qpm: Tensor, frame_s: float) -> Tensor:
    """Return the frames of a step at a tempo. qpm: any shape."""
    return 60.0 / (qpm * STEPS_PER_MINUTE_AND_QPM * frame_s)


class SynthesisModel(nn.Module):
    """Makes the mel spectrogram of notes whose times are known (§5.3.2).

    Args:
        config: Size and ablations.
    """

    def __init__(self, config: SynthesisConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SynthesisConfig()
        if config.encoder == "transformer":
            self.encoder: nn.Module | None = NoteEncoder(config)
            self.mixer: nn.Module | None = PolyphonicMixer(config.dim, config.notewise)
        else:
            self.encoder = self.mixer = None
            self.conditions, self.join = Conditions(config), nn.Linear(256, config.dim)
        self.decoder = nn.ModuleList(FFTBlock.of(config) for _ in range(config.decoder_layers))
        self.output = nn.Linear(config.dim, config.n_mels)
        self.condition = nn.Embedding(config.conditions, config.dim) if config.conditions else None

    @property
    def n_parameters(self) -> int:
        """Number of trainable values."""
        return count_parameters(self)

    def start_from_mean(self, mel: Tensor) -> None:
        """Let an untrained model predict a mel, (M,): the mean of the training data is where short trainings start."""
        with torch.no_grad():
            self.output.bias.copy_(mel)
            self.output.weight.mul_(0.1)

    def forward(
        self,
        notes: Tensor,
        mask: Tensor,
        performer: Tensor,
        tempo: Tensor,
        onsets: Tensor,
        durations: Tensor,
        frames: int,
        marks: Tensor | None = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        """Return the log-mel spectrogram, (B, T, M).

        notes: (B, N, 4). mask: (B, N). performer, tempo: (B,). onsets, durations: (B, N), frames from the clip's start.
        frames: T. marks: (B, N, K), and condition: (B,), are read by models with `config.marks` and
        `config.conditions`; None: no note has a mark, and the first condition.
        """
        active, places = sounding(onsets, durations, mask, frames)
        if self.encoder is None or self.mixer is None:
            hidden = self.join(rolls(notes, active, places)) + self.conditions(performer, tempo)[:, None]
        else:
            hidden = self.mixer(self.encoder(notes, mask, performer, tempo, marks), active, places)
        if self.condition is not None:
            # Of a room and a microphone one hears where no note sounds, too.
            hidden = hidden + self.condition(torch.zeros_like(performer) if condition is None else condition)[:, None]
        hidden = hidden + sinusoids(frames, hidden.shape[2], hidden.device)
        everywhere = torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device)
        for block in self.decoder:
            hidden = block(hidden, everywhere)
        mel: Tensor = self.output(hidden)
        return mel


def count_parameters(module: Any) -> int:
    """Return the number of trainable values of a module."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
