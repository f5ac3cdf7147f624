"""One sound with its parts louder or softer: masks as a mixing desk (separate → remix).

The result is the input plus, for each query, its stem times (gain - 1): what no query names stays as it is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence

from muspy_core.audio import Audio

from clipsep.features.wordings import QueryError
from clipsep.query import Query, split_value
from clipsep.separate import Band, Separator

MAX_GAIN_DB = 40.0


@dataclasses.dataclass(frozen=True)
class Fader:
    """A query and how loud it becomes. gain_db: -inf for silence."""

    query: Query
    gain_db: float

    @property
    def factor(self) -> float:
        """The gain as a factor of the samples."""
        return 0.0 if self.gain_db == -math.inf else 10 ** (self.gain_db / 20)


def parse_gain(text: str) -> Fader:
    """Read NAME:DECIBELS, such as "violin:-6". Raises QueryError."""
    name, gain = split_value(text)
    if gain is None or abs(gain) > MAX_GAIN_DB:
        raise QueryError(f"{text!r}: a gain is NAME:DECIBELS, such as violin:-6, at most ±{MAX_GAIN_DB:g}")
    return Fader(Query.of_text(name), gain)


def mute(name: str) -> Fader:
    """Return the fader that silences a query."""
    return Fader(Query.of_text(name), -math.inf)


def remix(
    separator: Separator, blocks: Iterable[Audio], faders: Sequence[Fader], *, rest_db: float = 0.0, band: Band = "cut"
) -> Iterator[Audio]:
    """Yield the sound with its parts at other levels, in constant memory.

    rest_db: gain of what no fader names; -inf leaves only what they name (solo). Raises QueryError without any fader.
    """
    if not faders:
        raise QueryError("nothing is changed: name a sound by --gain, --mute or --solo")
    factors = [fader.factor for fader in faders]
    rest = 0.0 if rest_db == -math.inf else 10 ** (rest_db / 20)
    for block in separator.stream(blocks, [fader.query for fader in faders], band=band):
        samples = rest * block.residual.samples
        for stem, factor in zip(block.stems, factors, strict=True):
            samples = samples + factor * stem.samples
        yield Audio(samples, block.residual.sample_rate)
