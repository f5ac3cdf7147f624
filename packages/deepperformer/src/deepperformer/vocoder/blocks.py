"""Mels that come in blocks → samples in blocks that join without a seam, in a memory of its own (perform → here).

Symbols: T frames, M mel bands, K bins of the transform.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepperformer.features.spectrogram import Mel, MelDefinition, hann
from deepperformer.vocoder.istft import overlap_add

Samples = NDArray[np.float32]

BLOCK_FRAMES = 256  # 4 s
LEAST_CONTEXT = 32


def sound_blocks(inverter: Any, mels: Iterable[Mel], definition: MelDefinition) -> Iterator[Samples]:
    """Give the samples of a mel spectrogram that comes in blocks, (T, M), in blocks of 4 s (the last is shorter).

    inverter: a model; one that has `spectra` is asked for these, so that each block goes on from the phases of the one
    before; others only see as many frames around a block as they depend on.
    """
    context = max(getattr(inverter, "reach", LEAST_CONTEXT), LEAST_CONTEXT)
    if hasattr(inverter, "spectra"):
        yield from _continued(inverter, windows(mels, context, definition), context, definition)
        return
    hop = definition.hop_length
    for window in windows(mels, context, definition):
        with torch.inference_mode():
            samples: Samples = inverter(torch.from_numpy(window)[None])[0].numpy()
        yield samples[context * hop : len(samples) - context * hop]


def windows(mels: Iterable[Mel], context: int, definition: MelDefinition) -> Iterator[Mel]:
    """Give blocks with `context` frames before and after them; before the first and after the last is silence."""
    silence = np.full((context, definition.n_mels), np.float32(np.log(definition.floor)))
    held = silence
    for mel in itertools.chain(mels, [silence]):
        held = np.concatenate([held, mel])
        while len(held) >= 2 * context + BLOCK_FRAMES:
            yield held[: 2 * context + BLOCK_FRAMES]
            held = held[BLOCK_FRAMES:]
    if len(held) > 2 * context:
        yield held


def _continued(inverter: Any, blocks: Iterable[Mel], context: int, definition: MelDefinition) -> Iterator[Samples]:
    """Give samples of spectra; those that a block has settled are what the next one goes on from."""
    hop, bins = definition.hop_length, definition.n_fft // 2 + 1
    window = torch.from_numpy(hann(definition.n_fft))
    # As many frames reach from behind a block into its last samples, and from before it into its first.
    behind = -(-definition.padding // hop)
    first = context - behind
    known = torch.zeros(1, context, bins, dtype=torch.complex64)
    for block in blocks:
        with torch.inference_mode():
            spectra = inverter.spectra(torch.from_numpy(np.ascontiguousarray(block))[None], known)
            end = len(block) - context
            samples: Samples = overlap_add(spectra[:, first : end + behind], window, hop)[0].numpy()
        yield samples[behind * hop : (end - first) * hop]
        known = spectra[:, BLOCK_FRAMES : end + behind]
