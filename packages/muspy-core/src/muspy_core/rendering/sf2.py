"""SoundFont files → playable regions: the first half of the renderer (SoundFont technical specification 2.04).

A preset refers to instruments, an instrument to samples; each level has zones with a key and a velocity range and a
set of *generators* (numbered parameters). What plays for a key is a list of `Region`s: a sample with the sum of the
generators on its way. Modulators inside the file are ignored; the default ones of the specification are the
synthesizer's part. Both plain (.sf2) and Vorbis-compressed (.sf3) samples are read.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from muspy_core.errors import RenderError
from muspy_core.io.files import read_bytes

DRUM_BANK = 128
MAX_SOUNDFONT_SIZE = 4 * 1024**3

# Generators by their number in the specification (§8.1.2).
START, END, LOOP_START, LOOP_END, START_COARSE, END_COARSE = 0, 1, 2, 3, 4, 12
LOOP_START_COARSE, LOOP_END_COARSE = 45, 50
MOD_LFO_PITCH, VIB_LFO_PITCH, MOD_ENV_PITCH = 5, 6, 7
CUTOFF, RESONANCE, MOD_LFO_CUTOFF, MOD_ENV_CUTOFF, MOD_LFO_VOLUME = 8, 9, 10, 11, 13
REVERB, PAN = 16, 17
MOD_LFO_DELAY, MOD_LFO_RATE, VIB_LFO_DELAY, VIB_LFO_RATE = 21, 22, 23, 24
MOD_DELAY, MOD_ATTACK, MOD_HOLD, MOD_DECAY, MOD_SUSTAIN = 25, 26, 27, 28, 29
MOD_KEY_HOLD, MOD_KEY_DECAY = 31, 32
VOL_DELAY, VOL_ATTACK, VOL_HOLD, VOL_DECAY, VOL_SUSTAIN, VOL_RELEASE = 33, 34, 35, 36, 37, 38
VOL_KEY_HOLD, VOL_KEY_DECAY = 39, 40
INSTRUMENT, KEY_RANGE, VELOCITY_RANGE, FIXED_KEY, FIXED_VELOCITY = 41, 43, 44, 46, 47
ATTENUATION, COARSE_TUNE, FINE_TUNE, SAMPLE, SAMPLE_MODE = 48, 51, 52, 53, 54
SCALE_TUNING, EXCLUSIVE_CLASS, ROOT_KEY = 56, 57, 58
GENERATORS = 61

_DEFAULTS = np.zeros(GENERATORS, np.int32)
_DEFAULTS[[CUTOFF, SCALE_TUNING, ROOT_KEY, FIXED_KEY, FIXED_VELOCITY]] = 13500, 100, -1, -1, -1
_DEFAULTS[[MOD_LFO_DELAY, VIB_LFO_DELAY, MOD_DELAY, MOD_ATTACK, MOD_HOLD, MOD_DECAY]] = -12000
_DEFAULTS[[VOL_DELAY, VOL_ATTACK, VOL_HOLD, VOL_DECAY, VOL_RELEASE]] = -12000
_INSTRUMENT_ONLY = [START, END, LOOP_START, LOOP_END, START_COARSE, END_COARSE, LOOP_START_COARSE, LOOP_END_COARSE]
_INSTRUMENT_ONLY += [FIXED_KEY, FIXED_VELOCITY, SAMPLE_MODE, EXCLUSIVE_CLASS, ROOT_KEY]
_RANGES = (KEY_RANGE, VELOCITY_RANGE)


def _record(fields: str) -> np.dtype[np.void]:
    """A packed little-endian record; "name type, …"."""
    return np.dtype([(name, f"<{kind}") for name, kind in (field.split() for field in fields.split(", "))])


_RECORDS = {
    b"phdr": _record("name S20, program u2, bank u2, bag u2, library u4, genre u4, morphology u4"),
    b"pbag": _record("generator u2, modulator u2"),
    b"pgen": _record("number u2, amount i2"),
    b"inst": _record("name S20, bag u2"),
    b"ibag": _record("generator u2, modulator u2"),
    b"igen": _record("number u2, amount i2"),
    b"shdr": _record(
        "name S20, start u4, end u4, loop_start u4, loop_end u4, rate u4, root u1, correction i1, link u2, type u2"
    ),
}
_VORBIS = 0x10
_ROM = 0x8000


@dataclasses.dataclass(frozen=True, eq=False)
class Region:
    """A sample and how to play it.

    keys, velocities: inclusive ranges. samples: (n,) int16 or float32 (full scale 32768), one point after the end
    included. loop: (start, end) in samples, or None. rate: Hz. root: key at which it sounds as recorded.
    cents: correction of pitch. generators: (61,) in the units of the specification.
    """

    keys: tuple[int, int]
    velocities: tuple[int, int]
    samples: NDArray[np.generic] = dataclasses.field(repr=False)
    loop: tuple[int, int] | None
    rate: int
    root: int
    cents: float
    generators: NDArray[np.int32]

    def plays(self, key: int, velocity: int) -> bool:
        """Whether the region sounds for this key and velocity."""
        return self.keys[0] <= key <= self.keys[1] and self.velocities[0] <= velocity <= self.velocities[1]


@dataclasses.dataclass(frozen=True)
class _Zone:
    """The set generators of one zone, and the ranges in which it is valid."""

    generators: dict[int, int]
    keys: tuple[int, int]
    velocities: tuple[int, int]


class SoundFont:
    """A SoundFont in memory; presets are put together when they are first asked for.

    Raises RenderError if the file is no SoundFont, OSError if it cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._data = read_bytes(self.path, MAX_SOUNDFONT_SIZE)
        self._chunks = dict(self._read_chunks())
        try:
            self._tables = {name: self._table(name, dtype) for name, dtype in _RECORDS.items()}
        except KeyError as error:
            raise RenderError(f"{self.path.name}: the SoundFont has no {error.args[0].decode()} chunk") from None
        headers = self._tables[b"phdr"][:-1]
        self._presets = {(int(row["bank"]), int(row["program"])): index for index, row in enumerate(headers)}
        self.names = {key: _text(headers[index]["name"]) for key, index in self._presets.items()}
        self._regions: dict[int, list[Region]] = {}
        if not self._presets:
            raise RenderError(f"{self.path.name}: the SoundFont has no presets")

    def __repr__(self) -> str:
        return f"SoundFont({self.path.name!r}, presets={len(self._presets)})"

    @property
    def sample_names(self) -> list[str]:
        """The names of the samples: two SoundFonts that share them share their recordings."""
        return [_text(name) for name in self._tables[b"shdr"]["name"][:-1]]

    def preset(self, bank: int, program: int) -> list[Region]:
        """Return the regions of a preset; an unknown one is replaced by the nearest that General MIDI promises.

        bank 128 holds the drum kits. A missing melodic bank falls back to bank 0, a missing kit to the standard kit,
        and what is left to the first preset of the file.
        """
        wishes = [(bank, program), (DRUM_BANK, 0) if bank == DRUM_BANK else (0, program), (0, 0)]
        chosen = next((self._presets[wish] for wish in wishes if wish in self._presets), 0)
        if chosen not in self._regions:
            self._regions[chosen] = self._build(chosen)
        return self._regions[chosen]

    # --- reading ---------------------------------------------------------------------------------------------------

    def _read_chunks(self) -> Iterator[tuple[bytes, memoryview]]:
        data = memoryview(self._data)
        if bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"sfbk":
            raise RenderError(f"{self.path.name}: not a SoundFont (it does not begin with a RIFF sfbk header)")
        for name, content in _walk(data[12:]):
            if name == b"LIST":
                yield from _walk(content[4:])

    def _table(self, name: bytes, dtype: np.dtype[np.void]) -> NDArray[np.void]:
        content = self._chunks[name]
        count = len(content) // dtype.itemsize
        if count < 1:
            raise RenderError(f"{self.path.name}: the {name.decode()} chunk is empty")
        return np.frombuffer(content, dtype, count)

    def _zones(self, level: bytes, first: int, last: int) -> list[_Zone]:
        """Read zones [first, last) of the preset ("p") or instrument ("i") level; a global zone fills in the others."""
        bags, generators = self._tables[level + b"bag"], self._tables[level + b"gen"]
        target = INSTRUMENT if level == b"p" else SAMPLE
        shared: dict[int, int] = {}
        zones = []
        for index in range(first, min(last, len(bags) - 1)):
            rows = generators[int(bags[index]["generator"]) : int(bags[index + 1]["generator"])]
            own = {int(row["number"]): int(row["amount"]) for row in rows if row["number"] < GENERATORS}
            if target in own:
                merged = {**shared, **own}
                zones.append(_Zone(merged, _range(merged, KEY_RANGE), _range(merged, VELOCITY_RANGE)))
            elif index == first:
                shared = own
        return zones

    def _build(self, preset: int) -> list[Region]:
        headers, instruments = self._tables[b"phdr"], self._tables[b"inst"]
        regions = []
        for outer in self._zones(b"p", int(headers[preset]["bag"]), int(headers[preset + 1]["bag"])):
            index = outer.generators[INSTRUMENT]
            if not 0 <= index < len(instruments) - 1:
                raise RenderError(f"{self.path.name}: preset {_text(headers[preset]['name'])!r}: no instrument {index}")
            for inner in self._zones(b"i", int(instruments[index]["bag"]), int(instruments[index + 1]["bag"])):
                keys, velocities = _overlap(outer.keys, inner.keys), _overlap(outer.velocities, inner.velocities)
                if keys and velocities:
                    regions.append(self._region(outer.generators, inner.generators, keys, velocities))
        return [region for region in regions if len(region.samples) > 2]

    def _region(
        self, outer: dict[int, int], inner: dict[int, int], keys: tuple[int, int], velocities: tuple[int, int]
    ) -> Region:
        generators = _DEFAULTS.copy()
        for number, amount in inner.items():
            generators[number] = amount
        for number, amount in outer.items():
            if number not in _INSTRUMENT_ONLY and number not in _RANGES and number not in (INSTRUMENT, SAMPLE):
                generators[number] += amount
        headers = self._tables[b"shdr"]
        index = inner[SAMPLE]
        if not 0 <= index < len(headers) - 1:
            raise RenderError(f"{self.path.name}: there is no sample {index}")
        header = headers[index]
        samples, loop_start, loop_end = self._sample(index)
        start = int(generators[START] + 32768 * generators[START_COARSE])
        end = int(generators[END] + 32768 * generators[END_COARSE])
        loop_start += int(generators[LOOP_START] + 32768 * generators[LOOP_START_COARSE]) - start
        loop_end += int(generators[LOOP_END] + 32768 * generators[LOOP_END_COARSE]) - start
        samples = samples[max(start, 0) : len(samples) + min(end, 0)]
        looped = generators[SAMPLE_MODE] in (1, 3) and loop_start >= 0 and loop_start + 1 < loop_end < len(samples)
        root = int(generators[ROOT_KEY]) if 0 <= generators[ROOT_KEY] <= 127 else int(header["root"])
        return Region(
            keys,
            velocities,
            samples,
            (loop_start, loop_end) if looped else None,
            min(max(int(header["rate"]), 400), 400_000),
            root if root <= 127 else 60,
            float(100 * generators[COARSE_TUNE] + generators[FINE_TUNE] + header["correction"]),
            generators,
        )

    @functools.cache  # noqa: B019 - a font lives as long as its samples are wanted
    def _sample(self, index: int) -> tuple[NDArray[np.generic], int, int]:
        """Return the points of a sample, and its loop relative to them."""
        header = self._tables[b"shdr"][index]
        start, end = int(header["start"]), int(header["end"])
        loop = int(header["loop_start"]), int(header["loop_end"])
        if header["type"] & _ROM or b"smpl" not in self._chunks:
            return np.zeros(0, np.int16), 0, 0
        content = self._chunks[b"smpl"]
        if header["type"] & _VORBIS:
            return self._decode(bytes(content[start:end])), *loop
        points = np.frombuffer(content, "<i2", len(content) // 2)
        return points[start : end + 1], loop[0] - start, loop[1] - start

    def _decode(self, vorbis: bytes) -> NDArray[np.generic]:
        import soundfile

        try:
            points, _ = soundfile.read(io.BytesIO(vorbis), dtype="int16", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise RenderError(f"{self.path.name}: a compressed sample cannot be decoded: {error}") from None
        return np.append(points[:, 0], np.int16(0))


@functools.lru_cache(maxsize=4)
def load_soundfont(path: str) -> SoundFont:
    """Return a SoundFont, kept in memory for the next call."""
    return SoundFont(path)


def _walk(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Give the chunks of a RIFF list; a chunk that claims more than there is ends with the data."""
    offset = 0
    while offset + 8 <= len(data):
        name, size = bytes(data[offset : offset + 4]), struct.unpack_from("<I", data, offset + 4)[0]
        yield name, data[offset + 8 : offset + 8 + size]
        offset += 8 + size + size % 2


def _range(generators: dict[int, int], number: int) -> tuple[int, int]:
    amount = generators.get(number)
    return (0, 127) if amount is None else (amount & 0xFF, amount >> 8 & 0xFF)


def _overlap(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int] | None:
    low, high = max(first[0], second[0]), min(first[1], second[1])
    return (low, high) if low <= high else None


def _text(name: bytes) -> str:
    return bytes(name).split(b"\0")[0].decode("latin-1").strip()
