"""Music → measures and notated positions (first stage of writing MusicXML).

Times are written exactly wherever notation can show them, and always if the music was read from a score. Other music of
whose onsets and ends more than a tenth lie where it cannot (played rather than written music) is quantised for the
page: beat by beat, to whichever division of the quarter note into 1, 2, 3, 4, 6 or 8 lies nearest, coarse divisions
preferred.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from muspy_core.errors import MusicXMLError
from muspy_core.events import Barline
from muspy_core.io.musicxml.durations import is_notatable
from muspy_core.io.musicxml.rows import MAX_BEATS, MAX_QUARTERS
from muspy_core.music import Music

Times = NDArray[np.int64]

SCORE_FORMATS = ("musicxml", "musescore", "abc", "kern", "mei")  # never played, so never quantised
QUANTISED_DIVISIONS = 24
SUBDIVISIONS = (1, 2, 3, 4, 6, 8)
EMPTY_BEAT = 2  # subdivision of a quarter note in which no note starts, for those that end in it
FINENESS_PENALTY = 0.012  # quarter notes of error that one more subdivision is worth
MAX_UNNOTATABLE_SHARE = 0.1
MAX_MEASURES = 50_000  # of a part; tiny meters would fill memory with measures long before MAX_QUARTERS


@dataclasses.dataclass(frozen=True)
class Meter:
    """A time signature in force. time: divisions."""

    time: int
    numerator: int
    denominator: int
    symbol: str | None
    beats: str | None

    def length(self, divisions: int) -> int:
        """Return the length of a measure in divisions, at least 1."""
        return max(1, 4 * divisions * self.numerator // self.denominator)


@dataclasses.dataclass(frozen=True)
class Measure:
    """A measure of the page. start, length: divisions. style: of the bar line at its start."""

    start: int
    length: int
    number: str
    is_implicit: bool
    style: str | None
    meter: Meter

    @property
    def end(self) -> int:
        """Where the next measure starts."""
        return self.start + self.length


class Page:
    """The time axis of a score: how steps become divisions, and the measures.

    divisions: per quarter note.
    """

    def __init__(self, music: Music) -> None:
        is_score = music.metadata.source_format in SCORE_FORMATS
        self._quantise = _Quantiser(music) if not is_score and _is_unnotatable(music) else None
        self.divisions = music.resolution
        self._factor = Fraction(1)
        if self._quantise is not None:
            if music.resolution % QUANTISED_DIVISIONS:
                self.divisions = QUANTISED_DIVISIONS
            self._factor = Fraction(self.divisions, QUANTISED_DIVISIONS)
        self.meters = self._read_meters(music)
        last_barline = max((self.position(barline.time) for barline in music.barlines), default=0)
        if max(self._content_end(music), last_barline) > (MAX_QUARTERS - 1000) * self.divisions:
            raise MusicXMLError(f"music of more than {MAX_QUARTERS:,} quarter notes does not go on paper")
        self.measures = self._lay_out(music)
        if sum(math.ceil(self.beats_in(measure)) for measure in self.measures) > MAX_BEATS:
            raise MusicXMLError(f"music of more than {MAX_BEATS:,} beats does not go on paper")
        self._starts = [measure.start for measure in self.measures]

    @property
    def is_quantised(self) -> bool:
        """Whether positions on the page are rounded."""
        return self._quantise is not None

    @property
    def end(self) -> int:
        """End of the last measure."""
        return self.measures[-1].end

    def position(self, time: int) -> int:
        """Return the place of a time on the page, in divisions."""
        if self._quantise is None:
            return time
        return int(self._quantise.position(time) * self._factor)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return (position, duration) of a note that sounds from `start` to `end`; it lasts a step at least."""
        position = self.position(start)
        duration = self.position(end) - position
        if duration > 0:
            return position, duration
        return position, 1 if self._quantise is None else int(self._quantise.step(start) * self._factor)

    def quarters(self, divisions: int) -> Fraction:
        """Return a duration in quarter notes."""
        return Fraction(divisions, self.divisions)

    def beats_in(self, measure: Measure) -> Fraction:
        """Return how many beats of its time signature a measure lasts."""
        return Fraction(measure.length * measure.meter.denominator, 4 * self.divisions)

    def measure_index(self, position: int) -> int:
        """Return the measure in which a position lies, the last one for positions beyond."""
        return max(bisect.bisect_right(self._starts, position) - 1, 0)

    def index_of_end(self, position: int) -> int:
        """Return the measure that ends at a position, else the one in which it lies."""
        index = self.measure_index(position)
        return index - 1 if index and self._starts[index] == position else index

    def _read_meters(self, music: Music) -> list[Meter]:
        meters = []
        for item in sorted(music.time_signatures, key=lambda item: item.time):
            if item.numerator >= 1 and item.denominator >= 1:
                time = self.position(item.time)
                meters.append(Meter(time, item.numerator, item.denominator, item.symbol, item.beats))
        return meters

    def meter_at(self, position: int) -> Meter:
        """Return the time signature in force at a position; 4/4 before the first."""
        index = bisect.bisect_right([meter.time for meter in self.meters], position) - 1
        return self.meters[index] if index >= 0 else Meter(0, 4, 4, None, None)

    def _lay_out(self, music: Music) -> list[Measure]:
        end = self._content_end(music)
        stated: dict[int, Barline] = {}
        for barline in music.barlines:
            stated.setdefault(self.position(barline.time), barline)
        starts = sorted({0, *stated})
        beats = [self.position(time) for time in music.beats.array["time"].tolist()] if stated else []
        beats_in_last = sum(beat >= starts[-1] for beat in beats)
        if not beats_in_last:
            starts = self._continued(starts, end, is_stated=bool(stated))
        measures = []
        number = 1
        for index, start in enumerate(starts):
            meter = self.meter_at(start)
            nominal = meter.length(self.divisions)
            is_last = index == len(starts) - 1
            length = self._last_length(start, end, beats_in_last) if is_last else starts[index + 1] - start
            is_pickup = index == 0 and not is_last and length < nominal
            known = stated.get(start)
            label = known.number if known is not None and known.number else None
            if label is None:
                label = "0" if is_pickup else str(number)
            number = int(label) + 1 if label.isdecimal() and len(label) < 9 else number + 1
            measures.append(Measure(start, length, label, is_pickup, known.style if known else None, meter))
        return measures

    def _continued(self, starts: list[int], end: int, is_stated: bool) -> list[int]:
        """Continue the bar lines by the time signatures up to the end of the music."""
        starts = list(starts)
        changes = [] if is_stated else [meter.time for meter in self.meters]
        while True:
            following = starts[-1] + self.meter_at(starts[-1]).length(self.divisions)
            # A change of signature starts a measure, as in MusPy.
            following = min([following, *(time for time in changes if starts[-1] < time < following)])
            if following >= end:
                return starts
            if len(starts) == MAX_MEASURES:
                raise MusicXMLError(f"music of more than {MAX_MEASURES:,} measures does not go on paper")
            starts.append(following)

    def _content_end(self, music: Music) -> int:
        """Return where the last note ends or the last signature, clef or repeat stands; other marks may hang over."""
        times = [_onsets(music), _ends(music), music.time_signatures.array["time"], music.key_signatures.array["time"]]
        times += [music.repeats.array["time"], *(track.clefs.array["time"] for track in music.tracks)]
        return self.position(max((int(values.max()) for values in times if len(values)), default=0))

    def _last_length(self, start: int, end: int, beats: int) -> int:
        """Return the length of the last measure: full, unless the number of its beats, if it is known, differs."""
        meter = self.meter_at(start)
        if not beats:
            return max(meter.length(self.divisions), end - start)
        unit = Fraction(4 * self.divisions, meter.denominator)
        if end > start and beats == math.ceil((end - start) / unit):
            return end - start
        return max(math.floor(beats * unit), end - start, 1)


