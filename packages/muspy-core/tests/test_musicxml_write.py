"""Writing MusicXML: what a score looks like, and that reading it back gives the same music."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from musicxml_samples import TWO_VOICES_TWO_STAVES
from muspy_core.errors import MusicXMLError
from muspy_core.events import (
    Barline,
    Beat,
    Chord,
    ChordSymbol,
    Clef,
    Dynamic,
    KeySignature,
    Lyric,
    Metadata,
    Note,
    Repeat,
    Slur,
    Tempo,
    Text,
    TimeSignature,
)
from muspy_core.io.musicxml import musicxml_bytes, read_musicxml, read_musicxml_bytes, write_musicxml
from muspy_core.io.musicxml.durations import single_value, split_duration, split_rest
from muspy_core.music import Music, Track

RESOLUTION = 12


def written(*notes: Note, resolution: int = 4, **options: Any) -> ET.Element:
    """The root of a score with one track of notes."""
    return ET.fromstring(musicxml_bytes(Music(resolution=resolution, tracks=[Track(notes=list(notes))], **options)))


def values(root: ET.Element) -> list[str]:
    """Notes as "C4:quarter", rests as "-:half", dots as points."""
    found = []
    for item in root.iter("note"):
        pitch = item.find("pitch")
        name = "-" if pitch is None else "".join(child.text or "" for child in pitch)
        found.append(f"{name}:{item.findtext('type', 'measure')}{'.' * len(item.findall('dot'))}")
    return found


class TestNotation:
    def test_gaps_are_rests_and_long_notes_are_tied_at_bar_lines(self) -> None:
        root = written(Note(4, 60, 16))
        assert values(root) == ["-:quarter", "C4:half.", "C4:quarter", "-:quarter", "-:half"]
        assert [[tie.get("type") for tie in item.findall("tie")] for item in root.iter("note")][1:3] == [
            ["start"],
            ["stop"],
        ]

    def test_simultaneous_notes_of_one_length_are_a_chord(self) -> None:
        root = written(Note(0, 64, 16), Note(0, 60, 16))
        assert values(root) == ["C4:whole", "E4:whole"]
        assert [item.find("chord") is not None for item in root.iter("note")] == [False, True]

    def test_overlapping_notes_get_voices_of_their_own(self) -> None:
        root = written(Note(0, 60, 16), Note(4, 67, 4))
        assert [item.findtext("voice") for item in root.iter("note")] == ["1", "2"]

    def test_triplets_are_bracketed(self) -> None:
        root = written(*[Note(time, 60, 4) for time in (0, 4, 8)], Note(12, 60, 12), resolution=12)
        notes = list(root.iter("note"))
        assert [item.findtext("time-modification/actual-notes") for item in notes[:4]] == ["3", "3", "3", None]
        brackets = [[mark.get("type") for mark in item.iterfind("notations/tuplet")] for item in notes[:4]]
        assert brackets == [["start"], [], ["stop"], []]

    def test_accidentals_are_shown_once_a_measure_and_not_for_the_key(self) -> None:
        notes = [Note(0, 66, 4, pitch_str="F#"), Note(4, 70, 4, pitch_str="A#"), Note(8, 70, 4, pitch_str="A#")]
        root = written(*notes, Note(12, 69, 4), key_signatures=[KeySignature(0, 7, "major", 1)])
        assert [item.findtext("accidental") for item in root.iter("note")] == [None, "sharp", None, "natural"]

    def test_unspelled_pitches_follow_the_key(self) -> None:
        flats = written(Note(0, 63, 16), key_signatures=[KeySignature(0, fifths=-3)])
        sharps = written(Note(0, 63, 16), key_signatures=[KeySignature(0, fifths=4)])
        assert (values(flats), values(sharps)) == (["E-14:whole"], ["D14:whole"])

    def test_short_notes_are_beamed_by_the_beat(self) -> None:
        root = written(*[Note(2 * time, 60, 2) for time in range(8)])
        assert [item.findtext("beam") for item in root.iter("note")] == ["begin", "end"] * 4

    def test_clefs_follow_the_range(self) -> None:
        assert written(Note(0, 40, 4)).findtext(".//clef/sign") == "F"
        assert written(Note(0, 72, 4)).findtext(".//clef/sign") == "G"

    def test_a_pickup_is_implicit_and_numbered_zero(self) -> None:
        root = written(Note(0, 60, 4), Note(4, 62, 16), barlines=[Barline(0), Barline(4)])
        assert [(item.get("number"), item.get("implicit")) for item in root.iter("measure")] == [
            ("0", "yes"),
            ("1", None),
        ]

    def test_drums_are_unpitched_with_their_key(self) -> None:
        root = ET.fromstring(musicxml_bytes(Music(resolution=4, tracks=[Track(is_drum=True, notes=[Note(0, 42, 4)])])))
        assert root.findtext(".//note/unpitched/display-step") == "G"
        assert root.findtext(".//note/notehead") == "x"
        assert (root.findtext(".//midi-channel"), root.findtext(".//midi-unpitched")) == ("10", "43")

    def test_programs_are_counted_from_one(self) -> None:
        root = ET.fromstring(musicxml_bytes(Music(tracks=[Track(program=40)])))
        assert root.findtext(".//midi-program") == "41"

    def test_played_notes_are_quantised_for_the_page(self) -> None:
        notes = [Note(480 * beat + shift, 60, 470) for beat, shift in enumerate((7, -11 + 11, 13, 5))]
        assert values(written(*notes, resolution=480)) == ["C4:quarter"] * 4

    def test_ids_are_the_places_of_notes_in_their_track(self) -> None:
        track = Track(notes=[Note(0, 60, 20), Note(0, 48, 16)], chords=[Chord(0, [50, 52], 16)])
        root = ET.fromstring(musicxml_bytes(Music(resolution=4, tracks=[Track(), track])))
        ids = {item.get("id") for item in root.iter("note") if item.get("id")}
        assert ids == {"n1-0", "n1-0.2", "n1-1", "c1-0-0", "c1-0-1"}


class TestDurations:
    @given(st.integers(0, 96), st.integers(1, 200), st.sampled_from([1, 2, 4, 6, 12, 24, 60]))
    def test_pieces_last_as_long_as_the_whole(self, start: int, duration: int, divisions: int) -> None:
        whole = Fraction(duration, divisions)
        for split in (split_duration, split_rest):
            pieces = split(Fraction(start, divisions), whole, divisions)
            assert sum(quarters for quarters, _ in pieces) == whole
            assert all((quarters * divisions).denominator == 1 for quarters, _ in pieces)

    @pytest.mark.parametrize(
        ("quarters", "expected"),
        [
            ("1", ("quarter", 0, 1, 1)),
            ("3", ("half", 1, 1, 1)),
            ("7/4", ("quarter", 2, 1, 1)),
            ("1/3", ("eighth", 0, 3, 2)),
            ("2/5", ("eighth", 0, 5, 4)),
            ("5/4", None),
        ],
    )
    def test_single_values(self, quarters: str, expected: tuple[str, int, int, int] | None) -> None:
        assert single_value(Fraction(quarters)) == expected


class TestFiles:
    def test_extensions_choose_the_format(self, tmp_path: Path) -> None:
        music = Music(tracks=[Track(notes=[Note(0, 60, 24)])])
        for name in ("a.musicxml", "a.xml", "a.mxl"):
            write_musicxml(tmp_path / name, music)
            assert len(read_musicxml(tmp_path / name).tracks[0].notes) == 1
        assert zipfile.is_zipfile(tmp_path / "a.mxl")
        assert not zipfile.is_zipfile(tmp_path / "a.xml")

    def test_other_extensions_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"song\.mid: a MusicXML file ends in \.xml, \.musicxml, \.mxl"):
            write_musicxml(tmp_path / "song.mid", Music())

    def test_an_existing_file_can_be_protected(self, tmp_path: Path) -> None:
        write_musicxml(tmp_path / "a.xml", Music())
        with pytest.raises(FileExistsError):
            write_musicxml(tmp_path / "a.xml", Music(), overwrite=False)

    def test_the_same_music_gives_the_same_bytes(self, tmp_path: Path) -> None:
        music = read_musicxml_bytes(TWO_VOICES_TWO_STAVES)
        write_musicxml(tmp_path / "a.mxl", music)
        write_musicxml(tmp_path / "b.mxl", music)
        assert (tmp_path / "a.mxl").read_bytes() == (tmp_path / "b.mxl").read_bytes()

    def test_text_is_escaped_and_stripped_of_what_xml_cannot_hold(self) -> None:
        music = Music(metadata=Metadata(title='<"A & B">\x00'), tracks=[Track(name="\x01<i>")])
        again = read_musicxml_bytes(musicxml_bytes(music))
        assert (again.metadata.title, again.tracks[0].name) == ('<"A & B">', "<i>")

    @pytest.mark.parametrize("note", [Note(-1, 60, 1), Note(0, 128, 1), Note(0, 60, -1), Note(10**9, 60, 1)])
    def test_music_that_no_score_can_show_is_refused(self, note: Note) -> None:
        with pytest.raises(MusicXMLError):
            musicxml_bytes(Music(tracks=[Track(notes=[note])]))

    def test_more_measures_than_memory_holds_are_refused(self) -> None:
        notes = [Note(0, 60, 1), Note(190_000, 60, 1)]
        music = Music(resolution=1, tracks=[Track(notes=notes)], time_signatures=[TimeSignature(0, 1, 8)])
        with pytest.raises(MusicXMLError, match="measures"):
            musicxml_bytes(music)

    def test_more_beats_than_a_reader_takes_are_refused(self) -> None:
        music = Music(resolution=1, tracks=[Track(notes=[Note(0, 60, 190_000)])])
        music.time_signatures.append(TimeSignature(0, 1000, 64))
        with pytest.raises(MusicXMLError, match="beats"):
            musicxml_bytes(music)

    @settings(max_examples=25)
    @given(strategies.music | strategies.muspy_music)
    def test_any_music_gives_a_readable_score_or_our_error(self, music: Music) -> None:
        try:
            data = musicxml_bytes(music)
        except MusicXMLError:
            return
        read_musicxml_bytes(data, expand_repeats=False)


# Music of which every field can be written and read back: quantised notes, voices that do not overlap themselves.
spellings = st.sampled_from(
    [(60, "C"), (61, "C#"), (61, "Db"), (59, "Cb"), (71, "B"), (66, "F#"), (64, "E"), (48, "B#")]
)
durations = st.sampled_from([1, 2, 3, 4, 6, 8, 9, 12, 15, 18, 24, 36, 48, 60])
WORDS = st.text("abcdefghij é<&>\"'", min_size=1, max_size=8).map(lambda text: " ".join(text.split())).filter(bool)


@st.composite
def lines(draw: st.DrawFn, voice: int, staff: int | None) -> list[Note]:
    """A voice: notes, chords, rests and grace notes, one after the other."""
    notes: list[Note] = []
    time = 0
    for _ in range(draw(st.integers(0, 6))):
        time += draw(st.sampled_from([0, 0, 0, 3, 4, 6, 12]))
        duration = draw(durations)
        place = {"voice": voice, "staff": staff}
        if draw(st.integers(0, 5)) == 0:
            pitch, name = draw(spellings)
            kind = draw(st.sampled_from(["appoggiatura", "acciaccatura"]))
            notes.append(Note(time, pitch + 12, 3, pitch_str=name, grace=kind, **place))
        for pitch, name in draw(st.lists(spellings, min_size=1, max_size=3, unique_by=lambda item: item[0])):
            articulations = draw(
                st.none()
                | st.lists(st.sampled_from(["staccato", "accent", "tenuto"]), min_size=1, max_size=2, unique=True)
            )
            if draw(st.integers(0, 8)) == 0:
                articulations = [*(articulations or []), "fermata"]
            ornaments = draw(st.none() | st.sampled_from([["trill-mark"], ["tremolo-3", "mordent"]]))
            velocity = draw(st.sampled_from([64, 64, 64, 1, 90, 127]))
            notes.append(
                Note(time, pitch, duration, velocity, name, articulations=articulations, ornaments=ornaments, **place)
            )
        time += duration
    return notes


SYLLABLES = ["la", "la -", "- la -", "- la", "- -", "-", "- - -"]


@st.composite
def scores(draw: st.DrawFn) -> Music:
    """Music that a score can hold in full."""
    tracks = []
    for index in range(draw(st.integers(1, 3))):
        has_staves = draw(st.booleans())
        notes = [*draw(lines(1, 1 if has_staves else None)), *draw(lines(2, 2 if has_staves else None))]
        onsets = sorted({note.time for note in notes if note.voice == 1 and not note.grace})
        slurs = [Slur(a, b - a, voice=1, staff=1 if has_staves else None) for a, b in itertools.pairwise(onsets)]
        diatonic, chromatic = draw(st.sampled_from([(None, None), (-1, -2), (-8, -14), (2, 3), (7, 12)]))
        tracks.append(
            Track(
                program=draw(st.integers(0, 127)),
                name=draw(st.none() | WORDS),
                notes=notes,
                lyrics=[Lyric(time, draw(st.sampled_from(SYLLABLES)), verse=1, voice=1) for time in onsets],
                midi_track=index,
                channel=draw(st.none() | st.integers(0, 8)),
                staves=2 if has_staves else None,
                transposition=chromatic,
                diatonic_transposition=diatonic,
                abbreviation=draw(st.none() | WORDS),
                slurs=slurs if draw(st.booleans()) else [],
                clefs=[Clef(0, "G", 2, staff=1), Clef(0, "F", 4, octave_change=-1, staff=2)]
                if has_staves
                else [Clef(0, "C", 3)],
                dynamics=draw(
                    st.sampled_from([[], [Dynamic(0, "p"), Dynamic(6, "crescendo", 18), Dynamic(24, "sfz")]])
                ),
            )
        )
    meter = draw(st.sampled_from([(4, 4, None), (3, 4, None), (6, 8, None), (5, 8, "3+2"), (7, 8, "3/8+2/4")]))
    fifths = draw(st.integers(-4, 4))
    music = Music(
        metadata=Metadata(
            title=draw(st.none() | WORDS), creators=draw(st.lists(WORDS, max_size=2)), source_format="musicxml"
        ),
        resolution=RESOLUTION,
        tempos=draw(st.sampled_from([[], [Tempo(0, 72.5, text="Largo"), Tempo(10, 100.0)]])),
        key_signatures=[KeySignature(0, (7 * fifths) % 12, "major", fifths, draw(st.just(None)))],
        time_signatures=[TimeSignature(0, meter[0], meter[1], beats=meter[2])],
        tracks=tracks,
        texts=draw(
            st.sampled_from(
                [[], [Text(5, "dolce", kind="words", midi_track=0), Text(12, "A", kind="rehearsal", midi_track=0)]]
            )
        ),
        chord_symbols=draw(
            st.sampled_from(
                [[], [ChordSymbol(7, "F#", "minor-seventh", text="m7", bass="Bb", degrees=["add9", "alter5-1"])]]
            )
        ),
    )
    return _with_measures(music, draw(st.booleans()))


def _with_measures(music: Music, has_repeats: bool) -> Music:
    """Add the bar lines, beats and repeats of full measures, as a score read from a file has them."""
    signature = music.time_signatures[0]
    unit = 4 * RESOLUTION // signature.denominator
    length = signature.numerator * unit
    end = max([1, *(note.end for track in music.tracks for note in track.notes if not note.grace)])
    count = -(-end // length)
    music.barlines.extend(Barline(index * length, number=str(index + 1)) for index in range(count))
    music.beats.extend(Beat(time) for time in range(0, count * length, unit))
    if has_repeats:
        music.repeats.extend([Repeat(0, "forward"), Repeat(length, "backward", text="3")])
    for key in music.key_signatures:
        names = {-4: "Ab", -3: "Eb", -2: "Bb", -1: "F", 0: "C", 1: "G", 2: "D", 3: "A", 4: "E"}
        key.root_str = names[key.fifths or 0]
    for track in music.tracks:
        track.notes.sort_by("time", "pitch", "duration", "velocity")
    return music


def canonical(music: Music) -> dict[str, Any]:
    """What must survive, with simultaneous notes in a fixed order."""
    content = music.to_ordered_dict()
    content["metadata"].pop("source_filename", None)
    for track in content["tracks"]:
        for events in track.values():
            if isinstance(events, list):
                events.sort(key=lambda item: (item["time"], repr(sorted(item.items()))))
    return dict(content)


@given(scores())
def test_a_score_survives_writing_and_reading(music: Music) -> None:
    again = read_musicxml_bytes(musicxml_bytes(music), expand_repeats=False)
    assert canonical(again) == canonical(music)


@settings(max_examples=25)
@given(scores())
def test_ids_lead_back_to_the_notes(music: Music) -> None:
    root = ET.fromstring(musicxml_bytes(music))
    for item in root.iter("note"):
        match = re.fullmatch(r"n(\d+)-(\d+)(\.\d+)?", item.get("id", ""))
        if match is None:
            assert item.find("rest") is not None
            continue
        assert item.findtext("pitch/step") == music.tracks[int(match[1])].notes[int(match[2])].pitch_str[0] or (
            music.tracks[int(match[1])].transposition
        )


def test_writing_reads_columns_and_makes_no_objects() -> None:
    music = read_musicxml_bytes(TWO_VOICES_TWO_STAVES)
    musicxml_bytes(music)
    assert music.tracks[0].notes.is_columnar


def test_several_instruments_of_a_part_stay_in_one_part() -> None:
    tracks = [
        Track(program=p, name="Violin", midi_track=0, instrument=n, notes=[Note(t, 60, 4)])
        for t, (p, n) in enumerate([(40, "Arco"), (45, "Pizz.")])
    ]
    music = Music(resolution=4, tracks=tracks)
    data = musicxml_bytes(music)
    assert data.count(b"<part id=") == 1
    assert [(t.program, t.instrument, len(t.notes)) for t in read_musicxml_bytes(data).tracks] == [
        (40, "Arco", 1),
        (45, "Pizz.", 1),
    ]


def test_a_drum_track_stays_one_track() -> None:
    track = Track(is_drum=True, channel=9, name="Kit", notes=[Note(0, 36, 4), Note(4, 38, 4), Note(4, 42, 4)])
    (again,) = read_musicxml_bytes(musicxml_bytes(Music(resolution=4, tracks=[track]))).tracks
    assert (again.is_drum, again.channel, again.name) == (True, 9, "Kit")
    assert [(note.time, note.pitch) for note in again.notes] == [(0, 36), (4, 38), (4, 42)]
