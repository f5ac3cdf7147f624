"""Every known defect of MusPy: a check that its release fails and that passes here.

A check takes a module in the place of `muspy` and an empty folder, and returns whether the defect is absent. On MusPy
it returns False or raises the error that is named; where no release shows the defect on a present-day Python, the
reason stands there instead and the check is made of our own package alone. (That MusPy's download of the Hymnal never
comes past a missing number cannot be shown without its site; `test_hymnal.py` has one that answers alike.)
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import tarfile
import urllib.error
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import muspy_core
import numpy as np
import pytest
from hostile_server import serving
from process_samples import folder_dataset

Check = Callable[[ModuleType, Path], bool]


@dataclasses.dataclass(frozen=True)
class Defect:
    """A check; error: what MusPy raises, "" if the check returns False there; hidden: why it cannot be shown."""

    check: Check
    error: str
    hidden: str


ERRORS = {error.__name__: error for error in (ValueError, AttributeError, KeyError, IndexError, FileNotFoundError)}
ERRORS["ContentTooShortError"] = urllib.error.ContentTooShortError
DEFECTS: dict[str, Defect] = {}


def defect(error: str = "", *, hidden: str = "") -> Callable[[Check], Check]:
    """Enter a check into the table."""

    def entered(check: Check) -> Check:
        DEFECTS[check.__name__] = Defect(check, error, hidden)
        return check

    return entered


def midi_file(path: Path, *tracks: list[Any], kind: int = 1) -> Path:
    """Write a MIDI file of mido's messages, 24 ticks a quarter note."""
    mido = pytest.importorskip("mido", reason="mido comes with the extra [interop]")
    file = mido.MidiFile(type=kind, ticks_per_beat=24)
    file.tracks.extend(mido.MidiTrack(track) for track in tracks)
    file.save(path)
    return path


def messages(path: Path) -> list[tuple[int, Any]]:
    """The messages of a MIDI file, each with its time in ticks."""
    mido = pytest.importorskip("mido", reason="mido comes with the extra [interop]")
    found = []
    for track in mido.MidiFile(path).tracks:
        time = 0
        for message in track:
            time += message.time
            found.append((time, message))
    return found


def on(note: int, time: int = 0, velocity: int = 64) -> Any:
    mido = pytest.importorskip("mido", reason="mido comes with the extra [interop]")
    return mido.Message("note_on", note=note, time=time, velocity=velocity)


def melody(m: ModuleType, **options: Any) -> Any:
    """A piece of four quarter notes."""
    notes = [m.Note(24 * i, 60 + i, 24, 40 + 20 * i) for i in range(4)]
    return m.Music(tracks=[m.Track(notes=notes)], **options)


def score(path: Path, *measures: str, divisions: str = "1", instrument: str = "", time: str = "") -> Path:
    """Write a MusicXML file of one part. measures: what stands in them; the first starts with its attributes."""
    first = f"<attributes><divisions>{divisions}</divisions>{time}</attributes>"
    body = "".join(
        f'<measure number="{number}">{first if number == 1 else ""}{content}</measure>'
        for number, content in enumerate(measures, 1)
    )
    path.write_text(
        f'<score-partwise version="4.0"><part-list><score-part id="P1"><part-name>P</part-name>{instrument}'
        f'</score-part></part-list><part id="P1">{body}</part></score-partwise>'
    )
    return path


def written(step: str, duration: str = "1", more: str = "", alter: str = "") -> str:
    """A note of a MusicXML file in octave 4."""
    pitch = f"<step>{step}</step>{f'<alter>{alter}</alter>' if alter else ''}<octave>4</octave>"
    return f"<note><pitch>{pitch}</pitch><duration>{duration}</duration>{more}</note>"


def meter(beats: str, beat_type: str) -> str:
    return f"<time><beats>{beats}</beats><beat-type>{beat_type}</beat-type></time>"


# --- MIDI -----------------------------------------------------------------------------------------------------------


