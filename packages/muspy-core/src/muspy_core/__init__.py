"""muspy-core: symbolic music for machine learning.

`import muspy_core as muspy` runs code written for MusPy. The data types are imported at once, everything else when
it is first used, so that the import stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from muspy_core.base import Base
from muspy_core.columns import EventList
from muspy_core.containers import ComplexBase
from muspy_core.errors import (
    ABCError,
    ArrowError,
    AudioError,
    JSONError,
    MIDIError,
    MuseScoreError,
    MusicXMLError,
    MuspyError,
    RenderError,
    YAMLError,
)
from muspy_core.events import (
    DEFAULT_SCHEMA_VERSION,
    DEFAULT_VELOCITY,
    Aftertouch,
    Annotation,
    Barline,
    Beat,
    Chord,
    ChordSymbol,
    Clef,
    ControlChange,
    Dynamic,
    KeySignature,
    Lyric,
    Marker,
    Metadata,
    MidiMessage,
    Note,
    NoteOff,
    Pedal,
    PitchBend,
    ProgramChange,
    Repeat,
    Slur,
    Tempo,
    Text,
    TimeSignature,
)
from muspy_core.music import Music, Track
from muspy_core.timing import DEFAULT_RESOLUTION, TempoMap

if TYPE_CHECKING:
    from muspy_core.audio import Audio, AudioClip
    from muspy_core.datasets import (
        ConcatDataset,
        Dataset,
        DatasetInfo,
        FolderDataset,
        MusicDataset,
        RemoteDataset,
        RemoteFolderDataset,
        RemoteMusicDataset,
    )
    from muspy_core.interop import (
        from_mido,
        from_music21,
        from_music21_opus,
        from_music21_part,
        from_music21_score,
        from_object,
        from_pretty_midi,
        from_pypianoroll,
        from_pypianoroll_track,
        from_symusic,
        to_mido,
        to_music21,
        to_object,
        to_pretty_midi,
        to_pypianoroll,
        to_symusic,
    )
    from muspy_core.io import load, read, save, write
    from muspy_core.io.abc import abc_string, read_abc, read_abc_string, write_abc
    from muspy_core.io.arrow import ArrowMusic, read_arrow, write_arrow
    from muspy_core.io.json import load_json, save_json
    from muspy_core.io.midi import read_midi, write_midi
    from muspy_core.io.musicxml import read_musicxml, write_musicxml
    from muspy_core.io.yaml import load_yaml, save_yaml
    from muspy_core.operations import (
        adjust_resolution,
        adjust_time,
        append,
        clip,
        extend,
        get_end_time,
        get_real_end_time,
        remove_duplicate,
        sort,
        to_ordered_dict,
        transpose,
    )
    from muspy_core.rendering import engrave, render, show_pianoroll, synthesize, view, write_audio

__version__ = "0.1.0"

_LAZY_MODULES = {
    "audio": ("Audio", "AudioClip"),
    "datasets": (
        "ConcatDataset",
        "Dataset",
        "DatasetInfo",
        "FolderDataset",
        "MusicDataset",
        "RemoteDataset",
        "RemoteFolderDataset",
        "RemoteMusicDataset",
    ),
    "interop": (
        "from_mido",
        "from_music21",
        "from_music21_opus",
        "from_music21_part",
        "from_music21_score",
        "from_object",
        "from_pretty_midi",
        "from_pypianoroll",
        "from_pypianoroll_track",
        "from_symusic",
        "to_mido",
        "to_music21",
        "to_object",
        "to_pretty_midi",
        "to_pypianoroll",
        "to_symusic",
    ),
    "io": ("load", "read", "save", "write"),
    "io.abc": ("abc_string", "read_abc", "read_abc_string", "write_abc"),
    "io.arrow": ("ArrowMusic", "read_arrow", "write_arrow"),
    "io.json": ("load_json", "save_json"),
    "io.midi": ("read_midi", "write_midi"),
    "io.musicxml": ("read_musicxml", "write_musicxml"),
    "io.yaml": ("load_yaml", "save_yaml"),
    "operations": (
        "adjust_resolution",
        "adjust_time",
        "append",
        "clip",
        "extend",
        "get_end_time",
        "get_real_end_time",
        "remove_duplicate",
        "sort",
        "to_ordered_dict",
        "transpose",
    ),
    "rendering": ("engrave", "render", "show_pianoroll", "synthesize", "view", "write_audio"),
}
_LAZY_NAMES = {name: module for module, names in _LAZY_MODULES.items() for name in names}

__all__ = [
    "DEFAULT_RESOLUTION",
    "DEFAULT_SCHEMA_VERSION",
    "DEFAULT_VELOCITY",
    "ABCError",
    "Aftertouch",
    "Annotation",
    "ArrowError",
    "ArrowMusic",
    "Audio",
    "AudioClip",
    "AudioError",
    "Barline",
    "Base",
    "Beat",
    "Chord",
    "ChordSymbol",
    "Clef",
    "ComplexBase",
    "ConcatDataset",
    "ControlChange",
    "Dataset",
    "DatasetInfo",
    "Dynamic",
    "EventList",
    "FolderDataset",
    "JSONError",
    "KeySignature",
    "Lyric",
    "MIDIError",
    "Marker",
    "Metadata",
    "MidiMessage",
    "MuseScoreError",
    "Music",
    "MusicDataset",
    "MusicXMLError",
    "MuspyError",
    "Note",
    "NoteOff",
    "Pedal",
    "PitchBend",
    "ProgramChange",
    "RemoteDataset",
    "RemoteFolderDataset",
    "RemoteMusicDataset",
    "RenderError",
    "Repeat",
    "Slur",
    "Tempo",
    "TempoMap",
    "Text",
    "TimeSignature",
    "Track",
    "YAMLError",
    "__version__",
    "abc_string",
    "adjust_resolution",
    "adjust_time",
    "append",
    "clip",
    "engrave",
    "extend",
    "from_mido",
    "from_music21",
    "from_music21_opus",
    "from_music21_part",
    "from_music21_score",
    "from_object",
    "from_pretty_midi",
    "from_pypianoroll",
    "from_pypianoroll_track",
    "from_symusic",
    "get_end_time",
    "get_real_end_time",
    "load",
    "load_json",
    "load_yaml",
    "read",
    "read_abc",
    "read_abc_string",
    "read_arrow",
    "read_midi",
    "read_musicxml",
    "remove_duplicate",
    "render",
    "save",
    "save_json",
    "save_yaml",
    "show_pianoroll",
    "sort",
    "synthesize",
    "to_mido",
    "to_music21",
    "to_object",
    "to_ordered_dict",
    "to_pretty_midi",
    "to_pypianoroll",
    "to_symusic",
    "transpose",
    "view",
    "write",
    "write_abc",
    "write_arrow",
    "write_audio",
    "write_midi",
    "write_musicxml",
]


def __getattr__(name: str) -> Any:
    module = _LAZY_NAMES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
