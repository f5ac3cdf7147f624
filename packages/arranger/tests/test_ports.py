"""MIDI in time: messages in, channels out, and what is said where there are no ports."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

mido = pytest.importorskip("mido", reason="mido is not installed (extra: live)")

from arranger.clocks import MidiClock  # noqa: E402 - after the check that mido is there
from arranger.live import LiveArranger  # noqa: E402
from arranger.parts import SATB, PartSet  # noqa: E402
from arranger.ports import (  # noqa: E402
    PortError,
    ScheduledInput,
    channels_of,
    messages_of,
    open_input,
    recorded,
    relay,
)
from muspy_core import Music, Note, Tempo, Track  # noqa: E402

CHORD = (48, 55, 64, 72)


class Port:
    """An output that keeps what was sent to it."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, message: Any) -> None:
        self.sent.append(message)


def chords(count: int = 2) -> Music:
    """Chords of an eighth at 600 quarters a minute: short, for tests in real time."""
    notes = [Note(24 * i, pitch, 12, 70 + i) for i in range(count) for pitch in CHORD]
    return Music(resolution=24, tempos=[Tempo(0, 600.0)], tracks=[Track(notes=notes)])


def test_a_file_in_its_own_time_goes_to_a_channel_for_each_part() -> None:
    port = Port()
    performance = relay(ScheduledInput(messages_of(chords())), port, LiveArranger(clock=600.0))
    assert [m.program for m in port.sent[:4]] == [part.program for part in SATB.parts]
    on = [(m.channel, m.note) for m in port.sent if m.type == "note_on"]
    assert Counter(on) == {(3 - i, pitch): 2 for i, pitch in enumerate(CHORD)}
    assert Counter((m.channel, m.note) for m in port.sent if m.type == "note_off") == Counter(on)
    assert performance.notes == 8
    assert performance.latency_ms(50) >= 12


def test_what_was_played_can_be_written_down() -> None:
    performance = relay(ScheduledInput(messages_of(chords(1))), None, LiveArranger(window_s=0.005))
    music = recorded(performance, SATB, 120.0)
    assert [[note.pitch for note in track.notes] for track in music.tracks] == [[72], [64], [55], [48]]
    assert [track.notes[0].velocity for track in music.tracks] == [70] * 4


def test_no_key_stays_down_when_the_player_stops() -> None:
    port = Port()
    relay(ScheduledInput([(0.0, mido.Message("note_on", note=60, velocity=80))]), port, LiveArranger())
    assert [m.type for m in port.sent[4:]] == ["note_on", "note_off"]


def test_the_pedal_goes_to_every_part_and_the_clock_sets_the_tempo() -> None:
    port = Port()
    clock = MidiClock(120.0)
    messages = [(0.0, mido.Message("control_change", control=64, value=127))]
    messages += [(0.001 * i, mido.Message("clock")) for i in range(5)]
    relay(ScheduledInput(messages), port, LiveArranger(clock=clock))
    assert [m.channel for m in port.sent if m.type == "control_change"] == [0, 1, 2, 3]
    assert clock.step(time.perf_counter()) >= 4


def test_parts_pass_over_the_channel_of_percussion() -> None:
    assert channels_of(PartSet("twelve", SATB.parts * 3)) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12]
    with pytest.raises(PortError, match="16 parts"):
        channels_of(PartSet("sixteen", SATB.parts * 4))


def test_a_port_that_is_not_there_is_answered_with_those_there_are() -> None:
    pytest.importorskip("rtmidi", reason="python-rtmidi is not installed (extra: live)")
    with pytest.raises(PortError, match=r"no file and no MIDI input 'Nowhere'; inputs: |no MIDI ports"):
        open_input("Nowhere")
