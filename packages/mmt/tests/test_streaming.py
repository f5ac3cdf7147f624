"""Streams: every note at its time, late ones counted, nothing left to sound."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import muspy_core
import numpy as np
import pytest
import torch
from mmt.cli import main
from mmt.config import MMTConfig
from mmt.encoding import NOTE, decode
from mmt.generate import Options, generate, instrument_informed
from mmt.model import MMT
from mmt.streaming import Sound, StreamedNote, play, stream_notes

FAST = 2400.0  # quarter notes a minute: a step takes 2 ms


@pytest.fixture(scope="module")
def model() -> MMT:
    torch.random.manual_seed(0)
    made = MMT(MMTConfig(dim=64, depth=1, max_length=64)).eval()
    with torch.no_grad():
        made.heads.logits.bias[NOTE] += 5  # type: ignore[operator,index]  # a parameter
        made.heads.logits.bias[5:262] -= torch.arange(257)  # type: ignore[operator,index]  # beats follow closely
    return made


def test_a_stream_has_the_notes_of_the_song(model: MMT) -> None:
    prompt = instrument_informed(["piano", "violin"])
    song = decode(generate(model, [prompt], Options(20, seed=1))[0])
    streamed = list(stream_notes(model, prompt, Options(20, seed=1)))
    assert [
        [note.time // 12, note.time % 12, note.pitch, note.duration, note.program] for note in streamed
    ] == song.tolist()


def test_every_note_begins_and_ends_once_in_order() -> None:
    notes = [StreamedNote(step, 60 + step % 3, 3, 0) for step in range(0, 40, 2)]
    sent: list[Sound] = []
    played = play(iter(notes), sent.append, qpm=FAST, buffer_s=0.05)
    assert played.notes == notes
    begun = [sound for sound in sent if sound.kind == "on"]
    assert [sound.pitch for sound in begun] == [note.pitch for note in notes]
    assert sorted(sound.pitch for sound in sent if sound.kind == "off") == sorted(note.pitch for note in notes)
    assert [sound.time for sound in begun] == sorted(sound.time for sound in begun)
    assert played.music(FAST).tracks[0].notes[1] == muspy_core.Note(2, 62, 3, 64)


def test_notes_that_come_late_are_counted_and_played() -> None:
    def slow() -> Iterator[StreamedNote]:
        yield StreamedNote(0, 60, 1, 0)
        yield StreamedNote(1, 61, 1, 0)
        time.sleep(0.6)
        yield StreamedNote(2, 62, 1, 0)
        yield StreamedNote(3, 63, 1, 0)

    played = play(slow(), lambda sound: None, qpm=FAST, buffer_s=5)
    assert len(played.notes) == 4
    assert played.late >= 1
    assert played.underruns >= 1
    assert max(played.lateness_s) > 0.3


def test_the_model_writes_no_further_ahead_than_the_buffer() -> None:
    written = []

    def endless() -> Iterator[StreamedNote]:
        for step in range(0, 10**6, 10):
            written.append(step)
            time.sleep(0.001)
            yield StreamedNote(step, 60, 1, 0)

    played = play(endless(), lambda sound: None, qpm=FAST, buffer_s=0.05, limit_s=0.5)
    assert max(note.time for note in played.notes) * 60 / FAST / 12 < 0.5
    assert max(written) * 60 / FAST / 12 < 2  # the limit, and what was written before the song began


def test_an_error_of_the_model_is_raised_where_it_plays_and_no_note_is_left() -> None:
    def broken() -> Iterator[StreamedNote]:
        yield StreamedNote(0, 60, 10**6, 0)
        raise ValueError("broken")

    sent: list[Sound] = []
    with pytest.raises(ValueError, match="broken"):
        play(broken(), sent.append, qpm=FAST)
    assert [sound.kind for sound in sent] in ([], ["on", "off"])
    assert threading.active_count() < 50


def test_a_stream_is_recorded_into_a_file(model: MMT, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model.save_pretrained(tmp_path / "model")
    given = ["stream", "--model", str(tmp_path / "model"), "--tempo", str(FAST), "--length", "20", "--json"]
    assert main([*given, "-o", str(tmp_path / "song.mid"), "--instruments", "piano"]) == 0
    report = json.loads(capsys.readouterr().out)
    music = muspy_core.read(tmp_path / "song.mid")
    assert isinstance(music, muspy_core.Music)
    assert sum(len(track.notes) for track in music.tracks) == report["notes"] > 0
    assert np.isfinite(report["first_ms"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--output"),
        (["-o", "x.mid", "--tempo", "0"], "--tempo 0"),
        (["-o", "x.mid", "--instruments", "pian"], "piano"),
    ],
)
def test_streams_that_cannot_be_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stream", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
