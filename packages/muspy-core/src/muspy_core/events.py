"""The events of a piece of music: notes, tempi, signatures, controls, notation.

The first stage of the data flow (events → columns → music). Times and durations are integers in time steps. The first
attributes of each class are MusPy's, in MusPy's order; those after `KW_ONLY` go beyond it, default to None and stay out
of `repr` and files while unset. docs/muspy-core/data-model.md shows all of them as one table.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Any, ClassVar, Literal, TypeVar

from muspy_core.base import Base, BaseT, Field, scalar
from muspy_core.declaration import Event as Event
from muspy_core.declaration import column, event

DEFAULT_VELOCITY = 64
DEFAULT_SCHEMA_VERSION = "0.2"

OffKind = Literal["note_off", "note_on", "open"]
Tie = Literal["start", "stop", "continue"]
Grace = Literal["appoggiatura", "acciaccatura"]

OFF_KINDS = ("note_off", "note_on", "open")
TIES = ("start", "stop", "continue")
GRACES = ("appoggiatura", "acciaccatura")

STEPS = Field(int, "i8", low=0)
SEVEN_BITS = Field(int, "i2", low=0, high=127)
OPTIONAL_SEVEN_BITS = Field(int, "i2", none=-1, low=0, high=127)
CHANNEL = Field(int, "i2", none=-1, low=0, high=15)
ORDINAL = Field(int, "i2", none=-1, low=1)
INDEX = Field(int, "i2", none=-1, low=0)
OFF_KIND = Field(str, "u1", none=0, words=OFF_KINDS)
STRING = Field(str)
STRINGS = Field(str, is_list=True)


@event
class Metadata(Base):
    """Metadata of a piece of music.

    schema_version: version of the JSON/YAML schema. source_filename, source_format: where it was read from.
    """

    _muspy_names: ClassVar[tuple[str, ...]] = ()

    schema_version: str = column(STRING, default=DEFAULT_SCHEMA_VERSION)
    title: str | None = column(STRING, default=None)
    creators: list[str] = column(STRINGS, default=None)
    copyright: str | None = column(STRING, default=None)
    collection: str | None = column(STRING, default=None)
    source_filename: str | None = column(STRING, default=None)
    source_format: str | None = column(STRING, default=None)
    _: KW_ONLY
    subtitle: str | None = column(STRING, default=None)
    movement_number: str | None = column(STRING, default=None)
    movement_title: str | None = column(STRING, default=None)
    lyricists: list[str] = column(STRINGS, default=None)
    encoders: list[str] = column(STRINGS, default=None)

    def __post_init__(self) -> None:
        self.creators = [] if self.creators is None else self.creators
        self.lyricists = [] if self.lyricists is None else self.lyricists
        self.encoders = [] if self.encoders is None else self.encoders

    @classmethod
    def _muspy_attributes(cls) -> tuple[str, ...]:
        return cls._muspy_names


@event
class Tempo(Event):
    """A tempo in quarter notes per minute. text: tempo words ("Allegro")."""

    time: int = column(STEPS)
    qpm: float = column(Field((float, int), "f8", above=0))
    _: KW_ONLY
    text: str | None = column(STRING, default=None)
    midi_track: int | None = column(INDEX, default=None)

    def __post_init__(self) -> None:
        self.qpm = float(scalar(self.qpm))


@event
class KeySignature(Event):
    """A key signature. root: pitch class 0–11. fifths: sharps (+) or flats (−). root_str: "C", "Bb", …"""

    time: int = column(STEPS)
    root: int | None = column(Field(int, "i1", none=-1), default=None)
    mode: str | None = column(STRING, default=None)
    fifths: int | None = column(Field(int, "i1", none=-128), default=None)
    root_str: str | None = column(STRING, default=None)
    _: KW_ONLY
    midi_track: int | None = column(INDEX, default=None)


@event
class TimeSignature(Event):
    """A time signature.

    clocks_per_click, thirty_seconds: MIDI's metronome fields (None: 24 and 8). symbol: "common", "cut", …; beats: an
    additive numerator as written ("3+2").
    """

    time: int = column(STEPS)
    numerator: int = column(Field(int, "i2", low=1))
    denominator: int = column(Field(int, "i2", low=1))
    _: KW_ONLY
    clocks_per_click: int | None = column(INDEX, default=None)
    thirty_seconds: int | None = column(INDEX, default=None)
    symbol: str | None = column(STRING, default=None)
    beats: str | None = column(STRING, default=None)
    midi_track: int | None = column(INDEX, default=None)


@event
class Beat(Event):
    """A beat position."""

    time: int = column(STEPS)


@event
class Barline(Event):
    """The bar line at the start of a measure. number: measure number. style: MusicXML bar style."""

    time: int = column(STEPS)
    _: KW_ONLY
    number: str | None = column(STRING, default=None)
    style: str | None = column(STRING, default=None)


@event
class Lyric(Event):
    """A syllable or word sung at a time. verse: stanza number. voice: the voice that sings it."""

    time: int = column(STEPS)
    lyric: str = column(STRING)
    _: KW_ONLY
    verse: int | None = column(ORDINAL, default=None)
    voice: int | None = column(ORDINAL, default=None)
    midi_track: int | None = column(INDEX, default=None)


@event
class Annotation(Event):
    """Any value attached to a time. group: what kind of annotation it is."""

    time: int = column(STEPS)
    annotation: Any = column(Field(object))
    group: str | None = column(STRING, default=None)
    _: KW_ONLY
    midi_track: int | None = column(INDEX, default=None)


class _Pitched(Event):
    """What notes and chords share: they start, end and sound at a velocity."""

    time: int
    duration: int
    velocity: int

    @property
    def start(self) -> int:
        """Onset in time steps. Setting it leaves the duration as it is."""
        return self.time

    @start.setter
    def start(self, start: int) -> None:
        self.time = start

    @property
    def end(self) -> int:
        """End in time steps. Setting it changes the duration."""
        return self.time + self.duration

    @end.setter
    def end(self, end: int) -> None:
        self.duration = end - self.time

    def clip(self: _PitchedT, lower: int = 0, upper: int = 127) -> _PitchedT:
        """Clip the velocity to `lower` … `upper` in place."""
        self.velocity = min(max(self.velocity, lower), upper)
        return self


_PitchedT = TypeVar("_PitchedT", bound=_Pitched)


@event
class Note(_Pitched):
    """A note. pitch: MIDI note number 0–127. velocity: 0–127, None becomes 64. pitch_str: spelling ("C#").

    off_velocity, off_kind: how the note ends in MIDI. channel: MIDI channel 0–15 where it differs from the track's.
    voice, staff: its place in a part, from 1. tie: a tie left open at its borders. grace: "appoggiatura" or
    "acciaccatura". cue: True for cue notes. articulations, ornaments: MusicXML names.
    """

    time: int = column(STEPS)
    pitch: int = column(SEVEN_BITS)
    duration: int = column(STEPS)
    velocity: int = column(SEVEN_BITS, default=DEFAULT_VELOCITY)
    pitch_str: str | None = column(STRING, default=None)
    _: KW_ONLY
    off_velocity: int | None = column(OPTIONAL_SEVEN_BITS, default=None)
    voice: int | None = column(ORDINAL, default=None)
    staff: int | None = column(ORDINAL, default=None)
    channel: int | None = column(CHANNEL, default=None)
    off_kind: OffKind | None = column(OFF_KIND, default=None)
    tie: Tie | None = column(Field(str, "u1", none=0, words=TIES), default=None)
    grace: Grace | None = column(Field(str, "u1", none=0, words=GRACES), default=None)
    cue: bool | None = column(Field(bool, "u1", none=0), default=None)
    articulations: list[str] | None = column(STRINGS, default=None)
    ornaments: list[str] | None = column(STRINGS, default=None)

    def __post_init__(self) -> None:
        self.velocity = DEFAULT_VELOCITY if self.velocity is None else self.velocity

    def transpose(self, semitone: int) -> Note:
        """Shift the pitch by `semitone` in place; the spelling, no longer true, is dropped."""
        self.pitch += semitone
        if semitone:
            self.pitch_str = None
        return self


@event
class Chord(_Pitched):
    """Several pitches struck together. pitches: MIDI note numbers. pitches_str: their spellings."""

    time: int = column(STEPS)
    pitches: list[int] = column(Field(int, is_list=True, low=0, high=127))
    duration: int = column(STEPS)
    velocity: int = column(SEVEN_BITS, default=DEFAULT_VELOCITY)
    pitches_str: list[str] | None = column(STRINGS, default=None)
    _: KW_ONLY
    voice: int | None = column(ORDINAL, default=None)
    staff: int | None = column(ORDINAL, default=None)

    def __post_init__(self) -> None:
        self.velocity = DEFAULT_VELOCITY if self.velocity is None else self.velocity

    def transpose(self, semitone: int) -> Chord:
        """Shift all pitches by `semitone` in place; the spellings, no longer true, are dropped."""
        self.pitches = [pitch + semitone for pitch in self.pitches]
        if semitone:
            self.pitches_str = None
        return self


@event
class ControlChange(Event):
    """A MIDI control change. number: controller 0–127. value: 0–127."""

    time: int = column(STEPS)
    number: int = column(SEVEN_BITS)
    value: int = column(SEVEN_BITS)


@event
class PitchBend(Event):
    """A MIDI pitch bend. value: −8192 … 8191."""

    time: int = column(STEPS)
    value: int = column(Field(int, "i2", low=-8192, high=8191))


@event
class Pedal(Event):
    """A span in which the sustain pedal is down. value: the controller value that pressed it."""

    time: int = column(STEPS)
    duration: int = column(STEPS)
    value: int = column(SEVEN_BITS, default=127)

    @property
    def end(self) -> int:
        """Time of release in time steps."""
        return self.time + self.duration


@event
class Aftertouch(Event):
    """MIDI aftertouch. value: 0–127. pitch: None for the whole channel."""

    time: int = column(STEPS)
    value: int = column(SEVEN_BITS)
    pitch: int | None = column(OPTIONAL_SEVEN_BITS, default=None)


@event
class ProgramChange(Event):
    """A MIDI program change. program: None for the track's own program."""

    time: int = column(STEPS)
    program: int | None = column(OPTIONAL_SEVEN_BITS, default=None)


