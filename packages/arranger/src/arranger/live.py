"""Keys as they are played → parts as they are decided: the streaming form of `separate` (§4.5, online).

A note that begins waits until the latency window of its chord has passed; then the notes that are there are labelled
together and leave. A note that comes later but still belongs to the chord (a hand never strikes at once) is labelled
among the ones already decided, and the model forgets that it did not know of it. While parts are missing that have
just been released, the chord is judged as it is expected (see `expectation`). A note-off waits as long as its note-on
did, so durations stay as they were played.

Times are in seconds on any clock that does not go backwards. Symbols: m notes of one chord, K parts.
"""

from __future__ import annotations

import heapq
import os
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arranger.checkpoint import Checkpoint, ModelError, load_checkpoint
from arranger.clocks import SteadyTempo, StepClock
from arranger.control import Control
from arranger.decoding import assign_seats, log_softmax, note_costs, seat_costs
from arranger.expectation import EXPECT_S, nearest_parts
from arranger.features import extract
from arranger.inference import Tagger
from arranger.mixture import Integers, Mixture
from arranger.networks import State

WINDOW_S = 0.012  # leaves 8 ms of the 20 ms from key to sound for the computation and the port
Missing = Literal["expected", "ignored"]

CHORD_S = 0.035  # notes that begin within this time of a chord's first note belong to it
_STILL_HELD = 1 << 30  # steps; the end of a note that is not released yet


@dataclass(frozen=True)
class PartEvent:
    """A note that begins or ends in a part.

    time: when it is due, in seconds. note: the number of the note, counted from 0 in the order of `note_on`. part:
    0 … K-1. confidence: probability of the part, before decoding.
    """

    time: float
    kind: Literal["on", "off"]
    note: int
    pitch: int
    velocity: int
    part: int
    confidence: float


@dataclass
class _Held:
    """A key that was pressed: what was decided of it, and whether it was released.

    part: where it was sent. believed: where it would be sent now that more of its chord is
    known, which is what later decisions build on. delay: seconds from note-on to the decision. off: its release.
    """

    note: int
    pitch: int
    velocity: int
    time: float
    part: int = -1
    believed: int = -1
    confidence: float = 0.0
    delay: float = 0.0
    off: float | None = None

    @property
    def decided(self) -> bool:
        return self.part >= 0


@dataclass
class _Chord:
    """The chord at this moment: the model before it, what sounded before it, and its notes so far.

    time: of its first note. step, previous: its onset in steps, and that of the chord before it. last: the last note of
    each part before it.
    """

    time: float
    step: int
    previous: int | None
    before: State
    sounding: list[_Held]
    last: dict[int, _Held]
    notes: list[_Held] = field(default_factory=list)

    def last_notes(self) -> dict[int, _Held]:
        """The last note of each part once the chord is over."""
        return self.last | {held.believed: held for held in self.notes}


