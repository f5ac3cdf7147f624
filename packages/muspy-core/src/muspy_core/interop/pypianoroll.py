"""pypianoroll Multitrack and Track ⇄ Music (piano rolls ⇄ note columns)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import EventList, Table, new_array
from muspy_core.events import DEFAULT_VELOCITY, Barline, Metadata, Note, Tempo
from muspy_core.interop.peers import import_peer
from muspy_core.interop.sounding import all_notes
from muspy_core.music import Music, Track
from muspy_core.timing import DEFAULT_QPM

N_PITCHES = 128


def from_pypianoroll(multitrack: Any, default_velocity: int = DEFAULT_VELOCITY) -> Music:
    """Return a pypianoroll Multitrack as Music: tempo changes as tempi, downbeats as bar lines.

    default_velocity: the velocity of notes in binary rolls.
    """
    music = Music(
        metadata=Metadata(title=multitrack.name or None, source_format="pypianoroll"),
        resolution=multitrack.resolution,
        tracks=[from_pypianoroll_track(track, default_velocity) for track in multitrack.tracks],
    )
    if multitrack.tempo is not None and len(multitrack.tempo):
        tempo = np.asarray(multitrack.tempo, dtype=np.float64).reshape(-1)
        changes = np.flatnonzero(np.insert(tempo[1:] != tempo[:-1], 0, True))
        table = new_array(Tempo, len(changes))
        table["time"], table["qpm"] = changes, tempo[changes]
        music.tempos = EventList.from_columns(Tempo, table)
    if multitrack.downbeat is not None:
        table = new_array(Barline, int(np.count_nonzero(multitrack.downbeat)))
        table["time"] = np.flatnonzero(multitrack.downbeat)
        music.barlines = EventList.from_columns(Barline, table)
    return music


def from_pypianoroll_track(track: Any, default_velocity: int = DEFAULT_VELOCITY) -> Track:
    """Return a pypianoroll Track as Track.

    A note lasts as long as its pitch sounds without a break, and its velocity is that of its first step; a roll does
    not tell a long note from repeated ones. default_velocity: the velocity of notes in a binary roll.
    """
    return Track(
        program=track.program or 0,
        is_drum=bool(track.is_drum),
        name=track.name or None,
        notes=EventList.from_columns(Note, _notes_of(np.asarray(track.pianoroll), default_velocity)),
    )


def _notes_of(roll: NDArray[Any], default_velocity: int) -> Table:
    """Return the notes of a roll, (steps, 128) → (notes,), sorted by time and pitch."""
    sounding = np.zeros((roll.shape[1], roll.shape[0] + 2), dtype=np.int8)
    sounding[:, 1:-1] = (roll > 0).T
    edges = np.diff(sounding, axis=1)
    pitches, onsets = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    table = new_array(Note, len(onsets))
    table["time"], table["pitch"], table["duration"] = onsets, pitches, ends - onsets
    table["velocity"] = default_velocity if roll.dtype == bool else roll[onsets, pitches]
    return table[np.lexsort((pitches, onsets))]


def to_pypianoroll(music: Music) -> Any:
    """Return music as a pypianoroll Multitrack of velocity rolls.

    Notes of chords are notes. Where notes of one pitch overlap, the later one is heard. A roll ends with the piece, and
    the step in which its last tempo or bar line stands still belongs to it.
    """
    pypianoroll = import_peer("pypianoroll")
    tempos, barlines = music.tempos.array, music.barlines.array
    last_marks = [int(table["time"].max()) + 1 for table in (tempos, barlines) if len(table)]
    length = max(
        [track.notes.end_time() for track in music.tracks] + [t.chords.end_time() for t in music.tracks], default=0
    )
    length = max([length, *last_marks])
    qpm = np.full((length, 1), DEFAULT_QPM)
    for row in tempos[np.argsort(tempos["time"], kind="stable")]:
        qpm[row["time"] :] = row["qpm"]
    downbeat = np.zeros((length, 1), dtype=bool)
    downbeat[barlines["time"]] = True
    return pypianoroll.Multitrack(
        name=music.metadata.title or "",
        resolution=music.resolution,
        tempo=qpm,
        downbeat=downbeat,
        tracks=[
            pypianoroll.StandardTrack(
                name=track.name or "", program=track.program, is_drum=track.is_drum, pianoroll=_roll_of(track, length)
            )
            for track in music.tracks
        ],
    )


def _roll_of(track: Track, length: int) -> NDArray[np.uint8]:
    """Return the velocity roll of a track, (length, 128)."""
    roll = np.zeros((length, N_PITCHES), dtype=np.uint8)
    notes = all_notes(track)
    notes = notes[np.argsort(notes["time"], kind="stable")]
    ends = notes["time"] + notes["duration"]
    columns = (notes["time"], ends, notes["pitch"], notes["velocity"])
    for start, end, pitch, velocity in zip(*(column.tolist() for column in columns), strict=True):
        roll[start:end, pitch] = velocity
    return roll
