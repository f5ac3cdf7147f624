"""Long sound in windows: spectrogram frames as samples come, masks in overlapping windows, sound as frames are done.

Symbols: C channels, N samples, T frames, F = 513 bins, K masks, G = 256 rows of the grid. Nothing here grows with the
length: each class holds a window's worth and gives on what is finished. Together they equal the transforms of the whole
(`features.spectrogram`), frame for frame and sample for sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from clipsep.config import HOP_LENGTH, LINEAR_BINS, N_FFT

WINDOW = 1024  # frames that the network sees at once: 16.4 s
CONTEXT = 96  # frames at both ends of a window that are not used: 23 % more work than without overlap
_HALF = N_FFT // 2


class FrameStream:
    """Samples → frames of the centred transform. Feed blocks by `push`, and call `finish` at the end."""

    def __init__(self, channels: int, device: torch.device | str = "cpu") -> None:
        self.window = torch.hann_window(N_FFT, device=device)
        self.held = torch.zeros(channels, _HALF, device=device)

    def push(self, samples: Tensor) -> Tensor:
        """Return the frames that samples complete, complex (C, F, T). samples: (C, N)."""
        self.held = torch.cat([self.held, samples], dim=1)
        count = max((self.held.shape[1] - N_FFT) // HOP_LENGTH + 1, 0)
        if not count:
            return torch.zeros(len(self.held), LINEAR_BINS, 0, dtype=torch.complex64, device=self.held.device)
        used = (count - 1) * HOP_LENGTH + N_FFT
        frames: Tensor = torch.stft(
            self.held[:, :used], N_FFT, HOP_LENGTH, window=self.window, center=False, return_complex=True
        )
        self.held = self.held[:, count * HOP_LENGTH :]
        return frames

    def finish(self) -> Tensor:
        """Return the last frames, which reach beyond the end."""
        return self.push(torch.zeros(len(self.held), _HALF, device=self.held.device))


class SampleStream:
    """Frames → samples, the inverse of `FrameStream`."""

    def __init__(self, channels: int, device: torch.device | str = "cpu") -> None:
        self.window = torch.hann_window(N_FFT, device=device)
        self.sum = torch.zeros(channels, N_FFT - HOP_LENGTH, device=device)
        self.weight = torch.zeros(N_FFT - HOP_LENGTH, device=device)
        self.skip = _HALF  # the padding before the first sample

    def push(self, frames: Tensor) -> Tensor:
        """Return the samples that no later frame touches, (C, N). frames: complex (C, F, T)."""
        count = frames.shape[2]
        if not count:
            return self.sum[:, :0]
        pieces = torch.fft.irfft(frames.mT, n=N_FFT) * self.window
        added = _overlapped(pieces)
        weights = _overlapped((self.window**2).expand(1, count, N_FFT))[0]
        kept = self.sum.shape[1]
        added[:, :kept] += self.sum
        weights[:kept] += self.weight
        done = count * HOP_LENGTH
        self.sum, self.weight = added[:, done:], weights[done:]
        return self._given(added[:, :done], weights[:done])

    def finish(self) -> Tensor:
        """Return what is left; it may pass the end of the sound by a frame."""
        return self._given(self.sum, self.weight)

    def _given(self, samples: Tensor, weights: Tensor) -> Tensor:
        drop = min(self.skip, samples.shape[1])
        self.skip -= drop
        return (samples / weights.clamp(min=1e-8))[:, drop:]


def _overlapped(pieces: Tensor) -> Tensor:
    """Add pieces, (C, T, 1024), each a hop later than the one before, (C, (T - 1) · 256 + 1024)."""
    hops = pieces.unflatten(2, (-1, HOP_LENGTH))
    channels, count, parts, _ = hops.shape
    added = hops.new_zeros(channels, count + parts - 1, HOP_LENGTH)
    for part in range(parts):
        added[:, part : part + count] += hops[:, :, part]
    return added.flatten(1)


class WindowedMasks:
    """Frames of the mixture → frames with their masks, by a function that sees whole windows.

    Args:
        masks_of: Magnitudes of a window, (F, T) with T a multiple of `multiple` → masks, (K, G, T).
        multiple: What the frames of a window are a multiple of.
        window, context: Frames; windows overlap by twice the context, which is not used except at both ends of the
        sound.

    The last window ends with the sound; a sound shorter than a window is mirrored at its end.
    """

    def __init__(
        self, masks_of: Callable[[Tensor], Tensor], multiple: int, window: int = WINDOW, context: int = CONTEXT
    ) -> None:
        self.masks_of, self.multiple = masks_of, multiple
        self.window = -(-window // multiple) * multiple
        self.context = context
        self.held: Tensor | None = None
        self.used = 0  # frames of `held` that have their masks

    def push(self, frames: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (frames, masks) that are finished: complex (C, F, T) and (K, G, T). frames: complex (C, F, T)."""
        self.held = frames if self.held is None else torch.cat([self.held, frames], dim=2)
        # A window is begun only if more follows: the last one is placed by `finish`.
        while self.held.shape[2] > self.window:
            masks = self.masks_of(_magnitude(self.held[:, :, : self.window]))
            end = self.window - self.context
            yield self.held[:, :, self.used : end], masks[:, :, self.used : end]
            step = self.window - 2 * self.context
            self.held, self.used = self.held[:, :, step:], self.context

    def finish(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield what is left."""
        if self.held is None or self.held.shape[2] <= self.used:
            return
        count = self.held.shape[2]
        padded = mirrored(_magnitude(self.held), -(-count // self.multiple) * self.multiple)
        masks = self.masks_of(padded)[:, :, :count]
        yield self.held[:, :, self.used :], masks[:, :, self.used :]


def _magnitude(frames: Tensor) -> Tensor:
    """Magnitudes of the mean of the channels, (F, T)."""
    return frames.mean(dim=0).abs()


def mirrored(magnitude: Tensor, frames: int) -> Tensor:
    """Lengthen a spectrogram to so many frames, by its own frames back and forth. magnitude: (F, T), T at least 1."""
    count = magnitude.shape[1]
    places = torch.arange(frames, device=magnitude.device) % max(2 * count - 2, 1)
    return magnitude[:, torch.where(places < count, places, 2 * count - 2 - places)]
