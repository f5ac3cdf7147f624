"""MusPy's `muspy.inputs`: everything that makes music of files, objects and arrays, under MusPy's module names."""

from __future__ import annotations

from muspy_core.inputs.abc import read_abc, read_abc_string
from muspy_core.inputs.event import from_event_representation
from muspy_core.inputs.json import load_json
from muspy_core.inputs.midi import MIDIError, from_mido, from_pretty_midi, read_midi
from muspy_core.inputs.musescore import MuseScoreError, read_musescore
from muspy_core.inputs.music21 import from_music21, from_music21_opus, from_music21_part, from_music21_score
from muspy_core.inputs.musicxml import MusicXMLError, read_musicxml
from muspy_core.inputs.note import from_note_representation
from muspy_core.inputs.pianoroll import from_pianoroll_representation, from_pypianoroll, from_pypianoroll_track
from muspy_core.inputs.pitch import from_pitch_representation
from muspy_core.inputs.wrappers import from_object, from_representation, load, read
from muspy_core.inputs.yaml import load_yaml

__all__ = [
    "MIDIError",
    "MuseScoreError",
    "MusicXMLError",
    "from_event_representation",
    "from_mido",
    "from_music21",
    "from_music21_opus",
    "from_music21_part",
    "from_music21_score",
    "from_note_representation",
    "from_object",
    "from_pianoroll_representation",
    "from_pitch_representation",
    "from_pretty_midi",
    "from_pypianoroll",
    "from_pypianoroll_track",
    "from_representation",
    "load",
    "load_json",
    "load_yaml",
    "read",
    "read_abc",
    "read_abc_string",
    "read_midi",
    "read_musescore",
    "read_musicxml",
]
