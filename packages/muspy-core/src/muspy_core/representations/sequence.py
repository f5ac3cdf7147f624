"""Event codes with names: vocabularies, and sequences of events that can be read as codes or as words."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, SupportsIndex, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Indexer(dict[str, int]):
    """A vocabulary: event names and their codes, both ways (`indexer[name]`, `indexer.inverse[code]`)."""

    @functools.cached_property
    def inverse(self) -> Mapping[int, str]:
        """Codes and their names, as the vocabulary stood when first asked."""
        return {code: name for name, code in self.items()}

    @classmethod
    def of_names(cls, names: Iterable[str]) -> Indexer:
        """Number names in order, from 0."""
        return cls((name, code) for code, name in enumerate(names))


class EventSequence:
    """A sequence of events, stored as codes and readable as names (MusPy's `EventSequence`).

    Args:
        codes: The codes of the events.
        indexer: The vocabulary: a mapping of names to codes with its inverse as `.inverse` (an `Indexer` or a bidict),
            or a plain dictionary.
    """

    def __init__(self, codes: list[int] | None = None, indexer: Mapping[str, int] | None = None) -> None:
        self.codes: list[int] = codes if codes is not None else []
        self.indexer: Any = indexer if hasattr(indexer, "inverse") else Indexer(indexer or {})

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        return f"EventSequence({self.codes!r})"

    @overload
    def __getitem__(self, key: SupportsIndex) -> int: ...

    @overload
    def __getitem__(self, key: slice) -> list[int]: ...

    def __getitem__(self, key: Any) -> Any:
        return self.codes[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.codes[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.codes[key]

    def __eq__(self, other: object) -> bool:
        return self.codes == (other.codes if isinstance(other, EventSequence) else other)

    __hash__ = None  # type: ignore[assignment] # a mutable sequence, as a list

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.codes, dtype=int if dtype is None else dtype)

    @property
    def events(self) -> list[str]:
        """The names of all events."""
        return [self.indexer.inverse[code] for code in self.codes]

    def get_event(self, idx: int) -> str:
        """Return the name of the event at an index."""
        return str(self.indexer.inverse[self.codes[idx]])

    def to_event(self, code: int) -> str:
        """Return the name that a code stands for; raises KeyError for a code outside the vocabulary."""
        return str(self.indexer.inverse[code])

    def to_code(self, event: str) -> int:
        """Return the code of an event name; raises KeyError for a name outside the vocabulary."""
        return int(self.indexer[event])

    def append(self, code: int) -> None:
        """Append an event by its code."""
        self.codes.append(code)

    def extend(self, codes: Iterable[int]) -> None:
        """Append events by their codes."""
        self.codes.extend(codes)

    def append_event(self, event: str) -> None:
        """Append an event by its name."""
        self.codes.append(self.to_code(event))

    def extend_events(self, events: Iterable[str]) -> None:
        """Append events by their names."""
        self.codes.extend([self.to_code(event) for event in events])


def time_shift_events(time_shift: int, longest: int = 100) -> list[str]:
    """Return the names of the time-shift events that add up to a time shift: the longest ones, then the rest."""
    if time_shift <= longest:
        return [f"time_shift_{time_shift}"]
    full, rest = divmod(time_shift, longest)
    return [f"time_shift_{longest}"] * full + ([f"time_shift_{rest}"] if rest else [])
