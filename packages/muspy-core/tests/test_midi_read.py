"""What a MIDI file becomes: tracks as MusPy's, everything else in the list where it belongs, errors that teach."""

from __future__ import annotations

import io
import logging
import struct
from pathlib import Path
from types import ModuleType

import pytest
from midi_samples import END, chunk, every_message, meta, midi_file
from muspy_core import (
    Aftertouch,
    KeySignature,
    Lyric,
    Marker,
    MIDIError,
    MidiMessage,
    Note,
    NoteOff,
    PitchBend,
    ProgramChange,
    Tempo,
    Text,
    TimeSignature,
)
from muspy_core.io.midi import read_midi, read_midi_bytes, read_midi_report

NAME = meta(0x03, b"Song")


def one_track(*events: tuple[int, bytes], **kwargs: int) -> bytes:
    return midi_file(chunk(*events, (0, END)), **kwargs)


# --- as MusPy ------------------------------------------------------------------------------------------------------


def assert_as_muspy(path: Path, muspy: ModuleType, mode: str) -> None:
    """Compare what MusPy keeps of a file."""
    theirs, ours = muspy.read_midi(path, duplicate_note_mode=mode), read_midi(path, duplicate_note_mode=mode)
    assert ours.resolution == theirs.resolution
    assert (ours.metadata.title or "None") == theirs.metadata.title  # MusPy writes the word for untitled files
    assert ours.metadata.copyright == theirs.metadata.copyright
    # A note-off that closes nothing leaves MusPy an empty track.
    expected_tracks = [track for track in theirs.tracks if track.notes or track.annotations]
    assert len(ours.tracks) == len(expected_tracks)
    for track, expected in zip(ours.tracks, expected_tracks, strict=True):
        assert (track.program, track.is_drum, track.name) == (expected.program, expected.is_drum, expected.name)
        assert [(n.time, n.pitch, n.duration, n.velocity) for n in track.notes] == [
            (n.time, n.pitch, n.duration, n.velocity) for n in expected.notes
        ]
        assert [(a.time, a.annotation, a.group) for a in track.annotations] == [
            (a.time, a.annotation, a.group) for a in expected.annotations
        ]
    for name, fields in (
        ("tempos", ("time", "qpm")),
        ("key_signatures", ("time", "root", "mode")),
        ("time_signatures", ("time", "numerator", "denominator")),
        ("lyrics", ("time", "lyric")),
    ):
        values = [tuple(getattr(item, field) for field in fields) for item in getattr(ours, name)]
        their_values = [tuple(getattr(item, field) for field in fields) for item in getattr(theirs, name)]
        assert values == sorted(their_values, key=lambda row: row[0])


@pytest.mark.parametrize("mode", ["fifo", "lifo"])
def test_files_are_read_as_muspy_reads_them(shared_data: Path, muspy: ModuleType, mode: str) -> None:
    files = sorted((shared_data / "freedoom-midi").rglob("*.mid"))[::30]
    for path in [*files, *sorted((shared_data / "pop909").rglob("*.mid"))[:2]]:
        assert_as_muspy(path, muspy, mode)


@pytest.mark.slow
def test_the_corpora_are_read_as_muspy_reads_them(shared_data: Path, muspy: ModuleType) -> None:
    files = sorted((shared_data / "freedoom-midi").rglob("*.mid"))
    for path in [*files, *sorted((shared_data / "pop909").rglob("*.mid"))[:100]]:
        assert_as_muspy(path, muspy, "fifo")


def test_notes_look_like_muspys() -> None:
    music = read_midi_bytes(one_track((0, b"\x90\x3c\x40"), (1, b"\x3c\x00")))
    assert repr(music.tracks[0].notes[0]) == "Note(time=0, pitch=60, duration=1, velocity=64)"
    assert music.tracks[0].notes == [Note(0, 60, 1)]


def test_a_read_file_is_columns_until_touched() -> None:
    music = read_midi_bytes(every_message())
    assert all(track.notes.is_columnar for track in music.tracks if len(track.notes))
    assert music.tempos.is_columnar
    assert music.midi_messages.is_columnar


