"""ABC notation: pitches, lengths and what stands beside notes, as the ABC standard 2.1 defines them."""

from __future__ import annotations

import pytest
from muspy_core import ABCError, Music, read_abc_string

QUARTER = 24


def read(body: str, header: str = "M:4/4\nL:1/4\nK:C") -> Music:
    music = read_abc_string(f"X:1\nT:Test\n{header}\n{body}\n")
    assert isinstance(music, Music)
    return music


def notes(body: str, header: str = "M:4/4\nL:1/4\nK:C") -> list[tuple[int, int, int]]:
    """(onset, pitch, duration) of the first voice."""
    array = read(body, header).tracks[0].notes.array
    return list(zip(array["time"].tolist(), array["pitch"].tolist(), array["duration"].tolist(), strict=True))


def pitches(body: str, header: str = "M:4/4\nL:1/4\nK:C") -> list[int]:
    return [pitch for _, pitch, _ in notes(body, header)]


def durations(body: str, header: str = "M:4/4\nL:1/4\nK:C") -> list[int]:
    return [duration for _, _, duration in notes(body, header)]


# --- pitch -----------------------------------------------------------------------------------------------------------


def test_letters_and_marks_give_octaves() -> None:
    assert pitches("C,, C, C c c' c''") == [36, 48, 60, 72, 84, 96]


def test_an_accidental_lasts_to_the_end_of_its_measure_in_every_octave() -> None:
    assert pitches("^F F f | F") == [66, 66, 78, 65]


def test_a_natural_overrides_the_key_for_its_measure() -> None:
    assert pitches("F =F F | F", "L:1/4\nK:D") == [66, 65, 65, 66]


def test_a_tied_note_keeps_its_accidental_over_the_bar_line() -> None:
    assert notes("z3 ^F- | F F") == [(72, 66, 48), (120, 65, 24)]


def test_double_accidentals_are_spelled() -> None:
    track = read("^^C __B").tracks[0]
    assert [note.pitch for note in track.notes] == [62, 69]
    assert track.notes.side("pitch_str") == ["C##", "Bbb"]


@pytest.mark.parametrize(
    ("rule", "expected"), [("not", [66, 65, 77]), ("octave", [66, 66, 77]), ("pitch", [66, 66, 78])]
)
def test_the_propagation_directive_says_how_far_accidentals_reach(rule: str, expected: list[int]) -> None:
    assert pitches(f"I:propagate-accidentals {rule}\n^F F f") == expected


@pytest.mark.parametrize(
    ("key", "fifths", "mode"),
    [
        ("C", 0, "major"),
        ("G", 1, "major"),
        ("Bb", -2, "major"),
        ("F#m", 3, "minor"),
        ("Ador", 1, "dorian"),
        ("D Mixolydian", 1, "mixolydian"),
        ("Ephr", 0, "phrygian"),
        ("F LYD", 0, "lydian"),
        ("Bloc", 0, "locrian"),
        ("Am", 0, "minor"),
        ("A minor", 0, "minor"),
        ("Gaeo", -2, "aeolian"),
        ("G ionian", 1, "ionian"),
        ("EM", 1, "minor"),  # capitals do not count
        ("Hp", 2, "major"),
    ],
)
def test_every_mode_has_its_signature(key: str, fifths: int, mode: str) -> None:
    (signature,) = read("C", f"K:{key}").key_signatures
    assert (signature.fifths, signature.mode) == (fifths, mode)


def test_explicit_accidentals_change_the_key() -> None:
    assert pitches("F C", "L:1/4\nK:D =c") == [66, 60]
    assert pitches("B E F", "L:1/4\nK:D exp _b _e ^f") == [70, 63, 66]
    assert pitches("F C", "L:1/4\nK:Dmix=c") == [66, 60]


def test_no_key_is_no_key_signature() -> None:
    assert len(read("F", "K:none").key_signatures) == 0
    assert pitches("F", "K:none") == [65]


def test_transposing_clefs_and_voices_sound_where_they_sound() -> None:
    assert pitches("C", "K:C treble-8") == [48]
    assert pitches("C", "K:C octave=1") == [72]
    music = read("C", "K:C transpose=-2")
    assert [note.pitch for note in music.tracks[0].notes] == [58]
    assert music.tracks[0].transposition == -2
    assert music.tracks[0].notes.side("pitch_str") == ["Bb"]


def test_a_bass_clef_does_not_transpose() -> None:
    music = read("C", "K:C clef=bass")
    assert [note.pitch for note in music.tracks[0].notes] == [60]
    assert [(clef.sign, clef.line) for clef in music.tracks[0].clefs] == [("F", 4)]


# --- length ----------------------------------------------------------------------------------------------------------


def test_lengths_multiply_and_divide_the_unit() -> None:
    assert durations("C C2 C/ C/2 C// C3/2 C3/") == [24, 48, 12, 12, 6, 36, 36]


@pytest.mark.parametrize(("meter", "expected"), [("2/4", 6), ("3/4", 12), ("6/8", 12), ("C", 12), ("none", 12)])
def test_the_unit_depends_on_the_meter_without_a_field(meter: str, expected: int) -> None:
    assert durations("C", f"M:{meter}\nK:C") == [expected]


def test_broken_rhythm_shares_the_length_of_two_notes() -> None:
    assert durations("C>D E<F G>>A B>>>c") == [36, 12, 12, 36, 42, 6, 45, 3]


def test_broken_rhythm_reaches_past_slurs_and_grace_notes() -> None:
    assert durations("(C>D)") == [36, 12]
    assert durations("(CD)>(EF)") == [24, 36, 12, 24]
    array = read("C>{f}D").tracks[0].notes.array
    assert array["time"].tolist() == [0, 36, 36]
    assert array["duration"][array["grace"] == 0].tolist() == [36, 12]


