"""Music → MIDI files (the other direction of midi.py): the public functions, and the place of each track.

Music read from a MIDI file goes back to its MIDI tracks and channels, and its messages to their places. Music from
anywhere else gets MusPy's layout: a first MIDI track for what belongs to the piece, then one for each track.
`_midi_meta.py` writes what belongs to the piece, `_midi_channels.py` the tracks; `_midi_messages.py` puts all messages
in order and turns them into bytes.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import EventList
from muspy_core.errors import MIDIError
from muspy_core.io._midi_channels import DRUM_CHANNEL, Place, add_tracks
from muspy_core.io._midi_messages import MessageBuffer, has_repeats
from muspy_core.io._midi_meta import add_piece
from muspy_core.io.files import write_target
from muspy_core.io.midi_tables import MAX_MIDI_TRACKS, smpte_resolution
from muspy_core.music import Music, Track

MAX_RESOLUTION = 32767
MAX_PORT = 127
LISTS_IN_MIDI_TRACKS = (
    *("tempos", "key_signatures", "time_signatures", "lyrics", "annotations"),
    *("markers", "texts", "midi_messages"),
)


def write_midi(
    path: str | os.PathLike[str] | IO[bytes],
    music: Music,
    backend: str = "mido",
    use_note_off_message: bool = False,
    *,
    overwrite: bool = True,
) -> None:
    """Write music to a MIDI file.

    Args:
        path: The file to write, which appears whole or not at all, or a binary file object.
        music: The music.
        backend: "mido" or "pretty_midi", as in MusPy; both mean the writer of this package.
        use_note_off_message: End notes by note-off messages where they do not say how they end, instead of by note-ons
            with velocity 0.
        overwrite: Whether an existing file may be replaced.

    A note of velocity 0 is written with velocity 1, since MIDI gives 0 another meaning. Every message carries its
    status byte (no running status), every MIDI track ends with an end-of-track message. Raises MIDIError for values
    that MIDI cannot hold, naming track and event, FileExistsError if the file exists and `overwrite` is false.
    """
    if backend not in ("mido", "pretty_midi"):
        raise ValueError(f"`backend` must be one of mido, pretty_midi, got {backend!r}")
    data = midi_bytes(music, use_note_off_message)
    write_target(path, data, overwrite)


def midi_bytes(music: Music, use_note_off_message: bool = False) -> bytes:
    """Return music as the bytes of a MIDI file; arguments and errors as `write_midi`."""
    places = _kept_places(music) if music.midi_format is not None else _fresh_places(music.tracks)
    buffer = MessageBuffer(keep_order=music.midi_format is not None)
    ends = add_piece(buffer, music, places)
    add_tracks(buffer, music.tracks, places, use_note_off_message)
    n_midi_tracks = max([buffer.n_midi_tracks, *(end.midi_track + 1 for end in ends)])
    if n_midi_tracks > MAX_MIDI_TRACKS:
        raise MIDIError(f"{n_midi_tracks:,} MIDI tracks are more than the limit of {MAX_MIDI_TRACKS:,}")
    buffer.end_tracks(n_midi_tracks, ends)
    midi_format = 1 if music.midi_format is None else music.midi_format
    if midi_format == 0 and not all(place.is_kept for place in places):
        midi_format = 1  # format 0 has one MIDI track, and tracks were added that have their own
    if midi_format not in (0, 1, 2):
        raise MIDIError(f"midi_format={midi_format!r}: MIDI has the formats 0, 1 and 2")
    header = struct.pack(">4sIHHh", b"MThd", 6, midi_format, n_midi_tracks, _division(music))
    return b"".join([header, *buffer.chunks(n_midi_tracks)])


def _division(music: Music) -> int:
    """Return the header's division: SMPTE where the music has it and its resolution was not changed, else ticks."""
    if music.smpte_division is not None:
        frames, ticks = music.smpte_division
        if not (1 <= frames <= 128 and 1 <= ticks <= 255):
            raise MIDIError(f"smpte_division={music.smpte_division} is not (frames 1 to 128, ticks 1 to 255)")
        if music.resolution == smpte_resolution(frames, ticks):
            return -frames * 256 + ticks
    if not 1 <= music.resolution <= MAX_RESOLUTION:
        raise MIDIError(
            f"resolution={music.resolution} is not 1 to {MAX_RESOLUTION}; change it by music.adjust_resolution(target)"
        )
    return music.resolution


