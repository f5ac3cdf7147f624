"""ABC tune books, voices, fields and repeats."""

from __future__ import annotations

import io
from pathlib import Path

import muspy_core
import pytest
from muspy_core import ABCError, Music, read_abc, read_abc_string
from muspy_core.io.abc import split_tunes

HEADER = "X:1\nT:Test\nM:4/4\nL:1/4\nK:C\n"
BOOK = "X:1\nT:First\nL:1/4\nK:C\nC\n\nX:2\nT:Second\nL:1/4\nK:C\nD|\nE"


def read(body: str, **options: bool) -> Music:
    music = read_abc_string(HEADER + body, **options)
    assert isinstance(music, Music)
    return music


def played(body: str) -> str:
    """The letters of the notes in playing order."""
    return "".join(read(body).tracks[0].notes.side("pitch_str"))


# --- books -----------------------------------------------------------------------------------------------------------


def test_a_book_keeps_its_first_tune_and_its_last_line() -> None:
    tunes = read_abc_string(BOOK)
    assert isinstance(tunes, list)
    assert [tune.metadata.title for tune in tunes] == ["First", "Second"]
    assert [len(tune.tracks[0].notes) for tune in tunes] == [1, 2]


def test_a_number_chooses_a_tune() -> None:
    tune = read_abc_string(BOOK, number=2)
    assert isinstance(tune, Music)
    assert tune.metadata.title == "Second"
    with pytest.raises(ABCError, match=r"no tune X:3; there are X: 1, 2"):
        read_abc_string(BOOK, number=3)


def test_one_tune_is_a_music_and_text_without_numbers_is_a_tune() -> None:
    assert isinstance(read_abc_string("X:7\nK:C\nC"), Music)
    assert isinstance(read_abc_string("K:C\nC"), Music)
    assert isinstance(read_abc_string("CDE|"), Music)


def test_an_empty_line_ends_a_tune() -> None:
    tunes = read_abc_string("X:1\nK:C\nC\n\nA Few Free Words\n\nX:2\nK:C\nD")
    assert isinstance(tunes, list)
    assert [len(tune.tracks[0].notes) for tune in tunes] == [1, 1]


def test_the_file_header_holds_for_every_tune() -> None:
    tunes = read_abc_string("M:3/4\nL:1/4\nO:Ireland\n\n" + BOOK.replace("L:1/4\n", ""))
    assert isinstance(tunes, list)
    for tune in tunes:
        assert tune.time_signatures[0].numerator == 3
        assert tune.tracks[0].notes[0].duration == 24
        assert [item.annotation for item in tune.annotations if item.group == "origin"] == ["Ireland"]


def test_split_tunes_stand_alone() -> None:
    texts = split_tunes("L:1/4\n\n" + BOOK)
    assert [number for number, _ in texts] == [1, 2]
    alone = [read_abc_string(text) for _, text in texts]
    assert alone == read_abc_string("L:1/4\n\n" + BOOK)


def test_files_of_any_line_ending_and_charset(tmp_path: Path) -> None:
    text = "X:1\r\nT:Fürchte dich nicht\r\nK:C\r\nC\r\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "latin-1"):
        path = tmp_path / f"{encoding}.abc"
        path.write_bytes(text.encode(encoding))
        music = read_abc(path)
        assert isinstance(music, Music)
        assert (music.metadata.title, music.metadata.source_filename) == ("Fürchte dich nicht", path.name)
        assert music.metadata.source_format == "abc"
    path.write_bytes(text.replace("\r\n", "\r").encode())
    assert isinstance(muspy_core.read(path), Music)
    assert isinstance(read_abc(io.BytesIO(text.encode())), Music)


@pytest.mark.parametrize("content", [b"", b"nothing here", b"\0\1\2\3", b"\xff\xfe\x00"])
def test_what_is_no_abc_is_said_in_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "song.abc"
    path.write_bytes(content)
    with pytest.raises(ABCError, match=r"^song\.abc: .+") as error:
        read_abc(path)
    assert "\n" not in str(error.value)


# --- fields ----------------------------------------------------------------------------------------------------------


