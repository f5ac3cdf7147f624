"""Pieces with notes written anew: tempi, drums and everything outside the span stay as they are."""

from __future__ import annotations

from pathlib import Path

import muspy_core
import pytest
import torch
from mmt.cli import main
from mmt.config import MMTConfig
from mmt.editing import add_instruments, beats_of_bars, continue_piece, fill_in
from mmt.encoding import NOTE
from mmt.generate import Options
from mmt.grammar import Bans
from mmt.model import MMT
from mmt.notes import EncodingError
from muspy_core import Music, Note, Tempo, TimeSignature, Track


@pytest.fixture(scope="module")
def model() -> MMT:
    torch.random.manual_seed(0)
    made = MMT(MMTConfig(dim=64, depth=1, max_length=64, tasks=True)).eval()
    with torch.no_grad():
        made.heads.logits.bias[NOTE] += 5  # type: ignore[operator,index]  # a parameter
    return made


def piece() -> Music:
    """Eight bars of 3/4 at an odd resolution, with drums, a tempo change, and onsets beside the grid."""
    return Music(
        resolution=100,
        tempos=[Tempo(0, 90), Tempo(600, 140)],
        time_signatures=[TimeSignature(0, 3, 4)],
        tracks=[
            Track(0, name="Piano", notes=[Note(100 * beat + 3, 60 + beat % 9, 97, 31 + beat) for beat in range(24)]),
            Track(48, name="Strings", notes=[Note(300 * bar, 50, 300, 70) for bar in range(8)]),
            Track(0, True, notes=[Note(50 * step, 36, 10, 99) for step in range(48)]),
        ],
    )


def test_everything_outside_the_bars_stays(model: MMT) -> None:
    original = piece()
    start, stop = beats_of_bars(original, 3, 4)
    assert (start, stop) == (6, 12)
    result = fill_in(model, original, start, stop, Options(20, seed=1))
    assert original == piece()
    assert result.tempos == original.tempos
    assert result.tracks[2] == original.tracks[2]
    for before, after in zip(original.tracks[:2], result.tracks[:2], strict=True):
        outside = [note for note in before.notes if not 600 <= note.time < 1200]
        assert [note for note in after.notes if not 600 <= note.time < 1200] == outside
    assert len(result.tracks) == 3
    assert any(600 <= note.time < 1200 for track in result.tracks[:2] for note in track.notes)


def test_only_the_named_instruments_are_written_anew(model: MMT) -> None:
    result = fill_in(model, piece(), 6, 12, Options(20, seed=1), ["strings"])
    assert result.tracks[0] == piece().tracks[0]
    assert result.tracks[1] != piece().tracks[1]
    with pytest.raises(EncodingError, match="flute does not play in the song; it has piano, strings"):
        fill_in(model, piece(), 6, 12, names=["flute"])


def test_notes_that_sound_across_the_edges_of_a_span_stay_and_new_ones_do_not_sound_behind_it(model: MMT) -> None:
    held = [Note(12 * 3, pitch, 12 * 4, 80) for pitch in range(0, 128, 2)]  # beats 3 to 7, into the span
    after = [Note(12 * 8, pitch, 12, 80) for pitch in range(0, 128, 3)]
    music = Music(resolution=12, tracks=[Track(0, notes=held + after)])
    result = fill_in(model, music, 5, 8, Options(60, seed=1))
    notes = list(result.tracks[0].notes)
    assert [note for note in notes if not 60 <= note.time < 96] == held + after
    new = [note for note in notes if 60 <= note.time < 96]
    assert new
    assert all(note.end <= 96 for note in new)
    assert not any(note.time < 12 * 7 and note.pitch % 2 == 0 for note in new)


def test_new_notes_go_to_the_track_of_their_program_that_lies_nearest(model: MMT) -> None:
    high, low = (Track(40, name=name, notes=[Note(12 * beat, pitch, 12) for beat in range(16)])
                 for name, pitch in (("Violin I", 100), ("Violin II", 20)))  # fmt: skip
    result = fill_in(model, Music(resolution=12, tracks=[low, high]), 4, 12, Options(60, seed=1))
    for track, fits in zip(result.tracks, (lambda pitch: pitch <= 60, lambda pitch: pitch >= 60), strict=True):
        new = [note.pitch for note in track.notes if 48 <= note.time < 144]
        assert new
        assert all(map(fits, new))


# --- going on --------------------------------------------------------------------------------------------------------