@event
class NoteOff(Event):
    """A note-off message that closes no note."""

    time: int = column(STEPS)
    pitch: int = column(SEVEN_BITS)
    velocity: int = column(SEVEN_BITS, default=DEFAULT_VELOCITY)
    off_kind: OffKind | None = column(OFF_KIND, default=None)


@event
class Clef(Event):
    """A clef. sign: "G", "F", "C", "percussion" or "TAB". line: staff line from the bottom. staff: from 1."""

    time: int = column(STEPS)
    sign: str = column(STRING)
    line: int | None = column(Field(int, "i2", none=-1), default=None)
    octave_change: int | None = column(Field(int, "i2", none=-128), default=None)
    staff: int | None = column(ORDINAL, default=None)


@event
class Slur(Event):
    """A slur, from the onset of its first note over `duration` steps to the onset of its last."""

    time: int = column(STEPS)
    duration: int = column(STEPS)
    voice: int | None = column(ORDINAL, default=None)
    staff: int | None = column(ORDINAL, default=None)


@event
class Dynamic(Event):
    """A dynamic mark ("mf"), or a "crescendo" or "diminuendo" with a duration."""

    time: int = column(STEPS)
    dynamic: str = column(STRING)
    duration: int | None = column(Field(int, "i8", none=-1, low=0), default=None)
    staff: int | None = column(ORDINAL, default=None)