def _onsets(music: Music) -> Times:
    """Return all onsets of notes and chords in steps."""
    times = [np.zeros(0, dtype=np.int64)]
    for track in music.tracks:
        times += [track.notes.array["time"], track.chords.array["time"]]
    return np.concatenate(times)


def _ends(music: Music) -> Times:
    """Return all ends of notes and chords in steps; grace notes have none."""
    times = [np.zeros(0, dtype=np.int64)]
    for track in music.tracks:
        table = track.notes.array[track.notes.array["grace"] == 0]
        times += [table["time"] + table["duration"], track.chords.array["time"] + track.chords.array["duration"]]
    return np.concatenate(times)


def _is_unnotatable(music: Music) -> bool:
    """Whether so many onsets and ends lie where notation has no place for them that exact writing makes no sense."""
    phases = np.concatenate([_onsets(music), _ends(music)]) % music.resolution
    places, counts = np.unique(phases, return_counts=True)
    if not len(places):
        return False
    bad = [not is_notatable(Fraction(int(place), music.resolution)) for place in places.tolist()]
    return bool(counts[np.array(bad)].sum() > MAX_UNNOTATABLE_SHARE * counts.sum())


class _Quantiser:
    """Rounds times to notatable positions, choosing a subdivision for each quarter note."""

    def __init__(self, music: Music) -> None:
        self._resolution = music.resolution
        places = _onsets(music)
        beats = places // music.resolution
        order = np.argsort(beats, kind="stable")
        phases = (places % music.resolution)[order] / music.resolution
        beats = beats[order]
        errors = []
        for subdivision in SUBDIVISIONS:
            error = np.abs(np.round(phases * subdivision) / subdivision - phases)
            errors.append(error + FINENESS_PENALTY * subdivision)
        numbers, first = np.unique(beats, return_index=True)
        sums = np.add.reduceat(np.array(errors), first, axis=1) if len(first) else np.zeros((len(SUBDIVISIONS), 0))
        self._chosen: dict[int, int] = dict(
            zip(numbers.tolist(), np.array(SUBDIVISIONS)[sums.argmin(axis=0)].tolist(), strict=True)
        )

    def position(self, time: int) -> int:
        """Return a time in twenty-fourths of a quarter note."""
        beat, rest = divmod(time, self._resolution)
        subdivision = self._chosen.get(beat, EMPTY_BEAT)
        step = (2 * rest * subdivision + self._resolution) // (2 * self._resolution)
        return QUANTISED_DIVISIONS * beat + step * QUANTISED_DIVISIONS // subdivision

    def step(self, time: int) -> int:
        """Return the shortest duration at a time, in twenty-fourths of a quarter note: at most a triplet eighth."""
        subdivision = self._chosen.get(time // self._resolution, EMPTY_BEAT)
        return QUANTISED_DIVISIONS // max(subdivision, 4 if subdivision in (1, 2) else 3)