@defect("ValueError")
def flat_major_keys_are_written(m: ModuleType, folder: Path) -> bool:
    for root in (3, 8, 10):
        m.write_midi(folder / "key.mid", melody(m, key_signatures=[m.KeySignature(0, root, "major")]))
        keys = [message.key for _, message in messages(folder / "key.mid") if message.type == "key_signature"]
        if keys != [{3: "Eb", 8: "Ab", 10: "Bb"}[root]]:
            return False
    return True


@defect()
def an_untitled_file_has_no_title(m: ModuleType, folder: Path) -> bool:
    return m.read_midi(midi_file(folder / "a.mid", [on(60), on(60, 24, 0)])).metadata.title is None


@defect()
def markers_are_written_at_their_time(m: ModuleType, folder: Path) -> bool:
    m.write_midi(folder / "a.mid", melody(m, annotations=[m.Annotation(48, "B", "marker")]))
    return [time for time, message in messages(folder / "a.mid") if message.type == "marker"] == [48]


@defect()
def markers_and_texts_survive(m: ModuleType, folder: Path) -> bool:
    mido = pytest.importorskip("mido", reason="mido comes with the extra [interop]")
    marks = [mido.MetaMessage("marker", text="A", time=0), mido.MetaMessage("text", text="dolce", time=24)]
    return survive(m, folder, marks, ("marker", "text"))


@defect()
def control_changes_survive(m: ModuleType, folder: Path) -> bool:
    mido = pytest.importorskip("mido", reason="mido comes with the extra [interop]")
    return survive(m, folder, [mido.Message("control_change", control=64, value=127, time=5)], ("control_change",))


@defect()
def bends_aftertouch_and_system_exclusive_survive(m: ModuleType, folder: Path) -> bool:
    mido = pytest.importorskip("mido", reason="mido comes with the extra [interop]")
    sent = [
        mido.Message("pitchwheel", pitch=-4096, time=3),
        mido.Message("aftertouch", value=3, time=3),
        mido.Message("polytouch", note=60, value=3, time=3),
        mido.Message("sysex", data=(1, 2, 3), time=3),
    ]
    return survive(m, folder, sent, tuple(message.type for message in sent))


def survive(m: ModuleType, folder: Path, sent: list[Any], kinds: tuple[str, ...]) -> bool:
    """Whether messages among notes are in the file again after it was read and written."""
    first = midi_file(folder / "a.mid", [on(60), *sent, on(60, 24, 0)])
    m.write_midi(folder / "b.mid", m.read_midi(first))
    expected, found = (
        [(time, str(message)) for time, message in messages(path) if message.type in kinds]
        for path in (first, folder / "b.mid")
    )
    return without_delta(found) == without_delta(expected) and len(found) == len(sent)


