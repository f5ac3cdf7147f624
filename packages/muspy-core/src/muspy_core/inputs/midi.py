"""MusPy's `muspy.inputs.midi`: MIDI → music."""

from __future__ import annotations

from muspy_core.errors import MIDIError
from muspy_core.interop import from_mido, from_pretty_midi
from muspy_core.io.midi import read_midi

__all__ = ["MIDIError", "from_mido", "from_pretty_midi", "read_midi"]