def test_tuplets_have_the_time_of_the_standard() -> None:
    assert durations("(3CDE (2CD", "M:4/4\nL:1/4\nK:C") == [16, 16, 16, 36, 36]
    assert durations("(5CDEFG", "M:6/8\nL:1/8\nK:C") == [7, 7, 8, 7, 7]
    assert durations("(3:2:4CDEF G") == [16, 16, 16, 16, 24]
    assert durations("(3::2CD E") == [16, 16, 24]
    assert durations("(3(3CDE F") == [16, 16, 16, 24]


def test_a_chord_lasts_as_long_as_its_first_note() -> None:
    assert notes("[CEG]2 c") == [(0, 60, 48), (0, 64, 48), (0, 67, 48), (48, 72, 24)]
    assert notes("[C2E2]/ c") == [(0, 60, 24), (0, 64, 24), (24, 72, 24)]
    assert notes("[CE2] c") == [(0, 60, 24), (0, 64, 48), (24, 72, 24)]


def test_notes_between_plus_signs_are_a_chord_of_abc_1() -> None:
    assert notes("+CEG+ c +trill+d") == [(0, 60, 24), (0, 64, 24), (0, 67, 24), (24, 72, 24), (48, 74, 24)]


def test_rests_pass_time() -> None:
    assert notes("z C x2 D y E") == [(24, 60, 24), (96, 62, 24), (120, 64, 24)]
    assert notes("Z2 C", "M:3/4\nL:1/4\nK:C") == [(144, 60, 24)]


def test_ties_join_notes_of_one_pitch() -> None:
    assert notes("C-C D- | D-D E") == [(0, 60, 48), (48, 62, 72), (120, 64, 24)]
    assert notes("[CE]-[CE]") == [(0, 60, 48), (0, 64, 48)]
    assert notes("[C-E][CF]") == [(0, 60, 48), (0, 64, 24), (24, 65, 24)]


def test_a_tie_between_different_pitches_is_a_slur() -> None:
    track = read("G-A B").tracks[0]
    assert [note.duration for note in track.notes] == [24, 24, 24]
    assert [(slur.time, slur.duration) for slur in track.slurs] == [(0, 24)]


def test_grace_notes_take_no_time() -> None:
    track = read("{g}A {/d}B").tracks[0]
    assert [(note.time, note.grace) for note in track.notes] == [
        (0, None),
        (0, "appoggiatura"),
        (24, None),
        (24, "acciaccatura"),
    ]


# --- beside the notes ------------------------------------------------------------------------------------------------


def test_slurs_nest_and_meet() -> None:
    track = read("(C (D E) F) | (c d (e) f)").tracks[0]
    assert sorted((slur.time, slur.duration) for slur in track.slurs) == [(0, 72), (24, 24), (96, 48), (144, 24)]


def test_decorations_become_articulations_and_ornaments() -> None:
    track = read(".C !fermata!D TE ~F !3!G uA !>!B").tracks[0]
    assert track.notes.side("articulations") == [
        ["staccato"],
        ["fermata"],
        None,
        None,
        ["fingering-3"],
        ["up-bow"],
        ["accent"],
    ]
    assert track.notes.side("ornaments")[2:4] == [["trill-mark"], ["other-ornament-roll"]]


def test_user_defined_symbols_are_followed() -> None:
    assert read("U:W = !trill!\nWC").tracks[0].notes.side("ornaments") == [["trill-mark"]]


def test_dynamics_and_wedges() -> None:
    dynamics = read("!p!C !<(!D E !<)!F").tracks[0].dynamics
    assert [(item.time, item.dynamic, item.duration) for item in dynamics] == [(0, "p", None), (24, "crescendo", 48)]


def test_quoted_strings_are_chord_symbols_or_texts() -> None:
    music = read('"Am7/G"C "F#dim"D "^slow"E "4"F "(G)"G "D.C."A')
    assert [(s.time, s.root, s.kind, s.text, s.bass) for s in music.chord_symbols] == [
        (0, "A", "minor-seventh", "m7", "G"),
        (24, "F#", "diminished", "dim", None),
        (96, "G", "major", None, None),
    ]
    assert [(text.time, text.text, text.kind) for text in music.texts] == [
        (48, "slow", "words"),
        (72, "4", "words"),
        (120, "D.C.", "words"),
    ]


def test_syllables_are_sung_on_their_notes() -> None:
    music = read("C D E F | G A B c\nw: A-ma-zing | grace~now _ * how\nw: two")
    assert [(lyric.time, lyric.lyric, lyric.verse) for lyric in music.tracks[0].lyrics] == [
        (0, "A -", 1),
        (0, "two", 2),
        (24, "- ma -", 1),
        (48, "- zing", 1),
        (96, "grace now", 1),
        (168, "how", 1),
    ]


def test_a_word_goes_on_in_the_next_line() -> None:
    music = read("C D\nw: one se-\nE F\nw: cond two")
    assert [lyric.lyric for lyric in music.tracks[0].lyrics] == ["one", "se -", "- cond", "two"]


# --- what cannot be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("C/0", "divided by 0"),
        ("z/0", "divided by 0"),
        ("[CE]/0", "divided by 0"),
        ("C,,,,,,,", "outside 0 to 127"),
        ("C999999999 C999999999", "lasts more than"),
        ("M:0/4\nC", "meter '0/4'"),
        ("L:1/0\nC", "has a 0 in it"),
    ],
)
def test_an_error_names_tune_line_and_reason(body: str, reason: str) -> None:
    with pytest.raises(ABCError, match=rf"ABC text: tune X:1, line \d+: .*{reason}"):
        read(body)
