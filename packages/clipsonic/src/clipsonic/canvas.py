"""Spectrograms of any length: a wide canvas whose prediction is put together from overlapping windows.

The canvas holds one noisy spectrogram; at every step the network looks at windows as long as it can read, and where
they overlap their predictions are averaged, with weights that fall towards a window's ends. So all windows agree at
every step, and the network's memory does not grow with the length. Windows lie elsewhere at each step, so that no place
is their border all the time and a seam has nowhere to grow. On a canvas that is a circle, windows go on from its end
into its beginning: what comes out is a loop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from clipsonic.config import ModelError
from clipsonic.guidance import Guided
from clipsonic.model import Output

# Windows that the network reads at once: more cost memory and save no time on a CPU.
WINDOWS_AT_ONCE = 4
_GOLDEN = (math.sqrt(5) - 1) / 2  # multiples of it, without their whole part, spread evenly


@dataclass(frozen=True)
class Canvas:
    """A network that predicts canvases wider than its windows.

    guided: the network with the queries of all items. window, hop: frames, the hop at most the window. circular:
    whether the end of the canvas borders on its beginning.
    """

    guided: Guided
    window: int = 128
    hop: int = 64
    circular: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.hop <= self.window:
            raise ModelError(f"hop={self.hop} must be above 0 and at most the window of {self.window} frames")

    def __call__(self, mels: Tensor, step: Tensor) -> Output:
        """Return the prediction. mels: (B, 1, M, T). step: ()."""
        items, _, _, frames = mels.shape
        if frames <= self.window and not self.circular:
            return self.guided(mels, step)
        starts = window_starts(frames, self.window, self.hop, self.circular, self.shift(int(step)))
        window = min(self.window, frames)
        weights = _weights(window).to(mels)
        total = mels.new_zeros(items, 2, *mels.shape[2:])
        norm = mels.new_zeros(frames)
        places = [torch.arange(start, start + window, device=mels.device) % frames for start in starts]
        for place in places:
            norm[place] += weights
        jobs = [(item, place) for item in range(items) for place in places]
        learned = False
        for first in range(0, len(jobs), WINDOWS_AT_ONCE):
            chosen = jobs[first : first + WINDOWS_AT_ONCE]
            batch = torch.stack([mels[item][..., place] for item, place in chosen])
            output = self.guided.repeat([item for item, _ in chosen])(batch, step)
            learned = output.variance is not None
            for index, (item, place) in enumerate(chosen):
                total[item, :1, :, place] += weights * output.prediction[index]
                if output.variance is not None:
                    total[item, 1:, :, place] += weights * output.variance[index]
        total = total / norm
        return Output(total[:, :1], total[:, 1:] if learned else None)

    def shift(self, step: int) -> int:
        """Return by how many frames windows lie further left at a step, below the hop: the same in every run."""
        return int(self.hop * (step * _GOLDEN % 1.0))


def window_starts(frames: int, window: int, hop: int, circular: bool, shift: int = 0) -> list[int]:
    """Return where windows begin so that they cover a canvas: a hop apart, moved left by a shift below the hop.

    Unless the canvas is a circle, the first one begins and the last one ends with it.
    """
    if circular:
        return [start - shift for start in range(0, frames, hop)] if frames > window else [0, frames // 2]
    return [0, *range(hop - shift, frames - window, hop), frames - window]


def _weights(window: int) -> Tensor:
    """Return positive weights that fall linearly towards both ends, (window,)."""
    ramp = torch.arange(1, window + 1, dtype=torch.float32)
    return torch.minimum(ramp, ramp.flip(0)) / window
