"""MIDI ports and files played in time: what a player sends → `LiveArranger` → one channel for each part.

Needs the extra `live` (mido, python-rtmidi). Whatever else the player sends (pedal, bends, pressure) goes to all parts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from muspy_core import EventList, Music, Note, Tempo, Track, ports
from muspy_core.columns import new_array
from muspy_core.ports import Output, PortError

from arranger.clocks import MidiClock
from arranger.live import LiveArranger, PartEvent
from arranger.parts import PartSet

IDLE_S = 0.0005  # between two looks at the input; small against the latency window
RESOLUTION = 480  # of what is recorded
_SHARED = ("control_change", "pitchwheel", "aftertouch", "polytouch")


class Input(Protocol):
    """Where messages come from: a port of mido, or a file in time."""

    @property
    def closed(self) -> bool:
        """Whether nothing more can come."""

    def iter_pending(self) -> Iterable[Any]:
        """Return the messages that have come since."""


@dataclass
class Performance:
    """What happened: the events that left, and for each note-on the seconds from the key until it was sent."""

    events: list[PartEvent] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)

    @property
    def notes(self) -> int:
        """How many notes were played."""
        return len(self.latencies_s)

    def latency_ms(self, percentile: float) -> float:
        """Return a percentile of the latencies in milliseconds; 0 if there is none."""
        return 1000 * float(np.percentile(self.latencies_s, percentile)) if self.latencies_s else 0.0


class ScheduledInput:
    """Messages that come by themselves at their times, as if somebody played a file.

    Args:
        messages: Pairs of seconds from the beginning and a message, in order.
        now: The clock, in seconds.
    """

    def __init__(self, messages: Iterable[tuple[float, Any]], now: Callable[[], float] = time.perf_counter) -> None:
        self._messages = list(messages)[::-1]
        self._now, self._start = now, now()

    @property
    def closed(self) -> bool:
        """Whether the last message has come."""
        return not self._messages

    def iter_pending(self) -> Iterator[Any]:
        """See `Input`."""
        while self._messages and self._messages[-1][0] <= self._now() - self._start:
            yield self._messages.pop()[1]


def relay(
    source: Input,
    target: Output | None,
    arranger: LiveArranger,
    *,
    now: Callable[[], float] = time.perf_counter,
) -> Performance:
    """Send every note of the source to the channel of its part, until the source is closed or Ctrl-C is pressed.

    target: None only records. Keys that are held at the end are released. Returns what was played.
    """
    mido = _mido()
    performance, came = Performance(), list[float]()
    channels = channels_of(arranger.parts)

    def leave(events: Iterable[PartEvent]) -> None:
        for event in events:
            if target is not None:
                velocity = event.velocity if event.kind == "on" else 0
                kind = f"note_{event.kind}"
                target.send(mido.Message(kind, channel=channels[event.part], note=event.pitch, velocity=velocity))
            performance.events.append(event)
            if event.kind == "on":
                performance.latencies_s.append(now() - came[event.note])

    def take(message: Any) -> None:
        moment = now()
        if message.type == "note_on" and message.velocity:
            came.append(moment)
            leave(arranger.note_on(message.note, message.velocity, moment))
        elif message.type in ("note_on", "note_off"):
            leave(arranger.note_off(message.note, moment))
        elif isinstance(arranger.clock, MidiClock) and message.type == "clock":
            arranger.clock.pulse(moment)
        elif isinstance(arranger.clock, MidiClock) and message.type == "start":
            arranger.clock.start()
        elif message.type in _SHARED and target is not None:
            for channel in channels:
                target.send(message.copy(channel=channel))

    if target is not None:
        for part, channel in zip(arranger.parts.parts, channels, strict=True):
            target.send(mido.Message("program_change", channel=channel, program=part.program))
    try:
        while not source.closed:
            for message in source.iter_pending():
                take(message)
            leave(arranger.advance(now()))
            time.sleep(IDLE_S)
        while arranger.next_time is not None:  # what still waits is let out at its time
            leave(arranger.advance(now()))
            time.sleep(IDLE_S)
    except KeyboardInterrupt:
        pass  # how a player ends; below, no key stays down
    leave(arranger.finish(now()))
    return performance


def channels_of(parts: PartSet) -> list[int]:
    """Return the MIDI channel of each part, 0–15, passing over that of percussion; raises PortError for over 15."""
    if len(parts) > len(ports.CHANNELS):
        raise PortError(f"{len(parts)} parts do not fit the {len(ports.CHANNELS)} channels of a MIDI port")
    return list(ports.CHANNELS[: len(parts)])


def messages_of(music: Music) -> list[tuple[float, Any]]:
    """Return the pitched notes of music as messages with their seconds, in order, releases first."""
    mido = _mido()
    moments: list[tuple[float, int, int, int]] = []
    for track in music.tracks:
        if not track.is_drum:
            table = track.notes.array
            begin = music.tempo_map.seconds(table["time"]).tolist()
            end = music.tempo_map.seconds(table["time"] + table["duration"]).tolist()
            pitch, velocity = table["pitch"].tolist(), table["velocity"].tolist()
            moments += zip(begin, [1] * len(begin), pitch, [max(v, 1) for v in velocity], strict=True)
            moments += zip(end, [0] * len(end), pitch, [0] * len(end), strict=True)
    kinds = ("note_off", "note_on")
    return [(at, mido.Message(kinds[on], note=p, velocity=v)) for at, on, p, v in sorted(moments)]


def recorded(performance: Performance, parts: PartSet, qpm: float) -> Music:
    """Return what was played as music at a steady tempo, one track a part, from the first note on."""
    begin = {event.note: event for event in performance.events if event.kind == "on"}
    end = {event.note: event.time for event in performance.events if event.kind == "off"}
    origin = min((event.time for event in begin.values()), default=0.0)
    steps = RESOLUTION * qpm / 60
    tracks = []
    for label, part in enumerate(parts.parts):
        own = [event for event in begin.values() if event.part == label]
        notes = new_array(Note, len(own))
        start = np.array([event.time - origin for event in own]) * steps
        length = np.array([end[event.note] - event.time for event in own]) * steps
        notes["time"], notes["duration"] = np.rint(start), np.maximum(np.rint(length), 1)
        notes["pitch"], notes["velocity"] = [e.pitch for e in own], [e.velocity for e in own]
        track = Track(program=part.program, name=part.name)
        track.notes = EventList.from_columns(Note, notes)
        tracks.append(track)
    return Music(resolution=RESOLUTION, tempos=[Tempo(0, qpm)], tracks=tracks)


# ---- ports


def open_input(name: str) -> Any:
    """Open the port that a player's notes come from: its name or the beginning of it; "virtual" makes one."""
    return ports.open_port(name, "input", "arranger")


def open_output(name: str) -> Any:
    """Open the port that the parts go to: its name or the beginning of it; "virtual" makes one."""
    return ports.open_port(name, "output", "arranger")


def port_names() -> tuple[list[str], list[str]]:
    """Return the names of the inputs and of the outputs; raises PortError where there is no MIDI at all."""
    return ports.port_names("arranger")


def _mido() -> Any:
    return ports.import_mido("arranger")
