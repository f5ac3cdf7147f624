"""Every function of MusPy does here what it does there.

The table has a case for each function in `muspy_names.json`. A case takes a module in the place of `muspy` and an empty
folder, and returns plain values, which must be the same of both. Where MusPy's release cannot do it on a present-day
Python, or does it wrong, the reason stands beside the case, with the values that are right.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import muspy_core
import numpy as np
import pytest
import yaml
from muspy_signatures import GOLDEN

Call = Callable[[ModuleType, Path], Any]


@dataclasses.dataclass(frozen=True)
class Case:
    """What a function does; alone: why MusPy cannot be asked; expected: the values that are right then."""

    call: Call
    alone: str = ""
    expected: Any = None


CASES: dict[str, Case] = {}
TABLE = json.loads(GOLDEN.read_text())
FUNCTIONS = sorted(name for name, found in {**TABLE["0.5.0"], **TABLE["head"]}.items() if found["kind"] == "function")


def case(alone: str = "", expected: Any = None) -> Callable[[Call], Call]:
    """Enter a case under the name of its function."""

    def entered(call: Call) -> Call:
        CASES[call.__name__] = Case(call, alone, expected)
        return call

    return entered


# --- what goes in and comes out -------------------------------------------------------------------------------------


def piece(m: ModuleType) -> Any:
    """Two tracks of half, quarter and eighth notes and what MusPy knows besides, in time steps that halve evenly."""
    melody = [m.Note(24 * i, 60 + 2 * i, 24, 60 + 8 * i) for i in range(8)]
    drums = [m.Note(48 * i, 36 + i % 2, 12, 100) for i in range(4)]
    return m.Music(
        metadata=m.Metadata(title="A piece", creators=["Somebody"]),
        resolution=24,
        tempos=[m.Tempo(0, 90), m.Tempo(96, 120)],
        key_signatures=[m.KeySignature(0, 7, "major")],
        time_signatures=[m.TimeSignature(0, 4, 4)],
        barlines=[m.Barline(0), m.Barline(96)],
        beats=[m.Beat(24 * i) for i in range(8)],
        lyrics=[m.Lyric(0, "la")],
        tracks=[m.Track(73, False, "Flute", melody), m.Track(0, True, "Drums", drums)],
    )


def tune(m: ModuleType) -> Any:
    """The first track of the piece alone, without lyrics."""
    music = piece(m)
    del music.tracks[1]
    music.lyrics = []
    return music


def plain(value: Any) -> Any:
    """Return objects of the data model as dictionaries of MusPy's attributes, arrays as lists, floats rounded."""
    if hasattr(value, "_attributes"):
        names = value._muspy_attributes() if hasattr(value, "_muspy_attributes") else value._attributes
        return {name: plain(getattr(value, name)) for name in names if plain(getattr(value, name)) not in (None, [])}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return [str(value.dtype), plain(value.tolist())]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return "nan" if math.isnan(value) else round(value, 9)
    if isinstance(value, (list, tuple)) or type(value).__name__ in ("EventList", "AnnotationView"):
        return [plain(item) for item in value]
    return value


def rows(music: Any) -> list[list[tuple[float, int, float]]]:
    """(onset, pitch, duration) in quarter notes, of each track."""
    scale = music.resolution
    return [[(note.time / scale, note.pitch, note.duration / scale) for note in track.notes] for track in music.tracks]


def mido_piece(m: ModuleType) -> Any:
    return pytest.importorskip("mido", reason="mido comes with the extra [interop]") and muspy_core.to_mido(
        piece(muspy_core)
    )


def music21_part() -> Any:
    music21 = pytest.importorskip("music21", reason="music21 comes with the extra [interop]")
    return music21.converter.parse("tinyNotation: 3/4 c4 d2 e4. f8 g4").flatten().makeMeasures()


def music21_score() -> Any:
    music21 = pytest.importorskip("music21", reason="music21 comes with the extra [interop]")
    part = music21_part()
    part.partName = "Voice"
    return music21.stream.Score([part])


