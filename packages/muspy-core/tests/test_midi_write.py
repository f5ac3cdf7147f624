"""What music becomes as a MIDI file: MusPy's layout for new music, edits in place for music that was read."""

from __future__ import annotations

import io
from pathlib import Path
from types import ModuleType
from typing import Any

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from midi_samples import END, chunk, every_message, meta, midi_file
from muspy_core import (
    Annotation,
    Chord,
    ControlChange,
    KeySignature,
    Lyric,
    Marker,
    Metadata,
    MIDIError,
    MidiMessage,
    Music,
    Note,
    PitchBend,
    ProgramChange,
    Tempo,
    Text,
    TimeSignature,
    Track,
)
from muspy_core.io.midi import midi_bytes, read_midi, read_midi_bytes, write_midi

KEYS = ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"]


def as_mido(music: Music, **kwargs: Any) -> mido.MidiFile:
    return mido.MidiFile(file=io.BytesIO(midi_bytes(music, **kwargs)))


def messages(music: Music, midi_track: int, **kwargs: Any) -> list[str]:
    """The messages of a MIDI track without delta times."""
    return [
        str(message.copy(time=0)).removesuffix(" time=0") for message in as_mido(music, **kwargs).tracks[midi_track]
    ]


def piece(*notes: Note, **kwargs: Any) -> Music:
    return Music(tracks=[Track(notes=notes)], **kwargs)


# --- new music -----------------------------------------------------------------------------------------------------


def test_new_music_is_laid_out_as_by_muspy(tmp_path: Path, muspy: ModuleType) -> None:
    def build(library: Any) -> Any:
        tracks = [
            library.Track(i, i == 3, f"part {i}", [library.Note(0, 60 + i, 10), library.Note(10, 60 + i, 5, 80)])
            for i in range(12)
        ]
        return library.Music(
            metadata=library.Metadata(title="Title"),
            resolution=48,
            tempos=[library.Tempo(0, 99.5), library.Tempo(10, 120)],
            key_signatures=[library.KeySignature(0, 9, "minor")],
            time_signatures=[library.TimeSignature(0, 3, 4)],
            lyrics=[library.Lyric(10, "la")],
            annotations=[library.Annotation(12, "text")],
            tracks=tracks,
        )

    import muspy_core

    muspy.write_midi(tmp_path / "theirs.mid", build(muspy))
    write_midi(tmp_path / "ours.mid", build(muspy_core))
    theirs, ours = (mido.MidiFile(tmp_path / name) for name in ("theirs.mid", "ours.mid"))
    assert (ours.type, ours.ticks_per_beat, len(ours.tracks)) == (
        theirs.type,
        theirs.ticks_per_beat,
        len(theirs.tracks),
    )
    for track, expected in zip(ours.tracks, theirs.tracks, strict=True):
        assert _timed(track) == _timed(expected)


def _timed(track: mido.MidiTrack) -> list[tuple[int, str]]:
    tick, result = 0, []
    for message in track:
        tick += message.time
        if message.type != "end_of_track":  # MusPy puts it first among messages of the last tick
            result.append((tick, str(message.copy(time=0))))
    return sorted(result)


@pytest.mark.parametrize(("fifths", "name"), list(zip(range(-7, 8), KEYS, strict=True)))
def test_all_keys_are_written(fifths: int, name: str) -> None:
    music = Music(key_signatures=[KeySignature(0, 7 * fifths % 12, "major", fifths)])
    assert as_mido(music).tracks[0][0].key == name
    minor = Music(key_signatures=[KeySignature(0, (7 * fifths + 9) % 12, "minor", fifths)])
    assert read_midi_bytes(midi_bytes(minor)).key_signatures == minor.key_signatures


@pytest.mark.parametrize("root", range(12))
def test_keys_without_fifths_get_their_simplest_signature(root: int) -> None:
    key = as_mido(Music(key_signatures=[KeySignature(0, root, "major")])).tracks[0][0].key
    assert key == ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"][root]


def test_edited_keys_and_modes_are_written_as_they_are_now() -> None:
    music = Music(
        key_signatures=[
            KeySignature(0, 2, "major", 0),  # the keynote was changed, the signature not
            KeySignature(1, 2, "dorian"),
            KeySignature(2, 6, "major", root_str="F#"),
            KeySignature(3, fifths=-4),
            KeySignature(4),
        ]
    )
    assert [m.key for m in as_mido(music).tracks[0] if m.type == "key_signature"] == ["D", "C", "F#", "Ab"]