def test_tracks_come_in_the_order_of_their_first_end_or_control() -> None:
    late_end = [(0, b"\x90\x3c\x40"), (0, b"\x91\x3c\x40"), (5, b"\x91\x3c\x00"), (1, b"\x90\x3c\x00")]
    assert [track.channel for track in read_midi_bytes(one_track(*late_end)).tracks] == [1, 0]
    with_control = [(0, b"\x90\x3c\x40"), (1, b"\xb2\x07\x40"), (1, b"\x90\x3c\x00")]
    assert [track.channel for track in read_midi_bytes(one_track(*with_control)).tracks] == [2, 0]


def test_channel_10_is_the_drums() -> None:
    music = read_midi_bytes(one_track((0, b"\x99\x24\x40"), (1, b"\x24\x00"), (0, b"\x98\x24\x40"), (1, b"\x24\x00")))
    assert [track.is_drum for track in music.tracks] == [True, False]


@pytest.mark.parametrize(
    ("mode", "notes"),
    [
        ("fifo", [Note(0, 60, 10, 1), Note(5, 60, 15, 2)]),
        ("lifo", [Note(0, 60, 20, 1), Note(5, 60, 5, 2)]),
        ("all", [Note(0, 60, 10, 1), Note(5, 60, 5, 2)]),
    ],
)
def test_a_note_off_ends_the_notes_that_the_mode_says(mode: str, notes: list[Note]) -> None:
    events = [(0, b"\x90\x3c\x01"), (5, b"\x3c\x02"), (5, b"\x3c\x00"), (10, b"\x3c\x00")]
    track = read_midi_bytes(one_track(*events), mode).tracks[0]
    assert track.notes == notes
    assert len(track.unmatched_note_offs) == (1 if mode == "all" else 0)


def test_an_untitled_file_has_no_title() -> None:
    assert read_midi_bytes(one_track((0, b"\xc0\x00"))).metadata.title is None


def test_the_first_track_names_the_piece_and_the_others_themselves() -> None:
    note = [(0, b"\x90\x3c\x40"), (9, b"\x3c\x00")]
    data = midi_file(chunk((0, NAME), (0, END)), chunk((0, meta(0x03, b"Violin")), *note, (0, END)))
    music = read_midi_bytes(data, name="song.mid")
    assert (music.metadata.title, music.tracks[0].name) == ("Song", "Violin")
    assert (music.metadata.source_filename, music.metadata.source_format) == ("song.mid", "midi")


# --- beyond MusPy --------------------------------------------------------------------------------------------------


def test_every_message_has_its_place() -> None:
    music = read_midi_bytes(every_message())
    piano = {track.program: track for track in music.tracks if track.midi_track == 1 and track.channel == 0}
    assert music.tempos == [Tempo(5, 60e6 / 500_001), Tempo(12, 60e6), Tempo(12, 60e6 / 0xFFFFFF)]
    assert music.key_signatures == [KeySignature(5, 10, "major", -2), KeySignature(12, 10, "minor", 7)]
    assert music.time_signatures[0] == TimeSignature(5, 6, 8, clocks_per_click=36)
    assert music.time_signatures[1] == TimeSignature(12, 3, 4)
    assert music.markers[:2] == [Marker(12, "Trio"), Marker(12, "curtain", "cue")]
    assert music.lyrics == [Lyric(12, "la-"), Lyric(13, "")]
    assert [text.kind for text in music.texts] == [None, "instrument", "program", "device", "text-10", "text-15", None]
    assert music.metadata.copyright == "(c) 1897 (p) 1901"
    assert piano[5].bank == 130
    assert piano[5].program_changes == [ProgramChange(0)]
    assert piano[0].pitch_bends == [PitchBend(0, 0)]
    assert piano[5].aftertouches == [Aftertouch(15, 17, 60), Aftertouch(15, 18), Aftertouch(15, 19)]
    assert piano[5].unmatched_note_offs == [NoteOff(10, 65, 32, "note_off"), NoteOff(10, 66, 0, "note_on")]
    assert piano[6].program_changes == [ProgramChange(15), ProgramChange(215)]
    assert piano[0].program_changes == [ProgramChange(215, 7)]  # no note or control comes under program 7
    assert MidiMessage(13, bytes.fromhex("f07e7f0901f7")) in music.midi_messages
    assert all(track.port is None for track in music.tracks)


