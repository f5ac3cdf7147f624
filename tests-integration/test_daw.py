"""The way into a DAW by a MIDI port, from the command to what the sequencer receives (docs/tutorials/daw.md)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import muspy_core
import pytest
from console_runs import run

mido = pytest.importorskip("mido", reason="mido is not installed (extra: live)")

import loopback_ports  # noqa: E402 - needs mido

QPM = 480


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[float, Any]]]:
    """What arrives at the port "DAW", instead of the system's ports."""
    before = mido.backend
    loopback_ports.RECEIVED.clear()
    mido.set_backend("loopback_ports")
    yield loopback_ports.RECEIVED
    mido.set_backend(before)


def held(messages: list[tuple[float, Any]]) -> Counter[tuple[int, int]]:
    """Keys that are still down at the end."""
    down: Counter[tuple[int, int]] = Counter()
    for _, message in messages:
        if message.type in ("note_on", "note_off"):
            down[message.channel, message.note] += 1 if message.type == "note_on" and message.velocity else -1
    return +down


def test_what_is_played_reaches_the_sequencer_a_channel_for_each_part(
    received: list[tuple[float, Any]], tmp_path: Path
) -> None:
    chords = [(72, 67, 64, 48), (71, 67, 62, 43), (72, 67, 64, 48)]
    notes = [muspy_core.Note(24 * beat, pitch, 20) for beat, chord in enumerate(chords) for pitch in chord]
    played = tmp_path / "played.mid"
    tempos = [muspy_core.Tempo(0, QPM)]
    muspy_core.write_midi(
        played, muspy_core.Music(resolution=24, tempos=tempos, tracks=[muspy_core.Track(notes=notes)])
    )

    parts = ["--parts", "violin,violin,viola,cello"]
    ending = run("arranger", ["live", "--input", played, "--clock", "real", "--output", "daw", *parts, "--json"])
    heard = defaultdict(list)
    for _, message in received:
        if message.type == "note_on":
            heard[message.channel].append(message.note)
    onsets = [at for at, message in received if message.type == "note_on"]

    assert (ending.code, ending.errors) == (0, ())
    assert [(m.channel, m.program) for _, m in received if m.type == "program_change"] == [
        (0, 40), (1, 40), (2, 41), (3, 42)
    ]  # fmt: skip
    assert sorted(pitch for pitches in heard.values() for pitch in pitches) == sorted(note.pitch for note in notes)
    assert heard[3] == [48, 43, 48]
    assert onsets[-1] - onsets[0] >= 2 * 60 / QPM - 0.05  # in its own time, not at once
    assert not held(received)


@pytest.mark.slow
def test_music_reaches_the_sequencer_while_it_is_written(received: list[tuple[float, Any]]) -> None:
    options = ["--instruments", "piano,violin", "--length", "24", "--seconds", "4", "--seed", "1", "--json"]
    ending = run("mmt", ["stream", "--output", "daw", "--tempo", "120", *options])

    assert (ending.code, ending.errors) == (0, ())
    assert any(message.type == "note_on" for _, message in received)
    assert {message.channel for _, message in received if message.type == "program_change"} <= {0, 1}
    assert not held(received)


def test_a_port_that_is_not_there_is_named_with_those_that_are(received: list[tuple[float, Any]]) -> None:
    ending = run("arranger", ["live", "--input", "nowhere", "--output", "daw"])
    listed = run("arranger", ["live", "--list"])

    assert ending.code == 2
    assert "'nowhere'" in ending.errors[-1]
    assert loopback_ports.NAME in listed.out
