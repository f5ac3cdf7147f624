"""music21 streams become music and back: exact offsets, merged ties, marks kept."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import muspy_core as muspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from muspy_core import Chord, Music, Note, Tempo, TimeSignature, Track

music21 = pytest.importorskip("music21", reason="music21 is not installed")


def melody(text: str) -> Any:
    return music21.converter.parse(f"tinyNotation: {text}")


def test_the_resolution_counts_everywhere() -> None:
    score = music21.corpus.parse("bwv66.6")
    music = muspy.from_music21(score, resolution=480)
    assert music.resolution == 480
    assert music.get_end_time() == 480 * score.highestTime
    assert [beat.time for beat in music.beats[:3]] == [0, 480, 960]
    assert [bar.time for bar in music.barlines[:3]] == [0, 480, 2400]
    assert music.tracks[0].notes[1].time == 240


def test_a_chorale_reads_as_it_is_printed() -> None:
    music = muspy.from_object(music21.corpus.parse("bwv66.6"))
    assert music.validate() is music
    assert [track.name for track in music] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert music.key_signatures == [muspy.KeySignature(0, 6, "minor", 3, "F#")]
    assert music.time_signatures == [TimeSignature(0, 4, 4)]
    assert music.tempos == [Tempo(0, 96)]
    assert [bar.number for bar in music.barlines[:2]] == ["0", "1"]
    assert music.tracks[3].clefs == [muspy.Clef(0, "F", 4)]


def test_tied_notes_are_one() -> None:
    notes = muspy.from_music21(melody("4/4 c2 d2~ d4 e2.~ e1~ e4 r2.")).notes
    assert [(note.time, note.duration, note.pitch_str) for note in notes] == [
        (0, 48, "C"),
        (48, 72, "D"),
        (120, 192, "E"),
    ]


def test_a_tie_without_a_partner_stays_open() -> None:
    part = music21.stream.Part()
    for pitch, tie in ((60, "start"), (62, "stop"), (64, None)):
        note = music21.note.Note(pitch)
        note.tie = tie and music21.tie.Tie(tie)
        part.append(note)
    assert [note.tie for note in muspy.from_music21(part).notes] == ["start", "stop", None]


def test_a_chord_tied_in_part_becomes_notes() -> None:
    part = music21.stream.Part()
    first, second = music21.chord.Chord(["C4", "E4"]), music21.chord.Chord(["C4", "G4"])
    first.notes[0].tie, second.notes[0].tie = music21.tie.Tie("start"), music21.tie.Tie("stop")
    part.append([first, second])
    track = muspy.from_music21(part)
    assert [(note.time, note.pitch, note.duration) for note in track.notes] == [(0, 60, 48), (0, 64, 24), (24, 67, 24)]
    assert not track.chords


def test_tied_chords_are_one_even_if_they_stop_at_different_times() -> None:
    part = music21.stream.Part()
    first, second = music21.chord.Chord(["C4", "E4"]), music21.chord.Chord(["C4", "E4"])
    first.tie, second.tie = music21.tie.Tie("start"), music21.tie.Tie("stop")
    part.append([first, second])
    assert muspy.from_music21(part).chords == [Chord(0, [60, 64], 48, pitches_str=["C", "E"])]
    single = music21.note.Note("E4")
    single.tie = music21.tie.Tie("stop")
    part = music21.stream.Part()
    part.append([first, single])
    track = muspy.from_music21(part)
    assert [(note.pitch, note.duration) for note in track.notes] == [(60, 24), (64, 48)]


def test_a_part_with_instruments_is_a_list_of_tracks_and_an_opus_a_list_of_music() -> None:
    part = melody("4/4 c1")
    assert isinstance(muspy.from_music21_part(music21.stream.Part([music21.note.Note()])), Track)
    part.insert(0, music21.instrument.Violin())
    assert isinstance(muspy.from_music21_part(part), list)
    opus = music21.stream.Opus([music21.corpus.parse("bwv66.6"), music21.corpus.parse("bwv324")])
    pieces = muspy.from_music21(opus, resolution=4)
    assert [piece.resolution for piece in pieces] == [4, 4]


def test_written_pitches_become_sounding_ones() -> None:
    part = melody("4/4 d1")
    part.insert(0, music21.instrument.Trumpet())
    part.atSoundingPitch = False
    track = muspy.from_music21(part)[0]
    assert (track.program, track.transposition, track.diatonic_transposition) == (56, -2, -1)
    assert [(note.pitch, note.pitch_str) for note in track.notes] == [(60, "C")]


def test_marks_survive_both_ways() -> None:
    music = Music(
        resolution=12,
        metadata=muspy.Metadata(
            title="A title", creators=["A composer"], copyright="public domain", lyricists=["A poet"]
        ),
        tempos=[Tempo(0, 90, text="Andante"), Tempo(96, 120)],
        key_signatures=[muspy.KeySignature(0, 10, "major", -2, "Bb"), muspy.KeySignature(48, fifths=3)],
        time_signatures=[TimeSignature(0, 3, 4)],
        chord_symbols=[muspy.ChordSymbol(0, "Bb", "dominant", bass="F")],
        texts=[muspy.Text(12, "dolce", "words"), muspy.Text(24, "A", "rehearsal")],
        tracks=[
            Track(
                program=40,
                name="Violin",
                notes=[
                    Note(0, 70, 12, 80, "Bb", articulations=["staccato", "fermata"], ornaments=["trill-mark"]),
                    Note(12, 72, 3, 64, "C", grace="acciaccatura"),
                    Note(12, 74, 12, 64, "D", ornaments=["tremolo-3"]),
                    Note(24, 66, 8, 64, "Gb", tie="start"),
                ],
                chords=[Chord(48, [60, 63], 12, pitches_str=["C", "Eb"])],
                lyrics=[muspy.Lyric(0, "la"), muspy.Lyric(0, "li", verse=2)],
                clefs=[muspy.Clef(0, "G", 2, -1)],
                dynamics=[muspy.Dynamic(0, "mf")],
                slurs=[muspy.Slur(0, 24)],
            ),
            Track(program=0, is_drum=True, name="Drums", notes=[Note(0, 38, 12)]),
        ],
    )
    again = muspy.from_music21(music.to_music21(), resolution=12)
    for name in ("tempos", "key_signatures", "time_signatures", "chord_symbols", "texts"):
        assert getattr(again, name) == getattr(music, name), name
    for name in ("title", "creators", "copyright", "lyricists"):
        assert getattr(again.metadata, name) == getattr(music.metadata, name)
    violin, expected = again.tracks[0], music.tracks[0]
    for name in ("program", "name", "chords", "lyrics", "clefs", "dynamics", "slurs"):
        assert getattr(violin, name) == getattr(expected, name), name
    # The length of a grace note is nominal in both models: music21's is that of its note type.
    violin.notes[1].duration = expected.notes[1].duration = 0
    assert sorted(violin.notes, key=str) == sorted(expected.notes, key=str)
    assert again.tracks[1].is_drum
    assert [note.pitch for note in again.tracks[1].notes] == [38]


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(30, 90), st.integers(1, 40), st.integers(1, 127)), max_size=6),
    st.sampled_from([1, 7, 24, 480]),
)
def test_times_are_exact_at_any_resolution(rows: list[tuple[int, int, int, int]], resolution: int) -> None:
    music = Music(resolution=resolution, tracks=[Track(notes=[Note(*row) for row in rows])])
    score = music.to_music21()
    assert {note.offset for note in score.recurse().notes} == {
        music21.common.opFrac(Fraction(row[0], resolution)) for row in rows
    }
    notes = muspy.from_music21(score, resolution).tracks[0].notes
    assert sorted((note.time, note.pitch, note.duration, note.velocity) for note in notes) == sorted(rows)


def test_repeats_are_kept_as_signs() -> None:
    part = melody("4/4 c1 d1 e1")
    measures = part.getElementsByClass("Measure")
    measures[1].leftBarline = music21.bar.Repeat(direction="start")
    measures[1].rightBarline = music21.bar.Repeat(direction="end", times=3)
    measures[2].insert(0, music21.repeat.DaCapo())
    music = muspy.from_music21(music21.stream.Score([part]))
    assert music.repeats == [
        muspy.Repeat(96, "forward"),
        muspy.Repeat(192, "backward", "3"),
        muspy.Repeat(192, "dacapo"),
    ]


@pytest.mark.parametrize("piece", ["bwv66.6", "bwv7.7", "bwv227.7", "schoenberg/opus19/movement2"])
def test_the_notes_are_those_that_music21_finds_after_joining_ties(piece: str) -> None:
    score = music21.corpus.parse(piece)
    music = muspy.from_music21(score, resolution=5040)
    expected = sorted(
        (5040 * note.offset, 5040 * note.quarterLength, pitch.midi)
        for part in score.parts
        for note in part.stripTies().flatten().notes
        if not note.duration.isGrace
        for pitch in note.pitches
    )
    found = [
        (note.time, note.duration, pitch)
        for track in music
        for note in [*track.notes, *track.chords]
        if getattr(note, "grace", None) is None
        for pitch in ([note.pitch] if isinstance(note, Note) else note.pitches)
    ]
    assert sorted(found) == expected


def test_a_part_that_changes_instruments_becomes_several_tracks() -> None:
    part = melody("4/4 c1 d1")
    part.getElementsByClass("Measure")[0].insert(0, music21.instrument.Flute())
    part.getElementsByClass("Measure")[1].insert(0, music21.instrument.Piccolo())
    tracks = muspy.from_music21_part(part)
    assert isinstance(tracks, list)
    assert sorted((track.program, note.time, note.pitch) for track in tracks for note in track.notes) == [
        (72, 96, 62),
        (73, 0, 60),
    ]


def test_unpitched_notes_take_the_pitch_of_their_drum() -> None:
    part = music21.stream.Part([music21.instrument.UnpitchedPercussion()])
    plain, snare = music21.note.Unpitched("F4"), music21.note.Unpitched("C5")
    snare.storedInstrument = music21.instrument.SnareDrum()
    part.append([plain, snare])
    track = muspy.from_music21_part(part)[0]
    assert track.is_drum
    assert [(note.pitch, note.pitch_str) for note in track.notes] == [
        (65, None),
        (music21.instrument.SnareDrum().percMapPitch, None),
    ]


def test_measures_without_a_time_signature_have_no_beats() -> None:
    part = music21.stream.Part([music21.stream.Measure([music21.note.Note()])])
    music = muspy.from_music21(music21.stream.Score([part]))
    assert len(music.barlines) == 1
    assert not music.beats


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (muspy.KeySignature(0, 9, "minor"), muspy.KeySignature(0, 9, "minor", 0, "A")),
        (muspy.KeySignature(0, 10, "major"), muspy.KeySignature(0, 10, "major", -2, "Bb")),
        (muspy.KeySignature(0, 2, "dorian"), muspy.KeySignature(0, 2, "dorian", 0, "D")),
        (muspy.KeySignature(0, mode="minor", fifths=-3), muspy.KeySignature(0, 0, "minor", -3, "C")),
        (muspy.KeySignature(0, fifths=7), muspy.KeySignature(0, fifths=7)),
        (muspy.KeySignature(0), None),
    ],
    ids=repr,
)
def test_keys_are_completed(written: muspy.KeySignature, read: muspy.KeySignature | None) -> None:
    music = Music(key_signatures=[written], tracks=[Track()])
    assert muspy.from_music21(music.to_music21()).key_signatures == ([] if read is None else [read])


def test_what_has_no_note_to_stand_on_is_still_written() -> None:
    music = Music(
        metadata=muspy.Metadata(title="T", movement_title="Minuet", movement_number="2"),
        lyrics=[muspy.Lyric(12, "oh")],
        chord_symbols=[muspy.ChordSymbol(0, "C", "major"), muspy.ChordSymbol(24, "", "none")],
        tracks=[Track(clefs=[muspy.Clef(0, "percussion")], slurs=[muspy.Slur(0, 24)])],
    )
    again = muspy.from_music21(music.to_music21())
    assert (again.metadata.title, again.metadata.movement_title, again.metadata.movement_number) == ("T", "Minuet", "2")
    assert again.texts == [muspy.Text(12, "oh", "words")]
    assert again.tracks[0].clefs[0].sign == "percussion"
    assert [symbol.kind for symbol in again.chord_symbols] == ["major", "none"]