def test_what_most_notes_do_is_said_once() -> None:
    released = [(0, b"\x90\x3c\x40"), (1, b"\x80\x3c\x10")] * 3
    track = read_midi_bytes(one_track(*released, (0, b"\x90\x3c\x40"), (1, b"\x3c\x00"))).tracks[0]
    assert (track.off_kind, track.off_velocity) == ("note_off", 16)
    assert [note.off_kind for note in track.notes] == [None, None, None, "note_on"]
    assert {note.off_velocity for note in track.notes} == {None}


def test_an_unclosed_note_lasts_to_the_end_of_its_track() -> None:
    track = read_midi_bytes(midi_file(chunk((0, b"\x90\x3c\x40"), (7, b"\xb0\x07\x01"), (3, END)))).tracks[0]
    assert (track.notes[0].duration, track.off_kind) == (10, "open")


def test_events_of_the_piece_know_their_midi_track() -> None:
    data = midi_file(chunk((5, meta(0x05, b"b")), (0, END)), chunk((0, meta(0x05, b"a")), (0, END)))
    assert read_midi_bytes(data).lyrics == [Lyric(0, "a", midi_track=1), Lyric(5, "b")]


@pytest.mark.parametrize(("fifths", "minor", "root"), [(-7, 0, 11), (-3, 0, 3), (0, 1, 9), (7, 0, 1), (-5, 1, 10)])
def test_keys_have_root_mode_and_fifths(fifths: int, minor: int, root: int) -> None:
    music = read_midi_bytes(one_track((0, meta(0x59, bytes((fifths & 0xFF, minor))))))
    assert music.key_signatures == [KeySignature(0, root, "minor" if minor else "major", fifths)]


@pytest.mark.parametrize("payload", [b"\x08\x00", b"\x00\x02", b"\x00", b"\x00\x00\x00"])
def test_keys_that_are_none_are_kept_as_messages(payload: bytes) -> None:
    music = read_midi_bytes(one_track((0, meta(0x59, payload))))
    assert not music.key_signatures
    assert music.midi_messages == [MidiMessage(0, b"\xff\x59" + payload)]


def test_texts_are_utf_8_if_all_of_them_are() -> None:
    utf_8 = one_track((0, meta(0x01, "Größe".encode())), (0, meta(0x01, b"ASCII")))
    latin_1 = one_track((0, meta(0x01, "Größe".encode())), (0, meta(0x01, "Größe".encode("latin-1"))))
    assert (read_midi_bytes(utf_8).texts[0], read_midi_bytes(utf_8).charset) == (Text(0, "Größe"), None)
    assert (read_midi_bytes(latin_1).texts[1].text, read_midi_bytes(latin_1).charset) == ("Größe", "latin-1")
    japanese = one_track((0, meta(0x05, "桜".encode("shift_jis"))))
    assert read_midi_bytes(japanese, charset="shift_jis").lyrics == [Lyric(0, "桜")]
    with pytest.raises(ValueError, match="klingon"):
        read_midi_bytes(japanese, charset="klingon")


def test_smpte_files_count_half_seconds() -> None:
    music = read_midi_bytes(one_track((0, b"\xc0\x00"), division=-25 * 256 + 40))
    assert (music.smpte_division, music.resolution) == ((25, 40), 500)


@pytest.mark.parametrize("midi_format", [0, 1, 2])
def test_all_formats_are_read(midi_format: int) -> None:
    assert read_midi_bytes(one_track((0, b"\xc0\x00"), midi_format=midi_format)).midi_format == midi_format


