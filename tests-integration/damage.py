"""What befalls files: content that is gone, cut off, overwritten, or of another kind (whole bytes → damaged bytes)."""

from __future__ import annotations

import dataclasses
import pickle
import random
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Damage:
    """A way to damage a file. refused: whether no command may take what is left for a whole file."""

    name: str
    apply: Callable[[bytes], bytes]
    refused: bool = True


def _noise(whole: bytes) -> bytes:
    return random.Random(1).randbytes(min(max(len(whole), 100), 4000))


def _flipped(whole: bytes) -> bytes:
    """A bit here and there, more of them near the beginning, where headers are."""
    data, rng = bytearray(whole), random.Random(2)
    for place in [rng.randrange(min(len(data), 64)) for _ in range(3)] + [rng.randrange(len(data)) for _ in range(3)]:
        data[place] ^= 1 << rng.randrange(8)
    return bytes(data)


def _claiming(whole: bytes) -> bytes:
    """Eight bytes of the header that claim the largest sizes there are."""
    return whole[:8] + b"\xff" * 8 + whole[16:]


CONTENT = (
    Damage("empty", lambda whole: b""),
    Damage("zeros", lambda whole: bytes(200)),
    Damage("text", lambda whole: b"Nothing of this kind is here.\n"),
    Damage("noise", _noise),
    Damage("another kind", lambda whole: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40)),
    Damage("cut in half", lambda whole: whole[: len(whole) // 2], refused=False),
    Damage("bits flipped", _flipped, refused=False),
    Damage("huge claims", _claiming, refused=False),
)

# Descriptions of models: JSON of the wrong shape, and JSON that is made to do harm.
DESCRIPTIONS = (
    *CONTENT[:5],
    Damage("a list", lambda whole: b"[1, 2]"),
    Damage("a number", lambda whole: b"3"),
    Damage("no keys", lambda whole: b"{}"),
    Damage("deep", lambda whole: b"[" * 100_000),
    Damage("nothing known", lambda whole: whole.replace(b'"model"', b'"other"')),
    Damage("huge sizes", lambda whole: whole.replace(b": 16,", b": 1600000000,").replace(b": 64,", b": 6400000000,")),
    Damage("cut in half", lambda whole: whole[: len(whole) // 2]),
)

WEIGHTS = (
    *CONTENT[:5],
    Damage("a pickle", lambda whole: pickle.dumps({"weight": print})),
    Damage("a long header", lambda whole: b"\xff" * 8 + whole[8:]),
    Damage("cut in half", lambda whole: whole[: len(whole) // 2]),
    Damage("other names", lambda whole: whole.replace(b"weight", b"weighs")),
)

CONFIGURATIONS = (
    Damage("empty", lambda whole: b""),
    Damage("text", lambda whole: b"Nothing of this kind is here.\n"),
    Damage("noise", _noise),
    Damage("an object of Python", lambda whole: b"model: !!python/object/apply:os.mkdir [made]\n"),
    Damage("unknown key", lambda whole: whole + b"\nunheard_of: 1\n"),
    Damage("wrong type", lambda whole: whole.replace(b"max_steps:", b"max_steps: many #")),
    Damage("an alias of itself", lambda whole: b"model: &a [*a]\n"),
    Damage("unknown class", lambda whole: whole.replace(b"ExportBest", b"ExportNone").replace(b"Export\n", b"None\n")),
)
