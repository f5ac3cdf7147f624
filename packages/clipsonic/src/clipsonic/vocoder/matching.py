"""A vocoder's sound → the same sound with the mel bands that it was asked for (the end of spectrogram → sound).

A vocoder knows what sounds are like: their phases, and what lies within a band. How loud each band is the spectrogram
knows better. So each frequency of each frame is multiplied by what its bands lack, the overlapping frames are put
together, and this is done again, since neighbours disagree about the gains. It is not in the paper, whose vocoder
(BigVGAN) stands alone; of our small one it takes 60 % of the error of log-mel bands (the results page has the figures).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from clipsonic.config import MelConfig
from clipsonic.features.spectrogram import MAGNITUDE_EPS, filterbank_tensor, magnitudes_of
from clipsonic.vocoder.griffin_lim import griffin_lim
from clipsonic.vocoder.stft import from_spectrum, to_spectrum

if TYPE_CHECKING:
    from clipsonic.checkpoint import Vocoder

ITERATIONS = 16
MOST_GAIN = 10.0  # of one iteration, up or down: where a vocoder is silent, there is nothing to make louder


def to_sound(mels: Tensor, config: MelConfig, vocoder: Vocoder | None, *, iterations: int = ITERATIONS) -> Tensor:
    """Return sounds, (B, T · hop), by a vocoder or by Griffin-Lim (None), matched to their spectrograms.

    mels: log-mel spectrograms within ±1, (B, M, T). iterations: of the matching; 0 for what the vocoder says alone.
    """
    waves = griffin_lim(mels, config) if vocoder is None else vocoder(mels)
    return matched(waves, mels, config, iterations=iterations)


def matched(waves: Tensor, mels: Tensor, config: MelConfig, *, iterations: int = ITERATIONS) -> Tensor:
    """Return sounds, (B, N), whose log-mel spectrograms are nearer to those that are wanted.

    waves: (B, N), N = T · hop. mels: what is wanted, within ±1, (B, M, T). The gain of a frequency is the geometric
    mean of what its bands lack, weighted by the filterbank; frequencies of no band are kept.
    """
    wanted = magnitudes_of(mels, config)
    weights = filterbank_tensor(config, wanted)
    shares = (weights / weights.sum(0).clamp(min=1e-12)).T
    for _ in range(iterations):
        spectrum = to_spectrum(waves, config)
        magnitudes = (spectrum.real.square() + spectrum.imag.square() + MAGNITUDE_EPS).sqrt()  # as `wanted` has them
        made = (weights @ magnitudes).clamp(min=config.floor)
        lacking = (wanted / made).clamp(1 / MOST_GAIN, MOST_GAIN).log()
        waves = from_spectrum(spectrum * (shares @ lacking).exp(), config)
    return waves
