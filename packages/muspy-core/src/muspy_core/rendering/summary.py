"""What a piece is, in a few words: the figures that pages, notebooks and `muspy-core info` show."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from muspy_core.music import Music
from muspy_core.timing import barline_times

_MAJOR = ("C♭", "G♭", "D♭", "A♭", "E♭", "B♭", "F", "C", "G", "D", "A", "E", "B", "F♯", "C♯")
_MINOR = ("A♭", "E♭", "B♭", "F", "C", "G", "D", "A", "E", "B", "F♯", "C♯", "G♯", "D♯", "A♯")
_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


@dataclasses.dataclass(frozen=True)
class Summary:
    """Figures of a piece.

    seconds: its length. bars: number of measures, 0 if unknown. silent: number of tracks without notes. notes: with the
    pitches of chords. tempos: (lowest, highest) in quarter notes per minute. keys and time_signatures: as text, in
    order, without repetitions.
    """

    title: str
    seconds: float
    bars: int
    tracks: int
    silent: int
    notes: int
    resolution: int
    tempos: tuple[float, float]
    keys: tuple[str, ...]
    time_signatures: tuple[str, ...]

    def facts(self) -> dict[str, str]:
        """Return labelled text, without what is unknown."""
        low, high = (f"{tempo:.4g}" for tempo in self.tempos)
        found = {
            "Length": clock(self.seconds) + (f", {count(self.bars, 'bar')}" if self.bars else ""),
            "Tempo": f"{low} qpm" if low == high else f"{low}–{high} qpm",
            "Key": _few(self.keys),
            "Time": _few(self.time_signatures),
            "Tracks": f"{self.tracks:,}" + (f" ({self.silent} without notes)" if self.silent else ""),
            "Notes": f"{self.notes:,}",
        }
        return {label: text for label, text in found.items() if text}


def summarize(music: Music) -> Summary:
    """Return the figures of a piece."""
    tempos = music.tempos.array["qpm"] if len(music.tempos) else np.array([120.0])
    return Summary(
        title=music.metadata.title or "",
        seconds=music.get_real_end_time(),
        bars=len(bar_times(music)),
        tracks=len(music.tracks),
        silent=sum(not len(track.notes) and not len(track.chords) for track in music.tracks),
        notes=sum(len(track.notes) + sum(len(chord.pitches) for chord in track.chords) for track in music.tracks),
        resolution=music.resolution,
        tempos=(float(tempos.min()), float(tempos.max())),
        keys=_distinct(
            key_name(*values)
            for values in zip(
                music.key_signatures.optional("fifths"),
                music.key_signatures.side("mode"),
                music.key_signatures.optional("root"),
                strict=True,
            )
        ),
        time_signatures=_distinct(
            f"{numerator}/{denominator}"
            for numerator, denominator in music.time_signatures.array[["numerator", "denominator"]].tolist()
        ),
    )


def bar_times(music: Music) -> NDArray[np.int64]:
    """Return the starts of the measures in steps: those of the music, else what its time signatures give."""
    if len(music.barlines):
        times: NDArray[np.int64] = np.sort(music.barlines.array["time"])
        return times
    return barline_times(music.time_signatures, music.get_end_time(), music.resolution)


def first_bar_number(music: Music) -> int:
    """Return the number of the first measure: as the music has it, else 1, or 0 if it is an upbeat."""
    numbers = music.barlines.side("number")
    if numbers and str(numbers[0]).isdecimal():
        return int(numbers[0])
    bars = bar_times(music)[:2]
    signatures = music.time_signatures.array
    if len(bars) < 2 or not len(signatures):
        return 1
    whole = 4 * music.resolution * int(signatures[0]["numerator"]) / int(signatures[0]["denominator"])
    return 0 if bars[1] - bars[0] < whole else 1


def key_name(fifths: int | None, mode: str | None, root: int | None) -> str:
    """Return the name of a key, such as "F♯ minor"."""
    mode = mode or "major"
    if fifths is not None and -7 <= fifths <= 7 and mode in ("major", "minor"):
        return f"{(_MAJOR if mode == 'major' else _MINOR)[fifths + 7]} {mode}"
    return f"{_NAMES[root % 12]} {mode}" if root is not None else ""


def clock(seconds: float) -> str:
    """Return a length of time as minutes and seconds, "3:07"; under a minute as "7.2 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def count(number: int, noun: str) -> str:
    """Return "1 bar", "2 bars"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _few(values: Sequence[str], most: int = 3) -> str:
    return ", ".join(values[:most]) + (f" and {len(values) - most} more" if len(values) > most else "")
