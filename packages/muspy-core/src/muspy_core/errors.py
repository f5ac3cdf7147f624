"""What can go wrong with content: one class for each kind of file or task.

Everything here derives from `ValueError`, so that code which catches `ValueError` keeps working; files that cannot be
opened raise the usual `OSError`.
"""

from __future__ import annotations


class MuspyError(ValueError):
    """Content that cannot be used; the message names the file, the value and what to do."""


class ABCError(MuspyError):
    """Bad ABC notation."""


class ArrowError(MuspyError):
    """An Arrow file that does not hold music, or music that does not fit its columns."""


class AudioError(MuspyError):
    """An audio file or buffer that cannot be used."""


class CacheError(MuspyError):
    """A cache of embeddings that is damaged, or was made by another model or preprocessing."""


class ClipError(MuspyError):
    """A CLIP model or its weights that cannot be used, or a query that it cannot read."""


class JSONError(MuspyError):
    """A JSON file that does not hold music."""


class KernError(MuspyError):
    """A bad Humdrum kern file."""


class MEIError(MuspyError):
    """A bad MEI file."""


class MediaError(MuspyError):
    """A video, sound or image that cannot be used, or a manifest or list of them that does not hold what it should."""


class MIDIError(MuspyError):
    """A bad MIDI file, or music that MIDI cannot hold."""


class MuseScoreError(MuspyError):
    """A bad MuseScore file."""


class MusicXMLError(MuspyError):
    """A bad MusicXML file, or music that MusicXML cannot hold."""


class RenderError(MuspyError):
    """Music that cannot be rendered, or a renderer or SoundFont that cannot be used."""


class RepresentationError(MuspyError):
    """An array that no music has as its representation, or music that a representation cannot hold."""


class NoNotesError(RepresentationError, RuntimeError):
    """Music without a note where at least one is needed; a `RuntimeError` too, as MusPy raises."""


class YAMLError(MuspyError):
    """A YAML file that does not hold music."""
