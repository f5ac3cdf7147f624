"""Music → one sequence of events for several instruments, and back.

The vocabulary continues that of the performance sequence, so that its codes mean the same here. With the defaults:

    0–127      note on
    128–255    note off
    256–355    time shift by 1–100 steps (`max_time_shift` codes)
    356–387    velocity bin (`velocity_bins` codes)
    388–515    declares a track by its General MIDI program 0–127
    516        declares a drum track
    517–548    the events that follow belong to track 0–31 (`max_tracks` codes)
    549        end of sequence, if used

A sequence begins with one declaration a track, in order, which tells tracks with the same program apart and keeps
tracks without notes. Then come the events by time; at one time track after track, in a track first the ends of notes
that started earlier and then its onsets by pitch. A track code stands where the track changes, a velocity code where
the velocity bin changes, both for all that follows.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from muspy_core.errors import NoNotesError, RepresentationError
from muspy_core.events import DEFAULT_VELOCITY
from muspy_core.music import Music, Track
from muspy_core.representations.event import N_PITCHES, EventLayout, running_state, with_time_shifts
from muspy_core.representations.note import Integers, NoteColumns, as_dtype, as_integers
from muspy_core.representations.pairing import duplicate_note_mode as checked_mode
from muspy_core.representations.pairing import pair_events
from muspy_core.representations.sequence import EventSequence, Indexer
from muspy_core.timing import DEFAULT_RESOLUTION

DRUM = 128


@dataclasses.dataclass(frozen=True)
class MultitrackEventVocabulary:
    """Where each kind of event begins, and what the codes are called.

    Args:
        max_time_shift: Longest time shift of one event, in steps.
        velocity_bins: Number of velocity bins.
        max_tracks: Largest number of tracks.
        end_of_sequence: Whether there is an end-of-sequence event.
    """

    max_time_shift: int = 100
    velocity_bins: int = 32
    max_tracks: int = 32
    end_of_sequence: bool = False

    def __post_init__(self) -> None:
        if self.max_tracks < 1:
            raise ValueError(f"max_tracks must be at least 1, got {self.max_tracks}")

    @property
    def events(self) -> EventLayout:
        """The layout of note, time-shift and velocity events."""
        return EventLayout(max_time_shift=self.max_time_shift, velocity_bins=self.velocity_bins)

    @property
    def program(self) -> int:
        """Code that declares a track with program 0; 128 codes later, a drum track."""
        return self.events.size

    @property
    def track(self) -> int:
        """Code that switches to track 0."""
        return self.program + DRUM + 1

    @property
    def eos(self) -> int:
        """Code of the end of the sequence, whether it is used or not."""
        return self.track + self.max_tracks

    @property
    def size(self) -> int:
        """Size of the vocabulary."""
        return self.eos + self.end_of_sequence

    @property
    def indexer(self) -> Indexer:
        """Names and codes: note_on_60, note_off_60, time_shift_1, velocity_0, program_0, drums, track_0, end."""
        names = [f"{kind}_{pitch}" for kind in ("note_on", "note_off") for pitch in range(N_PITCHES)]
        names += [f"time_shift_{steps}" for steps in range(1, self.max_time_shift + 1)]
        names += [f"velocity_{velocity_bin}" for velocity_bin in range(self.velocity_bins)]
        names += [f"program_{program}" for program in range(128)] + ["drums"]
        names += [f"track_{track}" for track in range(self.max_tracks)]
        return Indexer.of_names(names + ["end"] * self.end_of_sequence)


def to_multitrack_event_representation(
    music: Music,
    use_end_of_sequence_event: bool = False,
    encode_velocity: bool = True,
    max_time_shift: int = 100,
    velocity_bins: int = 32,
    max_tracks: int = 32,
    dtype: DTypeLike = int,
) -> NDArray[Any]:
    """Encode the notes of all tracks as one sequence of event codes (see the module for layout and order).

    Notes come back exactly but for their velocity bin, as long as notes of one track and pitch that overlap end in the
    order in which they began.

    Args:
        music: The music.
        use_end_of_sequence_event: Whether the sequence ends with a code of its own; music may then lack notes.
        encode_velocity: Whether there are velocity events.
        max_time_shift: Longest time shift of one event, in steps.
        velocity_bins: Number of velocity bins.
        max_tracks: Number of track codes in the vocabulary.
        dtype: Type of the array.

    Returns (M, 1) for M events. Raises `NoNotesError` (a RuntimeError) without a note, `RepresentationError` for more
    tracks than `max_tracks`, a program, pitch or encoded velocity that is not 0–127, or a code that does not fit the
    dtype.
    """
    vocabulary = MultitrackEventVocabulary(max_time_shift, velocity_bins, max_tracks, use_end_of_sequence_event)
    notes = NoteColumns.of(music).require_midi(velocities=encode_velocity)
    if not len(notes) and not use_end_of_sequence_event:
        raise NoNotesError("No notes found. An empty piece has no representation; leave it out of the data")
    header = _declarations(music, vocabulary)
    track = np.repeat(np.arange(len(music.tracks)), [len(track.notes) for track in music.tracks])
    body = _body(notes, track, vocabulary, encode_velocity)
    end = np.full(int(use_end_of_sequence_event), vocabulary.eos)
    return as_dtype(np.concatenate([header, body, end]).reshape(-1, 1), dtype)


def _declarations(music: Music, vocabulary: MultitrackEventVocabulary) -> Integers:
    """(tracks,), the codes that declare the tracks."""
    if len(music.tracks) > vocabulary.max_tracks:
        raise RepresentationError(
            f"{len(music.tracks)} tracks, and the vocabulary has {vocabulary.max_tracks}; use a larger max_tracks"
        )
    programs = [DRUM if track.is_drum else track.program for track in music.tracks]
    for number, (program, track) in enumerate(zip(programs, music.tracks, strict=True)):
        if not track.is_drum and not 0 <= program <= 127:
            raise RepresentationError(f"track {number} has program {program}; only 0–127 can be encoded")
    return vocabulary.program + np.array(programs, np.int64)


def _body(
    notes: NoteColumns, track: Integers, vocabulary: MultitrackEventVocabulary, encode_velocity: bool
) -> Integers:
    """(events,), the codes of all notes with track changes, velocity changes and time shifts.

    track: (N,), the track of each note.
    """
    layout = vocabulary.events
    order = np.lexsort((notes.velocity, notes.duration, notes.pitch, notes.time, track))
    notes, track = notes.take(order), track[order]
    # Two events a note: its onset and its end. At one time and track, ends of earlier notes (phase 0) come before
    # onsets (1); a note without a duration ends right after its onset.
    times = np.stack([notes.time, notes.end], axis=1).reshape(-1)
    phase = np.stack([np.ones(len(notes), np.int64), (notes.duration <= 0).astype(np.int64)], axis=1).reshape(-1)
    tracks = np.repeat(track, 2)
    codes = np.stack([notes.pitch, layout.note_off + notes.pitch], axis=1).reshape(-1)
    bins = np.stack([layout.bin_of(notes.velocity), np.full(len(notes), -1)], axis=1).reshape(-1)
    order = np.lexsort((phase, tracks, times))
    times, tracks, codes, bins = times[order], tracks[order], codes[order], bins[order]

    # Up to three codes an event: track, velocity, note.
    shown = np.ones((len(codes), 3), bool)
    shown[:, 0] = np.diff(tracks, prepend=-1) != 0
    onset = bins >= 0
    shown[:, 1] = False
    if encode_velocity:
        shown[onset, 1] = np.diff(bins[onset], prepend=-1) != 0
    all_codes = np.stack([vocabulary.track + tracks, layout.velocity + bins, codes], axis=1)[shown]
    all_times = np.repeat(times, shown.sum(axis=1))
    return with_time_shifts(all_times, all_codes, layout)


def from_multitrack_event_representation(
    array: ArrayLike | EventSequence,
    resolution: int = DEFAULT_RESOLUTION,
    use_end_of_sequence_event: bool = False,
    max_time_shift: int = 100,
    velocity_bins: int = 32,
    max_tracks: int = 32,
    default_velocity: int = DEFAULT_VELOCITY,
    duplicate_note_mode: str = "fifo",
) -> Music:
    """Decode a multitrack event sequence into music with the tracks that it declares.

    Declarations count wherever they stand. Events before the first track code belong to track 0, which has program 0 if
    no track is declared; events of a track that is not declared are dropped. Otherwise what is skipped is as with
    `from_event_representation`.

    Args:
        array: Integers of any shape, read in order.
        resolution: Time steps per quarter note.
        use_end_of_sequence_event: Whether the vocabulary has an end-of-sequence event.
        max_time_shift: Longest time shift of one event, in steps.
        velocity_bins: Number of velocity bins.
        max_tracks: Number of track codes in the vocabulary.
        default_velocity: Velocity of the notes before the first velocity event.
        duplicate_note_mode: Which of several sounding notes of its track and pitch a note-off ends: "fifo" (the first),
            "lifo" (the last) or "all".

    Raises TypeError unless the array is of integers, ValueError for an unknown mode.
    """
    mode = checked_mode(duplicate_note_mode)
    vocabulary = MultitrackEventVocabulary(max_time_shift, velocity_bins, max_tracks, use_end_of_sequence_event)
    layout = vocabulary.events
    codes = as_integers(array).reshape(-1)
    if use_end_of_sequence_event:
        codes = codes[: int(np.argmax(np.append(codes, vocabulary.eos) == vocabulary.eos))]
    codes = codes[(codes >= 0) & (codes < vocabulary.eos)]

    is_track = codes >= vocabulary.track
    last = np.maximum.accumulate(np.where(is_track, np.arange(len(codes)), -1))
    track = np.where(last < 0, 0, codes[last] - vocabulary.track) if len(codes) else codes
    times, velocities = running_state(codes, layout, default_velocity)
    programs = codes[(codes >= vocabulary.program) & ~is_track] - vocabulary.program

    note = np.flatnonzero(codes < layout.time_shift)
    keys = track[note] * N_PITCHES + codes[note] % N_PITCHES
    ons, offs = pair_events(keys, codes[note] < layout.note_off, mode)
    ons, offs = note[ons], note[offs]
    notes = NoteColumns(times[ons], codes[ons], times[offs] - times[ons], velocities[ons])
    music = Music(resolution=resolution)
    for number, program in enumerate(programs.tolist() or [0]):
        own = notes.take(track[ons] == number).to_list()
        music.tracks.append(Track(0 if program == DRUM else program, program == DRUM, notes=own))
    return music