def test_a_piece_goes_on_and_stays_as_it_was_before(model: MMT) -> None:
    result = continue_piece(model, piece(), 9, Options(40, seed=1))
    assert result.tempos == piece().tempos
    for before, after in zip(piece().tracks, result.tracks, strict=True):
        assert [note for note in after.notes if note.time < 900] == [note for note in before.notes if note.time < 900]
    assert not [note for note in result.tracks[2].notes if note.time >= 900]  # drums end where the piece is left
    assert [note for track in result.tracks for note in track.notes if note.time >= 900]


@pytest.mark.parametrize("late", [0, 300, 5000])
def test_long_pieces_and_late_ones_go_on_from_where_they_are_left(model: MMT, late: int) -> None:
    notes = [Note(12 * (late + beat), 60, 12) for beat in range(400)]
    result = continue_piece(model, Music(resolution=12, tracks=[Track(0, notes=notes)]), late + 350, Options(20))
    kept = 350
    assert list(result.tracks[0].notes)[:kept] == notes[:kept]
    assert len(result.tracks[0].notes) > kept
    assert all(note.time >= 12 * (late + 350) for note in list(result.tracks[0].notes)[kept:])


def test_a_piece_goes_on_after_its_end_and_after_a_long_rest(model: MMT) -> None:
    short = Music(resolution=12, tracks=[Track(0, notes=[Note(12 * beat, 60, 12) for beat in range(4)])])
    for beats in (4, 100, 1000):
        new = [note.time for note in continue_piece(model, short, beats, Options(20)).tracks[0].notes][4:]
        assert new
        assert beats * 12 <= min(new)


def test_nothing_to_go_on_from_is_said(model: MMT) -> None:
    late = Music(resolution=12, tracks=[Track(0, notes=[Note(120, 60, 12)])])
    with pytest.raises(EncodingError, match="the first note is at beat 10"):
        continue_piece(model, late, 10)
    with pytest.raises(EncodingError, match="end before beat 8"):
        continue_piece(model, late, 11, Options(bans=Bans(max_beat=8)))


# --- adding ----------------------------------------------------------------------------------------------------------


def test_added_instruments_have_tracks_of_their_own(model: MMT) -> None:
    result = add_instruments(model, piece(), ["flute"], Options(20))
    assert result.tracks[:3] == piece().tracks
    assert [(track.program, track.name) for track in result.tracks[3:]] == [(73, "flute")]


def test_bars_that_are_not_there_are_refused() -> None:
    for first, last in ((0, 1), (8, 9), (4, 3)):
        with pytest.raises(EncodingError, match="bars 1 to 8"):
            beats_of_bars(piece(), first, last)
    assert beats_of_bars(Music(resolution=24, tracks=[Track(notes=[Note(0, 60, 480)])]), 2, 2) == (4, 8)


def test_bars_are_filled_in_and_instruments_added_at_the_console(model: MMT, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "model")
    piece().write(tmp_path / "piece.mid")
    common = ["generate", "--model", str(tmp_path / "model"), "--length", "20"]
    given = ["--infill", str(tmp_path / "piece.mid"), "--bars", "3:4"]
    assert main([*common, "-o", str(tmp_path / "filled"), *given]) == 0
    filled = muspy_core.read(tmp_path / "filled" / "song-01.mid")
    assert isinstance(filled, Music)
    assert [tempo.qpm for tempo in filled.tempos] == pytest.approx([90, 140], rel=1e-4)
    given = ["--accompany", str(tmp_path / "piece.mid"), "--instruments", "flute"]
    assert main([*common, "-o", str(tmp_path / "more"), *given]) == 0
    more = muspy_core.read(tmp_path / "more" / "song-01.mid")
    assert isinstance(more, Music)
    assert 73 in [track.program for track in more.tracks]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--infill", "piece.mid", "--bars", "30:31"], "bars 1 to 8"),
        (["--accompany", "piece.mid"], "--instruments"),
        (["--infill", "piece.mid", "--continue", "piece.mid"], "not allowed with"),
        (["--infill", "piece.mid", "--bars", "a:b"], "'a:b' is no range of bars such as 8:12"),
        (["--infill", "piece.mid", "--instruments", "flute"], "flute does not play in the song"),
        (["--continue", "piece.mid", "--instruments", "flute"], "the piece says what plays"),
    ],
)
def test_impossible_edits_are_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    piece().write(tmp_path / "piece.mid")
    assert code_of(["generate", "-o", "out", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def code_of(arguments: list[str]) -> int:
    """The exit code, whether it is returned or, for wrong options, raised by argparse."""
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