class LiveArranger:
    """Assigns notes to parts as they are played.

    Args:
        model: A bundled name, a model folder, or a loaded checkpoint.
        mode: "online" (the notes of a chord are labelled together), or "causal" (each by itself).
        window_s: Seconds that a note waits for others of its chord; 0: none, the notes leave at once.
        chord_s: Seconds after a chord's first note within which others belong to it.
        clock: Quarter notes per minute, counted from the first note, or a clock from `arranger.clocks`.
        control: Ranges, polyphony and parts left out, as the user wants them.
        missing: Parts that have just been released and have not come again yet are "expected", or "ignored" as on
            paper, where chords are whole; then, played evenly, the result is that of `separate`.

    Raises ModelError for an unknown model or mode, for a model that must see the end first, and for one that must be
    told hints.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Checkpoint = "bach-chorales",
        mode: str = "online",
        *,
        window_s: float = WINDOW_S,
        chord_s: float = CHORD_S,
        clock: StepClock | float = 120.0,
        control: Control | None = None,
        missing: Missing = "expected",
    ) -> None:
        if not 0 <= window_s <= 1:
            raise ValueError(f"window {window_s:g} s: a latency window is from 0 to 1 s")
        checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model, mode)
        if checkpoint.config.reads_hints:
            raise ModelError(f"{checkpoint.name} must be told hints, which nobody knows while the music is played")
        if checkpoint.config.knowledge == "offline":
            raise ModelError(f"{checkpoint.name} must read durations or the future; live use is online or causal")
        self.control = control or Control(checkpoint.config.part_set)
        self.parts = self.control.parts
        self.window_s, self.chord_s, self.missing = window_s, chord_s, missing
        self.clock: StepClock = SteadyTempo(float(clock)) if isinstance(clock, (int, float)) else clock
        self._tagger = Tagger(checkpoint)
        self._decoding = self.control.decoding(checkpoint.decoding)
        self._strictly_causal = checkpoint.config.knowledge == "causal"
        self._state = self._tagger.start()
        self._chord: _Chord | None = None
        self._pending: list[_Held] = []
        self._held: list[_Held] = []  # pressed and not released, or released and not decided, in order of note-on
        self._due: list[tuple[float, int, PartEvent]] = []
        self._order, self._numbers = count(), count()
        self._now = float("-inf")

    @property
    def next_time(self) -> float | None:
        """When something is to be done without further input, in seconds; None while nothing waits."""
        times = [self._due[0][0]] if self._due else []
        if self._pending:
            times.append(self._pending[0].time + self.window_s)
        return min(times, default=None)

    def note_on(self, pitch: int, velocity: int, time: float) -> list[PartEvent]:
        """Take a key that is pressed, and return what is due by `time`. Velocity 0 is a note-off, as in MIDI."""
        if not velocity:
            return self.note_off(pitch, time)
        if not 0 <= pitch <= 127:
            raise ValueError(f"pitch {pitch}: MIDI note numbers are from 0 to 127")
        events = self.advance(time)
        played = _Held(next(self._numbers), pitch, velocity, self._now)
        self._pending.append(played)
        self._held.append(played)
        return events + self.advance(time)

    def note_off(self, pitch: int, time: float, note: int | None = None) -> list[PartEvent]:
        """Take a key that is released, and return what is due by `time`.

        note: the number of the note; by default the oldest of that pitch. A key that is not pressed changes nothing.
        """
        events = self.advance(time)
        for held in self._held:
            if held.off is None and held.pitch == pitch and note in (None, held.note):
                held.off = self._now
                if held.decided:
                    self._release(held)
                break
        return events + self.advance(time)

    def advance(self, time: float) -> list[PartEvent]:
        """Let time go on, and return what is due by then, in order. A time that goes backwards counts as now."""
        self._now = max(self._now, time)
        while self._pending and self._pending[0].time + self.window_s <= self._now:
            self._decide(self._pending[0].time + self.window_s)
        events = []
        while self._due and self._due[0][0] <= self._now:
            events.append(heapq.heappop(self._due)[2])
        return events

    def finish(self, time: float) -> list[PartEvent]:
        """Decide what waits, release every key, and return all events that are left."""
        events = self.advance(time)
        if self._pending:
            self._decide(self._now)
        for held in list(self._held):
            held.off = self._now
            self._release(held)
        while self._due:
            events.append(heapq.heappop(self._due)[2])
        return events

    # ---- deciding

    def _decide(self, now: float) -> None:
        """Give the waiting notes their parts; they leave at `now`."""
        waiting, self._pending = self._pending, []
        chord = self._chord_of(waiting[0].time)
        chord.notes = sorted([*chord.notes, *waiting], key=lambda held: held.pitch)
        logits, self._state = self._tagger.step(self._columns(chord, chord.notes), chord.before)
        new = [row for row, held in enumerate(chord.notes) if not held.decided]
        notes, own = [chord.notes[row] for row in new], logits[new]
        chosen = self._as_expected(chord, notes) if self.missing == "expected" else None
        if chosen is None:
            chosen = self._as_heard(notes, own, *self._occupied(chord))
        probability = np.exp(log_softmax(own))
        for row, (held, part) in enumerate(zip(notes, chosen, strict=True)):
            held.part, held.confidence, held.delay = part, float(probability[row, part]), now - held.time
            self._schedule(now, "on", held)
            if held.off is not None:
                self._release(held)
        self._believe(chord, logits)

    def _believe(self, chord: _Chord, logits: NDArray[np.float32]) -> None:
        """Decide the whole chord again, for the sake of what comes later."""
        sounding, taken = self._occupied(chord)
        chosen = self._as_heard(chord.notes, logits, sounding, np.zeros_like(taken))
        for held, part in zip(chord.notes, chosen, strict=True):
            held.believed = part

    def _chord_of(self, time: float) -> _Chord:
        """Return the chord that a note at `time` belongs to: the last one or a new one."""
        last = self._chord
        if last is not None and time - last.time <= self.chord_s:
            return last
        step = self.clock.step(time)
        if last is not None:
            step = max(step, last.step + 1)
        previous = last.step if last is not None else None
        sounding = [held for held in self._held if held.decided]
        before = last.last_notes() if last is not None else {}
        self._chord = _Chord(time, step, previous, self._state, sounding, before)
        return self._chord

    def _columns(self, chord: _Chord, notes: list[_Held]) -> dict[str, NDArray[np.int64] | NDArray[np.float32]]:
        """Return the features of the chord's notes, which are in the order of pitch."""
        rows = [(held.pitch, _STILL_HELD) for held in chord.sounding]
        if chord.previous is not None:
            rows.append((0, 1))  # has ended before the chord, and tells when the onset before it was
        rows.sort()
        before = chord.previous or 0
        onset = np.array([before] * len(rows) + [chord.step] * len(notes))
        pitch = np.array([pitch for pitch, _ in rows] + [held.pitch for held in notes])
        duration = np.array([duration for _, duration in rows] + [_STILL_HELD] * len(notes))
        mixture = Mixture(onset, pitch, duration, np.full(len(onset), 64))
        columns = extract(mixture, self._tagger.config.features)
        return {name: column[len(rows) :] for name, column in columns.items()}

    def _as_heard(
        self, notes: list[_Held], logits: NDArray[np.float32], sounding: Integers, taken: Integers
    ) -> tuple[int, ...]:
        """Return the part of each note by what the model makes of the chord as it is.

        logits: (m, K). sounding, taken: (K,), see `decoding.seat_costs`.
        """
        pitch, empty = np.array([held.pitch for held in notes]), np.zeros(len(notes), np.int64)
        limited = self.control.limited(logits, pitch)
        costs = note_costs(Mixture(empty, pitch, empty, empty), limited, self.parts, self._decoding, None)
        if not self._strictly_causal:
            seats = seat_costs(self._decoding, sounding, taken, len(notes), self.control.polyphony)
            return tuple(assign_seats(costs, seats).tolist())
        chosen: list[int] = []
        for row in costs:
            seats = seat_costs(self._decoding, sounding, taken, 1, self.control.polyphony)
            chosen.append(int((row + seats[:, 0]).argmin()))
            taken = taken + (np.arange(len(taken)) == chosen[-1])
        return tuple(chosen)

    def _as_expected(self, chord: _Chord, new: list[_Held]) -> tuple[int, ...] | None:
        """Return the part of each new note by the parts that are missing in the chord; None if it may be whole."""
        sounding, taken = self._occupied(chord)
        free = [part for part in range(len(self.parts)) if not taken[part] and part not in self.control.excluded]
        expected = [p for p in free if not sounding[p] and _has_just_ended(chord.last.get(p), chord.time)]
        if len(expected) <= len(new):
            return None
        last_pitch = {part: held.pitch for part, held in chord.last.items()}
        return nearest_parts([held.pitch for held in new], free, last_pitch, expected)

    def _occupied(self, chord: _Chord) -> tuple[Integers, Integers]:
        """Return how many notes from before the chord sound in each part, and how many of it were sent there, (K,)."""
        parts = len(self.parts)
        sounding = np.array([held.believed for held in chord.sounding], np.int64)
        taken = np.array([held.part for held in chord.notes if held.decided], np.int64)
        return np.bincount(sounding, minlength=parts), np.bincount(taken, minlength=parts)

    # ---- leaving

    def _release(self, held: _Held) -> None:
        """Schedule the end of a decided note that was released, as late as its beginning was."""
        self._held.remove(held)
        self._schedule((held.off or 0.0) + held.delay, "off", held)

    def _schedule(self, time: float, kind: Literal["on", "off"], held: _Held) -> None:
        event = PartEvent(time, kind, held.note, held.pitch, held.velocity, held.part, held.confidence)
        heapq.heappush(self._due, (time, next(self._order), event))


def _has_just_ended(last: _Held | None, time: float) -> bool:
    """Whether a part, whose last note this is, was released shortly before `time` or since then."""
    return last is not None and last.off is not None and time - last.off <= EXPECT_S
