"""Rows of a part → tracks in columns (last stage of reading MusicXML)."""

from __future__ import annotations

from itertools import compress
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import EventList, new_array
from muspy_core.events import DEFAULT_VELOCITY, Clef, Dynamic, Lyric, Note, Slur
from muspy_core.io.musicxml.header import Instrument, PartInfo
from muspy_core.io.musicxml.rows import PartRows, Span
from muspy_core.io.musicxml.ties import merge_ties as join_tied_notes
from muspy_core.io.musicxml.timeline import Timeline, make_events
from muspy_core.music import Track

PartTracks = Literal["instruments", "parts"]

ROW_COLUMNS = (
    "measure",
    "position",
    "duration",
    "pitch",
    "voice",
    "staff",
    "grace",
    "cue",
    "tie",
    "velocity",
    "instrument",
)
SIDE_COLUMNS = ("pitch_str", "articulations", "ornaments")


def build_tracks(
    info: PartInfo,
    reader: PartRows,
    timeline: Timeline,
    part: int,
    merge_ties: bool,
    part_tracks: PartTracks,
) -> list[Track]:
    """Return the tracks of a part; marks that belong to no single instrument stand in the first one."""
    groups = _group_instruments(list(info.instruments.values()), part_tracks)
    notes = _NoteTable(reader, timeline, merge_ties)
    tracks = []
    for group in groups:
        track = _make_track(info, group, reader, part)
        track.notes = notes.of_instruments([index for index, _ in group], everything=len(groups) == 1)
        tracks.append(track)
    owners = {index: number for number, group in enumerate(groups) for index, _ in group}
    _add_lyrics(tracks, owners, reader, timeline)
    _add_slurs(tracks, owners, reader, timeline)
    _add_clefs(tracks[0], reader, timeline)
    _add_dynamics(tracks[0], reader, timeline)
    return tracks


def _group_instruments(instruments: list[Instrument], part_tracks: PartTracks) -> list[list[tuple[int, Instrument]]]:
    """Return the instruments of each track: one each, but the keys of a drum kit together."""
    numbered = list(enumerate(instruments))
    if part_tracks == "parts":
        return [numbered]
    groups: list[list[tuple[int, Instrument]]] = []
    kits: dict[int | None, list[tuple[int, Instrument]]] = {}
    for index, instrument in numbered:
        if instrument.is_drum or instrument.key is not None:
            if instrument.channel in kits:
                kits[instrument.channel].append((index, instrument))
                continue
            groups.append(kits.setdefault(instrument.channel, [(index, instrument)]))
        else:
            groups.append([(index, instrument)])
    return groups


def _make_track(info: PartInfo, group: list[tuple[int, Instrument]], reader: PartRows, part: int) -> Track:
    first = group[0][1]
    diatonic, chromatic = reader.transposition or (None, None)
    name = info.name or first.name
    return Track(
        program=first.program or 0,
        is_drum=any(item.is_drum or index in reader.unpitched for index, item in group),
        name=name,
        midi_track=part,
        channel=first.channel,
        bank=first.bank,
        staves=reader.staves,
        transposition=chromatic,
        diatonic_transposition=diatonic,
        abbreviation=info.abbreviation,
        instrument=first.name if len(group) == 1 and first.name != name else None,
    )


class _NoteTable:
    """The notes of a part as columns, unrolled and with ties joined."""

    def __init__(self, reader: PartRows, timeline: Timeline, merge_ties: bool) -> None:
        columns = list(zip(*reader.notes, strict=True)) or [()] * (len(ROW_COLUMNS) + len(SIDE_COLUMNS))
        numeric = {name: _to_column(values) for name, values in zip(ROW_COLUMNS, columns, strict=False)}
        _fill_velocities(numeric, reader, timeline)
        rows, starts = timeline.spread(numeric["measure"].astype(np.intp))
        side = {name: list(values) for name, values in zip(SIDE_COLUMNS, columns[len(ROW_COLUMNS) :], strict=True)}
        if not timeline.is_sequential:
            numeric = {name: values[rows] for name, values in numeric.items()}
            side = _choose(side, rows.tolist())
        times = starts + numeric["position"]
        if merge_ties:
            kept = join_tied_notes(times, numeric, side)
            if not kept.all():
                times, rows = times[kept], rows[kept]
                numeric = {name: values[kept] for name, values in numeric.items()}
                flags = kept.tolist()
                side = {name: list(compress(values, flags)) for name, values in side.items()}
        self._side = {name: values for name, values in side.items() if values.count(None) < len(values)}
        self._instruments = numeric["instrument"]
        self._array = _to_note_columns(times, numeric, timeline)

    def of_instruments(self, instruments: list[int], everything: bool) -> EventList[Note]:
        """Return the notes of some instruments of the part, sorted as MusPy does."""
        notes = EventList.of_columns(Note, self._array, self._side)
        if not everything:
            chosen = np.flatnonzero(np.isin(self._instruments, instruments))
            notes = EventList.of_columns(Note, self._array[chosen], _choose(self._side, chosen.tolist()))
        notes.sort_by("time", "pitch", "duration", "velocity")
        return notes


def _to_column(values: tuple[int, ...]) -> NDArray[np.int64]:
    """Return numbers as an array; most columns hold one number only, which is found faster than it is converted."""
    if values and values.count(values[0]) == len(values):
        return np.full(len(values), values[0], dtype=np.int64)
    return np.array(values, dtype=np.int64)


def _choose(side: dict[str, list[Any]], rows: list[int]) -> dict[str, list[Any]]:
    """Return the values of some rows, in this order."""
    return {
        name: [values[row] for row in rows] if values.count(None) < len(values) else [None] * len(rows)
        for name, values in side.items()
    }


