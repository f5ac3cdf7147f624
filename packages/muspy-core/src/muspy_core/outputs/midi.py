"""MusPy's `muspy.outputs.midi`: music → MIDI."""

from __future__ import annotations

from muspy_core.interop import to_mido, to_pretty_midi
from muspy_core.io.midi import write_midi

__all__ = ["to_mido", "to_pretty_midi", "write_midi"]
