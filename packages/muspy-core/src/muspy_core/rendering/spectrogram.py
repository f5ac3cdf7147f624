"""Sound → a spectrogram figure with matplotlib: level over time and frequency, the frequencies by their logarithm."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.audio import Audio
from muspy_core.errors import RenderError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WINDOW = 4096  # samples: 93 ms at 44.1 kHz, which parts the notes of a bass
MAX_COLUMNS = 1200
ROWS = 240
_TICKS = {50: "50", 100: "100", 200: "200", 500: "500", 1000: "1k", 2000: "2k", 5000: "5k", 10000: "10k", 20000: "20k"}


def show_spectrogram(
    audio: Audio,
    *,
    axes: Axes | None = None,
    frequencies: tuple[float, float] = (60.0, 16000.0),
    decibels: tuple[float, float] = (-90.0, -20.0),
    figsize: tuple[float, float] = (10.0, 2.6),
    title: str | None = None,
) -> Axes:
    """Plot the spectrogram of a sound, its channels mixed.

    Args:
        audio: The sound.
        axes: matplotlib axes to draw on; a new figure of `figsize` inches by default.
        frequencies: Lowest and highest frequency shown, in Hz. Above half the sample rate there is nothing, so that
            sounds of several rates can be compared.
        decibels: Levels that are darkest and lightest; a full-scale sine is 0 dB. They do not depend on the sound, so
            that pictures can be compared.
        title: Title of the plot.

    Returns the axes. Raises RenderError for limits that cannot be, or a sound without samples.
    """
    low, high = frequencies
    if not 0 < low < high or not decibels[0] < decibels[1]:
        raise RenderError(f"limits are a lower and a higher one, above 0 Hz: {frequencies} Hz, {decibels} dB")
    if not audio.frames:
        raise RenderError("there is no sound to show")
    if axes is None:
        axes = _pyplot().subplots(figsize=figsize, layout="constrained")[1]
    levels = _levels(audio, np.geomspace(low, high, ROWS))
    axes.imshow(
        levels,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=decibels[0],
        vmax=decibels[1],
        extent=(0.0, audio.duration, 0.0, 1.0),
        interpolation="nearest",
    )
    shown = [frequency for frequency in _TICKS if low <= frequency <= high]
    axes.set_yticks(np.log(np.divide(shown, low)) / np.log(high / low), [_TICKS[frequency] for frequency in shown])
    axes.set(xlabel="Time (s)", ylabel="Frequency (Hz)")
    if title is not None:
        axes.set_title(title)
    return axes


def _levels(audio: Audio, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return decibels, (rows, columns); rows: (rows,) Hz. What lies above half the sample rate is silent."""
    samples = np.pad(audio.to_mono().samples[0].astype(np.float64), WINDOW // 2)
    starts = np.linspace(0, len(samples) - WINDOW, min(MAX_COLUMNS, max(audio.frames // (WINDOW // 8), 1))).astype(int)
    window = np.hanning(WINDOW + 1)[:-1]
    columns = np.stack(
        [np.abs(np.fft.rfft(samples[start : start + WINDOW] * window)) for start in starts], axis=1
    )  # column by column: the windows of a long sound would not fit in memory
    magnitudes = columns * (2 / window.sum())
    places = rows * WINDOW / audio.sample_rate  # in bins of the transform, which end at half the sample rate
    last = len(magnitudes) - 1
    below = np.minimum(places.astype(int), last - 1)
    part = np.clip(places - below, 0, 1)[:, None]
    between = magnitudes[below] * (1 - part) + magnitudes[below + 1] * part
    # High rows are wider than a bin: of the bins that a row spans, it shows the loudest.
    middles = np.sqrt(places[1:] * places[:-1])
    first = np.ceil(np.append(places[0], middles)).astype(int)
    spanned = np.append(first[1:], np.ceil(places[-1])) > first
    end = min(int(np.ceil(places[-1])), last) + 1
    loudest = np.maximum.reduceat(magnitudes[:end], np.minimum(first, end - 1))
    between = np.where(spanned[:, None], np.maximum(between, loudest), between)
    between[places > last] = 0
    found: NDArray[np.float64] = 20 * np.log10(np.maximum(between, 1e-10))
    return found


def _pyplot() -> Any:
    """Return matplotlib's pyplot, or say which extra brings it."""
    try:
        return importlib.import_module("matplotlib.pyplot")
    except ImportError as error:
        message = f"plots need the package matplotlib: pip install 'muspy-core[render]' ({error})"
        raise ImportError(message, name="matplotlib") from None
