"""MusPy's functions on music objects, each the function form of a method (music → operations)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from muspy_core.base import Base
from muspy_core.containers import ComplexBase
from muspy_core.events import Chord, Note
from muspy_core.music import Music, Track

BaseT = TypeVar("BaseT", bound=Base)
ComplexBaseT = TypeVar("ComplexBaseT", bound=ComplexBase)
SoundingT = TypeVar("SoundingT", Music, Track, Note, Chord)


def adjust_resolution(
    music: Music,
    target: int | None = None,
    factor: float | None = None,
    rounding: str | Callable[[float], int] | None = "round",
) -> Music:
    """Change the number of time steps per quarter note in place; return the music.

    See `Music.adjust_resolution` for the arguments and errors.
    """
    return music.adjust_resolution(target, factor, rounding)


def adjust_time(obj: BaseT, func: Callable[[int], int]) -> BaseT:
    """Apply a function to every time (in steps) of an object in place; return the object."""
    return obj.adjust_time(func)


def append(obj1: ComplexBaseT, obj2: Any) -> ComplexBaseT:
    """Append an object to the list of `obj1` that holds its type; return `obj1`.

    Raises TypeError if no list does.
    """
    return obj1.append(obj2)


def extend(obj1: ComplexBaseT, obj2: Any, deepcopy: bool = False) -> ComplexBaseT:
    """Append the objects of another container of the same type, or of an iterable, to `obj1`; return `obj1`.

    deepcopy: append copies that share nothing with `obj2`.
    """
    return obj1.extend(obj2, deepcopy)


def clip(obj: SoundingT, lower: int = 0, upper: int = 127) -> SoundingT:
    """Clip the velocities of an object to `lower` … `upper` in place; return the object."""
    return obj.clip(lower, upper)


def get_end_time(obj: Music | Track, is_sorted: bool = False) -> int:
    """Return the time in steps at which the last event of a piece or track ends, 0 when empty."""
    return obj.get_end_time(is_sorted)


def get_real_end_time(music: Music, is_sorted: bool = False) -> float:
    """Return the time in seconds at which the last event of a piece ends."""
    return music.get_real_end_time(is_sorted)


def remove_duplicate(obj: ComplexBaseT) -> ComplexBaseT:
    """Keep the first of equal items in every list of an object, in place; return the object."""
    return obj.remove_duplicate()


def sort(obj: ComplexBaseT) -> ComplexBaseT:
    """Sort every list of an object stably by time, in place; return the object."""
    return obj.sort()


def to_ordered_dict(obj: Base, skip_missing: bool = True, deepcopy: bool = True) -> OrderedDict[str, Any]:
    """Return an object as an ordered dictionary, nested objects included; see `Base.to_ordered_dict`."""
    return obj.to_ordered_dict(skip_missing, deepcopy)


def transpose(obj: SoundingT, semitone: int) -> SoundingT:
    """Shift the pitches of an object in place; return the object. The drum tracks of a piece stay as they are."""
    obj.transpose(semitone)
    return obj
