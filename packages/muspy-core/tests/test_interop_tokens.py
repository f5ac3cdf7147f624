"""Our music through MidiTok: to tokens and back, and MidiTok's reading of the MIDI that we write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import muspy_core as m
import pytest
from muspy_core.io.midi import midi_bytes

miditok = pytest.importorskip("miditok", reason="MidiTok is not installed")


def piece() -> m.Music:
    """Two tracks on the grid of the tokenizers: sixteenth notes at 24 steps a quarter."""
    melody = [m.Note(6 * i, 60 + 2 * (i % 7), 6, 64) for i in range(32)]
    drums = [m.Note(24 * i, 36, 6, 96) for i in range(8)]
    return m.Music(
        resolution=24,
        tempos=[m.Tempo(0, 120)],
        time_signatures=[m.TimeSignature(0, 4, 4)],
        tracks=[m.Track(40, False, "Violin", melody), m.Track(0, True, "Drums", drums)],
    )


def notes_of(music: m.Music) -> dict[tuple[int, bool], list[tuple[float, int, float]]]:
    """(onset, pitch, duration) in quarter notes of each track, by program and drums."""
    return {
        (track.program, track.is_drum): sorted(
            (note.time / music.resolution, note.pitch, note.duration / music.resolution) for note in track.notes
        )
        for track in music.tracks
    }


def tokenizer(name: str) -> Any:
    config = miditok.TokenizerConfig(
        use_programs=True, use_tempos=True, use_time_signatures=True, beat_res={(0, 4): 8, (4, 12): 4}
    )
    return getattr(miditok, name)(config)


@pytest.mark.parametrize("name", ["REMI", "TSD", "MIDILike", "CPWord", "Octuple"])
def test_tokens_give_the_notes_back(name: str) -> None:
    tokens = tokenizer(name)
    assert notes_of(m.from_symusic(tokens.decode(tokens.encode(piece().to_symusic())))) == notes_of(piece())


def test_midi_that_we_write_has_the_same_tokens(tmp_path: Path) -> None:
    tokens = tokenizer("REMI")
    path = tmp_path / "song.mid"
    path.write_bytes(midi_bytes(piece()))
    assert tokens.encode(path).ids == tokens.encode(piece().to_symusic()).ids
