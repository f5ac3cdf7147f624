"""What must be equal after writing a piece and reading it again, format by format (tests, and tools/round_trips.py).

Each function takes what was read from a file and returns the names of what came back differently; none is a lossless
round trip.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import muspy_core
from midi_samples import as_mido_sees
from muspy_core import Music
from muspy_core.io.abc import abc_string, read_abc_string
from muspy_core.io.midi import midi_bytes, read_midi_bytes
from muspy_core.io.musicxml import musicxml_bytes, read_musicxml_bytes


def midi_differences(data: bytes) -> list[str]:
    """Compare a MIDI file with what is written after reading it, in mido's eyes (specification C2).

    Header, the sequence of messages of each track and channel, and the multiset of (tick, track, message).
    """
    before, after = as_mido_sees(data), as_mido_sees(midi_bytes(read_midi_bytes(data)))
    names = ("header", "sequences", "multiset")
    return [name for name, one, other in zip(names, before, after, strict=True) if one != other]


def musicxml_differences(music: Music) -> list[str]:
    """Compare a score, as written, with what is read from its MusicXML: every field of the data model."""
    data = musicxml_bytes(music)
    return field_differences(
        music, read_musicxml_bytes(data, music.metadata.source_filename or "", expand_repeats=False)
    )


def abc_differences(music: Music) -> list[str]:
    """Compare a tune, as written, with what is read from its ABC: every field of the data model."""
    text = abc_string(music, compact_repeats=False)
    again = read_abc_string(text, resolution=music.resolution, expand_repeats=False)
    assert isinstance(again, Music)
    again.metadata.source_filename = music.metadata.source_filename
    return field_differences(music, again)


def saved_differences(music: Music, kind: str) -> list[str]:
    """Compare a piece with what is loaded after saving it as "json" or "yaml"."""
    buffer = io.BytesIO()
    muspy_core.save(buffer, music, kind)
    buffer.seek(0)
    return field_differences(music, muspy_core.load(buffer, kind))


def arrow_differences(music: Music) -> list[str]:
    """Compare a piece with what is read after writing it to an Arrow file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.arrow"
        muspy_core.write_arrow(path, music)
        return field_differences(music, muspy_core.read_arrow(path)[0])


def field_differences(music: Music, again: Music) -> list[str]:
    """Return the names of the fields in which two pieces differ, those of their tracks as "tracks.notes"."""
    if music == again:
        return []
    before, after = music.to_ordered_dict(deepcopy=False), again.to_ordered_dict(deepcopy=False)
    differing = [name for name in {**before, **after} if name != "tracks" and before.get(name) != after.get(name)]
    tracks, others = before.get("tracks", []), after.get("tracks", [])
    if len(tracks) != len(others):
        return [*differing, "tracks"]
    named = {
        f"tracks.{name}"
        for one, other in zip(tracks, others, strict=True)
        for name in {**one, **other}
        if one.get(name) != other.get(name)
    }
    return differing + sorted(named)
