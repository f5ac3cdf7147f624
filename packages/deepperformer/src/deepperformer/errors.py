"""What can go wrong: one class for each kind of content (all derive from muspy-core's `MuspyError`, a ValueError)."""

from __future__ import annotations

from muspy_core.errors import MuspyError


class NotesError(MuspyError):
    """A score without notes that can be played, or a file of note rows or timings that is damaged."""


class AlignmentError(MuspyError):
    """A score and a recording that cannot be aligned."""


class MelError(MuspyError):
    """Sound too short for a spectrogram, or a spectrogram that another definition made."""


class DataError(MuspyError):
    """A folder that holds no data set, or no prepared data."""


class ModelError(MuspyError):
    """An unknown model, or model files that cannot be used."""


class PerformError(MuspyError):
    """A score or an option that cannot be performed."""