def test_riff_files_and_foreign_chunks_are_read() -> None:
    data = one_track((0, NAME))
    foreign = data[:14] + b"XFIH\x00\x00\x00\x03abc" + data[14:]
    riff = b"RIFF" + struct.pack("<I", 12 + len(data)) + b"RMID" + b"data" + struct.pack("<I", len(data)) + data
    for other in (foreign, riff):
        assert read_midi_bytes(other).metadata.title == "Song"


def test_paths_and_open_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(one_track((0, NAME)))
    with open(path, "rb") as file:
        assert read_midi(file).metadata.source_filename == "song.mid"
    assert read_midi(io.BytesIO(path.read_bytes())).metadata.title == "Song"
    assert read_midi(str(path), "pretty_midi").metadata.source_filename == "song.mid"


@pytest.mark.parametrize(("argument", "value"), [("backend", "symusic"), ("duplicate_note_mode", "last")])
def test_unknown_choices_are_refused(tmp_path: Path, argument: str, value: str) -> None:
    (tmp_path / "song.mid").write_bytes(one_track())
    with pytest.raises(ValueError, match=value):
        read_midi(tmp_path / "song.mid", **{argument: value})


# --- damage --------------------------------------------------------------------------------------------------------

NOTE = [(0, b"\x90\x3c\x40"), (9, b"\x3c\x00")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "bad.mid: is empty (offset 0)"),
        (b"<?xml version", "is no MIDI file: it starts with b'<?xm' instead of b'MThd' (offset 0)"),
        (b"MThd\x00\x00", "ends inside the header (offset 6)"),
        (midi_file(division=0), "counts 0 ticks a quarter note or frame (offset 12)"),
        (midi_file(midi_format=5), "claims format 5 instead of 0, 1 or 2 (offset 8); use tolerant=True"),
        (midi_file(chunk(*NOTE))[:-3], "ends inside track 1 of 1 (offset 26); use tolerant=True to keep what was read"),
        (midi_file(chunk(*NOTE, (0, b"\x90\x3c"))), "track 1 of 1 ends inside a message (offset 32)"),
        (midi_file(chunk((0, b"\x3c\x40"))), "track 1 of 1 holds a data byte that no status byte precedes (offset 23)"),
        (midi_file(chunk((0, b"\x90\x3c\x80"))), "track 1 of 1 holds a data byte above 127 (offset 25)"),
        (midi_file(chunk((0, b"\xf4"))), "track 1 of 1 holds an undefined status byte (offset 23)"),
        (midi_file(b"MTrk\x00\x00\x00\x05\x81\x81\x81\x81\x00"), "holds a number longer than 4 bytes (offset 26)"),
        (midi_file(chunk(*NOTE), b""), "holds 1 of the 2 tracks that its header claims"),
    ],
)
def test_an_error_says_what_is_wrong_and_where(data: bytes, message: str) -> None:
    with pytest.raises(MIDIError) as caught:
        read_midi_bytes(data, name="bad.mid")
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_midi(tmp_path / "nowhere.mid")


def test_tolerance_keeps_what_stands_before_the_damage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "bad.mid"
    path.write_bytes(
        midi_file(chunk(*NOTE, (0, b"\xf4"), *NOTE), chunk((0, b"\x91\x3c\x40"), (9, b"\x3c\x00"), (0, END)))
    )
    music, dropped = read_midi_report(path)
    assert [len(track.notes) for track in music.tracks] == [1, 1]
    assert dropped == ["track 1 of 2 holds an undefined status byte (offset 30)"]
    with caplog.at_level(logging.WARNING):
        assert read_midi(path, tolerant=True) == music
    assert "bad.mid: track 1 of 2 holds an undefined status byte (offset 30); the rest was read" in caplog.text


def test_tolerance_finds_the_next_track_after_a_wrong_length() -> None:
    data = midi_file(b"MTrk\x00\x00\xff\xff" + chunk(*NOTE, (0, END))[8:], chunk(*NOTE, (0, END)))
    music = read_midi_bytes(data, tolerant=True)
    assert [len(track.notes) for track in music.tracks] == [1, 1]


def test_an_undamaged_file_has_nothing_to_report(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(every_message())
    assert read_midi_report(path) == (read_midi(path), [])