@event
class ChordSymbol(Event):
    """A chord symbol.

    root, bass: spelled pitch classes ("C#"). kind: MusicXML's name of the quality ("dominant"). text: the quality as
    printed ("7"). degrees: alterations ("add9", "alter5-1").
    """

    time: int = column(STEPS)
    root: str = column(STRING)
    kind: str = column(STRING)
    text: str | None = column(STRING, default=None)
    bass: str | None = column(STRING, default=None)
    degrees: list[str] | None = column(STRINGS, default=None)
    duration: int | None = column(Field(int, "i8", none=-1, low=0), default=None)
    staff: int | None = column(ORDINAL, default=None)


@event
class Text(Event):
    """A text. kind: None for plain MIDI text; "instrument", "program", "device", "words", "rehearsal", …"""

    time: int = column(STEPS)
    text: str = column(STRING)
    kind: str | None = column(STRING, default=None)
    staff: int | None = column(ORDINAL, default=None)
    midi_track: int | None = column(INDEX, default=None)


@event
class Marker(Event):
    """A marker, or a cue point (kind "cue")."""

    time: int = column(STEPS)
    text: str = column(STRING)
    kind: str | None = column(STRING, default=None)
    midi_track: int | None = column(INDEX, default=None)


@event
class Repeat(Event):
    """A sign that steers repetition, kept instead of played. kind: "forward", "backward", "segno", "fine", …"""

    time: int = column(STEPS)
    kind: str = column(STRING)
    text: str | None = column(STRING, default=None)


@event
class MidiMessage(Event):
    """A MIDI message without a place of its own.

    data: the status byte and what follows it, without a length field (meta: FF, type, payload). Dictionaries and files
    hold it as a hexadecimal string.
    """

    time: int = column(STEPS)
    data: bytes = column(Field(bytes))
    midi_track: int | None = column(INDEX, default=None)

    @classmethod
    def from_dict(cls: type[BaseT], dict_: Mapping[str, Any], strict: bool = False, cast: bool = False) -> BaseT:
        """Return an object made from a mapping whose `data` is bytes or a hexadecimal string."""
        data = dict_.get("data")
        if isinstance(data, str):
            dict_ = {**dict_, "data": bytes.fromhex(data)}
        elif data is not None and not isinstance(data, bytes):
            raise TypeError(f"MidiMessage.data: expected bytes or a hexadecimal string, got {data!r}")
        return super().from_dict(dict_, strict, cast)

    def to_ordered_dict(self, skip_missing: bool = True, deepcopy: bool = True) -> OrderedDict[str, Any]:
        """Return the attributes as an ordered dictionary, with `data` as a hexadecimal string."""
        result = super().to_ordered_dict(skip_missing, deepcopy)
        result["data"] = bytes(self.data).hex()
        return result
