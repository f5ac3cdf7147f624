"""How near a copy comes: sound → mel → sound by an inverter, against the sound itself and against Griffin-Lim (§5.3.3).

Symbols: S samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepperformer.errors import DataError
from deepperformer.features.spectrogram import MelDefinition, torch_log_mel
from deepperformer.vocoder.griffin_lim import GriffinLim

CLIP_S, CLIPS = 8.0, 12
N_FFT, HOP = 2048, 512
DEPTH_DB = 60.0  # below a clip's loudest bin, where differences stop counting
PADDED = 16384  # transform in which the loudest partial is looked for

Samples = NDArray[np.float32]


def evaluate_inverter(
    inverters: Mapping[str, Any], sounds: Sequence[NDArray[np.int16]], definition: MelDefinition
) -> dict[str, Any]:
    """Return how far copies by each inverter are from the sounds, and from those by Griffin-Lim (60 iterations).

    `mel_l1`: mean absolute error of log mels. `lsd_db`: log-spectral distance in dB, root mean square over the bins of
    a frame, mean over frames. `cents`: median error of the loudest partial of a frame. sounds: the middle 8 s of the
    first 12 count. Raises DataError if none is so long.
    """
    clips = middle_clips(sounds, definition.sample_rate)
    figures: dict[str, Any] = {"clips": len(clips), "seconds": round(CLIP_S * len(clips), 1)}
    for name, inverter in {**inverters, "griffin_lim": GriffinLim(definition)}.items():
        errors = [copy_errors(clip, copied(inverter, clip, definition), definition) for clip in clips]
        figures[name] = {key: round(float(np.mean([error[key] for error in errors])), 4) for key in errors[0]}
    return figures


def middle_clips(sounds: Sequence[NDArray[np.int16]], sample_rate: int) -> list[Samples]:
    """Return the middle of each of the first sounds, as floats."""
    length = round(CLIP_S * sample_rate)
    long_ones = [sound for sound in sounds if len(sound) >= length][:CLIPS]
    if not long_ones:
        raise DataError(f"no sound lasts {CLIP_S:g} s, which the measures need")
    starts = [(len(sound) - length) // 2 for sound in long_ones]
    return [
        np.asarray(sound[start : start + length] / 32768, np.float32)
        for sound, start in zip(long_ones, starts, strict=True)
    ]


def copied(inverter: Any, samples: Samples, definition: MelDefinition) -> Samples:
    """Return what an inverter makes of a sound's mel, (S,)."""
    with torch.inference_mode():
        mel = torch_log_mel(torch.from_numpy(samples)[None], definition).transpose(1, 2)
        made: Samples = inverter(mel)[0].numpy()
    return made


def copy_errors(real: Samples, made: Samples, definition: MelDefinition) -> dict[str, float]:
    """Return the three errors of one copy."""
    real, made = real[: len(made)], made[: len(real)]
    mels = [torch_log_mel(torch.from_numpy(np.ascontiguousarray(x)), definition) for x in (real, made)]
    spectra = [_magnitudes(samples, N_FFT) for samples in (real, made)]
    floor = float(spectra[0].max()) * 10 ** (-DEPTH_DB / 20)
    levels = [20 * np.log10(np.maximum(spectrum, floor)) for spectrum in spectra]
    return {
        "mel_l1": float((mels[0] - mels[1]).abs().mean()),
        "lsd_db": float(np.sqrt(np.square(levels[0] - levels[1]).mean(1)).mean()),
        "cents": _pitch_error(real, made),
    }


def _pitch_error(real: Samples, made: Samples) -> float:
    """Return the median error in cents of the loudest partial, over the louder half of the frames."""
    spectra = [_magnitudes(samples, PADDED) for samples in (real, made)]
    peaks = [spectrum.argmax(1) for spectrum in spectra]
    loud = spectra[0].max(1) >= np.median(spectra[0].max(1))
    bins = [_refined_peak(spectrum, peak)[loud] for spectrum, peak in zip(spectra, peaks, strict=True)]
    return float(np.median(np.abs(1200 * np.log2(bins[1] / bins[0]))))


def _refined_peak(spectrum: NDArray[np.float32], peaks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return peaks between bins, by a parabola through the logarithms of three."""
    inside = np.clip(peaks, 1, spectrum.shape[1] - 2)
    rows = np.arange(len(spectrum))
    low, middle, high = (np.log(spectrum[rows, inside + shift] + 1e-12) for shift in (-1, 0, 1))
    between: NDArray[np.float64] = inside + 0.5 * (low - high) / np.minimum(low - 2 * middle + high, -1e-9)
    return between


def _magnitudes(samples: Samples, n_fft: int) -> NDArray[np.float32]:
    """Return magnitudes of frames of `N_FFT` samples, transformed with zeros to `n_fft`, (frames, n_fft / 2 + 1)."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP] * np.hanning(N_FFT).astype(np.float32)
    return np.abs(np.fft.rfft(frames, n_fft, axis=1)).astype(np.float32)
