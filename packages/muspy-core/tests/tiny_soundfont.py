"""A SoundFont written out in a test: one looped or unlooped sample, and the generators that the test is about."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

RATE = 44100
ROOT = 69
PERIOD = 100  # samples: 441 Hz, played as A4 at ROOT


def sine(periods: int) -> np.ndarray:
    return np.round(20000 * np.sin(2 * np.pi * np.arange(periods * PERIOD) / PERIOD)).astype("<i2")


def tiny_soundfont(
    generators: dict[int, int] | None = None,
    *,
    samples: np.ndarray | None = None,
    loop: tuple[int, int] | None = (PERIOD, 9 * PERIOD),
    presets: Sequence[tuple[int, int]] = ((0, 0),),
) -> bytes:
    """Return an .sf2 file with the given presets, (bank, program), which all play the same sample."""
    points = sine(10) if samples is None else samples
    zone = dict(generators or {})
    if loop is not None:
        zone.setdefault(54, 1)
    instrument_generators = [*sorted(zone.items()), (53, 0)]
    start, end = loop or (0, 0)
    smpl = points.astype("<i2").tobytes() + bytes(92)
    headers = b"".join(
        struct.pack("<20sHHHIII", b"preset", program, bank, index, 0, 0, 0)
        for index, (bank, program) in enumerate(presets)
    ) + struct.pack("<20sHHHIII", b"EOP", 0, 0, len(presets), 0, 0, 0)
    chunks = {
        b"phdr": headers,
        b"pbag": b"".join(struct.pack("<HH", index, 0) for index in range(len(presets) + 1)),
        b"pmod": bytes(10),
        b"pgen": struct.pack("<Hh", 41, 0) * len(presets) + bytes(4),
        b"inst": struct.pack("<20sH", b"tone", 0) + struct.pack("<20sH", b"EOI", 1),
        b"ibag": struct.pack("<HH", 0, 0) + struct.pack("<HH", len(instrument_generators), 0),
        b"imod": bytes(10),
        b"igen": b"".join(struct.pack("<Hh", *pair) for pair in instrument_generators) + bytes(4),
        b"shdr": struct.pack("<20sIIIIIBbHH", b"sine", 0, len(points), start, end, RATE, ROOT, 0, 0, 1)
        + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    pdta = b"".join(_chunk(name, content) for name, content in chunks.items())
    body = b"sfbk" + _chunk(b"LIST", b"sdta" + _chunk(b"smpl", smpl)) + _chunk(b"LIST", b"pdta" + pdta)
    return _chunk(b"RIFF", body)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