def test_text_fields_are_kept() -> None:
    music = read_abc_string(
        "X:3\nT:A tune\nT:its other name\nC:Ann\nC:Bob\nB:The book\nZ:Zoe\nR:reel\nN:a\n+:b\nK:C\nC"
    )
    assert isinstance(music, Music)
    metadata = music.metadata
    assert (metadata.title, metadata.subtitle) == ("A tune", "its other name")
    assert (metadata.creators, metadata.encoders, metadata.collection) == (["Ann", "Bob"], ["Zoe"], "The book")
    assert [(item.group, item.annotation) for item in music.annotations] == [
        ("reference_number", 3),
        ("rhythm", "reel"),
        ("notes", "a b"),
    ]


def test_escapes_become_characters() -> None:
    music = read_abc_string("X:1\nT:\\'Etude \\`a la No\\\"el &amp; Ca\\~nada \\u00e9 \\ss \\%\nK:C\nC")
    assert isinstance(music, Music)
    assert music.metadata.title == "Étude à la Noël & Cañada é ß %"


@pytest.mark.parametrize(
    ("value", "qpm", "text"),
    [
        ("1/4=90", 90, None),
        ("3/8=60", 90, None),
        ('"Allegro" 1/2=60', 120, "Allegro"),
        ('1/4=90 "Slow"', 90, "Slow"),
        ("1/4 3/8 1/4=40", 140, None),
        ("120", 120, None),  # unit notes a minute, here quarters
        ("C3=40", 120, None),
    ],
)
def test_every_form_of_tempo(value: str, qpm: float, text: str | None) -> None:
    music = read_abc_string(f"X:1\nL:1/4\nQ:{value}\nK:C\nC")
    assert isinstance(music, Music)
    assert [(tempo.time, tempo.qpm, tempo.text) for tempo in music.tempos] == [(0, qpm, text)]


def test_meters_keep_their_symbols() -> None:
    music = read("C4 | [M:C|] C4 | [M:2+3/8] C2 C/ | [M:none] C")
    assert [(m.time, m.numerator, m.denominator, m.symbol, m.beats) for m in music.time_signatures] == [
        (0, 4, 4, None, None),
        (96, 2, 2, "cut", None),
        (192, 5, 8, None, "2+3"),
    ]


def test_a_pickup_has_its_beats_before_the_bar_line() -> None:
    music = read("C/ | D4 | E")
    assert [bar.time for bar in music.barlines] == [0, 12, 108]
    assert [beat.time for beat in music.beats] == [12, 36, 60, 84, 108]


def test_a_line_of_notes_before_a_bar_line_is_no_field() -> None:
    assert played("C D E\nF:|") == "CDEFCDEF"


def test_comments_and_continuations() -> None:
    assert played("C % no D\n% no E\nF \\\nG") == "CFG"


def test_unreadable_unit_lengths_are_reported_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    music = read_abc_string("X:1\nM:4/4\nL: 1/G\nK:C\nC")
    assert isinstance(music, Music)
    assert music.tracks[0].notes[0].duration == 12
    assert "1/G" in caplog.text


# --- voices ----------------------------------------------------------------------------------------------------------


def test_voices_are_tracks() -> None:
    music = read('V:1 name="Violin" clef=treble\nV:2 name="Cello" clef=bass\n[V:1] C D | E F\n[V:2] C,2 | D,2\nV:1\nG')
    assert [(track.name, len(track.notes)) for track in music.tracks] == [("Violin", 5), ("Cello", 2)]
    assert [note.time for note in music.tracks[0].notes] == [0, 24, 48, 72, 96]
    assert [note.time for note in music.tracks[1].notes] == [0, 48]


def test_voices_keep_their_own_accidentals_and_units() -> None:
    music = read("V:1\n^F\nV:2\nL:1/8\nF\nV:1\nF")
    assert [note.pitch for note in music.tracks[0].notes] == [66, 66]
    assert [(note.pitch, note.duration) for note in music.tracks[1].notes] == [(65, 12)]


def test_overlaid_voices_share_a_measure() -> None:
    notes = read("C4 & E2 G2 | c4").tracks[0].notes
    assert [(note.time, note.pitch, note.voice) for note in notes] == [(0, 60, 1), (0, 64, 2), (48, 67, 2), (96, 72, 1)]


def test_midi_directives_set_programs() -> None:
    music = read("%%MIDI program 40\nC")
    assert music.tracks[0].program == 40
    music = read("V:1\n%%MIDI program 40\nC\nV:2\n%%MIDI channel 10\nC")
    assert [(track.program, track.is_drum) for track in music.tracks] == [(40, False), (0, True)]


