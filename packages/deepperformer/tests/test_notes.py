"""Note rows: what a score becomes, the released rows of the Bach Violin Dataset, files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from deepperformer.errors import NotesError
from deepperformer.features.notes import (
    music_of,
    performed_music,
    read_rows,
    read_timings,
    rows_of,
    write_rows,
    write_timings,
)
from hypothesis import given
from hypothesis import strategies as st
from muspy_core import Music, Note, Track, read
from tunes import timings_of, tune


def test_rows_are_counted_in_24_steps_a_quarter() -> None:
    music = Music(resolution=8, tracks=[Track(40, notes=[Note(8, 60, 4), Note(0, 62, 8)])])
    assert rows_of(music).tolist() == [[0, 24, 62, 64], [24, 12, 60, 64]]


def test_onsets_and_durations_are_rounded_each_by_itself_halves_to_even() -> None:
    music = Music(resolution=16, tracks=[Track(40, notes=[Note(1, 60, 1), Note(3, 62, 3)])])
    assert rows_of(music).tolist() == [[2, 2, 60, 64], [4, 4, 62, 64]]


def test_grace_notes_lead_to_their_note_or_are_left_out() -> None:
    notes = [Note(24, 70, 0, grace="acciaccatura"), Note(24, 71, 0, grace="acciaccatura"), Note(24, 72, 24)]
    music = Music(resolution=24, tracks=[Track(40, notes=notes)])
    assert rows_of(music).tolist() == [[20, 2, 70, 64], [22, 2, 71, 64], [24, 24, 72, 64]]
    assert rows_of(music, "released").tolist() == [[24, 24, 72, 64]]


def test_a_part_is_chosen_by_name_or_number() -> None:
    music = Music(tracks=[Track(40, name="Violin", notes=[Note(0, 60, 24)]), Track(42, notes=[Note(0, 40, 24)])])
    assert rows_of(music, part="violin")[:, 2].tolist() == [60]
    assert rows_of(music, part="2")[:, 2].tolist() == [40]
    assert rows_of(music)[:, 2].tolist() == [40, 60]
    with pytest.raises(NotesError, match=r"no part 'viola'; the parts are 1 \(Violin\), 2 \(part 2\)"):
        rows_of(music, part="viola")


def test_a_score_without_notes_is_refused() -> None:
    with pytest.raises(NotesError, match="the score has no notes"):
        rows_of(Music(tracks=[Track(0, is_drum=True, notes=[Note(0, 36, 24)])]))


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 200), st.integers(0, 127), st.integers(0, 127))))
def test_files_give_back_the_rows(tmp_path_factory: pytest.TempPathFactory, notes: list[tuple[int, ...]]) -> None:
    rows = np.array(sorted(notes), np.int64).reshape(-1, 4)
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    write_rows(path, rows)
    assert read_rows(path).tolist() == rows.tolist()


def test_music_gives_back_the_rows() -> None:
    assert rows_of(music_of(tune())).tolist() == tune().tolist()


def test_performed_music_has_the_times_to_two_milliseconds(tmp_path: Path) -> None:
    rows, timings = tune(), timings_of(tune())
    music = performed_music(rows, timings)
    starts = np.sort(music.tempo_map.seconds(music.tracks[0].notes.array["time"]))
    assert np.abs(starts - np.sort(timings[:, 0])).max() < 0.002
    write_timings(tmp_path / "timings.csv", timings)
    assert np.abs(read_timings(tmp_path / "timings.csv") - timings).max() <= 5e-5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column 'start'"),
        ("start,stop\n1,2\n", "has no column 'end'"),
        ("start,end\n1\n", "not 2 numbers"),
        ("start,end\n1,x\n", "not 2 numbers"),
        ("start,end\n1,nan\n", "not finite"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(NotesError, match=rf"bad\.csv: .*{message}"):
        read_timings(tmp_path / "bad.csv")


@pytest.mark.slow
def test_scores_give_the_released_rows_of_all_48_recordings(bach_folder: Path) -> None:
    """In the released order, so that line i of an alignment is row i."""
    import csv

    lines = list(csv.DictReader((bach_folder / "info.csv").open(encoding="utf-8")))
    seen = 0
    for line in lines:
        inside = Path(line["collection"], line["filename"]).with_suffix(".csv")
        if not (bach_folder / "alignments" / inside).is_file():
            continue
        music = read(bach_folder / "scores" / line["work"].lower() / f"{line['score_filename']}.mxl")
        assert isinstance(music, Music)
        assert np.array_equal(rows_of(music, "released"), read_rows(bach_folder / "notes" / inside)), inside
        seen += 1
    assert seen == 48