def _fill_velocities(numeric: dict[str, NDArray[np.int64]], reader: PartRows, timeline: Timeline) -> None:
    """Give notes without a velocity of their own that of the last dynamic before or at their onset."""
    own = numeric["velocity"]
    if not reader.levels:
        own[own < 0] = DEFAULT_VELOCITY
        return
    levels = np.array(reader.levels, dtype=np.int64)
    times = timeline.written[levels[:, 0]] + levels[:, 1]
    order = np.argsort(times, kind="stable")
    velocities = np.concatenate([[DEFAULT_VELOCITY], levels[order, 2]])
    onsets = timeline.written[numeric["measure"]] + numeric["position"]
    held = velocities[np.searchsorted(times[order], onsets, side="right")]
    numeric["velocity"] = np.where(own < 0, held, own)


def _to_note_columns(times: NDArray[np.int64], numeric: dict[str, NDArray[np.int64]], timeline: Timeline) -> Any:
    """Return the table of notes in time steps. A note that sounds lasts at least one step."""
    array = new_array(Note, len(times))
    onsets = timeline.to_steps(times)
    ends = timeline.to_steps(times + numeric["duration"])
    array["time"] = onsets
    array["duration"] = np.where(numeric["duration"] > 0, np.maximum(ends - onsets, 1), 0)
    for name in ("pitch", "velocity", "voice", "staff", "grace", "cue", "tie"):
        array[name] = numeric[name]
    array["order"] = np.arange(len(times))
    return array


def _add_lyrics(tracks: list[Track], owners: dict[int, int], reader: PartRows, timeline: Timeline) -> None:
    for number, track in enumerate(tracks if reader.lyrics else []):
        times, rows = timeline.place(row for row in reader.lyrics if owners[row[5]] == number)
        if rows:
            texts, verses, voices = (list(column) for column in list(zip(*rows, strict=True))[2:5])
            track.lyrics = make_events(Lyric, times, lyric=texts, verse=verses, voice=voices)


def _add_slurs(tracks: list[Track], owners: dict[int, int], reader: PartRows, timeline: Timeline) -> None:
    for number, track in enumerate(tracks if reader.slurs else []):
        spans = [span for span in reader.slurs if owners[span.instrument] == number]
        if spans:
            placed, rows = timeline.place(spans)
            voices = np.array([span.voice for span in rows], dtype=np.int64)
            times = np.array(placed, dtype=np.int64)
            starts = _snap(times, voices, track.notes.array, own_onsets=True)
            ends = _snap(times + _durations(timeline, rows), voices, track.notes.array, own_onsets=False)
            staves = [span.staff for span in rows]
            track.slurs = make_events(Slur, starts, duration=np.maximum(ends - starts, 0), voice=voices, staff=staves)
            track.slurs.sort_by("time", "duration", "voice", "staff")


def _snap(times: NDArray[np.int64], voices: NDArray[np.int64], notes: Any, own_onsets: bool) -> NDArray[np.int64]:
    """Move ends of slurs that stand on a tied note to where this note, now joined, starts.

    times, voices: (slurs,). own_onsets: whether only onsets in the voice of the slur count (it starts there, but may
    end in another). Returns (slurs,): times at which a note starts are kept, those inside a note of the voice become
    its onset.
    """
    snapped: NDArray[np.int64] = times.copy()
    if own_onsets:
        places = set(_places(notes["voice"], notes["time"]))
        missing = [index for index, place in enumerate(_places(voices, times)) if place not in places]
    else:
        onsets = set(notes["time"].tolist())
        missing = [index for index, time in enumerate(times.tolist()) if time not in onsets]
    for index in missing:
        time = times[index]
        sounding = (
            (notes["voice"] == voices[index]) & (notes["time"] < time) & (time < notes["time"] + notes["duration"])
        )
        if sounding.any():
            snapped[index] = notes["time"][sounding].max()
    return snapped


def _places(voices: NDArray[Any], times: NDArray[np.int64]) -> list[int]:
    """Return one number for each pair of voice and time."""
    places: list[int] = (times * (1 << 16) + voices).tolist()
    return places


def _durations(timeline: Timeline, spans: list[Span]) -> NDArray[np.int64]:
    """Return the lengths of slurs and wedges in steps, 0 where the end comes before the start."""
    starts = timeline.written[[span.measure for span in spans]] + [span.position for span in spans]
    ends = timeline.written[[span.end_measure for span in spans]] + [span.end_position for span in spans]
    return timeline.to_steps(np.maximum(ends - starts, 0))


def _add_clefs(track: Track, reader: PartRows, timeline: Timeline) -> None:
    times, rows = timeline.place(reader.clefs)
    if rows:
        signs, lines, octaves, staves = (list(column) for column in list(zip(*rows, strict=True))[2:])
        track.clefs = make_events(Clef, times, sign=signs, line=lines, octave_change=octaves, staff=staves)


def _add_dynamics(track: Track, reader: PartRows, timeline: Timeline) -> None:
    """Put dynamic marks and wedges into one list, by time."""
    times, rows = timeline.place(reader.dynamics)
    wedge_times, wedges = timeline.place(reader.wedges)
    if not (rows or wedges):
        return
    durations = [-1] * len(rows) + (_durations(timeline, wedges).tolist() if wedges else [])
    events: EventList[Dynamic] = make_events(
        Dynamic,
        [*times, *wedge_times],
        dynamic=[row[2] for row in rows] + [span.kind for span in wedges],
        duration=durations,
        staff=[row[3] for row in rows] + [span.staff for span in wedges],
    )
    events.sort_by("time", "duration", "staff")
    track.dynamics = events