def without_delta(rows: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return sorted((time, text.rpartition("time=")[0]) for time, text in rows)


@defect()
def a_note_off_ends_all_notes_if_told_so(m: ModuleType, folder: Path) -> bool:
    path = midi_file(folder / "a.mid", [on(60), on(60, 10), on(60, 14, 0), on(72, 100), on(72, 24, 0)])
    notes = m.read_midi(path, duplicate_note_mode="all").tracks[0].notes
    return sorted((note.time, note.duration) for note in notes if note.pitch == 60) == [(0, 24), (10, 14)]


@defect()
def twenty_tracks_keep_their_channels_apart(m: ModuleType, folder: Path) -> bool:
    tracks = [m.Track(program=i, notes=[m.Note(0, 40 + i, 24)]) for i in range(20)]
    m.write_midi(folder / "a.mid", m.Music(tracks=tracks))
    mido = pytest.importorskip("mido", reason="mido comes with the extra [interop]")
    places = []
    for track in mido.MidiFile(folder / "a.mid").tracks:
        port = next((message.port for message in track if message.type == "midi_port"), 0)
        places += [(port, message.channel) for message in track if message.type == "program_change"]
    return len(places) == 20 == len(set(places))


@defect()
def the_resolution_given_to_from_pretty_midi_is_that_of_the_music(m: ModuleType, folder: Path) -> bool:
    pretty_midi = pytest.importorskip("pretty_midi", reason="pretty_midi comes with the extra [interop]")
    midi = pretty_midi.PrettyMIDI(initial_tempo=120, resolution=480)
    instrument = pretty_midi.Instrument(0)
    instrument.notes.append(pretty_midi.Note(64, 60, 0.5, 1.0))
    midi.instruments.append(instrument)
    music = m.from_pretty_midi(midi, resolution=480)
    return music.resolution == 480 and music.tracks[0].notes[0].time == 480


@defect()
def pretty_midi_gets_tempi_and_names(m: ModuleType, folder: Path) -> bool:
    music = melody(m, tempos=[m.Tempo(0, 60), m.Tempo(48, 90)])
    music.tracks[0].name = "Flute"
    midi = m.to_pretty_midi(music)
    _, tempi = midi.get_tempo_changes()
    return np.allclose(tempi, [60, 90]) and midi.instruments[0].name == "Flute"


# --- MusicXML -------------------------------------------------------------------------------------------------------


def round_trip(m: ModuleType, folder: Path, music: Any) -> Any:
    m.write_musicxml(folder / "a.musicxml", music)
    return m.read_musicxml(folder / "a.musicxml")


@defect()
def tempi_are_written_to_musicxml_where_they_are(m: ModuleType, folder: Path) -> bool:
    music = melody(m, tempos=[m.Tempo(0, 60), m.Tempo(48, 90)], time_signatures=[m.TimeSignature(0, 4, 4)])
    again = round_trip(m, folder, music)
    return [(tempo.time / again.resolution, tempo.qpm) for tempo in again.tempos] == [(0, 60), (2, 90)]


@defect()
def velocities_are_written_to_musicxml(m: ModuleType, folder: Path) -> bool:
    again = round_trip(m, folder, melody(m, time_signatures=[m.TimeSignature(0, 4, 4)]))
    return [note.velocity for note in again.tracks[0].notes] == [40, 60, 80, 100]


@defect()
def programs_are_written_to_musicxml(m: ModuleType, folder: Path) -> bool:
    music = melody(m, time_signatures=[m.TimeSignature(0, 4, 4)])
    music.tracks[0].program = 73
    return bool(round_trip(m, folder, music).tracks[0].program == 73)


@defect()
def the_resolution_survives_musicxml(m: ModuleType, folder: Path) -> bool:
    return bool(round_trip(m, folder, melody(m, time_signatures=[m.TimeSignature(0, 4, 4)])).resolution == 24)


@defect()
def programs_of_musicxml_count_from_one(m: ModuleType, folder: Path) -> bool:
    instrument = (
        '<score-instrument id="I1"><instrument-name>Piano</instrument-name></score-instrument>'
        '<midi-instrument id="I1"><midi-channel>1</midi-channel><midi-program>1</midi-program></midi-instrument>'
    )
    path = score(folder / "a.xml", written("C", "4"), instrument=instrument, time=meter("4", "4"))
    return bool(m.read_musicxml(path).tracks[0].program == 0)


@defect("ValueError")
def quarter_tones_are_read(m: ModuleType, folder: Path) -> bool:
    path = score(folder / "a.xml", written("C", alter="0.5") + written("D", alter="1.0"), time=meter("2", "4"))
    return m.read_musicxml(path).tracks[0].notes[1].pitch == 63


@defect("MusicXMLError")
def divisions_that_are_no_integers_are_read(m: ModuleType, folder: Path) -> bool:
    path = score(folder / "a.xml", written("C", "1.5") + written("D", "1.5"), divisions="1.5", time=meter("2", "4"))
    music = m.read_musicxml(path)
    return [note.time / music.resolution for note in music.tracks[0].notes] == [0, 1]


@defect("MusicXMLError")
def music_without_a_meter_is_read(m: ModuleType, folder: Path) -> bool:
    path = score(folder / "a.xml", written("C") + written("D"), time="<time><senza-misura/></time>")
    return [note.pitch for note in m.read_musicxml(path).tracks[0].notes] == [60, 62]


@defect()
def meters_of_several_fractions_are_read_whole(m: ModuleType, folder: Path) -> bool:
    both = "<time><beats>2</beats><beat-type>4</beat-type><beats>3</beats><beat-type>8</beat-type></time>"
    music = m.read_musicxml(score(folder / "a.xml", written("C", "7"), written("D", "7"), divisions="2", time=both))
    (signature,) = music.time_signatures
    return bool(signature.numerator / signature.denominator == 7 / 8)


@defect()
def dynamics_of_a_sound_are_percent_of_ninety(m: ModuleType, folder: Path) -> bool:
    path = score(folder / "a.xml", '<sound dynamics="100"/>' + written("C", "4"), time=meter("4", "4"))
    return bool(m.read_musicxml(path).tracks[0].notes[0].velocity == 90)


@defect()
def beats_follow_the_meter_they_are_in(m: ModuleType, folder: Path) -> bool:
    change = f"<attributes>{meter('6', '8')}</attributes>"
    bars = [written("C", "8")] * 2 + [change + written("D", "6"), written("D", "6")]
    music = m.read_musicxml(score(folder / "a.xml", *bars, divisions="2", time=meter("4", "4")))
    quarters = [beat.time / music.resolution for beat in music.beats]
    return quarters == [*range(8), *(8 + 0.5 * i for i in range(12))]


@defect("AttributeError")
def what_a_score_says_beyond_notes_is_read(m: ModuleType, folder: Path) -> bool:
    harmony = "<harmony><root><root-step>G</root-step></root><kind>dominant</kind></harmony>"
    mark = "<direction><direction-type><dynamics><f/></dynamics></direction-type></direction>"
    slurred = "<voice>1</voice><staff>1</staff><notations>%s</notations>"
    start = slurred % '<slur type="start" number="1"/><articulations><staccato/></articulations>'
    stop = slurred % '<slur type="stop" number="1"/>'
    path = score(
        folder / "a.xml", harmony + mark + written("C", more=start) + written("D", more=stop), time=meter("2", "4")
    )
    music = m.read_musicxml(path)
    track = music.tracks[0]
    return bool(
        music.chord_symbols[0].root == "G"
        and track.dynamics[0].dynamic == "f"
        and len(track.slurs) == 1
        and track.notes[0].articulations == ["staccato"]
        and track.notes[0].voice == 1
    )


@defect("ValueError")
def time_wise_scores_are_read(m: ModuleType, folder: Path) -> bool:
    (folder / "a.xml").write_text(
        '<score-timewise><part-list><score-part id="P1"><part-name>P</part-name></score-part></part-list>'
        f'<measure number="1"><part id="P1"><attributes><divisions>1</divisions></attributes>{written("C")}</part>'
        "</measure></score-timewise>"
    )
    return [note.pitch for note in m.read_musicxml(folder / "a.xml").tracks[0].notes] == [60]


# --- music21, pypianoroll -------------------------------------------------------------------------------------------


def parsed_melody() -> Any:
    music21 = pytest.importorskip("music21", reason="music21 comes with the extra [interop]")
    return music21.converter.parse("tinyNotation: 4/4 c4 d4 e4 f4")


@defect()
def the_resolution_given_to_from_music21_counts_everywhere(m: ModuleType, folder: Path) -> bool:
    music21 = pytest.importorskip("music21", reason="music21 comes with the extra [interop]")
    whole = music21.stream.Score([parsed_melody()])
    music = m.from_music21_score(whole, 480)
    return music.resolution == 480 and [note.time for note in music.tracks[0].notes] == [0, 480, 960, 1440]


@defect()
def music21_gets_quarters_not_steps(m: ModuleType, folder: Path) -> bool:
    music = melody(m, tempos=[m.Tempo(0, 60), m.Tempo(48, 90)], time_signatures=[m.TimeSignature(0, 4, 4)])
    found = m.to_music21(music).flatten()
    tempi = {float(mark.offset) for mark in found.getElementsByClass("MetronomeMark")}
    notes = [float(note.offset) for note in found.notes]
    return notes == [0, 1, 2, 3] and tempi == {0, 2}


@defect()
def velocities_of_a_roll_are_read(m: ModuleType, folder: Path) -> bool:
    pypianoroll = pytest.importorskip("pypianoroll", reason="pypianoroll comes with the extra [interop]")
    roll = np.zeros((4, 128), np.uint8)
    roll[:2, 60] = 99
    return [note.velocity for note in m.from_pypianoroll_track(pypianoroll.StandardTrack(pianoroll=roll)).notes] == [99]


@defect("IndexError")
def marks_at_the_end_are_inside_the_roll(m: ModuleType, folder: Path) -> bool:
    music = melody(m, beats=[m.Beat(96)], tempos=[m.Tempo(96, 60)])
    return len(m.to_pypianoroll(music).tracks) == 1


# --- the data model -------------------------------------------------------------------------------------------------


@defect()
def a_transposed_chord_has_the_new_pitches_only(m: ModuleType, folder: Path) -> bool:
    return list(m.Chord(0, [60, 64], 24).transpose(1).pitches) == [61, 65]


@defect()
def tracks_transpose_and_clip_their_chords(m: ModuleType, folder: Path) -> bool:
    track = m.Track(chords=[m.Chord(0, [60, 64], 24, 100)])
    track.transpose(2)
    track.clip(0, 80)
    return (list(track.chords[0].pitches), track.chords[0].velocity) == ([62, 66], 80)


@defect()
def a_drum_track_without_program_is_a_drum_track(m: ModuleType, folder: Path) -> bool:
    return m.Track(program=None, is_drum=True).is_drum is True


@defect()
def bar_lines_are_kept_unless_told_otherwise(m: ModuleType, folder: Path) -> bool:
    music = melody(m, time_signatures=[m.TimeSignature(0, 4, 4)], barlines=[m.Barline(7)])
    return [barline.time for barline in music.infer_barlines().barlines] == [7]


@defect()
def short_notes_keep_a_duration(m: ModuleType, folder: Path) -> bool:
    music = m.Music(resolution=24, tracks=[m.Track(notes=[m.Note(0, 60, 3), m.Note(12, 60, 3)])])
    return all(note.duration > 0 for note in music.adjust_resolution(4).tracks[0].notes)


@defect("FileNotFoundError")
def saved_music_conforms_to_the_json_schema(m: ModuleType, folder: Path) -> bool:
    pytest.importorskip("jsonschema", reason="jsonschema comes with the extra [schema]")
    notes, chords = [m.Note(0, 61, 24, 64, "C#")], [m.Chord(0, [60, 64], 24)]
    m.save(folder / "a.json", m.Music(tracks=[m.Track(notes=notes, chords=chords)]))
    m.validate_json(folder / "a.json")
    return True


@defect()
def the_schemas_are_installed(m: ModuleType, folder: Path) -> bool:
    return all(Path(path).is_file() for path in (m.get_json_schema_path(), m.get_yaml_schema_path()))


# --- representations and metrics ------------------------------------------------------------------------------------


@defect()
def music_is_left_as_it_is_by_remi(m: ModuleType, folder: Path) -> bool:
    music = melody(m, barlines=[m.Barline(0), m.Barline(96)])
    m.to_remi_event_representation(music)
    return bool(music.resolution == 24 and music.tracks[0].notes[1].time == 24)


@defect("KeyError")
def a_note_just_before_the_bar_line_has_a_position(m: ModuleType, folder: Path) -> bool:
    music = m.Music(resolution=24, barlines=[m.Barline(0), m.Barline(96)], tracks=[m.Track(notes=[m.Note(95, 60, 24)])])
    return len(m.to_remi_event_representation(music)) > 0


@defect()
def drums_alone_have_no_pitch_range(m: ModuleType, folder: Path) -> bool:
    return bool(m.pitch_range(m.Music(tracks=[m.Track(is_drum=True, notes=[m.Note(0, 36, 24)])])) == 0)


# --- data sets ------------------------------------------------------------------------------------------------------

TUNES = "X:1\nT:One\nM:4/4\nL:1/4\nK:C\nCDEF|\nX:2\nT:Two\nM:4/4\nL:1/4\nK:C\nGABc|\nCCCC|\n"


@defect()
def the_first_tune_of_a_book_is_found(m: ModuleType, folder: Path) -> bool:
    (folder / "book.abc").write_text(TUNES)
    return len(m.ABCFolderDataset(folder)) == 2


@defect()
def the_last_line_of_a_book_is_read(m: ModuleType, folder: Path) -> bool:
    (folder / "book.abc").write_text(f"% a book\n{TUNES}")
    return sum(len(track.notes) for track in m.ABCFolderDataset(folder)[-1].tracks) == 8


@defect("ValueError")
def shares_that_sum_to_one_are_accepted(m: ModuleType, folder: Path) -> bool:
    for number in range(10):
        m.save(folder / f"{number}.json", melody(m))
    parts = m.MusicDataset(folder).split(splits=(0.7, 0.2, 0.1), random_state=0)
    return [len(parts[name]) for name in ("train", "test", "validation")] == [7, 2, 1]


@defect()
def conversion_runs_in_processes(m: ModuleType, folder: Path) -> bool:
    for number in range(4):
        (folder / f"{number}.pid").write_text("x")
    dataset = folder_dataset(m, folder)
    dataset.convert(n_jobs=2)
    ids = {json.loads(path.read_text())["metadata"]["title"] for path in (folder / "_converted").glob("[0-9]*.json")}
    return len(ids) > 0 and str(os.getpid()) not in ids


@defect()
def a_folder_of_scores_is_left_clean(m: ModuleType, folder: Path) -> bool:
    (folder / "0.pid").write_text("x")
    folder_dataset(m, folder).convert()
    return not (folder / ".muspy.success").exists()


@defect(hidden="Python 3.14 refuses such archives itself" if sys.version_info >= (3, 14) else "")
def archives_write_only_below_their_folder(m: ModuleType, folder: Path) -> bool:
    root = folder / "root"
    root.mkdir()
    (folder / "outside").write_text("x")
    with tarfile.open(root / "a.tar", "w") as archive:
        archive.add(folder / "outside", "../escaped")
    dataset = remote_dataset(m, root, "http://localhost/", 0)
    with contextlib.suppress(OSError, ValueError):
        dataset.extract(verbose=False)
    return not (folder / "escaped").exists()


@defect("ContentTooShortError")
def a_broken_download_goes_on(m: ModuleType, folder: Path) -> bool:
    content = bytes(range(256)) * 2000
    with serving(content, "truncate") as server:
        remote_dataset(m, folder, server.url, len(content)).download(verbose=False)
    return (folder / "a.tar").read_bytes() == content


def remote_dataset(m: ModuleType, folder: Path, url: str, size: int) -> Any:
    """A data set of one archive, as it is before anything was downloaded."""
    source = {"filename": "a.tar", "url": url, "archive": True, "size": size or None, "md5": None, "sha256": None}
    cls = type("Remote", (m.RemoteDataset,), {"_sources": {"a": source}})
    dataset = cls.__new__(cls)
    dataset.root = folder
    return dataset


# --- the tests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DEFECTS)
def test_the_defect_is_absent_here(name: str, tmp_path: Path) -> None:
    assert DEFECTS[name].check(muspy_core, tmp_path)


@pytest.fixture
def streams_as_muspy_knows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give music21's streams the property `flat` again, which MusPy uses and music21 10 has no more."""
    with contextlib.suppress(ImportError):
        from music21.stream import Stream

        if not hasattr(Stream, "flat"):
            monkeypatch.setattr(Stream, "flat", property(lambda stream: stream.flatten()), raising=False)


@pytest.mark.parametrize("name", [name for name, found in DEFECTS.items() if not found.hidden])
@pytest.mark.usefixtures("streams_as_muspy_knows_them")
def test_the_check_finds_the_defect_in_muspy(name: str, muspy: ModuleType, tmp_path: Path) -> None:
    found = DEFECTS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not found.error:
            assert not found.check(muspy, tmp_path)
        else:
            with pytest.raises(getattr(muspy, found.error, None) or ERRORS[found.error]) as raised:
                found.check(muspy, tmp_path)
            assert raised.type.__name__ == found.error
