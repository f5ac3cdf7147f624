"""One part of a piece: its notes, its instrument, and all else that belongs to it (events → columns → music)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np

from muspy_core.annotations import AnnotationView
from muspy_core.base import Field
from muspy_core.containers import ComplexBase, ListOf, list_field, optional_field
from muspy_core.events import (
    OFF_KINDS,
    Aftertouch,
    Annotation,
    Chord,
    Clef,
    ControlChange,
    Dynamic,
    Lyric,
    Note,
    NoteOff,
    OffKind,
    Pedal,
    PitchBend,
    ProgramChange,
    Slur,
)

TrackT = TypeVar("TrackT", bound="Track")

SUSTAIN = 64
PEDAL_DOWN = 64


class Track(ComplexBase):
    """One part: notes with an instrument, and everything else that belongs to it.

    Args:
        program: General MIDI program 0–127.
        is_drum: Whether it is a percussion track.
        name: Track name.
        notes, chords, lyrics, annotations: Lists of events; annotations include the control changes.

    The keyword-only attributes go beyond MusPy: midi_track (MIDI track or MusicXML part it comes from), channel, port,
    bank, off_kind and off_velocity (how its notes end in MIDI), staves (number of staves), transposition and
    diatonic_transposition (written to sounding pitch), abbreviation, instrument; and lists of control_changes,
    pitch_bends, aftertouches, program_changes, unmatched_note_offs, slurs, clefs, dynamics.
    """

    notes = ListOf(Note)
    chords = ListOf(Chord)
    lyrics = ListOf(Lyric)
    control_changes = ListOf(ControlChange)
    _other_annotations = ListOf(Annotation)
    pitch_bends = ListOf(PitchBend)
    aftertouches = ListOf(Aftertouch)
    program_changes = ListOf(ProgramChange)
    unmatched_note_offs = ListOf(NoteOff)
    slurs = ListOf(Slur)
    clefs = ListOf(Clef)
    dynamics = ListOf(Dynamic)

    def __init__(
        self,
        program: int = 0,
        is_drum: bool = False,
        name: str | None = None,
        notes: Iterable[Note] | None = None,
        chords: Iterable[Chord] | None = None,
        lyrics: Iterable[Lyric] | None = None,
        annotations: Iterable[Annotation] | None = None,
        *,
        midi_track: int | None = None,
        channel: int | None = None,
        port: int | None = None,
        bank: int | None = None,
        off_kind: OffKind | None = None,
        off_velocity: int | None = None,
        staves: int | None = None,
        transposition: int | None = None,
        diatonic_transposition: int | None = None,
        abbreviation: str | None = None,
        instrument: str | None = None,
        control_changes: Iterable[ControlChange] | None = None,
        pitch_bends: Iterable[PitchBend] | None = None,
        aftertouches: Iterable[Aftertouch] | None = None,
        program_changes: Iterable[ProgramChange] | None = None,
        unmatched_note_offs: Iterable[NoteOff] | None = None,
        slurs: Iterable[Slur] | None = None,
        clefs: Iterable[Clef] | None = None,
        dynamics: Iterable[Dynamic] | None = None,
    ) -> None:
        self.program = 0 if program is None else program
        self.is_drum = False if is_drum is None else is_drum
        self.name = name
        self.midi_track = midi_track
        self.channel = channel
        self.port = port
        self.bank = bank
        self.off_kind = off_kind
        self.off_velocity = off_velocity
        self.staves = staves
        self.transposition = transposition
        self.diatonic_transposition = diatonic_transposition
        self.abbreviation = abbreviation
        self.instrument = instrument
        for list_name, events in (
            ("notes", notes),
            ("chords", chords),
            ("lyrics", lyrics),
            ("control_changes", control_changes),
            ("pitch_bends", pitch_bends),
            ("aftertouches", aftertouches),
            ("program_changes", program_changes),
            ("unmatched_note_offs", unmatched_note_offs),
            ("slurs", slurs),
            ("clefs", clefs),
            ("dynamics", dynamics),
        ):
            if events is not None:
                setattr(self, list_name, events)
        if annotations is not None:
            self.annotations.extend(annotations)

    @property
    def annotations(self) -> AnnotationView:
        """All annotations; control changes come first, as MusPy's group "control_change"."""
        return AnnotationView(self.control_changes, self._other_annotations)

    @annotations.setter
    def annotations(self, annotations: Iterable[Annotation] | None) -> None:
        self.annotations.replace(annotations or ())

    @property
    def pedals(self) -> list[Pedal]:
        """The spans in which the sustain pedal (controller 64 at 64 or above) is down.

        A pedal that is never released lasts until the end of the track.
        """
        table = self.control_changes.array
        table = table[np.argsort(table["time"], kind="stable")]
        pedals: list[Pedal] = []
        pressed: Pedal | None = None
        for row in table[table["number"] == SUSTAIN]:
            time, value = int(row["time"]), int(row["value"])
            if value >= PEDAL_DOWN and pressed is None:
                pressed = Pedal(time, 0, value)
            elif value < PEDAL_DOWN and pressed is not None:
                pressed.duration = time - pressed.time
                pedals.append(pressed)
                pressed = None
        if pressed is not None:
            pressed.duration = max(self.get_end_time() - pressed.time, 0)
            pedals.append(pressed)
        return pedals

    def __len__(self) -> int:
        return len(self.notes)

    def __getitem__(self, key: Any) -> Any:
        return self.notes[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.notes[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.notes[key]

    def _list_for(self, obj: Any) -> Any:
        return self.control_changes if type(obj) is ControlChange else super()._list_for(obj)

    @classmethod
    def _muspy_attributes(cls) -> tuple[str, ...]:
        return tuple(cls._attributes)[:7]

    def get_end_time(self, is_sorted: bool = False) -> int:
        """Return the end of the last note or chord, lyric or annotation in time steps; 0 when empty.

        is_sorted: accepted for MusPy's sake; the columns give the answer at once either way.
        """
        return max(part.end_time() for part in (self.notes, self.chords, self.lyrics, self.annotations))

    def clip(self: TrackT, lower: int = 0, upper: int = 127) -> TrackT:
        """Clip the velocities of notes and chords in place; return the track."""
        for events in (self.notes, self.chords):
            events.edit("velocity", lambda velocities: velocities.clip(lower, upper))
        return self

    def transpose(self: TrackT, semitone: int) -> TrackT:
        """Shift the pitches of notes and chords in place; return the track. Spellings, no longer true, are dropped."""
        self.notes.edit("pitch", lambda pitches: pitches + semitone)
        if semitone:
            self.notes.clear_field("pitch_str")
        for chord in self.chords:
            chord.transpose(semitone)
        return self

    def trim(self: TrackT, end: int) -> TrackT:
        """Drop what starts at or after `end` and cut what sounds beyond it, in place; return the track."""
        for _, events in self.lists():
            events.trim(end)
        return self


Track._set_fields(
    [
        Field(int, name="program", low=0, high=127, optional=False),
        Field(bool, name="is_drum", optional=False),
        Field(str, name="name"),
        list_field("notes", Note),
        list_field("chords", Chord),
        list_field("lyrics", Lyric),
        list_field("annotations", Annotation),
        optional_field("midi_track", int, 0),
        optional_field("channel", int, 0, 15),
        optional_field("port", int, 0, 127),
        optional_field("bank", int, 0, 16383),
        Field(str, name="off_kind", words=OFF_KINDS),
        optional_field("off_velocity", int, 0, 127),
        optional_field("staves", int, 1),
        optional_field("transposition", int),
        optional_field("diatonic_transposition", int),
        optional_field("abbreviation", str),
        optional_field("instrument", str),
        list_field("pitch_bends", PitchBend),
        list_field("aftertouches", Aftertouch),
        list_field("program_changes", ProgramChange),
        list_field("unmatched_note_offs", NoteOff),
        list_field("slurs", Slur),
        list_field("clefs", Clef),
        list_field("dynamics", Dynamic),
    ]
)
