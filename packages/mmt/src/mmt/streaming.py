"""Events as they are drawn → notes that sound at their time: the model writes ahead of what is heard (after generate).

Times are seconds on a clock that does not go backwards, or steps of a song (12 to the quarter note).
"""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from muspy_core import Music, Tempo

from mmt import extended
from mmt.encoding import NOTE, TYPE, Codes
from mmt.extended import VELOCITY
from mmt.formats import format_of
from mmt.generate import Options, stream
from mmt.model import MMT
from mmt.notes import BEAT, DEFAULT_VELOCITY, DURATION, PITCH, POSITION, PROGRAM, RESOLUTION

IDLE_S = 0.001  # between two looks at the queue
START_S = 0.2  # what is waited for at most until the buffer is full and the song begins
LATE_S = 0.01  # a note that begins more than this after its time is late


@dataclass(frozen=True)
class StreamedNote:
    """A note of a song that is being written. time, duration: in steps. program: 128 for drums."""

    time: int
    pitch: int
    duration: int
    program: int
    velocity: int = DEFAULT_VELOCITY


@dataclass(frozen=True)
class Sound:
    """A note that begins or ends. time: when it was due, in seconds from the beginning. program: 128 for drums."""

    kind: Literal["on", "off"]
    time: float
    program: int
    pitch: int
    velocity: int = DEFAULT_VELOCITY


@dataclass
class Played:
    """What was played.

    notes: in the order in which they began. lateness_s: of each, how long after its time it began. first_s: from the
    call to the first note. underruns: how often the song had to wait for the model, a run of late notes counting once.
    """

    notes: list[StreamedNote] = field(default_factory=list)
    lateness_s: list[float] = field(default_factory=list)
    first_s: float | None = None
    underruns: int = 0

    @property
    def late(self) -> int:
        """How many notes began late."""
        return sum(lateness > LATE_S for lateness in self.lateness_s)

    def music(self, qpm: float) -> Music:
        """Return the notes as music at a tempo."""
        rows = [
            [*divmod(note.time, RESOLUTION), note.pitch, note.duration, note.program, note.velocity, 0, 0]
            for note in self.notes
        ]
        music = extended.music_of(np.array(rows, np.int64).reshape(-1, extended.COLUMNS))
        music.tempos, music.time_signatures = [Tempo(0, qpm)], []
        return music


def stream_notes(model: MMT, prompt: Codes, options: Options | None = None) -> Iterator[StreamedNote]:
    """Give the notes that continue a prompt, each as soon as it is drawn; raises as `generate.stream`.

    Of whole music they have velocities and drums; tempo and time signature are the player's.
    """
    form = format_of(model)
    for event in stream(model, prompt, options):
        if event[TYPE] == NOTE:
            row = form.decode(event[None])[0].tolist()
            velocity = row[VELOCITY] if len(row) > VELOCITY else DEFAULT_VELOCITY
            yield StreamedNote(
                row[BEAT] * RESOLUTION + row[POSITION], row[PITCH], row[DURATION], row[PROGRAM], velocity
            )


def play(
    notes: Iterable[StreamedNote],
    send: Callable[[Sound], None],
    *,
    qpm: float = 120.0,
    buffer_s: float = 1.0,
    limit_s: float | None = None,
    now: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Played:
    """Send every note at its time, while a thread takes the next ones from the model, until the song or time is over.

    notes: in the order of their onsets. send: takes what begins and ends. qpm: quarter notes a minute. buffer_s: how
    far the model may write ahead of what is heard. limit_s: seconds of music after which no note begins; None: the
    whole song. A note whose time has passed when it is written begins at once, and is counted as late. Ctrl-C ends the
    song, and no note is left to sound.
    """
    called, second = now(), 60 / qpm / RESOLUTION
    source = _Ahead(notes)
    played = Played()
    ends: list[tuple[float, int, Sound]] = []
    origin: float | None = None
    waited = False
    try:
        while (note := source.next_note(limit_s, second)) is not None or ends or not source.finished:
            if origin is None:
                if note is None or not (source.finished or source.reach(second) >= buffer_s or _over(called, now())):
                    sleep(IDLE_S)
                    continue
                origin = now() - note.time * second
            moment = now() - origin
            source.allow(moment + buffer_s, second)
            while ends and ends[0][0] <= moment:
                send(heapq.heappop(ends)[2])
            if note is not None and note.time * second <= moment:
                source.take()
                lateness = moment - note.time * second
                send(Sound("on", note.time * second, note.program, note.pitch, note.velocity))
                end = max(note.time * second, moment) + note.duration * second
                heapq.heappush(ends, (end, len(played.notes), Sound("off", end, note.program, note.pitch)))
                played.underruns += lateness > LATE_S and not waited
                waited = lateness > LATE_S
                played.notes.append(note)
                played.lateness_s.append(lateness)
                played.first_s = now() - called if played.first_s is None else played.first_s
            else:
                sleep(IDLE_S)
    except KeyboardInterrupt:
        pass  # how a listener ends; below, no note is left to sound
    finally:
        source.close()
        for _, _, sound in sorted(ends):
            send(sound)
    return played


def _over(called: float, moment: float) -> bool:
    return moment - called >= START_S


class _Ahead:
    """Notes that a thread takes from a model, as far ahead as it is allowed to."""

    def __init__(self, notes: Iterable[StreamedNote]) -> None:
        self._queue: queue.SimpleQueue[StreamedNote | None] = queue.SimpleQueue()
        self._waiting: list[StreamedNote] = []
        self._horizon = float("inf")  # steps up to which notes may be written; until the song begins, without limit
        self._last = 0
        self._closed = False
        self._error: BaseException | None = None
        self.finished = False
        self._thread = threading.Thread(target=self._write, args=(iter(notes),), daemon=True)
        self._thread.start()

    def _write(self, notes: Iterator[StreamedNote]) -> None:
        try:
            for note in notes:
                self._queue.put(note)
                while note.time > self._horizon and not self._closed:
                    time.sleep(IDLE_S)
                if self._closed:
                    break
        except BaseException as error:  # noqa: BLE001  # whatever it is, the thread that plays raises it
            self._error = error
        self._queue.put(None)

    def next_note(self, limit_s: float | None, second: float) -> StreamedNote | None:
        """Return the note that begins next, if it is written; it stays until it is taken."""
        while not self.finished:
            try:
                note = self._queue.get_nowait()
            except queue.Empty:
                break
            if note is None or (limit_s is not None and note.time * second >= limit_s):
                self.finished, self._closed = True, True
            else:
                self._waiting.append(note)
                self._last = note.time
        if self._error is not None:
            raise self._error
        return self._waiting[0] if self._waiting else None

    def take(self) -> None:
        """Remove the note that begins next."""
        self._waiting.pop(0)

    def reach(self, second: float) -> float:
        """How many seconds of music are written."""
        return (self._last - self._waiting[0].time) * second if self._waiting else 0.0

    def allow(self, until_s: float, second: float) -> None:
        """Let the model write up to a time."""
        self._horizon = until_s / second

    def close(self) -> None:
        """Let the model stop."""
        self._closed = True
        self._thread.join(timeout=5)
