"""Keys: what a piece declares, and what its notes say (chapter 2.4, Fig. 2.7).

The estimate is the classic one of key profiles: the time that each pitch class sounds is correlated with a profile for
each of the 24 keys (C. Krumhansl, "Cognitive foundations of musical pitch", 1990, chapter 4). Keys are numbered 0–23:
the tonic's pitch class, plus 12 for minor.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from muspy_core.events import KeySignature
from muspy_core.metrics.columns import note_columns
from muspy_core.music import Music

Profile = Literal["krumhansl", "temperley"]
Mode = Literal["major", "minor"]
Relation = Literal["same", "fifth", "relative", "parallel", "other"]

N_KEYS = 24
MINOR = 12
# Below this, differences between pitch classes are rounding errors.
FLAT = 1e-9
TONICS = ("C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
RELATIONS: tuple[Relation, ...] = ("same", "fifth", "relative", "parallel", "other")
# Major and minor, from the tonic upwards. Krumhansl and Kessler's probe-tone ratings (1982), and Temperley's shares of
# the segments of the Kostka–Payne corpus that hold each degree ("Music and probability", 2007, Fig. 6.5).
PROFILES: dict[Profile, NDArray[np.float64]] = {
    "krumhansl": np.array(
        [
            [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
            [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
        ]
    ),
    "temperley": np.array(
        [
            [0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400],
            [0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330],
        ]
    ),
}


@dataclasses.dataclass(frozen=True)
class Key:
    """A major or minor key. tonic: pitch class 0–11."""

    tonic: int
    mode: Mode

    @classmethod
    def of(cls, number: int) -> Key:
        """Return the key of a number 0–23."""
        return cls(number % 12, "minor" if number >= MINOR else "major")

    @property
    def number(self) -> int:
        """The number of the key, 0–23."""
        return self.tonic + (MINOR if self.mode == "minor" else 0)

    @property
    def fifths(self) -> int:
        """Sharps (+) or flats (−) of its signature, −5 to 6."""
        major = (self.tonic + (3 if self.mode == "minor" else 0)) % 12
        return (7 * major + 5) % 12 - 5

    def __str__(self) -> str:
        return f"{TONICS[self.tonic]} {self.mode}"


def pitch_class_durations(music: Music) -> NDArray[np.float64]:
    """Return how long each pitch class sounds in all, (12,), in time steps; drum tracks do not count."""
    pitches, durations = note_columns(music, "pitch", "duration", drums=False)
    weights = np.maximum(durations, 0).astype(np.float64)
    return np.bincount(pitches % 12, weights=weights, minlength=12).astype(np.float64)


def estimate_keys(durations: NDArray[np.float64], profile: Profile = "temperley") -> NDArray[np.int64]:
    """Return the key whose profile correlates best with the pitch classes of each piece.

    durations: (pieces, 12). Returns numbers (pieces,), 0–23, and −1 where all pitch classes weigh the same. Raises
    ValueError for an unknown profile.
    """
    correlations = key_correlations(durations, profile)
    return np.where(np.isnan(correlations).any(1), -1, np.nan_to_num(correlations).argmax(1))


def key_correlations(durations: NDArray[np.float64], profile: Profile = "temperley") -> NDArray[np.float64]:
    """Return Pearson's correlation of pitch-class durations (pieces, 12) with the 24 keys, (pieces, 24).

    Rows are NaN where all pitch classes weigh the same.
    """
    if profile not in PROFILES:
        raise ValueError(f"`profile` must be one of {', '.join(PROFILES)}, got {profile!r}")
    keys = np.concatenate([np.stack([np.roll(row, tonic) for tonic in range(12)]) for row in PROFILES[profile]])
    pieces = durations - durations.mean(1, keepdims=True)
    keys = keys - keys.mean(1, keepdims=True)
    norms = np.sqrt((pieces**2).sum(1))[:, None] * np.sqrt((keys**2).sum(1))
    correlations = np.full(norms.shape, np.nan)
    np.divide(pieces @ keys.T, norms, out=correlations, where=norms > FLAT)
    return correlations


def estimate_key(music: Music, profile: Profile = "temperley") -> Key | None:
    """Return the key that the notes of a piece suggest, None without pitched notes."""
    number = int(estimate_keys(pitch_class_durations(music)[None], profile)[0])
    return None if number < 0 else Key.of(number)


def declared_key(music: Music) -> Key | None:
    """Return the first key that a piece declares, None if it declares none or one that is neither major nor minor.

    A signature that tells its sharps or flats but no mode declares no key.
    """
    signature = first_signature(music)
    if signature is None or signature.root is None or signature.mode not in ("major", "minor"):
        return None
    return Key(int(signature.root) % 12, "minor" if signature.mode == "minor" else "major")


def first_signature(music: Music) -> KeySignature | None:
    """Return the earliest key signature; the first of those at one time."""
    return min(music.key_signatures, key=lambda signature: signature.time, default=None)


def parse_key(label: str) -> Key | None:
    """Return the key of a label such as "Gb:maj" or "Eb:min" (Harte's notation), None if it is neither.

    These are the labels of POP909's `key_audio.txt`.
    """
    tonic, _, quality = label.partition(":")
    if not tonic or tonic[0] not in "CDEFGAB" or tonic[1:].strip("b#") or quality[:3] not in ("maj", "min"):
        return None
    pitch_class = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[tonic[0]]
    return Key((pitch_class + tonic.count("#") - tonic.count("b")) % 12, "major" if quality[:3] == "maj" else "minor")


def relation(estimate: Key, truth: Key) -> Relation:
    """Return how far an estimate is from the truth, in the classes of MIREX's key detection task.

    fifth: same mode, the tonic a fifth too high or too low. relative: same signature. parallel: same tonic.
    """
    if estimate == truth:
        return "same"
    if estimate.mode == truth.mode:
        return "fifth" if (estimate.tonic - truth.tonic) % 12 in (5, 7) else "other"
    if estimate.fifths == truth.fifths:
        return "relative"
    return "parallel" if estimate.tonic == truth.tonic else "other"


def count_relations(pairs: Sequence[tuple[Key, Key]]) -> dict[str, int]:
    """Return how often (estimate, truth) pairs stand in each relation."""
    found = [relation(estimate, truth) for estimate, truth in pairs]
    return {name: found.count(name) for name in RELATIONS}
