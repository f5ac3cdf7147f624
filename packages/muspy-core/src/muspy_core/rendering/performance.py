"""Music → what each channel plays, in seconds: onsets, releases, pedal and controllers (before the synthesizer).

MIDI keeps controllers, bends and the pedal by channel. Tracks that come from the same channel therefore share them;
a track without a channel has its own. Nothing limits the number of parts to sixteen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from muspy_core.music import Music, Track
from muspy_core.timing import TempoMap

VOLUME, PAN, EXPRESSION, SUSTAIN, REVERB_SEND = 7, 10, 11, 64, 91
MODULATION_WHEEL = 1
DEFAULTS = {MODULATION_WHEEL: 0, VOLUME: 100, PAN: 64, EXPRESSION: 127, SUSTAIN: 0, REVERB_SEND: 40}
_RPN_COARSE, _RPN_FINE, _NRPN_COARSE, _NRPN_FINE, _DATA_COARSE, _DATA_FINE = 101, 100, 99, 98, 6, 38
GRACE_SECONDS = 0.07


@dataclasses.dataclass(frozen=True)
class Curve:
    """A value that changes in steps: `initial` until times[0], values[i] from times[i] (seconds, increasing) on."""

    initial: float
    times: NDArray[np.float64]
    values: NDArray[np.float64]

    def at(self, seconds: ArrayLike) -> NDArray[np.float64]:
        """Return the values at the given times; any shape."""
        index = np.searchsorted(self.times, seconds, side="right")
        return np.append(self.initial, self.values)[index]

    def changes_within(self, starts: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether the curve has a step inside (start, end), for each pair of seconds."""
        return np.searchsorted(self.times, starts, side="right") < np.searchsorted(self.times, ends, side="left")


@dataclasses.dataclass(frozen=True)
class Part:
    """Notes of one track with the state of its channel.

    onsets, releases: (notes,) seconds, sorted by onset; the pedal is part of `releases` already.
    keys, velocities: (notes,) 0-127. bank, program: the SoundFont preset; bank 128 holds drum kits.
    controls: controller number → curve of 0-127. bend: curve in cents.
    """

    name: str
    onsets: NDArray[np.float64]
    releases: NDArray[np.float64]
    keys: NDArray[np.int64]
    velocities: NDArray[np.int64]
    bank: int
    program: int
    controls: dict[int, Curve]
    bend: Curve


def parts_of(music: Music) -> list[Part]:
    """Return a part for each track of the music, in order; a track without notes has an empty one.

    Notes without pitch or velocity in 0-127 and cue notes are not played. Grace notes, which take no time in the
    score, sound for 70 ms each before the beat.
    """
    tempo_map = music.tempo_map
    channels: dict[tuple[int, int], list[Track]] = {}
    for track in music.tracks:
        if track.channel is not None:
            channels.setdefault((track.port or 0, track.channel), []).append(track)
    parts = []
    for track in music.tracks:
        sharing = [track] if track.channel is None else channels[track.port or 0, track.channel]
        parts.append(_part(track, sharing, tempo_map))
    return parts


def _part(track: Track, sharing: Iterable[Track], tempo_map: TempoMap) -> Part:
    sharing = list(sharing)
    onsets, ends, keys, velocities = _notes(track, tempo_map)
    changes = _changes(sharing, "control_changes", tempo_map)
    controls = {number: _control(changes, number, initial) for number, initial in DEFAULTS.items()}
    releases = _hold_by_pedal(ends, controls[SUSTAIN])
    releases = _release_when_struck_again(onsets, releases, keys)
    bank = 128 if track.is_drum else (track.bank or 0) >> 7
    bend = _bend(_changes(sharing, "pitch_bends", tempo_map), changes)
    return Part(track.name or "", onsets, releases, keys, velocities, bank, track.program, controls, bend)


