"""The measures of a piece, for the ABC writer: where they start, and the signatures and signs at their borders."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction

from muspy_core.errors import ABCError
from muspy_core.events import TimeSignature
from muspy_core.io.abc.fields import Key, parse_key
from muspy_core.io.abc.marks import SIGN_NAMES
from muspy_core.io.abc.notation import key_text, meter_text, tempo_text
from muspy_core.music import Music

MAX_MEASURES = 200_000
DEFAULT_UNIT = 8


class Measures:
    """Where measures start and what holds in them.

    borders: (measures + 1,), steps, from 0 to the end of the piece. resolution: steps per quarter note. unit:
    denominator of the unit note length. first_meter, first_tempo: values for the header. signs: whether there are
    repeat signs.
    """

    def __init__(self, music: Music) -> None:
        self.resolution = music.resolution
        self._meters = sorted(music.time_signatures, key=lambda item: item.time)
        self._keys = sorted(music.key_signatures, key=lambda item: item.time)
        self._tempos = [item for item in sorted(music.tempos, key=lambda item: item.time) if 1e-6 < item.qpm < 1e7]
        self._repeats = sorted(music.repeats, key=lambda item: item.time)
        self.signs = bool(self._repeats)
        first = [item for item in self._meters if item.time == 0]
        self.first_meter = _meter_of(first[-1]) if first else "none"
        power = first[-1].denominator if first else DEFAULT_UNIT
        self.unit = power if power & (power - 1) == 0 else DEFAULT_UNIT
        opening = [item for item in self._tempos if item.time == 0]
        self.first_tempo = tempo_text(opening[-1].qpm, opening[-1].text) if opening else None
        self.borders = self._find_borders(music)
        self.count = len(self.borders) - 1
        self._key_times = [item.time for item in self._keys]
        self._keys_parsed = [parse_key(self._key_text(index))[0] for index in range(len(self._keys))]

    def _find_borders(self, music: Music) -> list[int]:
        tracks = [track.get_end_time() for track in music.tracks]
        times = [item.time for events in (self._tempos, music.chord_symbols, music.texts) for item in events]
        end = max([*tracks, *times, *(item.time for item in self._repeats), 0])
        last_beat = max((beat.time for beat in music.beats), default=-1)
        if last_beat >= end:  # the piece ends with rests
            end = last_beat + max(4 * self.resolution // self.unit_of_beat(last_beat), 1)
        if end <= 0:
            return [0]
        found = {0, *(item.time for item in music.barlines)}
        found |= {item.time for item in (*self._meters, *self._keys, *self._repeats)}
        borders = sorted(time for time in found if 0 <= time < end)
        if not len(music.barlines):
            borders = self._fill(borders, end)
        elif borders:
            borders = borders[:-1] + self._fill(borders[-1:], end)
        if len(borders) > MAX_MEASURES:
            raise ABCError(f"ABC: more than {MAX_MEASURES:,} measures; are the times in steps of the resolution?")
        return [*borders, end]

    def _fill(self, borders: list[int], end: int) -> list[int]:
        """Divide what lies between borders into measures of the meter that holds there (4/4 before the first)."""
        times = [item.time for item in self._meters]
        filled: list[int] = []
        for start, stop in zip(borders, [*borders[1:], end], strict=True):
            place = bisect_right(times, start) - 1
            meter = self._meters[place] if place >= 0 else TimeSignature(0, 4, 4)
            length = Fraction(4 * self.resolution * meter.numerator, meter.denominator)
            count = -(-(stop - start) // length)
            if len(filled) + count > MAX_MEASURES:
                raise ABCError(f"ABC: more than {MAX_MEASURES:,} measures; are the times in steps of the resolution?")
            filled += sorted({start + int(index * length) for index in range(count)})
        return filled

    def unit_of_beat(self, time: int) -> int:
        """Return the denominator of the meter at a time."""
        place = bisect_right([item.time for item in self._meters], time) - 1
        return self._meters[place].denominator if place >= 0 else 4

    def length(self, index: int) -> int:
        """Return the length of a measure in steps."""
        return self.borders[index + 1] - self.borders[index]

    def beat(self, index: int) -> Fraction:
        """Return the length of a beamed group in a measure, in steps: three units in compound meters."""
        place = bisect_right([item.time for item in self._meters], self.borders[index]) - 1
        if place < 0:
            return Fraction(self.resolution)
        meter = self._meters[place]
        units = 3 if meter.numerator % 3 == 0 and meter.denominator >= 8 else 1
        return Fraction(4 * self.resolution * units, meter.denominator)

    def key(self, index: int) -> Key:
        """Return the key that holds in a measure."""
        place = bisect_right(self._key_times, self.borders[index]) - 1
        found = self._keys_parsed[place] if place >= 0 else None
        return found or Key((0,) * 7, 0, None, None)

    def context(self, index: int) -> tuple[object, ...]:
        """Return the key, meter and tempo that hold before a measure; those of the header before the first one."""
        start = max(self.borders[index], 1)
        meter = [_meter_of(item) for item in self._meters if item.time < start][-1:]
        tempo = [(item.qpm, item.text) for item in self._tempos if item.time < start][-1:]
        key = bisect_right(self._key_times, start - 1) - 1
        return (self._key_text(key) if key >= 0 else None, *meter, *tempo)

    def _key_text(self, index: int) -> str:
        item = self._keys[index]
        return key_text(item.root, item.mode, item.fifths, item.root_str)

    def key_fields(self) -> dict[int, str]:
        """Return the inline fields of key and meter changes after the start, by time."""
        fields: dict[int, str] = {}
        for index, item in enumerate(self._keys):
            if item.time > 0:
                fields[item.time] = f"[K:{self._key_text(index)}]"
        for meter in self._meters:
            if meter.time > 0:
                fields[meter.time] = fields.get(meter.time, "").partition("[M:")[0] + f"[M:{_meter_of(meter)}]"
        return fields

    def tempo_fields(self) -> list[tuple[int, str]]:
        """Return the inline fields of tempo changes after the start."""
        return [(item.time, f"[Q:{tempo_text(item.qpm, item.text)}]") for item in self._tempos if item.time > 0]

    def opening(self, index: int) -> str:
        """Return the signs with which a measure opens, apart from its bar line: |: and ending brackets, segno, coda."""
        words: list[str] = []
        for item in self._repeats:
            if item.time == self.borders[index]:
                if item.kind == "forward":
                    words.insert(0, "|:")
                elif item.kind == "ending-start":
                    words.append(f"[{(item.text or '1').replace(' ', '')}")
                elif item.kind in ("segno", "coda"):
                    words.append(f"!{SIGN_NAMES[item.kind]}!")
        return " ".join(words)

    def closing(self, index: int) -> str:
        """Return the bar line that ends a measure, and the jumps before it."""
        end = self.borders[index + 1]
        bar = "|]" if index == self.count - 1 else "|"
        jumps = []
        for item in self._repeats:
            if item.time == end:
                if item.kind == "backward":
                    times = int(item.text) if item.text and item.text.isdecimal() else 2
                    bar = ":" * max(min(times, 10) - 1, 1) + "|"
                elif item.kind in ("ending-stop", "ending-discontinue") and bar == "|":
                    bar = "||"
                elif item.kind in SIGN_NAMES and item.kind not in ("segno", "coda"):
                    jumps.append(f"!{SIGN_NAMES[item.kind]}!")
        return " ".join([*jumps, bar])


def _meter_of(item: TimeSignature) -> str:
    return meter_text(item.numerator, item.denominator, item.symbol, item.beats)
