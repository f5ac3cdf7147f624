"""MIDI files → Music: every message kept, and each where a musician would look for it (bytes → tables → Music).

`midi_tables.py` turns bytes into tables, this module makes `Music` of them, `midi_writer.py` goes the other way. What
MusPy reads is read as MusPy does: one track for each MIDI track, channel and program, notes paired first in, first out,
controls as annotations, the first track's name as the title. Messages that have no place of their own stay in
`Music.midi_messages`.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Iterable
from typing import IO, Any, get_args

import numpy as np

from muspy_core.columns import EventList, Table, new_array
from muspy_core.events import (
    Event,
    KeySignature,
    Lyric,
    Marker,
    Metadata,
    MidiMessage,
    OffKind,
    Tempo,
    Text,
    TimeSignature,
)
from muspy_core.io.files import read_bytes
from muspy_core.io.midi_tables import GROUP_KINDS, MODES, MidiTables, backend, parse_midi, smpte_resolution
from muspy_core.io.midi_writer import midi_bytes, write_midi
from muspy_core.music import Music, Track

__all__ = ["backend", "midi_bytes", "read_midi", "read_midi_bytes", "read_midi_report", "write_midi"]

logger = logging.getLogger(__name__)

BACKENDS = ("mido", "pretty_midi")
DRUM_CHANNEL = 9
DAMAGES_LOGGED = 5
OFF_KIND_NAMES: tuple[OffKind | None, ...] = (None, *get_args(OffKind))
NAME, COPYRIGHT, PORT, KEY_SIGNATURE, TIME_SIGNATURE = 0x03, 0x02, 0x21, 0x59, 0x58
TEXT_TYPES = range(0x01, 0x10)
TEXT_KINDS = {1: None, 4: "instrument", 8: "program", 9: "device", **{kind: f"text-{kind}" for kind in range(10, 16)}}
# The lists of Track that hold the kinds of rows of midi_tables.GROUP_KINDS.
TRACK_LISTS = (
    "notes",
    "control_changes",
    "pitch_bends",
    "aftertouches",
    "program_changes",
    "unmatched_note_offs",
)


def read_midi(
    path: str | os.PathLike[str] | IO[bytes],
    backend: str = "mido",
    duplicate_note_mode: str = "fifo",
    *,
    tolerant: bool = False,
    charset: str | None = None,
) -> Music:
    """Read a MIDI file of any format (0, 1, 2), also one in a RIFF wrapper.

    Args:
        path: The file, or a binary file object.
        backend: "mido" or "pretty_midi", as in MusPy; both mean the parser of this package.
        duplicate_note_mode: Which of several sounding notes of one pitch and channel a note-off ends: "fifo" the
            earliest, "lifo" the latest, "all" all of them.
        tolerant: Keep what stands before each damage; what was dropped is logged (see `read_midi_report`).
        charset: Encoding of texts, lyrics and names. By default UTF-8 where all of them are valid UTF-8, else Latin-1.

    Raises MIDIError for a damaged file, OSError if it cannot be read.
    """
    if backend not in BACKENDS:
        raise ValueError(f"`backend` must be one of {', '.join(BACKENDS)}, got {backend!r}")
    music, dropped = _read(_content(path), _name_of(path), duplicate_note_mode, tolerant, charset)
    _log_dropped(_name_of(path), dropped)
    return music


def read_midi_bytes(
    data: bytes,
    duplicate_note_mode: str = "fifo",
    *,
    name: str | None = None,
    tolerant: bool = False,
    charset: str | None = None,
) -> Music:
    """Read a MIDI file that is in memory. name: the file name, for messages and metadata. The rest as `read_midi`."""
    music, dropped = _read(bytes(data), name, duplicate_note_mode, tolerant, charset)
    _log_dropped(name, dropped)
    return music


def read_midi_report(
    path: str | os.PathLike[str] | IO[bytes], duplicate_note_mode: str = "fifo", *, charset: str | None = None
) -> tuple[Music, list[str]]:
    """Read what can be read of a damaged MIDI file; also return a sentence for each thing that was dropped.

    Each MIDI track is kept up to its first damage; the list is empty for an undamaged file. Raises MIDIError only if
    there is no MIDI header to start from.
    """
    return _read(_content(path), _name_of(path), duplicate_note_mode, True, charset)


def _log_dropped(name: str | None, dropped: list[str]) -> None:
    """Log what was dropped of a damaged file; a file may have thousands of damages."""
    for reason in dropped[:DAMAGES_LOGGED]:
        logger.warning("%s: %s; the rest was read", name or "MIDI data", reason)
    if len(dropped) > DAMAGES_LOGGED:
        more = len(dropped) - DAMAGES_LOGGED
        logger.warning("%s: and %d more damages (read_midi_report lists them)", name or "MIDI data", more)


def _content(path: str | os.PathLike[str] | IO[bytes]) -> bytes:
    return read_bytes(path) if isinstance(path, (str, os.PathLike)) else path.read()


def _name_of(path: str | os.PathLike[str] | IO[bytes]) -> str | None:
    name = path if isinstance(path, (str, os.PathLike)) else getattr(path, "name", None)
    return os.path.basename(name) if isinstance(name, (str, os.PathLike)) else None


def _read(
    data: bytes, name: str | None, duplicate_note_mode: str, tolerant: bool, charset: str | None
) -> tuple[Music, list[str]]:
    mode = duplicate_note_mode.lower()
    if mode not in MODES:
        raise ValueError(f"`duplicate_note_mode` must be one of {', '.join(MODES)}, got {duplicate_note_mode!r}")
    tables = parse_midi(data, name or "MIDI data", mode, tolerant)
    return music_of(tables, name, charset), tables.dropped


def music_of(tables: MidiTables, name: str | None, charset: str | None = None) -> Music:
    """Return a parsed file as music. name: the file name. charset: as for `read_midi`."""
    messages = Messages(tables, charset)
    smpte_division, resolution = time_base(tables.division)
    music = Music(
        metadata=metadata_of(messages, name),
        resolution=resolution,
        tracks=_tracks_of(tables, messages),
        midi_format=tables.format,
        smpte_division=smpte_division,
        charset=messages.charset,
    )
    if len(tables.tempos):
        tempos: EventList[Tempo] = EventList.of_columns(Tempo, tempo_table(tables.tempos), {})
        tempos.sort_by("time")
        music.tempos = tempos
    messages.fill(music)
    return music


def metadata_of(messages: Messages, name: str | None) -> Metadata:
    """Return what the messages of a file say of the piece. name: the file name."""
    return Metadata(
        title=messages.names.get(0),
        copyright=" ".join(messages.copyrights) if messages.copyrights else None,
        source_filename=name,
        source_format="midi",
    )


def time_base(division: int) -> tuple[tuple[int, int] | None, int]:
    """Return the SMPTE division, if there is one, and the resolution."""
    if division > 0:
        return None, division
    smpte_division = (-(division >> 8), division & 0xFF)
    return smpte_division, smpte_resolution(*smpte_division)


def _tracks_of(tables: MidiTables, messages: Messages) -> list[Track]:
    """Make one track a group; its lists are views of the tables."""
    names, ports = messages.names, messages.ports
    blank = vars(Track())
    tracks, attributes = [], []
    for midi_track, channel, program, bank, off_kind, off_velocity, _ in tables.groups.tolist():
        # Files have dozens of tracks: filling one by its constructor would take longer than parsing it.
        track = Track.__new__(Track)
        values = vars(track)
        values.update(blank)
        values["program"] = program
        values["is_drum"] = channel == DRUM_CHANNEL
        values["midi_track"] = midi_track
        values["channel"] = channel
        if midi_track:
            values["name"] = names.get(midi_track)
        if ports:
            values["port"] = ports.get(midi_track)
        if bank >= 0:
            values["bank"] = bank
        if off_kind:
            values["off_kind"] = OFF_KIND_NAMES[off_kind]
        if off_velocity >= 0:
            values["off_velocity"] = off_velocity
        tracks.append(track)
        attributes.append(values)
    of_columns = EventList.of_columns
    for kind, (attribute, event_type, rows) in enumerate(zip(TRACK_LISTS, GROUP_KINDS, tables.kinds, strict=True)):
        if len(rows):
            starts = tables.groups["start"][:, kind].tolist()
            for values, begin, end in zip(attributes, starts, [*starts[1:], len(rows)], strict=True):
                if end > begin:
                    values[attribute] = of_columns(event_type, rows[begin:end], {})
    return tracks


def tempo_table(rows: Table) -> Table:
    """Return tempi in the order of the rows of `MidiTables.tempos`."""
    tempos = new_array(Tempo, len(rows))
    tempos["time"] = rows["time"]
    tempos["qpm"] = 60e6 / rows["microseconds"]
    tempos["midi_track"] = np.where(rows["midi_track"] == 0, -1, rows["midi_track"])
    tempos["order"] = rows["order"]
    return tempos


@dataclasses.dataclass
class Rows:
    """Events of one kind, filled in row by row.

    names: the fields of the events, numeric and side, that are given for each row after time, MIDI track and order.
    """

    event_type: type[Event]
    names: tuple[str, ...]
    rows: list[tuple[Any, ...]] = dataclasses.field(default_factory=list)

    def columns(self) -> tuple[Table, dict[str, list[Any]]]:
        """Return the events as a table with side columns, in the order of the rows."""
        array = new_array(self.event_type, len(self.rows))
        if not self.rows:
            return array, {}
        time, midi_track, order, *values = zip(*self.rows, strict=True)
        array["time"], array["order"] = time, order
        array["midi_track"] = midi_track
        side = {}
        columns = array.dtype.names or ()
        for name, column in zip(self.names, values, strict=True):
            if name in columns:
                array[name] = column
            else:
                side[name] = list(column)
        return array, side

    def events(self) -> EventList[Any]:
        """Return the events in order of time."""
        events: EventList[Any] = EventList.of_columns(self.event_type, *self.columns())
        if len(events) > 1:
            events.sort_by("time")
        return events


class Messages:
    """The messages that belong to the piece, each in its list.

    names: by MIDI track, the last track name in it. copyrights: in file order. ports: by MIDI track. charset: None for
    UTF-8.
    """

    def __init__(self, tables: MidiTables, charset: str | None) -> None:
        self.data = tables.data
        self.names: dict[int, str] = {}
        self.ports: dict[int, int] = {}
        self.copyrights: list[str] = []
        self.lists = {
            "key_signatures": Rows(KeySignature, ("fifths", "root", "mode")),
            "time_signatures": Rows(TimeSignature, ("numerator", "denominator", "clocks_per_click", "thirty_seconds")),
            "lyrics": Rows(Lyric, ("lyric",)),
            "markers": Rows(Marker, ("text", "kind")),
            "texts": Rows(Text, ("text", "kind")),
            "midi_messages": Rows(MidiMessage, ("data",)),
        }
        rows = tables.messages.tolist()
        self.charset = self._charset(rows, charset)
        for time, offset, length, midi_track, order, status, kind in rows:
            payload = self.data[offset : offset + length]
            place = (time, midi_track or -1, order)
            if status != 0xFF:
                self._add("midi_messages", place, bytes((status,)) + payload)
            elif not self._has_home(kind, payload, place):
                self._add("midi_messages", place, bytes((status, kind)) + payload)

    def fill(self, music: Music) -> None:
        """Put the lists into the piece."""
        for name, rows in self.lists.items():
            if rows.rows:
                setattr(music, name, rows.events())

    def _add(self, name: str, place: tuple[int, int, int], *values: Any) -> None:
        self.lists[name].rows.append((*place, *values))

    def _charset(self, rows: Iterable[tuple[int, ...]], charset: str | None) -> str | None:
        if charset is not None:
            try:
                "".encode(charset)
            except LookupError:
                raise ValueError(f"`charset` {charset!r} is no encoding that Python knows") from None
            return charset
        texts = [self.data[row[1] : row[1] + row[2]] for row in rows if row[5] == 0xFF and row[6] in TEXT_TYPES]
        try:
            b"\n".join(texts).decode()
        except UnicodeDecodeError:
            return "latin-1"
        return None

    def _has_home(self, kind: int, payload: bytes, place: tuple[int, int, int]) -> bool:
        """Add a meta message to the list of its kind, if it has one and can be written back from there."""
        if kind in TEXT_TYPES:
            return self._has_text_home(kind, payload, place)
        if kind == KEY_SIGNATURE and len(payload) == 2:
            return self._add_key_signature(payload, place)
        if kind == TIME_SIGNATURE and len(payload) == 4:
            return self._add_time_signature(payload, place)
        if kind == PORT and len(payload) == 1 and payload[0] < 128:
            self.ports[max(place[1], 0)] = payload[0]
        return False

    def _has_text_home(self, kind: int, payload: bytes, place: tuple[int, int, int]) -> bool:
        encoding = self.charset or "utf-8"
        text = payload.decode(encoding, "replace")
        if kind == NAME:
            self.names[max(place[1], 0)] = text
        elif kind == COPYRIGHT:
            self.copyrights.append(text)
        elif text.encode(encoding, "replace") == payload:
            if kind == 5:
                self._add("lyrics", place, text)
            elif kind in (6, 7):
                self._add("markers", place, text, "cue" if kind == 7 else None)
            else:
                self._add("texts", place, text, TEXT_KINDS[kind])
            return True
        return False

    def _add_key_signature(self, payload: bytes, place: tuple[int, int, int]) -> bool:
        fifths = (payload[0] ^ 0x80) - 0x80
        if abs(fifths) > 7 or payload[1] > 1:
            return False
        is_minor = payload[1] == 1
        root = (7 * fifths + (9 if is_minor else 0)) % 12
        self._add("key_signatures", place, fifths, root, "minor" if is_minor else "major")
        return True

    def _add_time_signature(self, payload: bytes, place: tuple[int, int, int]) -> bool:
        numerator, power, clocks, thirty_seconds = payload
        if numerator == 0 or power > 14:
            return False
        stated = (-1 if clocks == 24 else clocks, -1 if thirty_seconds == 8 else thirty_seconds)
        self._add("time_signatures", place, numerator, 1 << power, *stated)
        return True
