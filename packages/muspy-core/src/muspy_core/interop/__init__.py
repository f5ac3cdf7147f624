"""Objects of other music libraries ⇄ Music (music → interop); a library is imported when one of its objects is met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muspy_core.interop.mido import from_mido, to_mido
from muspy_core.interop.music21 import (
    from_music21,
    from_music21_opus,
    from_music21_part,
    from_music21_score,
)
from muspy_core.interop.music21_writer import to_music21
from muspy_core.interop.muspy import from_muspy, to_muspy
from muspy_core.interop.pretty_midi import from_pretty_midi, to_pretty_midi
from muspy_core.interop.pypianoroll import from_pypianoroll, from_pypianoroll_track, to_pypianoroll
from muspy_core.interop.symusic import from_symusic, to_symusic

if TYPE_CHECKING:
    from muspy_core.music import Music

__all__ = [
    "from_mido",
    "from_music21",
    "from_music21_opus",
    "from_music21_part",
    "from_music21_score",
    "from_muspy",
    "from_object",
    "from_pretty_midi",
    "from_pypianoroll",
    "from_pypianoroll_track",
    "from_symusic",
    "to_mido",
    "to_music21",
    "to_muspy",
    "to_object",
    "to_pretty_midi",
    "to_pypianoroll",
    "to_symusic",
]

_WRITERS = {
    "music21": to_music21,
    "mido": to_mido,
    "pretty_midi": to_pretty_midi,
    "prettymidi": to_pretty_midi,
    "pretty-midi": to_pretty_midi,
    "pypianoroll": to_pypianoroll,
    "symusic": to_symusic,
    "muspy": to_muspy,
}


def from_object(obj: Any, **kwargs: Any) -> Any:
    """Return an object of another library as Music (a music21 Opus as a list; a single part or track as Track).

    Args:
        obj: A music21 stream, a mido MidiFile, a PrettyMIDI, a pypianoroll Multitrack or Track, a symusic Score, or any
            object of MusPy.
        **kwargs: Options of the library's own function (`from_music21`, `from_mido`, …).

    Raises TypeError for any other object.
    """
    libraries = {cls.__module__.partition(".")[0] for cls in type(obj).__mro__}
    if "music21" in libraries:
        return from_music21(obj, **kwargs)
    if "mido" in libraries:
        return from_mido(obj, **kwargs)
    if "pretty_midi" in libraries:
        return from_pretty_midi(obj, **kwargs)
    if "pypianoroll" in libraries:
        is_whole = hasattr(obj, "tracks")
        return from_pypianoroll(obj, **kwargs) if is_whole else from_pypianoroll_track(obj, **kwargs)
    if "symusic" in libraries:
        return from_symusic(obj, **kwargs)
    if "muspy" in libraries:
        return from_muspy(obj)
    raise TypeError(
        f"cannot make music of a {type(obj).__module__}.{type(obj).__qualname__}; known are objects of music21, mido, "
        "pretty_midi, pypianoroll, symusic and MusPy"
    )


def to_object(music: Music, kind: str, **kwargs: Any) -> Any:
    """Return music as an object of another library.

    Args:
        music: The music.
        kind: "music21", "mido", "pretty_midi" (also "prettymidi", "pretty-midi"), "pypianoroll", "symusic" or "muspy".
        **kwargs: Options of the library's own function (`to_music21`, `to_mido`, …).

    Raises ValueError for another kind.
    """
    writer = _WRITERS.get(kind.lower())
    if writer is None:
        raise ValueError(f"`kind` must be one of {', '.join(_WRITERS)}, got {kind!r}")
    return writer(music, **kwargs)
