"""Score → the sound it is compared with, and the constant by which that timbre shifts onsets.

A sharp attack in the reference and a soft one in the recording make DTW find onsets late, and the reverse: a constant
for each SoundFont and programme takes that out. Those of TimGM6mb are mean medians over BWV 1002, 2 and BWV 1006, 4 in
Telmányi's timings, played by its own violin and viola with reverberation: neither pieces nor sounds of the benchmark.
An unknown SoundFont is measured on a study, played by TimGM6mb's violin.
"""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

import numpy as np
from muspy_core import Audio, render
from muspy_core.rendering.soundfont import default_soundfont

from deepperformer.errors import AlignmentError
from deepperformer.features.notes import DURATION, ONSET, PITCH, RESOLUTION, VIOLIN, NoteRows, music_of

MAX_QPM, MIN_QPM = 600.0, 5.0

# Seconds by which onsets are found late, by the SoundFont's sha256 (16 digits) and programme.
KNOWN_BIAS = {
    ("82475b91a76de15c", 40): 0.0017,  # TimGM6mb, violin
    ("82475b91a76de15c", 0): 0.0140,  # TimGM6mb, piano
}


def reference_of(
    rows: NoteRows, qpm: float, program: int, soundfont: str | os.PathLike[str] | None, sample_rate: int
) -> Audio:
    """Return the score played at a constant tempo, mono, without reverberation."""
    music = music_of(rows, qpm, program)
    return render(music, soundfont=soundfont, sample_rate=sample_rate, reverb=0.0).to_mono()


def tempo_of(rows: NoteRows, seconds: float) -> float:
    """Return the constant tempo at which the score lasts as long as the recording.

    Raises AlignmentError if no one plays so slowly or fast.
    """
    quarters = float((rows[:, ONSET] + rows[:, DURATION]).max()) / RESOLUTION
    qpm = 60.0 * quarters / max(seconds, 1e-3)
    if not MIN_QPM <= qpm <= MAX_QPM:
        raise AlignmentError(
            f"the score has {quarters:g} quarter notes and the recording {seconds:.1f} s, which is {qpm:.0f} qpm; "
            "is it the recording of this score, with the same repeats?"
        )
    return qpm


def bias_of(soundfont: str | os.PathLike[str] | None, program: int) -> float:
    """Return the seconds by which onsets are found late with a reference; measured on a study where not known."""
    path = Path(default_soundfont() if soundfont is None else soundfont)
    key = soundfont_hash(path), program
    return KNOWN_BIAS[key] if key in KNOWN_BIAS else _measured(path, program)


@functools.lru_cache(maxsize=16)
def _measured(soundfont: Path, program: int) -> float:
    """Align the study, played by the default SoundFont's violin, with a reference by another font or programme."""
    from deepperformer.alignment.align import onset_shift

    rows = study()
    return onset_shift(rows, render(music_of(rows, 84.0, VIOLIN), sample_rate=16000), program, soundfont)


def study() -> NoteRows:
    """Return a tune through the violin's range, in notes of several lengths, with double stops."""
    durations = np.tile([24, 12, 12, 6, 6, 6, 6, 24, 12, 12, 48, 8, 8, 8], 6)
    onsets = np.cumsum(durations) - durations
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    degrees = (np.cumsum(np.resize([1, 2, -1, 3, -2, 1, -3, 2], len(durations))) * 3) % 17
    pitches = 57 + scale[degrees % 7] + 12 * (degrees // 7)
    rows = np.stack([onsets, durations, pitches, np.full(len(onsets), 64)], axis=1)
    stops = rows[::7].copy()
    stops[:, PITCH] += 9
    return np.concatenate([rows, stops])[np.argsort(np.concatenate([onsets, onsets[::7]]), kind="stable")]


@functools.lru_cache(maxsize=16)
def soundfont_hash(path: Path) -> str:
    """Return the first 16 digits of the SHA-256 of a SoundFont."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
