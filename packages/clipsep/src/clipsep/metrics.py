"""True and estimated sound → decibels: SNR, SI-SDR, and SDR, SIR, SAR with filters of 512 taps (§6.5.3).

What museval (version 4, one window) and the paper call SDR is the plain signal-to-noise ratio: `snr`. mir_eval's
(version 3) allows a distortion of the truth by a filter: `bss_eval`. Symbols: n sources, N samples. Sounds without
energy have no ratio: NaN, which means leave out.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

TAPS = 512
_LEAST_ENERGY = 1e-10
Samples = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Distortions:
    """Ratios in decibels, each (n,): whole, of interference, of artifacts."""

    sdr: Samples
    sir: Samples
    sar: Samples


def snr(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Return 10·log10(‖s‖² / ‖s - ŝ‖²), museval's SDR of version 4; both (N,). NaN without a reference."""
    true, made = _pair(reference, estimate)
    return _decibels(_energy(true), _energy(true - made))


def si_sdr(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Return the ratio after the best scaling of the reference (Le Roux et al. 2019); both (N,)."""
    true, made = _pair(reference, estimate)
    energy = _energy(true)
    if energy < _LEAST_ENERGY:
        return float("nan")
    target = (true @ made) / energy * true
    return _decibels(_energy(target), _energy(made - target))


def bss_eval(references: ArrayLike, estimates: ArrayLike, taps: int = TAPS) -> Distortions:
    """Return SDR, SIR and SAR of version 3 (Vincent et al. 2006), estimate i being of reference i; both (n, N).

    The part of an estimate that filters of `taps` make of its reference is the target, what filters make of all
    references besides is interference, the rest are artifacts. NaN for all where a reference is silent.
    """
    true = np.atleast_2d(np.asarray(references, np.float64))
    made = np.atleast_2d(np.asarray(estimates, np.float64))
    if true.shape != made.shape or true.ndim != 2:
        raise ValueError(f"references and estimates have equal shapes (n, N), got {true.shape} and {made.shape}")
    count, samples = true.shape
    if min(_energy(source) for source in true) < _LEAST_ENERGY:
        silent = np.full(count, np.nan)
        return Distortions(silent, silent, silent)
    size = 1 << (samples + taps - 2).bit_length() + 1
    spectra = np.fft.rfft(true, size)
    gram = _gram(spectra, size, taps)
    ratios = []
    for index in range(count):
        spectrum = np.fft.rfft(made[index], size)
        correlations = np.fft.irfft(np.conj(spectra) * spectrum, size)[:, :taps]
        own = gram[index * taps : (index + 1) * taps, index * taps : (index + 1) * taps]
        length = samples + taps - 1
        alone = np.asarray(np.linalg.solve(own, correlations[index])[None], np.float64)
        joint = np.asarray(np.linalg.solve(gram, correlations.ravel()).reshape(count, taps), np.float64)
        target = _filtered(spectra[index : index + 1], alone, size, length)
        both = _filtered(spectra, joint, size, length)
        interference = both - target
        artifacts = np.pad(made[index], (0, taps - 1)) - both
        ratios.append(
            (
                _decibels(_energy(target), _energy(interference + artifacts)),
                _decibels(_energy(target), _energy(interference)),
                _decibels(_energy(both), _energy(artifacts)),
            )
        )
    sdr, sir, sar = np.array(ratios).T
    return Distortions(sdr, sir, sar)


def _gram(spectra: NDArray[np.complex128], size: int, taps: int) -> Samples:
    """Inner products of all delayed references, (n·taps, n·taps)."""
    count = len(spectra)
    lags = np.arange(taps)[None, :] - np.arange(taps)[:, None]
    rows = []
    for first in range(count):
        blocks = []
        for second in range(count):
            correlation = np.fft.irfft(np.conj(spectra[first]) * spectra[second], size)
            # <s_a(t - i), s_b(t - j)> depends on i - j alone.
            blocks.append(correlation[-lags])
        rows.append(np.concatenate(blocks, axis=1))
    return np.concatenate(rows)


def _filtered(spectra: NDArray[np.complex128], filters: Samples, size: int, length: int) -> Samples:
    made: Samples = np.fft.irfft((spectra * np.fft.rfft(filters, size)).sum(axis=0), size)[:length]
    return made


def _pair(reference: ArrayLike, estimate: ArrayLike) -> tuple[Samples, Samples]:
    true, made = np.asarray(reference, np.float64), np.asarray(estimate, np.float64)
    if true.shape != made.shape or true.ndim != 1:
        raise ValueError(f"reference and estimate have equal shapes (N,), got {true.shape} and {made.shape}")
    return true, made


def _energy(sound: Samples) -> float:
    return float(sound @ sound)


def _decibels(signal: float, noise: float) -> float:
    if signal < _LEAST_ENERGY:
        return float("nan")
    return float("inf") if noise <= 0 else 10 * float(np.log10(signal / noise))


@dataclasses.dataclass(frozen=True)
class Summary:
    """Mean, standard error of the mean, median and number of figures; those that are not finite are left out."""

    mean: float
    standard_error: float
    median: float
    n: int
    left_out: int = 0

    @classmethod
    def of(cls, figures: ArrayLike) -> Summary:
        """Summarise figures, (n,)."""
        array = np.asarray(figures, np.float64)
        kept = array[np.isfinite(array)]
        if not len(kept):
            return cls(float("nan"), float("nan"), float("nan"), 0, len(array))
        error = float(kept.std(ddof=1) / np.sqrt(len(kept))) if len(kept) > 1 else float("nan")
        return cls(float(kept.mean()), error, float(np.median(kept)), len(kept), len(array) - len(kept))

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.standard_error:.2f} / {self.median:.2f}"


def bootstrap_interval(
    differences: ArrayLike, rng: np.random.Generator, *, level: float = 0.95, draws: int = 10_000
) -> tuple[float, float]:
    """Return the percentile interval of the mean of paired differences, (n,), by drawing them with replacement."""
    array = np.asarray(differences, np.float64)
    means = array[rng.integers(0, len(array), (draws, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
