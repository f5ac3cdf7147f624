"""The order in which measures are played, and repeats that are kept."""

from __future__ import annotations

import pytest
from musicxml_samples import (
    BACKWARD,
    FORWARD,
    direction,
    first_ending,
    last_ending,
    lettered,
    measure,
    note,
    repeat,
    score,
)
from musicxml_samples import barline as bar
from muspy_core.errors import MusicXMLError
from muspy_core.events import Repeat
from muspy_core.io.musicxml import read_musicxml_bytes

LETTERS = "CDEFGAB"


def played(*signs: tuple[str, str]) -> str:
    """The letters of the notes in playing order; measure n holds one note, the n-th letter, between its signs."""
    data = lettered(*((f"{letter}4", before, after) for letter, (before, after) in zip(LETTERS, signs, strict=False)))
    return "".join(item.pitch_str or "" for item in read_musicxml_bytes(data).tracks[0].notes)


def sound(attribute: str) -> str:
    return direction("<words>x</words>", sound=attribute)


def test_a_section_is_repeated_from_the_start_or_its_sign() -> None:
    assert played(("", ""), ("", BACKWARD), ("", "")) == "CDCDE"
    assert played(("", ""), (FORWARD, BACKWARD), ("", "")) == "CDDE"
    assert played(("", BACKWARD), ("", BACKWARD), ("", "")) == "CCDDE"


def test_a_section_may_be_played_several_times() -> None:
    assert played(("", bar("right", repeat("backward", times=4))), ("", "")) == "CCCCD"


def test_endings_are_chosen_by_the_pass() -> None:
    first = (first_ending("1"), last_ending("1", goes_back=True))
    second = (first_ending("2"), last_ending("2", goes_back=False, kind="discontinue"))
    assert played(("", ""), first, second, ("", "")) == "CDCEF"


def test_an_ending_may_serve_several_passes() -> None:
    first = (first_ending("1, 3"), last_ending("1, 3", goes_back=True))
    second = (first_ending("2"), last_ending("2", goes_back=True))
    last = (first_ending("4"), last_ending("4", goes_back=False))
    assert played(("", ""), first, second, last) == "CDCECDCF"


def test_an_ending_may_last_several_measures() -> None:
    signs = [
        ("", ""),
        (first_ending("1"), ""),
        ("", last_ending("1", goes_back=True)),
        (first_ending("2"), ""),
        ("", ""),
    ]
    assert played(*signs) == "CDECFG"


def test_a_single_first_ending_is_left_out_the_second_time() -> None:
    assert played(("", ""), (first_ending("1"), last_ending("1", goes_back=True)), ("", "")) == "CDCE"


def test_sections_with_endings_may_follow_each_other() -> None:
    first = (first_ending("1"), last_ending("1", goes_back=True))
    second = (first_ending("2"), last_ending("2", goes_back=False))
    assert played(("", ""), first, second, (FORWARD, ""), first, second) == "CDCEFGFA"


def test_da_capo_al_fine_plays_without_repeats() -> None:
    assert played(("", BACKWARD), ("", sound('fine="yes"')), ("", sound('dacapo="yes"'))) == "CCDECD"


def test_dal_segno_al_coda() -> None:
    signs = [
        ("", ""),
        (sound('segno="S"'), ""),
        ("", sound('tocoda="O"')),
        ("", sound('dalsegno="S"')),
        (sound('coda="O"'), ""),
    ]
    assert played(*signs) == "CDEFDEG"


def test_after_a_jump_the_last_ending_is_taken() -> None:
    first = (first_ending("1"), last_ending("1", goes_back=True))
    second = (first_ending("2"), last_ending("2", goes_back=False))
    assert played(("", ""), first, second, ("", sound('dacapo="yes"'))) == "CDCEFCEF"


def test_after_jump_repeats_are_played_again() -> None:
    again = bar("right", repeat("backward", after_jump="yes"))
    assert played(("", again), ("", sound('dacapo="yes"'))) == "CCDCCD"


def test_words_and_glyphs_do_where_no_sound_is_given() -> None:
    signs = [
        ("", ""),
        (direction("<segno/>"), direction("<words>Fine</words>")),
        ("", direction("<words>D.S. al Fine</words>")),
    ]
    assert played(*signs) == "CDED"


def test_a_fine_without_a_jump_is_no_end() -> None:
    assert played(("", sound('fine="yes"')), ("", "")) == "CD"


def test_signatures_are_stated_again_after_a_jump() -> None:
    flats = "<attributes><key><fifths>-2</fifths></key></attributes>"
    parts = measure(note("C4", 4), divisions=1, attributes="<key><fifths>1</fifths></key>")
    parts += measure(flats, note("D4", 4), sound('dacapo="yes"'))
    keys = read_musicxml_bytes(score(parts)).key_signatures
    assert [(key.time, key.fifths) for key in keys] == [(0, 1), (4, -2), (8, 1), (12, -2)]


def test_divisions_hold_where_they_are_written() -> None:
    parts = measure(note("C4", 4), divisions=1) + measure(note("D4", 8), BACKWARD, divisions=2)
    notes = read_musicxml_bytes(score(parts)).tracks[0].notes
    assert [(item.time, item.duration) for item in notes] == [(0, 8), (8, 8), (16, 8), (24, 8)]


def test_ties_over_a_repeat_join_what_is_played_together() -> None:
    data = score(
        measure(note("C4", 2, ties="stop"), note("C4", 2), divisions=1)
        + measure(note("D4", 2), note("C4", 2, ties="start"), BACKWARD)
    )
    notes = [
        (item.time, item.duration, item.tie) for item in read_musicxml_bytes(data).tracks[0].notes if item.pitch == 60
    ]
    assert notes == [(0, 2, "stop"), (2, 2, None), (6, 4, None), (10, 2, None), (14, 2, "start")]


def test_kept_repeats_are_listed_and_nothing_is_played_twice() -> None:
    data = lettered(
        ("C4", FORWARD + direction("<segno/>", sound='segno="S"'), ""),
        ("D4", first_ending("1, 2"), last_ending("1, 2", goes_back=True)),
        ("E4", "", direction("<words>D.C. al Fine</words>", sound='dacapo="yes"')),
    )
    music = read_musicxml_bytes(data, expand_repeats=False)
    assert len(music.tracks[0].notes) == 3
    assert sorted(music.repeats, key=lambda item: (item.time, item.kind)) == [
        Repeat(0, "forward"),
        Repeat(0, "segno", text="S"),
        Repeat(4, "ending-start", text="1,2"),
        Repeat(8, "backward"),
        Repeat(8, "ending-stop", text="1,2"),
        Repeat(12, "dacapo", text="D.C. al Fine"),
    ]
    assert not read_musicxml_bytes(data).repeats


def test_absurd_repeats_are_refused_with_a_way_out() -> None:
    many = bar("right", repeat("backward", times=900))
    data = lettered(*(("C4", "", many) for _ in range(40)))
    with pytest.raises(MusicXMLError, match="expand_repeats=False"):
        read_musicxml_bytes(data)
    assert len(read_musicxml_bytes(data, expand_repeats=False).tracks[0].notes) == 40
