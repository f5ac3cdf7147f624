"""SoundFonts → whether they are different ones: those that share their samples are one sound under two names.

MuseScore General, for one, has most samples of FluidR3, every violin among them, so that a model that knows the one has
heard the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from muspy_core.rendering.sf2 import load_soundfont

from deepperformer.errors import DataError

MOST_SHARED = 0.05


def shared_names(first: Path, second: Path) -> float:
    """Return the share of the names of samples that two SoundFonts have in common, of those of the smaller one."""
    ours, theirs = (set(load_soundfont(str(path)).sample_names) for path in (first, second))
    return len(ours & theirs) / max(min(len(ours), len(theirs)), 1)


def check_different(soundfonts: Sequence[Path]) -> None:
    """Raise DataError for two SoundFonts that share 5 % of the names of their samples or more."""
    for first, second in itertools.combinations(soundfonts, 2):
        shared = shared_names(first, second)
        if shared >= MOST_SHARED:
            raise DataError(
                f"{first.name} and {second.name} share {100 * shared:.0f} % of the names of their samples: they count "
                f"as one SoundFont (different ones share less than {100 * MOST_SHARED:.0f} %)"
            )
