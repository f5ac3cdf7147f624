"""Folders of labelled sounds for tests: tones of two instruments, a silent file and a damaged one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from muspy_core import Audio


def tone(hz: float, seconds: float = 1.0, rate: int = 16_000) -> Audio:
    """A decaying tone with harmonics."""
    times = np.arange(round(seconds * rate)) / rate
    wave = sum(np.sin(2 * np.pi * hz * number * times) / number for number in (1, 2, 3))
    return Audio((0.2 * wave * np.exp(-2 * times)).astype(np.float32), rate)


def write_sounds(folder: Path, n: int = 6) -> Path:
    """Write n tones of each of two labels, a silent file and a damaged one."""
    for label, hz in (("low", 200.0), ("high", 1500.0)):
        (folder / label).mkdir(parents=True)
        for index in range(n):
            tone(hz * (1 + 0.05 * index)).write(folder / label / f"{index}.wav")
    Audio(np.zeros(16_000, np.float32), 16_000).write(folder / "low" / "silent.wav")
    (folder / "high" / "damaged.wav").write_bytes(b"RIFF and nothing else")
    return folder