def _fresh_places(tracks: list[Track]) -> list[Place]:
    """MusPy's layout. Beyond 15 tracks the channels start again on the next port, where MusPy's collided."""
    places = []
    for number, track in enumerate(tracks):
        port, channel = divmod(number, 15)
        channel = DRUM_CHANNEL if track.is_drum else channel + (channel >= DRUM_CHANNEL)
        if track.midi_track is None and track.channel is not None:
            channel = track.channel
        if track.port is not None and track.midi_track is None:
            port = track.port
        places.append(Place(number + 1, channel, port or None, is_kept=False))
    return places


def _kept_places(music: Music) -> list[Place]:
    """The places the tracks come from; tracks added since get MIDI tracks and channels of their own."""
    added = _added(music.tracks)
    kept = [track for number, track in enumerate(music.tracks) if number not in added]
    free = _free_channels({(track.port or 0, track.channel) for track in kept if track.channel is not None})
    lists = [events for name in LISTS_IN_MIDI_TRACKS if len(events := getattr(music, name))]
    used = [int(events.array["midi_track"].max()) for events in lists]
    next_track = 1 + max([0, *used, *(track.midi_track for track in kept if track.midi_track is not None)])
    places = []
    for number, track in enumerate(music.tracks):
        port, channel, midi_track = track.port, track.channel, track.midi_track
        if number in added and track.is_drum:
            channel = DRUM_CHANNEL
        elif channel is None or (number in added and midi_track is not None):
            next_port, channel = next(free)
            port = next_port if port is None and next_port else port
        if number in added or midi_track is None:
            midi_track = next_track
            next_track += 1
        places.append(Place(midi_track, channel, port, number not in added))
    return places


def _added(tracks: list[Track]) -> set[int]:
    """The numbers of the tracks that do not come from the file: new ones, copies, and tracks of other files.

    A track of another file, or a copy, is known by messages that claim a place which those of a track before it have.
    """
    added = {number for number, track in enumerate(tracks) if track.midi_track is None}
    kept = [
        (number, events) for number in range(len(tracks)) if number not in added for events in _read(tracks[number])
    ]
    if not kept:
        return added
    orders = np.concatenate([events.array["order"] for _, events in kept]).astype(np.int64)
    places = [tracks[number].midi_track or 0 for number, _ in kept]
    places_of_rows = np.repeat(places, [len(events) for _, events in kept])
    if not has_repeats((places_of_rows * 2**32 + orders)[orders >= 0]):
        return added
    taken: dict[int | None, NDArray[np.int64]] = {}
    numbers = np.repeat([number for number, _ in kept], [len(events) for _, events in kept])
    for number in np.unique(numbers).tolist():
        order = orders[(numbers == number) & (orders >= 0)]
        before = taken.get(tracks[number].midi_track, np.zeros(0, np.int64))
        if np.isin(order, before).any():
            added.add(number)
        else:
            taken[tracks[number].midi_track] = np.concatenate([before, order])
    return added


def _read(track: Track) -> list[EventList[Any]]:
    """The lists that tell whether a track is the only one that was read from its place."""
    return [events for events in (track.notes, track.control_changes) if len(events)]


def _free_channels(taken: set[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield ports and channels that no track uses; port 0 comes first, the drum channel never."""
    for port in range(MAX_PORT + 1):
        for channel in range(16):
            if channel != DRUM_CHANNEL and (port, channel) not in taken:
                yield port, channel
    raise MIDIError(f"{16 * (MAX_PORT + 1):,} channels on {MAX_PORT + 1} ports are not enough for the tracks")