def _notes(
    track: Track, tempo_map: TempoMap
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return onsets and ends in seconds, keys and velocities of what is played, in order of onset."""
    table = track.notes.array
    table = table[table["cue"] != 1]
    times, durations = table["time"], table["duration"]
    keys, velocities, grace = table["pitch"].astype(np.int64), table["velocity"].astype(np.int64), table["grace"] > 0
    onsets, ends = tempo_map.seconds(times), tempo_map.seconds(times + durations)
    if grace.any():
        onsets, ends = _before_the_beat(onsets, ends, grace)
    if track.chords:
        rows = [(c.time, c.time + c.duration, pitch, c.velocity) for c in track.chords for pitch in c.pitches]
        more = np.array(rows, np.int64).reshape(-1, 4)
        onsets = np.append(onsets, tempo_map.seconds(more[:, 0]))
        ends = np.append(ends, tempo_map.seconds(more[:, 1]))
        keys, velocities = np.append(keys, more[:, 2]), np.append(velocities, more[:, 3])
    valid = (keys >= 0) & (keys <= 127) & (velocities > 0)
    order = np.flatnonzero(valid)[np.argsort(onsets[valid], kind="stable")]
    return onsets[order], ends[order], keys[order], np.minimum(velocities[order], 127)


def _before_the_beat(
    onsets: NDArray[np.float64], ends: NDArray[np.float64], grace: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move grace notes in front of their onset, one after the other."""
    onsets, ends = onsets.copy(), ends.copy()
    for onset in np.unique(onsets[grace]):
        chosen = np.flatnonzero(grace & (onsets == onset))
        first = max(float(onset) - GRACE_SECONDS * len(chosen), 0.0)
        onsets[chosen] = first + GRACE_SECONDS * np.arange(len(chosen))
        ends[chosen] = onsets[chosen] + GRACE_SECONDS
    return onsets, ends


def _changes(tracks: Iterable[Track], name: str, tempo_map: TempoMap) -> list[tuple[float, int, int]]:
    """Collect (seconds, controller number or 0, value) of all tracks that share a channel, in order of time."""
    rows: list[tuple[float, int, int, int]] = []
    for track in tracks:
        table = getattr(track, name).array
        numbers = table["number"] if name == "control_changes" else np.zeros(len(table), int)
        seconds = tempo_map.seconds(table["time"])
        rows += zip(seconds.tolist(), table["order"].tolist(), numbers.tolist(), table["value"].tolist(), strict=True)
    rows.sort(key=lambda row: row[:2])
    return [(second, number, value) for second, _, number, value in rows]


def _control(changes: list[tuple[float, int, int]], number: int, initial: float) -> Curve:
    chosen = [(seconds, float(value)) for seconds, changed, value in changes if changed == number]
    return _curve(initial, chosen)


def _curve(initial: float, points: list[tuple[float, float]]) -> Curve:
    """Make a curve; what is set at the very start counts as the initial value."""
    at_start = [value for seconds, value in points if seconds <= 0]
    later = [point for point in points if point[0] > 0]
    times, values = np.array(later, np.float64).reshape(-1, 2).T
    return Curve(at_start[-1] if at_start else initial, times, values)


def _bend(bends: list[tuple[float, int, int]], changes: list[tuple[float, int, int]]) -> Curve:
    """Combine the wheel with its range (registered parameter 0: semitones and cents) into cents."""
    events = [(seconds, 0, _RPN_COARSE + 1, value) for seconds, _, value in bends]
    events += [(seconds, 1, number, value) for seconds, number, value in changes]
    selected: dict[int, int] = {}
    semitones, cents, wheel = 2, 0, 0
    points: list[tuple[float, float]] = []
    # At the same moment the range is set before the wheel moves.
    for seconds, _, number, value in sorted(events, key=lambda event: (event[0], -event[1])):
        if number in (_RPN_COARSE, _RPN_FINE):
            selected[number] = value
        elif number in (_NRPN_COARSE, _NRPN_FINE):
            selected.clear()
        elif number in (_DATA_COARSE, _DATA_FINE):
            if selected.get(_RPN_COARSE) == 0 == selected.get(_RPN_FINE):
                semitones, cents = (value, cents) if number == _DATA_COARSE else (semitones, value)
                points.append((seconds, wheel / 8192 * (100 * semitones + cents)))
        elif number == _RPN_COARSE + 1:
            wheel = value
            points.append((seconds, wheel / 8192 * (100 * semitones + cents)))
    return _curve(0.0, points)


def _hold_by_pedal(ends: NDArray[np.float64], pedal: Curve) -> NDArray[np.float64]:
    """Move releases that fall into a pressed pedal to the moment it is lifted (never: the end of all notes)."""
    down = np.append(pedal.initial >= 64, pedal.values >= 64)
    times = np.append(0.0, pedal.times)
    switches = np.flatnonzero(np.diff(down.astype(int), prepend=0))
    presses, lifts = times[switches[down[switches]]], times[switches[~down[switches]]]
    if not len(presses) or not len(ends):
        return ends
    lifts = np.append(lifts, max(float(ends.max()), float(times[-1])))[: len(presses)]
    span = np.searchsorted(presses, ends, side="right") - 1
    held = (span >= 0) & (ends < lifts[span])
    moved: NDArray[np.float64] = np.where(held, lifts[span], ends)
    return moved


def _release_when_struck_again(
    onsets: NDArray[np.float64], releases: NDArray[np.float64], keys: NDArray[np.int64]
) -> NDArray[np.float64]:
    """End a note when the same key is struck again."""
    order = np.lexsort((onsets, keys))
    following = np.full(len(order), np.inf)
    same_key = keys[order][1:] == keys[order][:-1]
    later = onsets[order][1:] > onsets[order][:-1]
    following[:-1][same_key & later] = onsets[order][1:][same_key & later]
    result: NDArray[np.float64] = releases.copy()
    result[order] = np.minimum(releases[order], following)
    return result
