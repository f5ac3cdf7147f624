"""Reading MusicXML: what becomes of each element."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from musicxml_samples import (
    FOUR_FOUR,
    TIMEWISE,
    TWO_VOICES_TWO_STAVES,
    backup,
    barline,
    direction,
    forward,
    measure,
    note,
    score,
)
from muspy_core.errors import MusicXMLError
from muspy_core.events import Clef, Dynamic, Lyric, Slur, Tempo
from muspy_core.io.musicxml import read_musicxml, read_musicxml_bytes
from muspy_core.music import Music


def read(*elements: str, divisions: int | str = 1, attributes: str = "", **options: Any) -> Music:
    """Read a score of one measure."""
    return read_musicxml_bytes(score(measure(*elements, divisions=divisions, attributes=attributes)), **options)


def heard(music: Music, track: int = 0) -> list[tuple[int, int, int]]:
    """(onset, pitch, duration) of the notes of a track."""
    return [(item.time, item.pitch, item.duration) for item in music.tracks[track].notes]


class TestTime:
    def test_resolution_is_the_least_common_multiple_of_all_divisions(self) -> None:
        first, second = measure(note("C4", 4), divisions=4), measure(note("C4", 6), divisions=6)
        assert read_musicxml_bytes(score(first, second)).resolution == 12

    def test_resolution_without_divisions_is_one(self) -> None:
        assert read_musicxml_bytes(score(measure(note("C4", 2)))).resolution == 1

    def test_decimal_divisions_are_exact(self) -> None:
        music = read(note("C4", 1), note("D4", "0.5"), divisions="0.5")
        assert heard(music) == [(0, 60, 2 * music.resolution), (2 * music.resolution, 62, music.resolution)]

    def test_other_resolutions_round_to_the_nearest_step_and_keep_notes_contiguous(self) -> None:
        music = read(*[note("C4", 1) for _ in range(6)], divisions=3, resolution=2)
        ends = [time + duration for time, _, duration in heard(music)]
        assert [time for time, _, _ in heard(music)] == [0, 1, 1, 2, 3, 3]
        assert all(duration >= 1 for _, _, duration in heard(music))
        assert ends[-1] == 4

    def test_voices_move_by_backup_and_forward(self) -> None:
        music = read_musicxml_bytes(TWO_VOICES_TWO_STAVES)
        assert heard(music) == [(0, 48, 8), (0, 72, 4), (0, 76, 4), (4, 69, 4), (4, 74, 4)]
        assert [(item.voice, item.staff) for item in music.tracks[0].notes] == [(5, 2), (1, 1), (1, 1), (2, 1), (1, 1)]
        assert music.tracks[0].staves == 2

    def test_a_measure_is_as_long_as_its_fullest_part(self) -> None:
        music = read_musicxml_bytes(
            score(
                measure(note("C4", 1), divisions=1) + measure(note("D4", 4)),
                measure(note("E4", 4), divisions=1) + measure(note("F4", 4)),
            )
        )
        assert [line.time for line in music.barlines] == [0, 4]
        assert heard(music)[1] == (4, 62, 4)

    def test_an_empty_measure_lasts_what_its_time_signature_says(self) -> None:
        three_eight = "<time><beats>3</beats><beat-type>8</beat-type></time>"
        parts = measure(divisions=2, attributes=three_eight) + measure(note("C4", 3))
        assert heard(read_musicxml_bytes(score(parts))) == [(3, 60, 3)]

    def test_beats_follow_the_signature_and_a_pickup_counts_from_its_end(self) -> None:
        three_eight = "<attributes><time><beats>3</beats><beat-type>8</beat-type></time></attributes>"
        parts = (
            measure(note("C4", 3), number=0, divisions=2, attributes=FOUR_FOUR)
            + measure(note("D4", 8), number=1)
            + measure(three_eight, note("E4", 3), number=2)
        )
        music = read_musicxml_bytes(score(parts))
        assert [beat.time for beat in music.beats] == [1, 3, 5, 7, 9, 11, 12, 13]
        assert [(line.time, line.number) for line in music.barlines] == [(0, "0"), (3, "1"), (11, "2")]

    @pytest.mark.parametrize(
        ("time", "numerator", "denominator", "beats", "symbol"),
        [
            ("<time><beats>3+2</beats><beat-type>8</beat-type></time>", 5, 8, "3+2", None),
            (
                "<time><beats>3</beats><beat-type>8</beat-type><beats>2</beats><beat-type>4</beat-type></time>",
                7,
                8,
                "3/8+2/4",
                None,
            ),
            ('<time symbol="cut"><beats>2</beats><beat-type>2</beat-type></time>', 2, 2, None, "cut"),
            ("<time><senza-misura/></time>", 5, 4, None, "senza-misura"),
        ],
    )
    def test_every_kind_of_time_signature_is_read(
        self, time: str, numerator: int, denominator: int, beats: str | None, symbol: str | None
    ) -> None:
        signature = read(note("C4", 5), attributes=time).time_signatures[0]
        assert (signature.numerator, signature.denominator) == (numerator, denominator)
        assert (signature.beats, signature.symbol) == (beats, symbol)


class TestPitch:
    def test_spelling_is_kept_without_octave(self) -> None:
        music = read(note("C#4"), note("Bbb3"), note("F4"))
        assert [(item.pitch, item.pitch_str) for item in music.tracks[0].notes] == [(61, "C#"), (57, "Bbb"), (65, "F")]

    def test_a_quarter_tone_is_rounded_up(self) -> None:
        assert [(item.pitch, item.pitch_str) for item in read(note("C~4")).tracks[0].notes] == [(61, "C#")]

    def test_transposing_parts_sound_and_are_spelled_in_concert_pitch(self) -> None:
        transpose = (
            "<key><fifths>2</fifths><mode>major</mode></key>"
            "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic><octave-change>-1</octave-change></transpose>"
        )
        music = read(note("D4"), note("F#4"), attributes=transpose)
        assert [(item.pitch, item.pitch_str) for item in music.tracks[0].notes] == [(48, "C"), (52, "E")]
        assert (music.tracks[0].transposition, music.tracks[0].diatonic_transposition) == (-14, -8)
        assert [(key.fifths, key.root_str) for key in music.key_signatures] == [(0, "C")]

    def test_octave_shifts_leave_pitches_alone(self) -> None:
        # MusicXML 4.0: <pitch> holds what sounds; octave-shift tells how far it is displayed from there.
        music = read(direction('<octave-shift type="down" size="8"/>'), note("C6"))
        assert music.tracks[0].notes[0].pitch == 84

    @pytest.mark.parametrize(
        ("mode", "root", "name"),
        [("major", 3, "Eb"), ("minor", 0, "C"), ("dorian", 5, "F"), ("locrian", 2, "D"), (None, None, None)],
    )
    def test_keys_have_the_tonic_of_their_mode(self, mode: str | None, root: int | None, name: str | None) -> None:
        named = "" if mode is None else f"<mode>{mode}</mode>"
        key = read(note("C4"), attributes=f"<key><fifths>-3</fifths>{named}</key>").key_signatures[0]
        assert (key.fifths, key.mode, key.root, key.root_str) == (-3, mode, root, name)


class TestTies:
    def test_tied_notes_are_one_note(self) -> None:
        parts = measure(note("C4", 4, ties="start"), divisions=1)
        parts += measure(note("C4", 4, ties="stop start")) + measure(note("C4", 2, ties="stop"), note("C4", 2))
        assert heard(read_musicxml_bytes(score(parts))) == [(0, 60, 10), (10, 60, 2)]

    def test_unmerged_ties_say_what_they_are(self) -> None:
        music = read(
            note("C4", 1, ties="start"), note("C4", 1, ties="stop start"), note("C4", 1, ties="stop"), merge_ties=False
        )
        assert [item.tie for item in music.tracks[0].notes] == ["start", "continue", "stop"]

    def test_a_note_elsewhere_is_not_part_of_the_tie(self) -> None:
        music = read(note("C4", 1, ties="start"), note("rest", 1), note("C4", 1, ties="stop"))
        assert [(item.time, item.duration, item.tie) for item in music.tracks[0].notes] == [
            (0, 1, "start"),
            (2, 1, "stop"),
        ]

    def test_unisons_are_tied_within_their_voice(self) -> None:
        music = read(
            note("C4", 1, voice=1, ties="start"),
            note("C4", 3, voice=1, ties="stop"),
            backup(4),
            note("C4", 1, voice=2, ties="start"),
            note("C4", 1, voice=2, ties="stop"),
        )
        assert sorted((item.voice, item.duration) for item in music.tracks[0].notes) == [(1, 4), (2, 2)]

    def test_a_tie_may_change_the_voice(self) -> None:
        music = read(note("C4", 2, voice=2, ties="start"), note("C4", 2, voice=1, ties="stop"))
        assert heard(music) == [(0, 60, 4)]

    def test_a_missing_stop_is_the_next_note_of_the_voice(self) -> None:
        assert heard(read(note("C4", 2, ties="start"), note("C4", 2))) == [(0, 60, 4)]


class TestNotes:
    def test_grace_notes_take_no_time_and_keep_their_order(self) -> None:
        grace = "<grace/>"
        music = read(
            note("E4", None, before=grace, middle="<type>16th</type>"),
            note("D4", None, before='<grace slash="yes"/>', middle="<type>eighth</type>"),
            note("C4", 4),
            divisions=4,
        )
        table = music.tracks[0].notes.array
        by_order = table[table["order"].argsort()]
        assert by_order["pitch"].tolist() == [64, 62, 60]
        assert by_order["time"].tolist() == [0, 0, 0]
        assert by_order["duration"].tolist() == [1, 2, 4]
        assert {item.pitch: item.grace for item in music.tracks[0].notes} == {
            64: "appoggiatura",
            62: "acciaccatura",
            60: None,
        }

    def test_cue_notes_are_left_out_but_take_their_time(self) -> None:
        elements = (note("C4", 2, before="<cue/>"), note("D4", 2))
        assert heard(read(*elements)) == [(2, 62, 2)]
        kept = read(*elements, keep_cue=True).tracks[0].notes
        assert [(item.pitch, item.cue) for item in kept] == [(60, True), (62, None)]

    def test_articulations_and_ornaments_keep_their_names(self) -> None:
        notations = (
            "<notations><articulations><staccato/><accent/></articulations><technical><up-bow/>"
            "<fingering>3</fingering></technical><ornaments><trill-mark/><tremolo>3</tremolo></ornaments><fermata/>"
            "</notations>"
        )
        item = read(note("C4", after=notations)).tracks[0].notes[0]
        assert item.articulations == ["staccato", "accent", "up-bow", "fingering-3", "fermata"]
        assert item.ornaments == ["trill-mark", "tremolo-3"]

    def test_lyrics_have_hyphens_verse_and_voice(self) -> None:
        def lyric(verse: int, kind: str, text: str) -> str:
            return f'<lyric number="{verse}"><syllabic>{kind}</syllabic><text>{text}</text></lyric>'

        music = read(
            note("C4", after=lyric(1, "begin", "Al") + lyric(2, "single", "Kyrie")),
            note("D4", after=lyric(1, "middle", "le")),
            note("E4", after=lyric(1, "end", "lu")),
        )
        assert list(music.tracks[0].lyrics) == [
            Lyric(0, "Al -", verse=1, voice=1),
            Lyric(0, "Kyrie", verse=2, voice=1),
            Lyric(1, "- le -", verse=1, voice=1),
            Lyric(2, "- lu", verse=1, voice=1),
        ]

    def test_slurs_reach_from_onset_to_onset_also_over_a_tie(self) -> None:
        slur = '<notations><slur type="{}" number="1"/></notations>'
        music = read(
            note("C4", after=slur.format("start")),
            note("D4", 1, ties="start"),
            note("D4", 1, ties="stop", after=slur.format("stop")),
        )
        assert list(music.tracks[0].slurs) == [Slur(0, 1, voice=1)]


class TestLoudness:
    def test_a_score_without_dynamics_has_velocity_64(self) -> None:
        assert read(note("C4")).tracks[0].notes[0].velocity == 64

    def test_dynamics_in_percent_are_of_forte_at_90(self) -> None:
        music = read(
            direction("", sound='dynamics="100"'), note("C4"), note("D4", attributes=' dynamics="50"'), note("E4")
        )
        assert [item.velocity for item in music.tracks[0].notes] == [90, 45, 90]

    def test_marks_count_by_time_not_by_place_in_the_file(self) -> None:
        music = read(
            note("C4", 2),
            direction("<dynamics><ff/></dynamics>"),
            note("D4", 2),
            backup(4),
            note("C3", 2),
            note("D3", 2),
        )
        assert {(item.time, item.velocity) for item in music.tracks[0].notes} == {(0, 64), (2, 112)}

    def test_hairpins_are_dynamics_with_a_duration(self) -> None:
        music = read(
            direction("<dynamics><p/></dynamics>", staff=1),
            direction('<wedge type="crescendo"/>'),
            note("C4", 3),
            direction('<wedge type="stop"/>'),
        )
        assert list(music.tracks[0].dynamics) == [Dynamic(0, "p", staff=1), Dynamic(0, "crescendo", duration=3)]


class TestDirections:
    def test_metronome_marks_know_dots_and_words(self) -> None:
        mark = (
            "<words>Andante</words></direction-type><direction-type><metronome><beat-unit>eighth</beat-unit>"
            "<beat-unit-dot/><beat-unit-dot/><per-minute>c. 80</per-minute></metronome>"
        )
        assert list(read(direction(mark), note("C4")).tempos) == [Tempo(0, 70.0, text="Andante")]

    def test_a_sounding_tempo_wins_over_the_mark_beside_it(self) -> None:
        mark = "<metronome><beat-unit>quarter</beat-unit><per-minute>60</per-minute></metronome>"
        assert [tempo.qpm for tempo in read(direction(mark, sound='tempo="66"'), note("C4")).tempos] == [66.0]

    def test_a_metric_modulation_relates_to_the_tempo_before(self) -> None:
        equal = "<metronome><beat-unit>quarter</beat-unit><beat-unit>half</beat-unit></metronome>"
        music = read(direction("", sound='tempo="60"'), note("C4"), direction(equal), note("C4"))
        assert [tempo.qpm for tempo in music.tempos] == [60.0, 120.0]

    def test_tempi_of_all_parts_count_once(self) -> None:
        part = measure(direction("", sound='tempo="90"'), note("C4", 4), divisions=1)
        assert [tempo.qpm for tempo in read_musicxml_bytes(score(part, part)).tempos] == [90.0]

    def test_words_and_rehearsal_marks_know_their_part(self) -> None:
        part = measure(
            note("C4", 2), direction("<words>dolce</words>"), direction("<rehearsal>A</rehearsal>"), divisions=1
        )
        texts = read_musicxml_bytes(score(measure(note("C4", 4), divisions=1), part)).texts
        assert [(text.time, text.text, text.kind, text.midi_track) for text in texts] == [
            (2, "dolce", "words", 1),
            (2, "A", "rehearsal", 1),
        ]

    def test_an_offset_moves_what_is_shown(self) -> None:
        music = read(direction("<words>here</words>", offset="3"), note("C4", 4))
        assert music.texts[0].time == 3

    def test_chord_symbols_have_root_kind_bass_and_degrees(self) -> None:
        harmony = (
            "<harmony><root><root-step>F</root-step><root-alter>1</root-alter></root>"
            "<kind text='m7'>minor-seventh</kind>"
            "<bass><bass-step>B</bass-step><bass-alter>-1</bass-alter></bass><degree><degree-value>5</degree-value>"
            "<degree-alter>-1</degree-alter><degree-type>alter</degree-type></degree><offset>2</offset></harmony>"
        )
        symbol = read(harmony, note("C4", 4)).chord_symbols[0]
        assert (symbol.time, symbol.root, symbol.kind, symbol.text) == (2, "F#", "minor-seventh", "m7")
        assert (symbol.bass, symbol.degrees) == ("Bb", ["alter5-1"])

    def test_clefs_keep_staff_and_octave(self) -> None:
        clef = '<clef number="2"><sign>G</sign><line>2</line><clef-octave-change>-1</clef-octave-change></clef>'
        music = read(note("C4"), attributes=f"<staves>2</staves>{clef}")
        assert list(music.tracks[0].clefs) == [Clef(0, "G", 2, octave_change=-1, staff=2)]

    def test_bar_line_styles_stand_at_the_next_measure(self) -> None:
        double = barline("right", "<bar-style>light-light</bar-style>")
        parts = measure(note("C4", 4), double, divisions=1) + measure(note("C4", 4), number=2)
        assert [line.style for line in read_musicxml_bytes(score(parts)).barlines] == [None, "light-light"]


class TestParts:
    PART = (
        '<score-part id="P1"><part-name>Solo\n Violin</part-name><part-abbreviation>Vl.</part-abbreviation>'
        '<score-instrument id="P1-I1"><instrument-name>Arco</instrument-name></score-instrument>'
        '<score-instrument id="P1-I2"><instrument-name>Pizzicato</instrument-name></score-instrument>'
        '<midi-instrument id="P1-I1"><midi-channel>3</midi-channel><midi-program>41</midi-program></midi-instrument>'
        '<midi-instrument id="P1-I2"><midi-channel>4</midi-channel><midi-program>46</midi-program></midi-instrument>'
        "</score-part>"
    )
    PLUCKED = note("D4", middle="").replace("<voice>", '<instrument id="P1-I2"/><voice>')

    def test_each_instrument_is_a_track(self) -> None:
        data = score(measure(note("C4"), self.PLUCKED, divisions=1), part_list=self.PART)
        tracks = read_musicxml_bytes(data).tracks
        assert [(t.name, t.abbreviation, t.instrument, t.program, t.channel, len(t.notes)) for t in tracks] == [
            ("Solo Violin", "Vl.", "Arco", 40, 2, 1),
            ("Solo Violin", "Vl.", "Pizzicato", 45, 3, 1),
        ]

    def test_a_part_can_be_one_track(self) -> None:
        data = score(measure(note("C4"), self.PLUCKED, divisions=1), part_list=self.PART)
        assert heard(read_musicxml_bytes(data, part_tracks="parts")) == [(0, 60, 1), (1, 62, 1)]

    def test_the_keys_of_a_drum_kit_share_a_track(self) -> None:
        kit = "".join(
            f'<score-instrument id="P1-I{key}"><instrument-name>{key}</instrument-name></score-instrument>'
            for key in (36, 38)
        ) + "".join(
            f'<midi-instrument id="P1-I{key}"><midi-channel>10</midi-channel><midi-program>1</midi-program>'
            f"<midi-unpitched>{key + 1}</midi-unpitched></midi-instrument>"
            for key in (36, 38)
        )
        beat = "".join(
            f"<note><unpitched><display-step>{step}</display-step><display-octave>{octave}</display-octave></unpitched>"
            f'<duration>1</duration><instrument id="P1-I{key}"/></note>'
            for step, octave, key in (("F", 4, 36), ("C", 5, 38))
        )
        part_list = f'<score-part id="P1"><part-name>Drums</part-name>{kit}</score-part>'
        (track,) = read_musicxml_bytes(score(measure(beat, divisions=1), part_list=part_list)).tracks
        assert track.is_drum
        assert [(item.pitch, item.pitch_str) for item in track.notes] == [(36, "F4"), (38, "C5")]

    def test_unpitched_notes_without_a_key_have_their_displayed_pitch(self) -> None:
        place = "<display-step>E</display-step><display-octave>4</display-octave>"
        element = f"<note><unpitched>{place}</unpitched><duration>1</duration></note>"
        track = read(element).tracks[0]
        assert (track.is_drum, track.notes[0].pitch) == (True, 64)

    def test_metadata_is_read(self) -> None:
        header = (
            "<work><work-title>Winterreise</work-title></work><movement-number>1</movement-number>"
            "<movement-title>Gute\n Nacht</movement-title><identification>"
            '<creator type="composer">Schubert</creator><creator type="lyricist">Müller</creator>'
            "<rights>CC0</rights><rights>and more</rights></identification>"
        )
        metadata = read_musicxml_bytes(score(measure(note("C4")), header=header), "song.xml").metadata
        assert (metadata.title, metadata.collection, metadata.movement_number) == ("Gute Nacht", "Winterreise", "1")
        assert (metadata.creators, metadata.lyricists) == (["Schubert", "Müller"], ["Müller"])
        assert (metadata.copyright, metadata.source_filename) == ("CC0 and more", "song.xml")


class TestFiles:
    def test_timewise_scores_are_read(self) -> None:
        music = read_musicxml_bytes(TIMEWISE)
        assert heard(music, 0) == [(0, 60, 8), (8, 62, 8)]
        assert heard(music, 1) == [(0, 64, 8), (8, 65, 8)]

    def test_compressed_files_are_told_by_their_bytes(self, tmp_path: Path) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(
                "META-INF/container.xml",
                '<container><rootfiles><rootfile full-path="a/s.xml"/></rootfiles></container>',
            )
            archive.writestr("other.xml", "<nothing/>")
            archive.writestr("a/s.xml", TWO_VOICES_TWO_STAVES)
        for name in ("score.mxl", "score.xml"):
            (tmp_path / name).write_bytes(buffer.getvalue())
            assert len(read_musicxml(tmp_path / name).tracks[0].notes) == 5

    def test_file_objects_and_encodings_are_read(self) -> None:
        data = (
            score(measure(note("C4")), header="<movement-title>Ä</movement-title>").decode().replace("UTF-8", "UTF-16")
        )
        assert read_musicxml(io.BytesIO(data.encode("utf-16"))).metadata.title == "Ä"

    def test_columns_are_filled_and_no_object_made(self) -> None:
        music = read_musicxml_bytes(TWO_VOICES_TWO_STAVES)
        assert music.tracks[0].notes.is_columnar
        assert music.barlines.is_columnar
        assert music.is_valid()

    def test_a_resolution_below_one_is_refused(self) -> None:
        with pytest.raises(ValueError, match="resolution must be at least 1"):
            read(note("C4"), resolution=0)

    def test_a_score_without_parts_is_empty_music(self) -> None:
        assert read_musicxml_bytes(score()).tracks == []


def test_forward_moves_without_sound() -> None:
    assert heard(read(forward(3), note("C4", 1))) == [(3, 60, 1)]


def test_errors_name_file_part_and_measure() -> None:
    data = score(measure(note("C4")) + measure(note("C4", "much"), number=7))
    with pytest.raises(MusicXMLError, match=r"song\.xml: part P1, measure 7: <duration> is 'much'"):
        read_musicxml_bytes(data, "song.xml")
