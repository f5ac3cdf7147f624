"""Seconds → steps of 1/24 quarter note for music that is still being played (before features, see `live`).

Models count 24 steps to the quarter note, the same as the pulses of MIDI clock, so a pulse is a step.
"""

from __future__ import annotations

import math
from typing import Protocol

from muspy_core import Music

from arranger.mixture import RESOLUTION

SECONDS_A_MINUTE = 60.0


class StepClock(Protocol):
    """Tells at which step of 1/24 quarter note a moment lies."""

    def step(self, time: float) -> int:
        """Return the step nearest to `time`, in seconds."""


class SteadyTempo:
    """A tempo that is told beforehand and kept.

    Args:
        qpm: Quarter notes per minute, above 0.
        origin_s: The time of step 0; None means the first moment that is asked for, the player's first note.
    """

    def __init__(self, qpm: float, origin_s: float | None = None) -> None:
        if not (math.isfinite(qpm) and qpm > 0):
            raise ValueError(f"tempo {qpm:g}: quarter notes per minute are above 0")
        self.qpm = qpm
        self.origin_s = origin_s

    def step(self, time: float) -> int:
        """See `StepClock`."""
        if self.origin_s is None:
            self.origin_s = time
        return math.floor((time - self.origin_s) * self.qpm * RESOLUTION / SECONDS_A_MINUTE + 0.5)


class MidiClock:
    """The tempo of another machine, from its MIDI clock; until its first pulse, a steady tempo.

    Args:
        qpm: Quarter notes per minute as long as no pulse has come.
    """

    def __init__(self, qpm: float) -> None:
        self._before = SteadyTempo(qpm)
        self._pulses = 0
        self._last: float | None = None
        self._interval = SECONDS_A_MINUTE / (qpm * RESOLUTION)

    def start(self) -> None:
        """Begin again at step 0 with the next pulse: what the message "start" means."""
        self._pulses, self._last = 0, None

    def pulse(self, time: float) -> None:
        """Take the next pulse, which comes at `time`, in seconds."""
        if self._last is not None:
            self._pulses += 1
            self._interval = max(time - self._last, 1e-4)
        self._last = time

    def step(self, time: float) -> int:
        """See `StepClock`. Between pulses their last distance goes on."""
        if self._last is None:
            return self._before.step(time)
        return self._pulses + math.floor((time - self._last) / self._interval + 0.5)


class ScoreClock:
    """The tempo of a file, with its changes."""

    def __init__(self, music: Music) -> None:
        self._map = music.tempo_map
        self._resolution = music.resolution

    def step(self, time: float) -> int:
        """See `StepClock`."""
        return math.floor(float(self._map.steps(time)) * RESOLUTION / self._resolution + 0.5)