def test_settings_come_before_notes_and_ends_before_onsets() -> None:
    track = Track(
        program=5,
        notes=[Note(0, 60, 4), Note(4, 60, 4), Note(4, 61, 0), Note(4, 61, 2)],
        control_changes=[ControlChange(4, 7, 100)],
        pitch_bends=[PitchBend(4, -8192)],
    )
    assert [text.split(" channel=0 ")[-1] for text in messages(Music(tracks=[track]), 1)[1:-1]] == [
        *["note=60 velocity=64", "control=7 value=100", "pitch=-8192", "note=60 velocity=0"],
        *["note=61 velocity=64", "note=61 velocity=0", "note=60 velocity=64", "note=61 velocity=64"],
        *["note=61 velocity=0", "note=60 velocity=0"],
    ]


def test_everything_new_is_read_back() -> None:
    music = Music(
        metadata=Metadata(title="Title", copyright="(c)"),
        resolution=480,
        tempos=[Tempo(0, 120.0), Tempo(7, 60.0)],
        time_signatures=[TimeSignature(0, 6, 8, clocks_per_click=36)],
        markers=[Marker(3, "A"), Marker(3, "lights", "cue")],
        texts=[Text(0, "hello"), Text(1, "flute", "instrument")],
        midi_messages=[MidiMessage(2, b"\xf0\x01\xf7")],
        tracks=[
            Track(40, name="Violin", notes=[Note(0, 60, 5), Note(1, 62, 0)], lyrics=[Lyric(1, "la")], bank=130),
            Track(0, True, "Drums", [Note(3, 36, 1, off_velocity=9)], program_changes=[ProgramChange(2, 16)]),
        ],
    )
    again = read_midi_bytes(midi_bytes(music))
    for name in ("resolution", "tempos", "time_signatures", "markers", "texts"):
        assert getattr(again, name) == getattr(music, name)
    assert MidiMessage(2, b"\xf0\x01\xf7") in again.midi_messages
    assert (again.metadata.title, again.metadata.copyright) == ("Title", "(c)")
    assert again.lyrics == [Lyric(1, "la", midi_track=1)]
    violin, drums = (
        next(track for track in again.tracks if track.name == name and track.notes) for name in ("Violin", "Drums")
    )
    assert (violin.program, violin.bank, violin.notes) == (40, 130, music.tracks[0].notes)
    assert (drums.is_drum, drums.program) == (True, 16)  # that of the note
    assert drums.program_changes == [ProgramChange(0, 0), ProgramChange(2)]
    assert (drums.off_kind, drums.off_velocity) == ("note_off", 9)


def test_banks_are_chosen_before_programs() -> None:
    track = Track(5, control_changes=[ControlChange(0, 7, 100), ControlChange(0, 0, 1), ControlChange(0, 32, 2)])
    kinds = [text.split(" channel=0 ")[-1] for text in messages(Music(tracks=[track]), 1)[:-1]]
    assert kinds == ["control=0 value=1", "control=32 value=2", "program=5", "control=7 value=100"]
    assert messages(Music(tracks=[Track(5, bank=130)]), 1) == messages(
        Music(tracks=[Track(5, control_changes=track.control_changes[1:])]), 1
    )


def test_music_that_lost_its_file_order_keeps_its_messages() -> None:
    music = read_midi_bytes(every_message())
    again = read_midi_bytes(midi_bytes(Music.from_dict(music.to_ordered_dict())))
    assert sorted((t.midi_track, t.channel, t.program, len(t.notes)) for t in again.tracks if t.notes) == sorted(
        (t.midi_track, t.channel, t.program, len(t.notes)) for t in music.tracks if t.notes
    )
    kept, expected = ([m.data for m in piece.midi_messages if m.data != END[:2]] for piece in (again, music))
    assert sorted(kept) == sorted(expected)  # ends of tracks move behind the last message


def test_chords_are_written_as_notes() -> None:
    track = Track(chords=[Chord(0, [60, 64], 4, 80), Chord(4, [67], 2)])
    assert read_midi_bytes(midi_bytes(Music(tracks=[track]))).tracks[0].notes == [
        *[Note(0, 60, 4, 80), Note(0, 64, 4, 80), Note(4, 67, 2)]
    ]


def test_markers_among_annotations_keep_their_time() -> None:
    music = Music(annotations=[Annotation(9, "A", "marker"), Annotation(3, "hello"), Annotation(3, {"no": "text"})])
    again = read_midi_bytes(midi_bytes(music))
    assert (again.markers, again.texts) == ([Marker(9, "A")], [Text(3, "hello")])


