"""MuseScore files of versions 2, 3 and 4 → Music: each thing they say is found where the data model has it."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from musescore_samples import (
    FOUR_FOUR,
    FULL,
    VERSION_2,
    chord,
    measure,
    mscz,
    note,
    part,
    rest,
    score,
    spanner,
    spanner_end,
    tuplet,
)
from musescore_traps import TRAPS
from muspy_core import Music, read
from muspy_core.errors import MuseScoreError
from muspy_core.io.musescore import MuseScoreWarning, read_musescore, read_musescore_bytes


def notes_of(music: Music, track: int = 0) -> list[tuple[int, int, int]]:
    return [(n.time, n.pitch, n.duration) for n in music.tracks[track].notes]


def read_score(*staves: str, **options: object) -> Music:
    return read_musescore_bytes(score(*staves), resolution=12, **options)  # type: ignore[arg-type] # options vary


# --- whole files -----------------------------------------------------------------------------------------------------


def test_a_file_of_version_2_is_read_whole() -> None:
    music = read_musescore_bytes(VERSION_2, "old.mscx", expand_repeats=False)
    track = music.tracks[0]
    assert music.resolution == 480
    assert (music.metadata.title, music.metadata.creators) == ("Old file", ["Anon."])
    assert (track.name, track.program, track.transposition, track.abbreviation) == ("Clarinet", 71, -2, "Cl.")
    assert notes_of(music) == [
        (0, 67, 480),
        (480, 69, 160),
        (640, 70, 160),
        (800, 72, 160),
        (960, 65, 960),
        (960, 74, 1440),
        (2400, 76, 960),
        (3360, 72, 1440),
        (3360, 74, 240),
    ]
    assert [n.voice for n in track.notes][:6] == [1, 1, 1, 1, 2, 1]
    assert [n.pitch_str for n in track.notes][:4] == ["G", "A", "Bb", "C"]
    assert [(s.time, s.duration) for s in track.slurs] == [(480, 320)]
    assert [(d.time, d.dynamic, d.duration) for d in track.dynamics] == [(0, "p", None), (2400, "diminuendo", 960)]
    assert [(lyric.time, lyric.lyric) for lyric in track.lyrics] == [(0, "A -"), (480, "- men")]
    assert [(t.time, t.qpm, t.text) for t in music.tempos] == [(0, 90.0, "Andante")]
    assert [(k.fifths, k.root_str) for k in music.key_signatures] == [(0, None)]  # two sharps as the clarinet has it
    assert [(b.time, b.number) for b in music.barlines] == [(0, "0"), (480, "1"), (1920, "2"), (3360, "3")]
    assert [(r.time, r.kind, r.text) for r in music.repeats if "ending" in r.kind] == [
        (1920, "ending-start", "1"),
        (3360, "ending-start", "2"),
        (3360, "ending-stop", "1"),
        (4800, "ending-stop", "2"),
    ]
    assert track.notes[5].articulations == ["accent"]
    assert track.notes[7].articulations == ["fermata"]
    assert track.notes[8].grace == "appoggiatura"


def test_repeats_of_version_2_are_played() -> None:
    music = read_musescore_bytes(VERSION_2)
    assert [barline.number for barline in music.barlines] == ["0", "1", "2", "1", "3"]


def test_a_file_of_version_3_is_read_whole() -> None:
    music = read_musescore_bytes(FULL, "new.mscx", resolution=12, expand_repeats=False, part_tracks="parts")
    track = music.tracks[0]
    assert notes_of(music) == [
        (0, 67, 12),
        (12, 48, 36),
        (12, 60, 4),
        (16, 62, 4),
        (20, 63, 4),
        (24, 70, 24),
        (36, 74, 12),
        (48, 70, 24),
        (48, 72, 3),
        (84, 84, 12),
        (96, 74, 24),
    ]
    assert music.tempos[0].qpm == 90
    assert music.tempos[0].text == "Lento"
    assert [(k.fifths, k.mode, k.root_str) for k in music.key_signatures] == [(-2, "minor", "G")]
    assert [(s.root, s.kind, s.text, s.bass) for s in music.chord_symbols] == [("F", "minor-seventh", "m7", "D")]
    assert [(d.dynamic, d.duration) for d in track.dynamics] == [("mf", None), ("crescendo", 24)]
    assert {n.velocity for n in track.notes} == {81}
    assert track.notes[5].articulations == ["staccato"]
    assert track.notes[9].articulations == ["fermata"]
    assert track.notes[10].ornaments == ["tremolo-2"]
    assert [(b.time, b.style) for b in music.barlines] == [(0, None), (12, None), (48, None), (84, "light-light")]
    assert [(r.time, r.kind) for r in music.repeats if r.kind in ("dacapo", "fine", "forward", "backward")] == [
        (12, "forward"),
        (84, "backward"),
        (120, "dacapo"),
    ]


def test_instruments_that_a_part_changes_to_are_tracks() -> None:
    music = read_musescore_bytes(FULL, resolution=12, expand_repeats=False)
    assert [(track.program, len(track.notes)) for track in music.tracks] == [(0, 10), (73, 1)]


def test_the_default_resolution_is_the_division_of_the_file() -> None:
    assert read_musescore_bytes(score(measure(chord(60)), division=96)).resolution == 96


@pytest.mark.parametrize("container", [True, False])
def test_compressed_files_hold_style_and_excerpts_beside_the_score(container: bool) -> None:
    assert read_musescore_bytes(mscz(FULL, container=container)) == read_musescore_bytes(FULL)


def test_excerpts_inside_the_score_are_left_out() -> None:
    excerpt = f'<Score>{part("Excerpt", 1)}<Staff id="1">{measure(chord(72))}</Staff></Score>'
    music = read_musescore_bytes(score(measure(chord(60)), head=excerpt))
    assert [track.name for track in music.tracks] == ["Part 1"]


# --- single things ---------------------------------------------------------------------------------------------------


def test_voices_start_at_the_bar_line_and_locations_move() -> None:
    move = "<location><fractions>1/4</fractions></location>"
    music = read_score(measure(chord(60, value="half") + chord(62), move + chord(48)) + measure(chord(64)))
    assert notes_of(music) == [(0, 60, 24), (12, 48, 12), (24, 62, 12), (48, 64, 12)]
    assert [n.voice for n in music.tracks[0].notes] == [1, 2, 1, 1]


def test_nested_tuplets_multiply() -> None:
    inner = tuplet(3, 2, *(chord(60, value="16th") for _ in range(3)))
    music = read_musescore_bytes(
        score(measure(tuplet(3, 2, chord(62, value="eighth"), inner, rest("eighth")))), "x", 72
    )
    assert notes_of(music) == [(0, 62, 24), (24, 60, 8), (32, 60, 8), (40, 60, 8)]


def test_a_stated_duration_is_that_of_the_note() -> None:
    """Notes of a tremolo between two are notated twice as long as each sounds."""
    half = "<duration>1/4</duration>"
    tremolo = "<Tremolo><subtype>c16</subtype></Tremolo>"
    music = read_score(measure(chord(60, value="half", inside=half + tremolo) + chord(64, value="half", inside=half)))
    assert notes_of(music) == [(0, 60, 12), (12, 64, 12)]
    assert [n.ornaments for n in music.tracks[0].notes] == [["tremolo-start-2"], ["tremolo-stop-2"]]


def test_ties_are_joined_or_kept() -> None:
    tied = measure(chord(note(60, spanner("Tie", measures=1)), value="whole"))
    staff = tied + measure(chord(note(60, spanner_end("Tie"))))
    assert notes_of(read_score(staff)) == [(0, 60, 60)]
    assert [n.tie for n in read_score(staff, merge_ties=False).tracks[0].notes] == ["start", "stop"]


def test_a_local_time_signature_squeezes_its_notes() -> None:
    local = "<TimeSig><stretchN>3</stretchN><stretchD>2</stretchD><sigN>9</sigN><sigD>8</sigD></TimeSig>"
    three_four = "<TimeSig><sigN>3</sigN><sigD>4</sigD></TimeSig>"
    music = read_score(measure(three_four + chord(60) * 3), measure(local + chord(72, value="eighth") * 9))
    assert music.get_end_time() == 36
    assert [n.time for n in music.tracks[1].notes] == [0, 4, 8, 12, 16, 20, 24, 28, 32]
    assert [(t.numerator, t.denominator) for t in music.time_signatures] == [(3, 4)]


@pytest.mark.parametrize(
    ("version", "subtype", "name"),
    [("3.02", "ornamentMordent", "inverted-mordent"), ("4.20", "ornamentMordent", "mordent"),
     ("3.02", "ornamentMordentInverted", "mordent"), ("4.20", "ornamentShortTrill", "inverted-mordent"),
     ("2.06", "prall", "inverted-mordent"), ("2.06", "trill", "trill-mark")],
)  # fmt: skip
def test_ornaments_mean_what_they_meant_in_their_version(version: str, subtype: str, name: str) -> None:
    mark = f"<Articulation><subtype>{subtype}</subtype></Articulation>"
    music = read_musescore_bytes(score(measure(chord(60, inside=mark)), version=version))
    assert music.tracks[0].notes[0].ornaments == [name]


def test_version_4_states_the_sounding_key() -> None:
    clarinet = part(
        "Clarinet", 1, instrument="<Instrument><transposeDiatonic>-1</transposeDiatonic>"
        "<transposeChromatic>-2</transposeChromatic></Instrument>",
    )  # fmt: skip
    key = "<KeySig><concertKey>-3</concertKey><actualKey>-1</actualKey></KeySig>"
    music = read_musescore_bytes(score(measure(key + chord(60)), version="4.20", parts=clarinet))
    assert [k.fifths for k in music.key_signatures] == [-3]
    written = "<KeySig><accidental>-1</accidental></KeySig>"
    music = read_musescore_bytes(score(measure(written + chord(60)), parts=clarinet))
    assert [k.fifths for k in music.key_signatures] == [-3]


def test_drums_keep_their_key_and_their_place() -> None:
    kit = '<Instrument><useDrumset>1</useDrumset><Drum pitch="38"><line>3</line></Drum>'
    kit += '<Channel><program value="0"/><midiChannel>9</midiChannel></Channel></Instrument>'
    music = read_musescore_bytes(score(measure(chord(38)), parts=part("Drums", 1, instrument=kit)))
    track = music.tracks[0]
    assert (track.is_drum, track.channel, track.notes[0].pitch, track.notes[0].pitch_str) == (True, 9, 38, "C5")


def test_a_piano_has_two_staves_and_notes_may_cross() -> None:
    crossing = chord(55, inside="<staffMove>1</staffMove>")
    music = read_musescore_bytes(score(measure(crossing), measure(chord(40)), parts=part("Piano", 1, 2)))
    assert music.tracks[0].staves == 2
    assert [(n.pitch, n.staff, n.voice) for n in music.tracks[0].notes] == [(40, 2, 5), (55, 2, 1)]


def test_small_chords_are_cues() -> None:
    staff = measure(chord(60) + chord(62, inside="<small>1</small>") + chord(64))
    assert notes_of(read_score(staff)) == [(0, 60, 12), (24, 64, 12)]
    assert [n.cue for n in read_score(staff, keep_cue=True).tracks[0].notes] == [None, True, None]


def test_grace_notes_after_a_note_stand_at_its_end() -> None:
    staff = measure(chord(65, value="16th", inside="<grace16after/>") + chord(60) + chord(62))
    assert notes_of(read_score(staff)) == [(0, 60, 12), (12, 62, 12), (12, 65, 3)]


def test_jumps_go_by_labels() -> None:
    staff = (
        measure(chord(60), before="<Marker><label>segno</label></Marker>")
        + measure(chord(62), before="<Marker><label>coda</label></Marker>")
        + measure(
            chord(64),
            before="<Jump><jumpTo>segno</jumpTo><playUntil>coda</playUntil><continueAt>codab</continueAt></Jump>",
        )
        + measure(chord(65), before="<Marker><label>codab</label></Marker>")
    )
    assert [n.pitch for n in read_score(staff).tracks[0].notes] == [60, 62, 64, 60, 62, 65]


def test_a_fine_that_no_jump_names_does_not_stop_the_music() -> None:
    staff = (
        measure(chord(60), before="<Marker><label>fine</label></Marker>")
        + measure(chord(62), before="<Jump><jumpTo>start</jumpTo><playUntil>end</playUntil></Jump>")
    )  # fmt: skip
    assert [n.pitch for n in read_score(staff).tracks[0].notes] == [60, 62, 60, 62]


@pytest.mark.parametrize(
    ("name", "kind", "degrees"),
    [("", "major", None), ("m7b5", "half-diminished", None), ("Maj7", "major-seventh", None),
     ("7b9", "dominant", ["add9-1"]),
     ("7#5", "dominant", ["alter5+1"]), ("13b9", "dominant-13th", ["alter9-1"]), ("69", "major-sixth", ["add9"]),
     ("7sus4", "suspended-fourth", ["add7-1"]), ("madd9", "minor", ["add9"]), ("+7", "augmented-seventh", None),
     ("blue", "other", None)],
)  # fmt: skip
def test_chord_qualities_are_those_of_musicxml(name: str, kind: str, degrees: list[str] | None) -> None:
    shown = f"<name>{name}</name>" if name else ""
    music = read_score(measure(f"<Harmony><root>14</root>{shown}</Harmony>" + chord(60)))
    assert [(s.root, s.kind, s.degrees) for s in music.chord_symbols] == [("C", kind, degrees)]


# --- the reader ------------------------------------------------------------------------------------------------------


def test_read_takes_paths_and_file_objects(tmp_path: Path) -> None:
    for name, data in (("song.mscx", FULL), ("song.mscz", mscz(FULL))):
        (tmp_path / name).write_bytes(data)
        music = read(io.BytesIO(data), kind="musescore")
        assert music.metadata.source_filename == "stream"
        music.metadata.source_filename = name
        assert read(tmp_path / name) == music


def test_other_versions_are_read_with_a_warning() -> None:
    with pytest.warns(MuseScoreWarning, match=r"format 1\.14 is not 2, 3 or 4"):
        read_musescore_bytes(score(measure(chord(60)), version="1.14"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for version in ("2.06", "3.02", "4.60"):
            read_musescore_bytes(score(measure(chord(60)), version=version))


def test_a_timeout_ends_reading() -> None:
    with pytest.raises(TimeoutError, match=r"^long\.mscx: not read within 1e-09 s"):
        read_musescore_bytes(FULL, "long.mscx", timeout=1e-9)


HARMLESS = tuple(name for name in TRAPS if name.startswith(("many", "a tie", "a line", "endless tempo", "negative")))


@pytest.mark.parametrize("name", [name for name in TRAPS if name not in HARMLESS])
def test_hostile_files_end_in_one_error_that_names_them(name: str) -> None:
    with pytest.raises(MuseScoreError, match=r"^song\.mscx: ") as caught:
        read_musescore_bytes(TRAPS[name], "song.mscx")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", HARMLESS)
def test_odd_files_are_read(name: str) -> None:
    assert len(read_musescore_bytes(TRAPS[name]).tracks) >= 1


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MuseScoreError):
        read_musescore_bytes(data)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_musescore(tmp_path / "gone.mscx")


# --- MusPy as an oracle ----------------------------------------------------------------------------------------------

PLAIN = measure(
    FOUR_FOUR
    + "<KeySig><accidental>1</accidental><mode>major</mode></KeySig><Tempo><tempo>2</tempo></Tempo>"
    + chord(60, 64, inside="<dots>1</dots>")
    + chord(62, value="eighth", inside="<Lyrics><syllabic>begin</syllabic><text>la</text></Lyrics>")
    + tuplet(3, 2, *(chord(pitch, value="eighth") for pitch in (60, 62, 64)))
    + chord(note(67, spanner("Tie", measures=1))),
    before="<startRepeat/>",
) + measure(chord(note(67, spanner_end("Tie")), value="half") + rest("half"), before="<endRepeat>2</endRepeat>")


def test_plain_files_are_read_as_muspy_reads_them(muspy: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "plain.mscx"
    document = score(PLAIN, PLAIN.replace("<pitch>6", "<pitch>4"), version="3.01")
    path.write_bytes(document.replace(b"</pitch>", b"</pitch><tpc>14</tpc>"))  # which MusPy must have
    theirs, ours = muspy.read_musescore(path), read_musescore(path)
    assert ours.resolution == theirs.resolution
    for mine, other in zip(ours.tracks, theirs.tracks, strict=True):
        assert (mine.name, mine.program, mine.is_drum) == (other.name, other.program, other.is_drum)
        expected = [(n.time, n.pitch, n.duration) for n in other.notes]
        assert [(n.time, n.pitch, n.duration) for n in mine.notes] == expected
        assert [(item.time, item.lyric) for item in mine.lyrics] == [(item.time, item.lyric) for item in other.lyrics]
    assert [(t.time, t.qpm) for t in ours.tempos] == [(t.time, t.qpm) for t in theirs.tempos]
    assert [t.time for t in ours.barlines] == [t.time for t in theirs.barlines]
    assert [(t.time, t.numerator) for t in ours.time_signatures] == [
        (t.time, t.numerator) for t in theirs.time_signatures
    ]
