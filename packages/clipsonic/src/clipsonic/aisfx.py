"""Sounds → vectors of the network of aisfx (Ma and Lerch, ISMIR 2022), by which FD-aisfx is measured.

The weights are those in the wheel aisfx 0.1.2 (CC BY 4.0). They are a pickle: its checksum is compared before anything
is read, and only numbers and tensors are let through. The wheel itself is not imported; its old pins need not be met.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from muspy_core import Audio
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from clipsonic.config import ModelError

CHECKSUM = "499ea75909c932a2f94c35fa722fa4fabc5bcb7e84917209cc5f7402627b7eb5"
SAMPLE_RATE, N_FFT, HOP, BANDS = 44_100, 2048, 1024, 96
BLOCK = 100  # frames that the network sees at once, 2.3 s; blocks overlap by half
LARGEST = 9.457798957824707  # of the logarithms in its training
CHANNELS = (64, 128, 256, 512)
PREFIX = "embedding_net."


class Block(nn.Module):
    """Two convolutions with batch normalisation, and a maximum over squares of a size."""

    def __init__(self, inputs: int, outputs: int, pool: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        self.pool = pool

    def forward(self, image: Tensor) -> Tensor:
        """(B, inputs, T, M) → (B, outputs, T/pool, M/pool)."""
        image = F.relu(self.bn1(self.conv1(image)))
        return F.max_pool2d(F.relu(self.bn2(self.conv2(image))), self.pool)


class AisfxNet(nn.Module):
    """The network without its classifiers: spectrograms (B, T, 96) → vectors (B, 512)."""

    def __init__(self) -> None:
        super().__init__()
        sizes = zip((1, *CHANNELS), CHANNELS, (2, 2, 2, 1), strict=False)
        for number, (inputs, outputs, pool) in enumerate(sizes, 1):
            setattr(self, f"conv_block{number}", Block(inputs, outputs, pool))

    def forward(self, blocks: Tensor) -> Tensor:
        """Mean over bands, maximum over time."""
        image = blocks[:, None]
        for number in range(1, 5):
            image = getattr(self, f"conv_block{number}")(image)
        vectors: Tensor = image.mean(3).amax(2)
        return vectors


def load_aisfx(weights: str | os.PathLike[str] | None = None) -> AisfxNet:
    """Load the network from the wheel's checkpoint.pth, or from where aisfx is installed.

    Raises ModelError if the file is not there or is not the published one.
    """
    path = _installed() if weights is None else Path(weights)
    if not path.is_file():
        raise ModelError(f"{path}: there are no weights of aisfx; the file is aisfx/models/checkpoint.pth of its wheel")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != CHECKSUM:
        raise ModelError(f"{path}: is not the checkpoint of aisfx 0.1.2 (SHA-256 {found[:12]}…, not {CHECKSUM[:12]}…)")
    with torch.serialization.safe_globals(_harmless()):
        state, _ = torch.load(path, map_location="cpu", weights_only=True)
    network = AisfxNet()
    network.load_state_dict({key[len(PREFIX) :]: value for key, value in state.items() if key.startswith(PREFIX)})
    network.eval()
    return network


def aisfx_vectors(network: AisfxNet, sounds: Sequence[Audio]) -> NDArray[np.float32]:
    """Return the vector of each sound, (n, 512): the mean of its blocks' vectors."""
    vectors = []
    for sound in sounds:
        with torch.inference_mode():
            vectors.append(network(torch.from_numpy(blocks_of(sound))).mean(0).numpy())
    return np.stack(vectors) if vectors else np.zeros((0, CHANNELS[-1]), np.float32)


def blocks_of(sound: Audio) -> NDArray[np.float32]:
    """Return the blocks of a sound's spectrogram as the network reads them, (blocks, 100, 96).

    The sound is brought to 44.1 kHz and full scale; 16-kHz sounds leave half of the bands empty, so that distances can
    be compared only between sounds of one rate. The last block is filled with zeros.
    """
    samples = sound.to_mono().resample(SAMPLE_RATE).samples[0]
    samples = samples / max(float(np.abs(samples).max(initial=0.0)), 1e-12) if samples.any() else samples
    padded = np.pad(samples, N_FFT // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    power = np.abs(np.fft.rfft(windows * hann)) ** 2
    spectrogram = np.log10(1e4 * (power @ _filters().T) + 1) / LARGEST
    hop = BLOCK // 2
    count = max(math.ceil((len(spectrogram) - BLOCK) / hop + 1), 1)
    filled = np.pad(spectrogram, ((0, max(hop * (count - 1) + BLOCK - len(spectrogram), 0)), (0, 0)))
    return np.stack([filled[hop * index : hop * index + BLOCK] for index in range(count)]).astype(np.float32)


def _filters() -> NDArray[np.float64]:
    """Triangles on the HTK mel scale whose weights sum to 1, (96, 1025)."""
    edges = 700 * (10 ** (np.linspace(0, 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700), BANDS + 2) / 2595) - 1)
    frequencies = np.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    weights = np.minimum((frequencies - lower) / (centre - lower), (upper - frequencies) / (upper - centre)).clip(min=0)
    total = weights.sum(1, keepdims=True)
    return np.asarray(weights / np.where(total > 0, total, 1))


def _installed() -> Path:
    """Where the installed wheel keeps its weights; it is not imported."""
    import importlib.util

    found = importlib.util.find_spec("aisfx")
    if found is None or not found.submodule_search_locations:
        raise ModelError("FD-aisfx needs the weights in the wheel aisfx 0.1.2: pip install --no-deps aisfx==0.1.2")
    return Path(next(iter(found.submodule_search_locations))) / "models" / "checkpoint.pth"


def _harmless() -> list[Any]:
    """What the pickle holds besides tensors: a NumPy number in the table of its training sets."""
    import _codecs

    from numpy import dtypes

    kinds = [getattr(dtypes, name) for name in dir(dtypes) if name.endswith("DType")]
    scalar: Any = np._core.multiarray.scalar  # type: ignore[attr-defined]  # the pickle's own constructor of numbers
    return [np.dtype, (scalar, "numpy.core.multiarray.scalar"), _codecs.encode, *kinds]
