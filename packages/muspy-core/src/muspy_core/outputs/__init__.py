"""MusPy's `muspy.outputs`: everything that makes files, objects and arrays of music, under MusPy's module names."""

from __future__ import annotations

from muspy_core.outputs.abc import write_abc
from muspy_core.outputs.audio import synthesize, write_audio
from muspy_core.outputs.event import (
    to_default_event_representation,
    to_event_representation,
    to_performance_event_representation,
    to_remi_event_representation,
)
from muspy_core.outputs.json import save_json
from muspy_core.outputs.midi import to_mido, to_pretty_midi, write_midi
from muspy_core.outputs.music21 import to_music21
from muspy_core.outputs.musicxml import write_musicxml
from muspy_core.outputs.note import to_note_representation
from muspy_core.outputs.pianoroll import to_pianoroll_representation, to_pypianoroll
from muspy_core.outputs.pitch import to_pitch_representation
from muspy_core.outputs.wrappers import save, to_object, to_representation, write
from muspy_core.outputs.yaml import save_yaml

__all__ = [
    "save",
    "save_json",
    "save_yaml",
    "synthesize",
    "to_default_event_representation",
    "to_event_representation",
    "to_mido",
    "to_music21",
    "to_note_representation",
    "to_object",
    "to_performance_event_representation",
    "to_pianoroll_representation",
    "to_pitch_representation",
    "to_pretty_midi",
    "to_pypianoroll",
    "to_remi_event_representation",
    "to_representation",
    "write",
    "write_abc",
    "write_audio",
    "write_midi",
    "write_musicxml",
]
