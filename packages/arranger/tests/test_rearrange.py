"""Songs in other parts, and results under each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from arranger.compare import compare, write_comparison
from arranger.control import Control
from arranger.demo import read_chorale
from arranger.parts import SATB
from arranger.rearrange import rearrange
from arranger.separate import SeparationError
from arranger.streaming import stream
from muspy_core import KeySignature, Lyric, Music, Note, Tempo, TimeSignature, Track


def song() -> Music:
    """A tune with words, a pad of three voices, and drums."""
    return Music(
        resolution=24,
        tempos=[Tempo(0, 90.0), Tempo(48, 100.0)],
        key_signatures=[KeySignature(0, root=0, mode="major")],
        time_signatures=[TimeSignature(0, 4, 4)],
        tracks=[
            Track(
                name="Voice", program=52, notes=[Note(24 * i, 72 + i, 24) for i in range(4)], lyrics=[Lyric(0, "la")]
            ),
            Track(name="Pad", program=89, notes=[Note(24 * i, p, 24) for i in range(4) for p in (48, 55, 64)]),
            Track(name="Drums", is_drum=True, notes=[Note(0, 36, 24)]),
        ],
    )


def test_a_song_is_rearranged_and_the_rest_passes_through() -> None:
    music = song()
    result = rearrange(music)
    assert result.sources == ("Voice", "Pad")
    assert result.flow.sum(axis=1).tolist() == [4, 12]
    assert result.flow.sum(axis=0).tolist() == [len(track.notes) for track in result.music.tracks[:4]]
    assert result.lines()[0].startswith("Voice → Soprano 4")
    for name in ("tempos", "key_signatures", "time_signatures"):
        assert getattr(result.music, name) == getattr(music, name)
    assert result.music.tracks[-1] == music.tracks[-1]
    assert sum(len(track.lyrics) for track in result.music.tracks) == 1


def test_a_fixed_track_is_kept_together() -> None:
    result = rearrange(song(), control=Control(SATB, tracks={"Voice": 3}))
    assert result.flow[0].tolist() == [0, 0, 0, 4]


def test_a_chorale_is_compared_with_what_was_written() -> None:
    comparison = compare(read_chorale(), title="Chorale")
    online, offline = comparison.accuracy("online"), comparison.accuracy("offline")
    assert online is not None
    assert offline is not None
    assert 0.9 < online <= 1
    assert 0.9 < offline <= 1
    assert comparison.to_dict()["notes"] == 221


def test_tracks_that_are_no_parts_are_compared_by_eye() -> None:
    assert compare(song(), modes=["online"]).accuracy("online") is None
    with pytest.raises(SeparationError, match="at least one mode"):
        compare(song(), modes=[])


def test_a_comparison_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra: render)")
    comparison = compare(song(), modes=["online"])
    write_comparison(comparison, tmp_path / "figure.svg", (0.0, 2.0))
    assert (tmp_path / "figure.svg").read_text(encoding="utf-8").count('<g id="axes_') == 3
    with pytest.raises(SeparationError, match="extension"):
        write_comparison(comparison, tmp_path / "figure.docx")


def test_a_streamed_file_keeps_its_notes_and_waits_no_longer_than_the_window() -> None:
    chorale = read_chorale()
    streamed = stream(chorale, window_s=0.012)
    assert len(streamed.separation.mixture) == 221
    assert streamed.separation.agreement(chorale) > 0.9  # type: ignore[operator]  # its tracks are named after parts
    assert (streamed.latency_s >= 0.012 - 1e-9).all()
