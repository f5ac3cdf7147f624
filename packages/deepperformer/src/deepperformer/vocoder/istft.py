"""An inverter that predicts magnitude and phase of each frame, in the manner of Vocos (Siuzdak 2023).

All layers work at the rate of frames, which makes it several times faster than HiFi-GAN on a CPU. Symbols as in
`hifigan`; D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deepperformer.config import ISTFTConfig
from deepperformer.model import count_parameters

LARGEST = 1e2


class FrameNetwork(nn.Module):
    """Mel frames → as many numbers for each frame as a head wants.

    Args:
        config: Its size.
        outputs: Numbers of a frame.
    """

    def __init__(self, config: ISTFTConfig, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(config.n_mels, config.dim, 7, padding=3)
        self.norm = nn.LayerNorm(config.dim, eps=1e-6)
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(config.dim, config.hidden, 1 / config.layers) for _ in range(config.layers)
        )
        self.last_norm = nn.LayerNorm(config.dim, eps=1e-6)
        self.head = nn.Linear(config.dim, outputs)

    def forward(self, mel: Tensor) -> Tensor:
        """mel: (B, T, M). Returns (B, T, outputs)."""
        hidden = self.norm(self.first(mel.transpose(1, 2)).transpose(1, 2))
        for block in self.blocks:
            hidden = block(hidden)
        outputs: Tensor = self.head(self.last_norm(hidden))
        return outputs


def network_reach(config: ISTFTConfig) -> int:
    """Return the frames on either side that a frame of a `FrameNetwork`'s output depends on."""
    return 3 * (config.layers + 1)


class ISTFTInverter(nn.Module):
    """A network over frames, then an inverse short-time Fourier transform.

    Args:
        config: Its size.
    """

    window: Tensor

    def __init__(self, config: ISTFTConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ISTFTConfig()
        self.network = FrameNetwork(config, config.n_fft + 2)
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)

    @property
    def n_parameters(self) -> int:
        """Number of trainable values."""
        return count_parameters(self)

    @property
    def reach(self) -> int:
        """Frames on either side that a frame of the output depends on."""
        return network_reach(self.config) + -(-self.config.n_fft // self.config.hop_length)

    def forward(self, mel: Tensor) -> Tensor:
        """Return samples, (B, S). mel: (B, T, M)."""
        levels, phases = self.network(mel).chunk(2, dim=2)
        magnitudes = torch.exp(levels).clamp(max=LARGEST)
        spectrum = torch.complex(magnitudes * torch.cos(phases), magnitudes * torch.sin(phases))
        return overlap_add(spectrum, self.window, self.config.hop_length)

    def fold(self) -> ISTFTInverter:
        """Return the model; there is nothing to fold."""
        return self


class ConvNeXtBlock(nn.Module):
    """A depth-wise convolution over 7 frames and a layer for each frame by itself, with a skip."""

    def __init__(self, dim: int, hidden: int, start: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.widen, self.narrow = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.gain = nn.Parameter(torch.full((dim,), start))

    def forward(self, hidden: Tensor) -> Tensor:
        """hidden: (B, T, D). Returns the same shape."""
        changed = self.norm(self.depthwise(hidden.transpose(1, 2)).transpose(1, 2))
        return hidden + self.gain * self.narrow(F.gelu(self.widen(changed)))


def overlap_add(spectrum: Tensor, window: Tensor, hop_length: int) -> Tensor:
    """Return the sound of frames of a transform whose ends were padded by (n_fft − hop) / 2: (B, T × hop).

    spectrum: (B, T, n_fft / 2 + 1). The inverse of the transform in `features.spectrogram`.
    """
    frames = torch.fft.irfft(spectrum, dim=2) * window
    length = len(window)
    sound = _added(frames, hop_length)
    weights = _added(window.square().expand(1, frames.shape[1], -1), hop_length)
    trim = (length - hop_length) // 2
    kept = slice(trim, trim + frames.shape[1] * hop_length)
    return sound[:, kept] / weights[:, kept].clamp(min=1e-8)


def _added(frames: Tensor, hop_length: int) -> Tensor:
    """Add frames where they overlap, (B, T, n_fft) → (B, at least (T − 1) hop + n_fft); what is beyond that is zero.

    All frames at once, a hop of each at a time: `fold`, which adds frame by frame, takes ten times as long on a CPU.
    """
    batch, count, length = frames.shape
    hops = -(-length // hop_length)
    whole = frames if length == hops * hop_length else F.pad(frames, (0, hops * hop_length - length))
    parts = whole.unflatten(2, (hops, hop_length))
    sound = frames.new_zeros(batch, count + hops - 1, hop_length)
    for number in range(hops):
        sound[:, number : number + count] += parts[:, :, number]
    return sound.flatten(1)