def test_many_tracks_are_spread_over_ports_and_never_collide() -> None:
    music = Music(tracks=[Track(i % 128, notes=[Note(0, 60, 1)]) for i in range(40)])
    again = read_midi_bytes(midi_bytes(music))
    assert len({(track.port, track.channel) for track in again.tracks}) == 40
    assert 9 not in {track.channel for track in again.tracks}
    assert again.tracks[0].port is None


def test_notes_end_as_they_say() -> None:
    notes = [Note(0, 60, 1), Note(1, 60, 1, off_kind="note_off"), Note(2, 60, 1, off_velocity=3)]
    ends = [m for m in as_mido(piece(*notes)).tracks[1] if m.type == "note_off" or not getattr(m, "velocity", 1)]
    assert [(m.type, m.velocity) for m in ends] == [("note_on", 0), ("note_off", 64), ("note_off", 3)]
    assert "note_off channel=0 note=60 velocity=64" in messages(piece(Note(0, 60, 1)), 1, use_note_off_message=True)
    assert len(messages(piece(Note(0, 60, 1, off_kind="open")), 1)) == 3


def test_silent_notes_are_written_as_quiet_ones() -> None:
    assert read_midi_bytes(midi_bytes(piece(Note(0, 60, 1, 0)))).tracks[0].notes == [Note(0, 60, 1, 1)]


def test_empty_music_is_a_valid_file() -> None:
    assert [message.type for message in as_mido(Music()).tracks[0]] == ["end_of_track"]


# --- music that was read -------------------------------------------------------------------------------------------

SONG = midi_file(
    chunk((0, meta(0x03, b"Song")), (0, meta(0x02, b"1897")), (0, END)),
    chunk((0, meta(0x03, b"Piano")), (0, b"\xc0\x05"), (0, b"\x90\x3c\x40"), (9, b"\x3c\x00"), (100, END)),
    chunk((0, meta(0x21, b"\x01")), (0, b"\x91\x3c\x40"), (9, b"\x3c\x00"), (0, END)),
)


def test_editing_the_program_edits_the_file() -> None:
    music = read_midi_bytes(SONG)
    music.tracks[0].program, music.tracks[1].program = 7, 8
    assert [track.program for track in read_midi_bytes(midi_bytes(music)).tracks] == [7, 8]


def test_editing_names_title_copyright_and_port_edits_the_file() -> None:
    music = read_midi_bytes(SONG)
    music.metadata.title, music.metadata.copyright = "Other", "1901"
    music.tracks[0].name, music.tracks[1].name, music.tracks[1].port = "Organ", "New", 3
    again = read_midi_bytes(midi_bytes(music))
    assert (again.metadata.title, again.metadata.copyright) == ("Other", "1901")
    assert [(track.name, track.port) for track in again.tracks] == [("Organ", None), ("New", 3)]
    music.metadata.title = music.metadata.copyright = music.tracks[0].name = None
    again = read_midi_bytes(midi_bytes(music))
    assert (again.metadata.title, again.metadata.copyright, again.tracks[0].name) == (None, None, None)


def test_new_notes_go_among_the_old_ones() -> None:
    music = read_midi_bytes(SONG)
    music.tracks[0].notes.append(Note(200, 62, 50))
    again = read_midi_bytes(midi_bytes(music))
    assert again.tracks[0].notes == music.tracks[0].notes
    assert as_mido(music).tracks[1][-1].type == "end_of_track"


def test_new_tracks_get_midi_tracks_and_channels_of_their_own() -> None:
    music = read_midi_bytes(SONG)
    music.tracks.append(Track(33, name="Bass", notes=[Note(0, 40, 4)]))
    again = read_midi_bytes(midi_bytes(music))
    bass = again.tracks[-1]
    assert (bass.name, bass.program, bass.midi_track) == ("Bass", 33, 3)
    assert (bass.port or 0, bass.channel) not in {(track.port or 0, track.channel) for track in again.tracks[:-1]}


def test_pieces_put_together_do_not_share_channels() -> None:
    music, other = read_midi_bytes(SONG), read_midi_bytes(SONG)
    other.tracks[0].program = 40
    music.extend(other)
    music.tracks.append(music.tracks[1].deepcopy())
    again = read_midi_bytes(midi_bytes(music))
    assert [track.notes for track in again.tracks] == [track.notes for track in music.tracks]
    assert [track.program for track in again.tracks] == [5, 0, 40, 0, 0]
    assert len({(track.port or 0, track.channel) for track in again.tracks}) == 5
    for track in as_mido(music).tracks:
        assert [message.type for message in track].index("end_of_track") == len(track) - 1