# --- repeats ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("|: C D :| E", "CDCDE"),
        ("C D :| E", "CDCDE"),
        ("C | D :: E | F :|", "CDCDEFEF"),
        ("C |: D :|: E :|", "CDDEE"),
        ("|: C |1 D :|2 E |]", "CDCE"),
        ("|: C |1 D :|2 E |: F :| G", "CDCEFFG"),
        ("|: C [1 D :| [2 E || F :| G", "CDCEFFG"),
        ("|: C |1,3 D :|2 E :| F", "CDCECDF"),
        ("|: C |1-2 D :|3 E |] F", "CDCDCEF"),
        ("|: C |1 D :|2 E :|", "CDCE"),
        ("|:: C ::| D", "CCCD"),
        ("C |2 D |]", "CD"),  # an ending that nobody could reach is played
        ("C || D :| E", "CDDE"),  # a repeat without a start goes back to the last double bar
        ("|: C || D :| E", "CDCDE"),  # but not beyond one that has a start
        ("|: C D", "CD"),
        (":| C", "C"),
        ("|: C :| |: D :|", "CCDD"),
        ("C !D.C.! | D", "CCD"),
        ("C !fine! | D !D.C.! |", "CDC"),
        ("C | !segno! D | E !D.S.! |", "CDEDE"),
        ("C !dacoda! | D !D.C.! | !coda! E", "CDCE"),
    ],
)
def test_repeats_are_played(body: str, expected: str) -> None:
    assert played(body) == expected


def test_parts_are_played_in_the_order_of_the_header() -> None:
    text = "X:1\nL:1/4\nP:A(AB)2\nK:C\nP:A\nC | D |\nP:B\nE |\n"
    music = read_abc_string(text)
    assert isinstance(music, Music)
    assert "".join(music.tracks[0].notes.side("pitch_str")) == "CDCDECDE"
    assert [item.text for item in music.texts if item.kind == "rehearsal"] == ["A", "A", "B", "A", "B"]


def test_an_ending_tied_to_from_before_is_joined_each_time() -> None:
    notes = read("|: C2 D2- |1 D4 :|2 D2 E2 |]").tracks[0].notes
    assert [(note.time, note.duration) for note in notes if note.pitch == 62] == [(48, 144), (240, 96)]


def test_keys_hold_again_after_a_repeat() -> None:
    music = read("|: F | [K:D] F :|")
    assert [note.pitch for note in music.tracks[0].notes] == [65, 66, 65, 66]
    assert [(key.time, key.fifths) for key in music.key_signatures] == [(0, 0), (24, 2), (48, 0), (72, 2)]


def test_repeats_can_be_kept_as_signs() -> None:
    music = read("|: C4 |1 D4 :|2 E4 |]", expand_repeats=False)
    assert "".join(music.tracks[0].notes.side("pitch_str")) == "CDE"
    assert [(sign.time, sign.kind, sign.text) for sign in music.repeats] == [
        (0, "forward", None),
        (96, "ending-start", "1"),
        (192, "ending-stop", "1"),
        (192, "backward", None),
        (192, "ending-start", "2"),
        (288, "ending-stop", "2"),
    ]


@pytest.mark.parametrize(
    "body", ["|:" * 300 + " C " + ":|" * 300, "(" * 2000 + "C" + ")" * 2000, "[" * 2000 + "C", "{" * 2000 + "C"]
)
def test_absurd_structures_are_read(body: str) -> None:
    assert set(played(body)) == {"C"}


def test_repeats_that_would_hardly_end_are_refused() -> None:
    with pytest.raises(ABCError, match="expand_repeats=False reads it as written"):
        read("|: C |1-100 D :|" * 300)


def test_absurd_parts_are_refused() -> None:
    with pytest.raises(ABCError, match="plays more than"):
        read_abc_string("X:1\nP:((((A9999)9999)9999)9999)9999\nK:C\nP:A\nC|")


def test_what_mail_programs_left_in_old_books_is_taken_out() -> None:
    """`=3D` was `=`, `=20` a space at the end of a line, and `=` at the end a line that goes on."""
    music = read("K:D\n^GF=3DFC2 |=20\n(C2 =\n=3DC) D | =20\nEF=G\n")
    assert music.tracks[0].notes.side("pitch_str") == ["G#", "F#", "F", "C#", "C#", "C", "D", "E", "F#", "G"]


def test_unreadable_unit_lengths_are_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    read_abc_string("X:1\n" + "L:?\n" * 50 + "K:C\nC\n")
    assert len(caplog.records) == 1
