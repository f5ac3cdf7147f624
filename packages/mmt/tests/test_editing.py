"""Pieces with notes written anew: tempi, drums and everything outside the span stay as they are."""

from __future__ import annotations

from pathlib import Path

import muspy_core
import pytest
import torch
from mmt.cli import main
from mmt.config import MMTConfig
from mmt.editing import add_instruments, beats_of_bars, fill_in
from mmt.encoding import NOTE
from mmt.generate import Options
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
        (["--infill", "piece.mid", "--bars", "a:b"], "--bars"),
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
