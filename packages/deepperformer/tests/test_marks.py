"""Articulations and ornaments: how they are read, and ornaments as notes that are played."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from deepperformer.errors import NotesError
from deepperformer.features.marks import MARKS, fifths_at, marked_rows, neighbour
from deepperformer.features.notes import music_of, rows_of
from deepperformer.recordings import Recording, read_bach_violin
from muspy_core import KeySignature, Music, Note, Track, read
from tunes import timings_of, tune


def music(*notes: Note, fifths: int = 0) -> Music:
    return Music(resolution=24, key_signatures=[KeySignature(0, fifths=fifths)], tracks=[Track(40, notes=list(notes))])


def names(marks: np.ndarray) -> list[str]:
    return [MARKS[index] for index in np.flatnonzero(marks)]


# --- reading ---------------------------------------------------------------------------------------------------------


def test_each_row_has_the_marks_of_its_note() -> None:
    """Rows are sorted, the notes here are not; a grace note is no row of the released ones."""
    piece = music(
        Note(48, 60, 24, articulations=["accent", "staccato"]),
        Note(0, 62, 24, ornaments=["trill-mark"]),
        Note(24, 70, 0, grace="acciaccatura", articulations=["tenuto"]),
        Note(24, 64, 24),
    )
    for form in ("score", "released"):
        rows, marks = marked_rows(piece, form)  # type: ignore[arg-type]  # parametrized
        assert np.array_equal(rows, rows_of(piece, form))  # type: ignore[arg-type]  # parametrized
        found = {int(row[2]): names(line) for row, line in zip(rows, marks, strict=True)}
        wanted = {60: ["staccato", "accent"], 62: ["trill-mark"], 64: [], 70: ["tenuto"]}
        assert found == {pitch: wanted[pitch] for pitch in found}
        assert (70 in found) == (form == "score")


def test_kinds_of_fermata_and_tremolo_are_one_and_unknown_marks_are_none() -> None:
    _, marks = marked_rows(music(Note(0, 60, 24, articulations=["fermata-angled", "doit"], ornaments=["tremolo-3"])))
    assert names(marks[0]) == ["fermata", "tremolo"]


def test_marks_come_through_musicxml(tmp_path: Path) -> None:
    music(Note(0, 60, 24, articulations=["staccato"]), Note(24, 62, 24, ornaments=["turn"])).write(
        tmp_path / "a.musicxml"
    )
    piece = read(tmp_path / "a.musicxml")
    assert isinstance(piece, Music)
    assert [names(line) for line in marked_rows(piece)[1]] == [["staccato"], ["turn"]]


def test_a_recording_has_the_marks_of_its_score_and_none_of_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    piece = music_of(tune())
    piece.tracks[0].notes[3].articulations = ["staccato"]
    piece.write(tmp_path / "tune.musicxml")
    given = Recording("a", "ann", "w", tune(), timings_of(tune()), 100.0, score=tmp_path / "tune.musicxml")
    marked = given.marks()
    assert marked.shape == (len(tune()), len(MARKS))
    assert np.flatnonzero(marked.any(1)).tolist() == [3]
    other = Recording("b", "ann", "w", tune(1), timings_of(tune(1)), 100.0, score=tmp_path / "tune.musicxml")
    assert not other.marks().any()
    assert "tune.musicxml are others" in caplog.text


def test_the_trills_of_bach_are_found(bach_folder: Path) -> None:
    """The score's rows are those of the data set."""
    recording = next(r for r in read_bach_violin(bach_folder) if r.name == "minji-kim_bwv1003_mov3")
    assert recording.score is not None
    assert recording.condition == "minji-kim"
    marks = recording.marks()
    assert len(marks) == len(recording.rows)
    assert names(marks.any(0)) == ["trill-mark"]


# --- ornaments as notes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pitches"),
    [
        ("trill-mark", [72, 71, 72, 71, 72, 71, 72, 71]),
        ("mordent", [71, 69, 71]),
        ("inverted-mordent", [71, 72, 71]),
        ("turn", [72, 71, 69, 71]),
        ("inverted-turn", [69, 71, 72, 71]),
    ],
)
def test_an_ornament_fills_its_note_within_the_scale(name: str, pitches: list[int]) -> None:
    piece = music(Note(24, 71, 24, 80, ornaments=[name], articulations=["accent"]), Note(48, 60, 24))
    rows, marks = marked_rows(piece, ornaments="played")
    figure = rows[:-1]
    assert figure[:, 2].tolist() == pitches
    assert figure[:, 0].tolist() == list(range(24, 24 + 3 * len(pitches), 3))
    assert figure[:-1, 1].tolist() == [3] * (len(pitches) - 1)
    assert figure[-1, :2].sum() == 48
    assert (figure[:, 3] == 80).all()
    assert [names(line) for line in marks] == [["accent"]] * len(pitches) + [[]]
    assert marked_rows(piece)[0][:, 2].tolist() == [71, 60]


def test_a_note_too_short_for_its_ornament_stays_as_it_is() -> None:
    rows, _ = marked_rows(
        music(Note(0, 71, 3, ornaments=["turn"]), Note(3, 71, 3, ornaments=["trill-mark"])), ornaments="played"
    )
    assert rows[:, :3].tolist() == [[0, 3, 71], [3, 1, 72], [4, 2, 71]]


@pytest.mark.parametrize(
    ("fifths", "pitch", "below", "above"), [(0, 71, 69, 72), (2, 71, 69, 73), (-3, 67, 65, 68), (0, 61, 60, 62)]
)
def test_neighbours_are_of_the_key(fifths: int, pitch: int, below: int, above: int) -> None:
    assert (neighbour(pitch, -1, fifths), neighbour(pitch, 0, fifths), neighbour(pitch, 1, fifths)) == (
        below,
        pitch,
        above,
    )


def test_the_key_is_the_one_that_holds_at_a_note() -> None:
    piece = music(Note(0, 60, 24))
    piece.key_signatures = [KeySignature(24, root=9, mode="minor"), KeySignature(48, root=10, mode="major")]
    piece.key_signatures.append(KeySignature(72, fifths=3))
    assert fifths_at(piece, np.array([0, 24, 47, 48, 72, 99])).tolist() == [0, 0, 0, -2, 3, 3]


def test_another_way_to_treat_ornaments_is_refused() -> None:
    with pytest.raises(NotesError, match="choose one of written, played"):
        marked_rows(music(Note(0, 60, 24)), ornaments="improvised")  # type: ignore[arg-type]  # no such choice