def test_a_track_added_to_format_0_makes_it_format_1() -> None:
    music = read_midi_bytes(midi_file(chunk((0, b"\x90\x3c\x40"), (9, b"\x3c\x00"), (0, END)), midi_format=0))
    assert as_mido(music).type == 0
    music.tracks.append(Track(notes=[Note(0, 40, 4)]))
    assert as_mido(music).type == 1


def test_a_change_of_resolution_is_written() -> None:
    music = read_midi_bytes(every_message()).adjust_resolution(48)
    again = read_midi_bytes(midi_bytes(music))
    assert again.resolution == 48
    assert [track.notes for track in again.tracks] == [track.notes for track in music.tracks]
    smpte = read_midi_bytes(midi_file(chunk((500, b"\x90\x3c\x40"), (0, END)), division=-25 * 256 + 40))
    assert as_mido(smpte).ticks_per_beat == -25 * 256 + 40
    assert as_mido(smpte.adjust_resolution(100)).ticks_per_beat == 100


def test_tracks_of_another_piece_are_laid_out_anew() -> None:
    source = read_midi_bytes(SONG)
    music = Music(resolution=480, tracks=[source.tracks[1], source.tracks[0]])
    again = read_midi_bytes(midi_bytes(music))
    assert [(track.midi_track, track.channel) for track in again.tracks] == [(1, 0), (2, 1)]
    assert [track.notes for track in again.tracks] == [track.notes for track in music.tracks]


_note = st.builds(Note, st.integers(0, 50), st.integers(0, 127), st.integers(0, 20), st.integers(1, 127))


@given(st.lists(_note, max_size=20, unique_by=lambda note: note.pitch))
def test_notes_survive(notes: list[Note]) -> None:
    again = read_midi_bytes(midi_bytes(piece(*notes)))
    expected = sorted(notes, key=lambda note: (note.time, note.pitch))
    assert (again.tracks[0].notes if again.tracks else []) == expected


# --- what MIDI cannot hold -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("music", "message"),
    [
        (piece(Note(0, 60, 1), Note(0, 130, 1)), "track 0, note 1: pitch is 130"),
        (Music(tracks=[Track(name="Lead", notes=[Note(-1, 60, 1)])]), "track 0 (Lead), note 0: time is -1"),
        (piece(Note(0, 60, 1, 200)), "note 0: velocity is 200"),
        (piece(Note(0, 60, -5)), "note 0: duration is -5"),
        (Music(tracks=[Track(program=200)]), "track 0: program is 200"),
        (Music(tracks=[Track(pitch_bends=[PitchBend(0, 9000)])]), "pitch bend 0: value is 9000"),
        (Music(tempos=[Tempo(0, 3.0)]), "tempos[0]: qpm=3.0 is not 3.576 to 60,000,000"),
        (Music(tempos=[Tempo(0, 0.0)]), "tempos[0]: qpm=0.0"),
        (Music(time_signatures=[TimeSignature(0, 4, 3)]), "time_signatures[0]: 4/3"),
        (Music(resolution=40000), "resolution=40000 is not 1 to 32767"),
        (Music(charset="latin-1", texts=[Text(0, "桜")]), "texts[0]: '桜' cannot be written in latin-1"),
        (Music(midi_messages=[MidiMessage(0, b"\x90\x3c")]), "midi_messages[0]: 90 3c is not a MIDI message"),
        (piece(Note(2**30, 60, 1)), "1,073,741,824 steps between two messages"),
    ],
)
def test_what_midi_cannot_hold_is_refused_by_name(music: Music, message: str) -> None:
    with pytest.raises(MIDIError) as caught:
        midi_bytes(music)
    assert message in str(caught.value)


def test_files_are_whole_or_untouched(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    write_midi(path, piece(Note(0, 60, 1)))
    before = path.read_bytes()
    with pytest.raises(MIDIError):
        write_midi(path, piece(Note(0, 999, 1)))
    with pytest.raises(FileExistsError):
        write_midi(path, Music(), overwrite=False)
    with pytest.raises(ValueError, match="symusic"):
        write_midi(path, Music(), "symusic")
    assert [item.name for item in tmp_path.iterdir()] == ["song.mid"]
    assert path.read_bytes() == before
    assert read_midi(path).tracks[0].notes == [Note(0, 60, 1)]
