"""Whole pieces of music (events → columns → music)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from muspy_core.base import Field
from muspy_core.columns import EventList
from muspy_core.containers import ComplexBase, ListOf, list_field, optional_field
from muspy_core.events import (
    Annotation,
    Barline,
    Beat,
    ChordSymbol,
    Dynamic,
    KeySignature,
    Lyric,
    Marker,
    Metadata,
    MidiMessage,
    Repeat,
    Tempo,
    Text,
    TimeSignature,
)
from muspy_core.timing import DEFAULT_RESOLUTION, Rescale, TempoMap, barline_times, beat_times
from muspy_core.track import Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

MusicT = TypeVar("MusicT", bound="Music")

__all__ = ["Music", "Track"]


class Music(ComplexBase):
    """A piece of music.

    Args:
        metadata: Metadata.
        resolution: Time steps per quarter note, 24 by default.
        tempos, key_signatures, time_signatures, barlines, beats, lyrics, annotations: Lists of events.
        tracks: List of tracks.

    The keyword-only attributes go beyond MusPy: midi_format, smpte_division and charset (see the data model), and lists
    of markers, texts, chord_symbols, repeats, midi_messages.
    """

    tempos = ListOf(Tempo)
    key_signatures = ListOf(KeySignature)
    time_signatures = ListOf(TimeSignature)
    barlines = ListOf(Barline)
    beats = ListOf(Beat)
    lyrics = ListOf(Lyric)
    annotations = ListOf(Annotation)
    markers = ListOf(Marker)
    texts = ListOf(Text)
    chord_symbols = ListOf(ChordSymbol)
    repeats = ListOf(Repeat)
    midi_messages = ListOf(MidiMessage)

    def __init__(
        self,
        metadata: Metadata | None = None,
        resolution: int | None = None,
        tempos: Iterable[Tempo] | None = None,
        key_signatures: Iterable[KeySignature] | None = None,
        time_signatures: Iterable[TimeSignature] | None = None,
        barlines: Iterable[Barline] | None = None,
        beats: Iterable[Beat] | None = None,
        lyrics: Iterable[Lyric] | None = None,
        annotations: Iterable[Annotation] | None = None,
        tracks: list[Track] | None = None,
        *,
        midi_format: int | None = None,
        smpte_division: tuple[int, int] | None = None,
        charset: str | None = None,
        markers: Iterable[Marker] | None = None,
        texts: Iterable[Text] | None = None,
        chord_symbols: Iterable[ChordSymbol] | None = None,
        repeats: Iterable[Repeat] | None = None,
        midi_messages: Iterable[MidiMessage] | None = None,
    ) -> None:
        self.metadata = Metadata() if metadata is None else metadata
        self.resolution = DEFAULT_RESOLUTION if resolution is None else resolution
        self.tracks: list[Track] = [] if tracks is None else tracks
        self.midi_format = midi_format
        self.smpte_division = smpte_division if smpte_division is None else tuple(smpte_division)
        self.charset = charset
        for name, events in (
            ("tempos", tempos),
            ("key_signatures", key_signatures),
            ("time_signatures", time_signatures),
            ("barlines", barlines),
            ("beats", beats),
            ("lyrics", lyrics),
            ("annotations", annotations),
            ("markers", markers),
            ("texts", texts),
            ("chord_symbols", chord_symbols),
            ("repeats", repeats),
            ("midi_messages", midi_messages),
        ):
            if events is not None:
                setattr(self, name, events)

    def __len__(self) -> int:
        return len(self.tracks)

    def __getitem__(self, key: Any) -> Any:
        return self.tracks[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.tracks[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.tracks[key]

    @classmethod
    def _muspy_attributes(cls) -> tuple[str, ...]:
        return tuple(cls._attributes)[:10]

    # --- time ------------------------------------------------------------------------------------------------------

    @property
    def tempo_map(self) -> TempoMap:
        """The conversion between steps and seconds; 120 qpm holds until the first tempo."""
        return TempoMap.from_tempos(self.tempos, self.resolution)

    @property
    def dynamics(self) -> list[Dynamic]:
        """The dynamics of all tracks in order of time."""
        return sorted((mark for track in self.tracks for mark in track.dynamics), key=lambda mark: mark.time)

    def get_end_time(self, is_sorted: bool = False) -> int:
        """Return the latest end among tracks and MusPy's lists of the piece, in time steps; 0 when empty."""
        lists: tuple[EventList[Any], ...] = (
            self.tempos,
            self.key_signatures,
            self.time_signatures,
            self.barlines,
            self.beats,
            self.lyrics,
            self.annotations,
        )
        ends = [events.end_time() for events in lists]
        return max(*ends, *(track.get_end_time(is_sorted) for track in self.tracks))

    def get_real_end_time(self, is_sorted: bool = False) -> float:
        """Return the end time in seconds."""
        return float(self.tempo_map.seconds(self.get_end_time(is_sorted)))

    def infer_barlines(self: MusicT, overwrite: bool = False) -> MusicT:
        """Fill `barlines` from the time signatures; return the music.

        Existing bar lines are kept unless `overwrite`. Raises ValueError without a time signature.
        """
        self._require_time_signature()
        if overwrite or not self.barlines:
            times = barline_times(self.time_signatures, self.get_end_time(), self.resolution)
            self.barlines = EventList(Barline, map(Barline, times.tolist()))
        return self

    def infer_barlines_and_beats(self: MusicT, overwrite: bool = False) -> MusicT:
        """Fill `barlines` and `beats` from the time signatures; return the music.

        Nothing changes if either list has events, unless `overwrite`. Raises ValueError without a time signature.
        """
        self._require_time_signature()
        if overwrite or not (self.barlines or self.beats):
            end = self.get_end_time()
            bars = barline_times(self.time_signatures, end, self.resolution)
            beats = beat_times(self.time_signatures, end, self.resolution)
            self.barlines = EventList(Barline, map(Barline, bars.tolist()))
            self.beats = EventList(Beat, map(Beat, beats.tolist()))
        return self

    def _require_time_signature(self) -> None:
        if not self.time_signatures:
            raise ValueError("bar lines follow from time signatures, and this music has none; add a TimeSignature")

    def adjust_resolution(
        self: MusicT,
        target: int | None = None,
        factor: float | None = None,
        rounding: str | Callable[[float], int] | None = "round",
    ) -> MusicT:
        """Change the number of time steps per quarter note in place; return the music.

        Times are scaled in exact integer arithmetic. A note that had a duration keeps at least one step.

        Args:
            target: The new resolution; or
            factor: what to multiply the resolution by.
            rounding: "round" (halves up), "ceil", "floor", or a function of the unrounded step.

        Raises ValueError unless exactly one of `target` and `factor` is given and the new resolution is a positive
        integer, TypeError if `target` is no integer.
        """
        target = self._target_resolution(target, factor)
        if target == self.resolution:
            return self
        sounding = [(events, events.array["duration"] > 0) for events in self._sounding()]
        scale: Callable[[int], int]
        if rounding is None or isinstance(rounding, str):
            scale = Rescale(target, self.resolution, rounding or "round")
        else:
            own, ratio = rounding, target / self.resolution

            def scale(step: int) -> int:
                return int(own(step * ratio))

        self.adjust_time(scale)
        for events, sounds in sounding:
            events.edit("duration", partial(np.maximum, sounds.astype(np.int64)))
        self.resolution = target
        return self

    def _target_resolution(self, target: int | None, factor: float | None) -> int:
        if (target is None) == (factor is None):
            raise ValueError("exactly one of `target` and `factor` must be given")
        if factor is not None:
            scaled = self.resolution * factor
            if scaled != int(scaled):
                raise ValueError(f"resolution {self.resolution} × factor {factor} is not an integer")
            target = int(scaled)
        if not isinstance(target, int) or isinstance(target, bool):
            raise TypeError(f"`target` must be an integer, got {target!r}")
        if target < 1:
            raise ValueError(f"the resolution must be at least 1, got {target}")
        return target

    def _sounding(self) -> list[EventList[Any]]:
        return [events for track in self.tracks for events in (track.notes, track.chords)]

    # --- notes -----------------------------------------------------------------------------------------------------

    def clip(self: MusicT, lower: int = 0, upper: int = 127) -> MusicT:
        """Clip the velocities of all tracks in place; return the music."""
        for track in self.tracks:
            track.clip(lower, upper)
        return self

    def transpose(self: MusicT, semitone: int) -> MusicT:
        """Shift the pitches of all tracks but drums in place; return the music."""
        for track in self.tracks:
            if not track.is_drum:
                track.transpose(semitone)
        return self

    def trim(self: MusicT, end: int) -> MusicT:
        """Drop what starts at or after `end` and cut what sounds beyond it, in place; return the music."""
        for _, events in self.lists():
            if isinstance(events, EventList):
                events.trim(end)
        for track in self.tracks:
            track.trim(end)
        return self

    # --- files, objects, pictures, sound ---------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str], kind: str | None = None, **kwargs: Any) -> None:
        """Save as JSON or YAML; see `muspy_core.save`."""
        from muspy_core.io import save

        save(path, self, kind, **kwargs)

    def save_json(self, path: str | os.PathLike[str], **kwargs: Any) -> None:
        """Save as JSON; see `muspy_core.save_json`."""
        from muspy_core.io.json import save_json

        save_json(path, self, **kwargs)

    def save_yaml(self, path: str | os.PathLike[str], **kwargs: Any) -> None:
        """Save as YAML; see `muspy_core.save_yaml`."""
        from muspy_core.io.yaml import save_yaml

        save_yaml(path, self, **kwargs)

    def write(self, path: str | os.PathLike[str], kind: str | None = None, **kwargs: Any) -> None:
        """Write a MIDI, MusicXML or audio file by its extension; see `muspy_core.write`."""
        from muspy_core.io import write

        write(path, self, kind, **kwargs)

    def write_midi(self, path: str | os.PathLike[str], **kwargs: Any) -> None:
        """Write a MIDI file; see `muspy_core.write_midi`."""
        from muspy_core.io.midi import write_midi

        write_midi(path, self, **kwargs)

    def write_musicxml(self, path: str | os.PathLike[str], **kwargs: Any) -> None:
        """Write a MusicXML file; see `muspy_core.write_musicxml`."""
        from muspy_core.io.musicxml import write_musicxml

        write_musicxml(path, self, **kwargs)

    def write_abc(self, path: str | os.PathLike[str], **kwargs: Any) -> None:
        """Write an ABC file; see `muspy_core.write_abc`."""
        from muspy_core.io.abc import write_abc

        write_abc(path, self, **kwargs)

    def write_audio(self, path: str | os.PathLike[str], **kwargs: Any) -> None:
        """Render and write an audio file; see `muspy_core.write_audio`."""
        from muspy_core.rendering import write_audio

        write_audio(path, self, **kwargs)

    def to_object(self, kind: str, **kwargs: Any) -> Any:
        """Return as an object of another library; see `muspy_core.to_object`."""
        from muspy_core.interop import to_object

        return to_object(self, kind, **kwargs)

    def to_music21(self, **kwargs: Any) -> Any:
        """Return as a music21 score."""
        return self.to_object("music21", **kwargs)

    def to_mido(self, **kwargs: Any) -> Any:
        """Return as a mido MidiFile."""
        return self.to_object("mido", **kwargs)

    def to_pretty_midi(self, **kwargs: Any) -> Any:
        """Return as a PrettyMIDI object."""
        return self.to_object("pretty_midi", **kwargs)

    def to_pypianoroll(self, **kwargs: Any) -> Any:
        """Return as a pypianoroll Multitrack."""
        return self.to_object("pypianoroll", **kwargs)

    def to_symusic(self, **kwargs: Any) -> Any:
        """Return as a symusic score in ticks."""
        return self.to_object("symusic", **kwargs)

    def to_representation(self, kind: str, **kwargs: Any) -> NDArray[Any]:
        """Encode as an array for models; see `muspy_core.to_representation`."""
        from muspy_core.representations import to_representation

        return to_representation(self, kind, **kwargs)

    def to_pitch_representation(self, **kwargs: Any) -> NDArray[Any]:
        """Encode as a pitch a time step; see `muspy_core.to_pitch_representation`."""
        return self.to_representation("pitch", **kwargs)

    def to_pianoroll_representation(self, **kwargs: Any) -> NDArray[Any]:
        """Encode as a piano roll; see `muspy_core.to_pianoroll_representation`."""
        return self.to_representation("pianoroll", **kwargs)

    def to_event_representation(self, **kwargs: Any) -> NDArray[Any]:
        """Encode as event codes; see `muspy_core.to_event_representation`."""
        return self.to_representation("event", **kwargs)

    def to_note_representation(self, **kwargs: Any) -> NDArray[Any]:
        """Encode as rows of notes; see `muspy_core.to_note_representation`."""
        return self.to_representation("note", **kwargs)

    def show(self, kind: str, **kwargs: Any) -> Any:
        """Plot as a "piano-roll" or a "score"; see `muspy_core.show`."""
        from muspy_core.visualization import show

        return show(self, kind, **kwargs)

    def show_score(self, **kwargs: Any) -> Any:
        """Plot on one staff with matplotlib, a `ScorePlotter`; see `muspy_core.show_score`."""
        from muspy_core.rendering.score_plotter import show_score

        return show_score(self, **kwargs)

    def show_pianoroll(self, **kwargs: Any) -> Any:
        """Draw a piano roll with matplotlib; see `muspy_core.show_pianoroll`."""
        from muspy_core.rendering import show_pianoroll

        return show_pianoroll(self, **kwargs)

    def engrave(self, **kwargs: Any) -> Any:
        """Engrave as a score; see `muspy_core.engrave`."""
        from muspy_core.rendering import engrave

        return engrave(self, **kwargs)

    def render(self, **kwargs: Any) -> Any:
        """Render to `Audio`; see `muspy_core.render`."""
        from muspy_core.rendering import render

        return render(self, **kwargs)

    def synthesize(self, **kwargs: Any) -> NDArray[np.int16]:
        """Render to int16 samples, (n, 2), as MusPy does; see `muspy_core.synthesize`."""
        from muspy_core.rendering import synthesize

        return synthesize(self, **kwargs)

    def _repr_html_(self) -> str:
        from muspy_core.rendering.notebook import music_repr_html

        return music_repr_html(self)


Music._set_fields(
    [
        Field(Metadata, name="metadata", optional=False),
        Field(int, name="resolution", low=1, optional=False),
        list_field("tempos", Tempo),
        list_field("key_signatures", KeySignature),
        list_field("time_signatures", TimeSignature),
        list_field("barlines", Barline),
        list_field("beats", Beat),
        list_field("lyrics", Lyric),
        list_field("annotations", Annotation),
        list_field("tracks", Track),
        optional_field("midi_format", int, 0, 2),
        Field(object, name="smpte_division"),
        optional_field("charset", str),
        list_field("markers", Marker),
        list_field("texts", Text),
        list_field("chord_symbols", ChordSymbol),
        list_field("repeats", Repeat),
        list_field("midi_messages", MidiMessage),
    ]
)