def saved(m: ModuleType, folder: Path, name: str) -> Path:
    """A file of the piece, saved by our package."""
    muspy_core.save(folder / name, piece(muspy_core))
    return folder / name


def scored(folder: Path, name: str) -> Path:
    """A score file of the tune, written by our package."""
    muspy_core.write(folder / name, tune(muspy_core))
    return folder / name


@contextlib.contextmanager
def with_home(folder: Path) -> Iterator[None]:
    """Let a folder be the home of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setenv("USERPROFILE", str(folder))
        yield


# --- music.py, core.py ----------------------------------------------------------------------------------------------


@case()
def adjust_resolution(m: ModuleType, folder: Path) -> Any:
    return [plain(m.adjust_resolution(piece(m), 12)), plain(m.adjust_resolution(piece(m), factor=2))]


@case()
def adjust_time(m: ModuleType, folder: Path) -> Any:
    return plain(m.adjust_time(piece(m), lambda time: 2 * time + 1))


@case()
def append(m: ModuleType, folder: Path) -> Any:
    track = m.append(m.Track(), m.Note(0, 60, 1))
    return [plain(track), plain(m.append(m.append(piece(m), m.Beat(300)), m.Track(5)))]


@case()
def clip(m: ModuleType, folder: Path) -> Any:
    return [plain(m.clip(piece(m), 70, 90)), plain(m.clip(m.Note(0, 60, 1, 200)))]


@case()
def get_end_time(m: ModuleType, folder: Path) -> Any:
    return [m.get_end_time(piece(m)), m.get_end_time(piece(m).tracks[1]), m.get_end_time(m.Music())]


@case()
def get_real_end_time(m: ModuleType, folder: Path) -> Any:
    return plain([m.get_real_end_time(piece(m)), m.get_real_end_time(m.Music(tracks=piece(m).tracks))])


@case()
def remove_duplicate(m: ModuleType, folder: Path) -> Any:
    music = piece(m)
    music.tracks[0].notes.append(m.Note(0, 60, 24, 60))
    music.beats.append(m.Beat(0))
    return plain(m.remove_duplicate(music))


@case()
def sort(m: ModuleType, folder: Path) -> Any:
    track = m.Track(notes=[m.Note(5, 60, 1), m.Note(0, 72, 1), m.Note(5, 50, 1)])
    return plain(m.sort(track))


@case()
def to_ordered_dict(m: ModuleType, folder: Path) -> Any:
    found = [m.to_ordered_dict(piece(m)), m.to_ordered_dict(m.Note(0, 60, 1), skip_missing=False)]
    return json.dumps(found)


@case()
def transpose(m: ModuleType, folder: Path) -> Any:
    return [plain(m.transpose(piece(m), -3)), plain(m.transpose(m.Note(0, 60, 1), 2))]


# --- datasets, external ---------------------------------------------------------------------------------------------


@case()
def get_dataset(m: ModuleType, folder: Path) -> Any:
    return [m.get_dataset(key).__name__ for key in ("nmd", "LMD", "maestro", "hymnal-tune")]


@case(alone="there are more data sets here", expected=17)
def list_datasets(m: ModuleType, folder: Path) -> Any:
    names = {name for name, found in TABLE["0.5.0"].items() if name.endswith(("Dataset", "Database", "V1", "V2", "V3"))}
    return len({dataset.__name__ for dataset in m.list_datasets()} & names)


def places(name: str) -> None:
    @case()
    def call(m: ModuleType, folder: Path) -> Any:
        with with_home(folder):
            return Path(getattr(m, name)()).relative_to(folder).as_posix()

    CASES[name] = CASES.pop("call")


def kept(name: str, place: str) -> None:
    @case()
    def call(m: ModuleType, folder: Path) -> Any:
        with with_home(folder):
            path = getattr(m, place)()
            path.parent.mkdir(parents=True)
            path.write_bytes(b"there")
            return [getattr(m, name)(), path.read_bytes()]

    CASES[name] = CASES.pop("call")


for _thing in ("bravura_font", "musescore_soundfont"):
    places(f"get_{_thing}_dir")
    places(f"get_{_thing}_path")
    kept(f"download_{_thing}", f"get_{_thing}_path")


# --- inputs ---------------------------------------------------------------------------------------------------------

NOTE_ROWS = np.array([[0, 60, 24, 64], [24, 64, 12, 80], [24, 67, 12, 80]])
ROLL = np.zeros((5, 128), np.uint8)
ROLL[:3, 60], ROLL[2:4, 64] = 70, 80
CODES = np.array([372, 60, 279, 188, 364, 64, 267, 192])
PITCHES = np.array([60, 60, 129, 64, 128])


@case()
def from_event_representation(m: ModuleType, folder: Path) -> Any:
    return plain(m.from_event_representation(CODES, resolution=12, program=5, is_drum=True))


@case()
def from_note_representation(m: ModuleType, folder: Path) -> Any:
    return [
        plain(m.from_note_representation(NOTE_ROWS)),
        plain(m.from_note_representation(NOTE_ROWS, 12, 3, True, True)),
    ]


@case()
def from_pianoroll_representation(m: ModuleType, folder: Path) -> Any:
    binary = m.from_pianoroll_representation(ROLL > 0, encode_velocity=False, default_velocity=33)
    return [plain(m.from_pianoroll_representation(ROLL)), plain(binary)]


@case()
def from_pitch_representation(m: ModuleType, folder: Path) -> Any:
    return [plain(m.from_pitch_representation(PITCHES, use_hold_state=hold)) for hold in (True, False)]


@case()
def from_representation(m: ModuleType, folder: Path) -> Any:
    arrays = {"pitch": PITCHES, "piano-roll": ROLL, "event-based": CODES, "Note": NOTE_ROWS}
    return [plain(m.from_representation(array, kind)) for kind, array in arrays.items()]


@case()
def from_mido(m: ModuleType, folder: Path) -> Any:
    music = m.from_mido(mido_piece(m))
    return [plain(music.tracks), plain(music.tempos), plain(music.time_signatures), plain(music.lyrics)]


@case()
def from_object(m: ModuleType, folder: Path) -> Any:
    with pytest.raises(TypeError):
        m.from_object("music")
    return plain(m.from_object(mido_piece(m)).tracks)


@case()
def from_music21(m: ModuleType, folder: Path) -> Any:
    found = m.from_music21(music21_score())
    return [rows(found), [plain(item) for item in found.time_signatures]]


@case()
def from_music21_score(m: ModuleType, folder: Path) -> Any:
    return rows(m.from_music21_score(music21_score()))


@case()
def from_music21_part(m: ModuleType, folder: Path) -> Any:
    found = m.from_music21_part(music21_part(), 8)
    # A part is a list of tracks where music21 finds instruments in it; in a part without any, that depends on music21.
    (track,) = found if isinstance(found, list) else [found]
    return [(note.time, note.pitch, note.duration) for note in track.notes]


@case()
def from_music21_opus(m: ModuleType, folder: Path) -> Any:
    music21 = pytest.importorskip("music21", reason="music21 comes with the extra [interop]")
    return [rows(found) for found in m.from_music21_opus(music21.stream.Opus([music21_score(), music21_score()]))]


@case()
def from_pretty_midi(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("pretty_midi", reason="pretty_midi comes with the extra [interop]")
    found = m.from_pretty_midi(muspy_core.to_pretty_midi(tune(muspy_core)))
    return [(note.time, note.pitch, note.duration, note.velocity) for note in found.tracks[0].notes]


@case(alone="MusPy fails with NumPy 2", expected=[[(i, 60 + 2 * i, 1) for i in range(8)]])
def from_pypianoroll(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("pypianoroll", reason="pypianoroll comes with the extra [interop]")
    return rows(m.from_pypianoroll(muspy_core.to_pypianoroll(tune(muspy_core))))


@case(alone="MusPy gives all notes its default velocity", expected=[(0, 60, 3, 70), (2, 64, 2, 80)])
def from_pypianoroll_track(m: ModuleType, folder: Path) -> Any:
    pypianoroll = pytest.importorskip("pypianoroll", reason="pypianoroll comes with the extra [interop]")
    track = m.from_pypianoroll_track(pypianoroll.StandardTrack("x", 3, False, ROLL))
    return [(note.time, note.pitch, note.duration, note.velocity) for note in track.notes]


@case()
def load(m: ModuleType, folder: Path) -> Any:
    with pytest.raises(ValueError):
        m.load(folder / "piece.txt")
    return [plain(m.load(saved(m, folder, name))) for name in ("a.json", "a.json.gz", "a.yaml", "a.yml.gz")]


@case()
def load_json(m: ModuleType, folder: Path) -> Any:
    with open(saved(m, folder, "a.json"), encoding="utf-8") as file:
        return [plain(m.load_json(file)), plain(m.load_json(folder / "a.json"))]


@case()
def load_yaml(m: ModuleType, folder: Path) -> Any:
    with open(saved(m, folder, "a.yaml"), encoding="utf-8") as file:
        return [plain(m.load_yaml(file)), plain(m.load_yaml(folder / "a.yaml"))]


@case()
def read(m: ModuleType, folder: Path) -> Any:
    with pytest.raises(ValueError):
        m.read(folder / "piece.txt")
    return [rows(m.read(scored(folder, name))) for name in ("a.mid", "a.midi", "a.musicxml", "a.mxl")]


@case()
def read_midi(m: ModuleType, folder: Path) -> Any:
    music = m.read_midi(scored(folder, "a.mid"))
    return [music.resolution, plain(music.tracks), plain(music.tempos), music.metadata.title]


@case()
def read_musicxml(m: ModuleType, folder: Path) -> Any:
    music = m.read_musicxml(scored(folder, "a.xml"), resolution=48)
    return [rows(music), [barline.time for barline in music.barlines], music.metadata.title]


@case()
def read_musescore(m: ModuleType, folder: Path) -> Any:
    notes = "".join(
        f"<Chord><durationType>{kind}</durationType><Note><pitch>{pitch}</pitch><tpc>14</tpc></Note></Chord>"
        for kind, pitch in (("half", 60), ("quarter", 72), ("quarter", 48))
    )
    part = (
        '<Part><Staff id="1"/><trackName>P</trackName><Instrument><trackName>P</trackName>'
        '<Channel><program value="0"/></Channel></Instrument></Part>'
    )
    staff = (
        '<Staff id="1"><Measure><voice><TimeSig><sigN>4</sigN><sigD>4</sigD></TimeSig>'
        f"{notes}</voice></Measure></Staff>"
    )
    (folder / "a.mscx").write_text(
        f'<museScore version="3.01"><Score><Division>480</Division>{part}{staff}</Score></museScore>'
    )
    return rows(m.read_musescore(folder / "a.mscx"))


ABC = "X:1\nT:A tune\nM:4/4\nL:1/4\nK:G\nG A B c|d2 d2|\n"
TUNE = [[(0, 67, 1), (1, 69, 1), (2, 71, 1), (3, 72, 1), (4, 74, 2), (6, 74, 2)]]


@case()
def read_abc(m: ModuleType, folder: Path) -> Any:
    (folder / "a.abc").write_text(ABC)
    found = m.read_abc(folder / "a.abc")
    assert rows(found) == TUNE
    return [rows(found), plain(found.time_signatures)]


@case()
def read_abc_string(m: ModuleType, folder: Path) -> Any:
    return rows(m.read_abc_string(ABC, resolution=8))


# --- metrics --------------------------------------------------------------------------------------------------------

MEASURED = {
    "drum_in_pattern_rate": ("duple",),
    "empty_measure_rate": (96,),
    "groove_consistency": (96,),
    "pitch_in_scale_rate": (7, "major"),
}


def measured(name: str) -> None:
    @case()
    def call(m: ModuleType, folder: Path) -> Any:
        function, arguments = getattr(m, name), MEASURED.get(name, ())
        return plain([float(function(music, *arguments)) for music in (piece(m), tune(m), m.Music(tracks=[m.Track()]))])

    CASES[name] = CASES.pop("call")


for _metric in muspy_core.metrics.__all__:
    if _metric in FUNCTIONS:
        measured(_metric)


# --- outputs --------------------------------------------------------------------------------------------------------


@case()
def save(m: ModuleType, folder: Path) -> Any:
    m.save(folder / "a.json", piece(m))
    m.save(folder / "a.yaml", piece(m))
    with pytest.raises(ValueError):
        m.save(folder / "a.txt", piece(m))
    return [json.loads((folder / "a.json").read_text()), yaml.safe_load((folder / "a.yaml").read_text())]


@case()
def save_json(m: ModuleType, folder: Path) -> Any:
    m.save_json(folder / "a", m.Music(lyrics=[m.Lyric(0, "é")]), skip_missing=False, ensure_ascii=True)
    return json.loads((folder / "a").read_text())


@case()
def save_yaml(m: ModuleType, folder: Path) -> Any:
    with open(folder / "a", "w", encoding="utf-8") as file:
        m.save_yaml(file, piece(m))
    return yaml.safe_load((folder / "a").read_text())


@case()
def to_event_representation(m: ModuleType, folder: Path) -> Any:
    options = {"use_single_note_off_event": True, "use_end_of_sequence_event": True, "encode_velocity": True}
    return [plain(m.to_event_representation(piece(m))), plain(m.to_event_representation(piece(m), **options))]


@case()
def to_note_representation(m: ModuleType, folder: Path) -> Any:
    return [plain(m.to_note_representation(piece(m), use_start_end=ends)) for ends in (True, False)]


@case()
def to_pianoroll_representation(m: ModuleType, folder: Path) -> Any:
    return [plain(m.to_pianoroll_representation(piece(m), encode_velocity=velocity)) for velocity in (True, False)]


@case()
def to_pitch_representation(m: ModuleType, folder: Path) -> Any:
    return [plain(m.to_pitch_representation(tune(m), use_hold_state=hold)) for hold in (True, False)]


@case()
def to_representation(m: ModuleType, folder: Path) -> Any:
    with pytest.raises(ValueError):
        m.to_representation(piece(m), "video")
    return [plain(m.to_representation(piece(m), kind)) for kind in ("pitch", "Piano-Roll", "event", "note-based")]


@case()
def to_default_event_representation(m: ModuleType, folder: Path) -> Any:
    return plain(m.to_default_event_representation(piece(m)))


@case()
def to_performance_event_representation(m: ModuleType, folder: Path) -> Any:
    return plain(m.to_performance_event_representation(piece(m)))


@case()
def to_remi_event_representation(m: ModuleType, folder: Path) -> Any:
    return plain(m.to_remi_event_representation(tune(m)))


@case()
def to_mido(m: ModuleType, folder: Path) -> Any:
    midi = m.to_mido(piece(m))
    kinds = ("note_on", "note_off", "program_change", "set_tempo", "time_signature", "lyrics", "track_name")
    return [midi.type, midi.ticks_per_beat, [sorted(absolute(track, kinds)) for track in midi.tracks]]


def absolute(track: Any, kinds: tuple[str, ...]) -> list[tuple[int, str]]:
    """The messages of a mido track with their times, without what MusPy leaves to mido."""
    time, found = 0, []
    for message in track:
        time += message.time
        if message.type in kinds:
            found.append((time, str(message.copy(time=0))))
    return found


@case(alone="MusPy counts tempi in steps where music21 counts quarters", expected=[[0, 1, 2, 3, 4, 5, 6, 7], [0, 4]])
def to_music21(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("music21", reason="music21 comes with the extra [interop]")
    found = m.to_music21(tune(m)).flatten()
    marks = found.getElementsByClass("MetronomeMark")
    return [[float(note.offset) for note in found.notes], sorted({float(mark.offset) for mark in marks})]


@case()
def to_object(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("pypianoroll", reason="pypianoroll comes with the extra [interop]")
    with pytest.raises(ValueError):
        m.to_object(piece(m), "video")
    kinds = ("mido", "pretty_midi", "prettymidi", "pretty-midi", "pypianoroll", "music21")
    return [type(m.to_object(tune(m), kind)).__name__ for kind in kinds]


@case()
def to_pretty_midi(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("pretty_midi", reason="pretty_midi comes with the extra [interop]")
    music = tune(m)
    music.tempos = [m.Tempo(0, 120)]
    (track,) = m.to_pretty_midi(music).instruments
    return plain([[note.start, note.end, note.pitch, note.velocity] for note in track.notes] + [track.program])


@case()
def to_pypianoroll(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("pypianoroll", reason="pypianoroll comes with the extra [interop]")
    found = m.to_pypianoroll(tune(m))
    (track,) = found.tracks
    sounding = np.flatnonzero(track.pianoroll.any(axis=1)).tolist()
    return [found.resolution, found.name, track.name, track.program, sounding, int(track.pianoroll.sum())]


@case()
def write(m: ModuleType, folder: Path) -> Any:
    with pytest.raises(ValueError):
        m.write(folder / "a.txt", piece(m))
    m.write(folder / "a.mid", tune(m))
    return rows(muspy_core.read(folder / "a.mid"))


@case()
def write_midi(m: ModuleType, folder: Path) -> Any:
    mido = pytest.importorskip("mido", reason="mido comes with the extra [interop]")
    kinds = ("note_on", "note_off", "program_change", "set_tempo", "time_signature", "lyrics", "track_name")
    found = []
    for options in ({}, {"use_note_off_message": True}):
        m.write_midi(folder / "a.mid", piece(m), **options)
        found.append([sorted(absolute(track, kinds)) for track in mido.MidiFile(folder / "a.mid").tracks])
    return found


@case()
def write_musicxml(m: ModuleType, folder: Path) -> Any:
    with pytest.raises(ValueError):
        m.write_musicxml(folder / "a.txt", tune(m))
    m.write_musicxml(folder / "a.musicxml", tune(m))
    m.write_musicxml(folder / "a.mxl", tune(m))
    return [rows(muspy_core.read(folder / name)) for name in ("a.musicxml", "a.mxl")]


@case(alone="a name of MusPy's development version", expected=TUNE)
def write_abc(m: ModuleType, folder: Path) -> Any:
    (folder / "a.abc").write_text(ABC)
    m.write_abc(folder / "b.abc", muspy_core.read_abc(folder / "a.abc"), compact_repeats=False, bars_per_line=2)
    return rows(muspy_core.read_abc(folder / "b.abc"))


@case(alone="needs the program FluidSynth and a SoundFont that is not part of MusPy", expected=["int16", 2, True])
def synthesize(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("pretty_midi", reason="the SoundFont lies in pretty_midi's wheel")
    sound = m.synthesize(tune(m), rate=8000, gain=0.5)
    return [sound.dtype.name, sound.shape[1], bool(sound.any())]


@case(alone="needs the program FluidSynth and a SoundFont that is not part of MusPy", expected=[b"RIFF", b"fLaC"])
def write_audio(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("soundfile", reason="soundfile comes with the extra [render]")
    m.write_audio(folder / "a.wav", tune(m), rate=8000)
    m.write_audio(folder / "b", tune(m), "flac", rate=8000)
    return [(folder / name).read_bytes()[:4] for name in ("a.wav", "b")]


# --- schemas, visualization -----------------------------------------------------------------------------------------

NO_SCHEMAS = "MusPy's wheel lacks the schemas"


@case()
def get_json_schema_path(m: ModuleType, folder: Path) -> Any:
    return [type(m.get_json_schema_path()), Path(m.get_json_schema_path()).name]


@case()
def get_yaml_schema_path(m: ModuleType, folder: Path) -> Any:
    return [type(m.get_yaml_schema_path()), Path(m.get_yaml_schema_path()).name]


@case(alone="comes with the package musicxml here", expected=".xsd")
def get_musicxml_schema_path(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("musicxml", reason="musicxml comes with the extra [schema], from Python 3.11 on")
    return Path(m.get_musicxml_schema_path()).suffix


@case(alone=NO_SCHEMAS)
def validate_json(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("jsonschema", reason="jsonschema comes with the extra [schema]")
    return m.validate_json(saved(m, folder, "a.json"))


@case(alone=NO_SCHEMAS)
def validate_yaml(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("yamale", reason="yamale comes with the extra [schema]")
    return m.validate_yaml(saved(m, folder, "a.yaml"))


@case(alone=NO_SCHEMAS)
def validate_musicxml(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("musicxml", reason="musicxml comes with the extra [schema], from Python 3.11 on")
    return m.validate_musicxml(scored(folder, "a.musicxml"))


@case()
def show_score(m: ModuleType, folder: Path) -> Any:
    plotter = m.show_score(tune(m), figsize=(6, 2), clef="bass", font_path=font(folder))
    return [type(plotter).__name__, len(plotter.clefs), len(plotter.time_signatures), len(plotter.tempo_texts)]


@case(alone="the piano roll is a plot of our own", expected=["Axes", "ScorePlotter"])
def show(m: ModuleType, folder: Path) -> Any:
    with pytest.raises(ValueError):
        m.show(tune(m), "video")
    return [
        type(m.show(tune(m), "piano-roll")).__name__,
        type(m.show(tune(m), "score", font_path=font(folder))).__name__,
    ]


@case(alone="a plot of our own", expected=["Axes", "Bar"])
def show_pianoroll(m: ModuleType, folder: Path) -> Any:
    pytest.importorskip("matplotlib", reason="matplotlib comes with the extra [render]").use("Agg")
    axes = m.show_pianoroll(tune(m))
    return [type(axes).__name__, axes.get_xlabel()]


def font(folder: Path) -> Path:
    """A music font; matplotlib is told to draw without a screen."""
    pytest.importorskip("matplotlib", reason="matplotlib comes with the extra [render]").use("Agg")
    pytest.importorskip("verovio", reason="the font lies in verovio's wheel, which comes with the extra [render]")
    from muspy_core.rendering.score_glyphs import music_font

    return Path(shutil.copy(music_font(), folder))


# --- the tests ------------------------------------------------------------------------------------------------------


@pytest.fixture
def close_figures() -> Any:
    yield
    with contextlib.suppress(ImportError):
        import matplotlib.pyplot

        matplotlib.pyplot.close("all")


@pytest.fixture
def streams_as_muspy_knows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give music21's streams the property `flat` again, which MusPy uses and music21 10 has no more."""
    with contextlib.suppress(ImportError):
        from music21.stream import Stream

        if not hasattr(Stream, "flat"):
            monkeypatch.setattr(Stream, "flat", property(lambda stream: stream.flatten()), raising=False)


def test_every_function_has_a_case() -> None:
    assert sorted(CASES) == FUNCTIONS


@pytest.mark.usefixtures("close_figures", "streams_as_muspy_knows_them")
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name in CASES and not CASES[name].alone])
def test_it_does_what_it_does_in_muspy(name: str, muspy: ModuleType, tmp_path: Path) -> None:
    values = []
    for module in (muspy_core, muspy):
        folder = tmp_path / module.__name__
        folder.mkdir()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values.append(CASES[name].call(module, folder))
    assert values[0] == values[1]


@pytest.mark.usefixtures("close_figures")
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name in CASES and CASES[name].alone])
def test_it_does_what_is_documented(name: str, tmp_path: Path) -> None:
    assert CASES[name].call(muspy_core, tmp_path) == CASES[name].expected
