"""The peer of deepperformer's alignment: synctoolbox (Müller et al. 2021), audio to audio (reference → recording).

Chroma and chroma-onset features (DLNCO) of both sounds at 50 Hz and multiscale DTW with memory restriction, with the
step weights of its own examples; its path, made strictly monotonic, is interpolated at the onsets. `nox -s bench-align`
installs it, as its pins (music21 < 10, numba < 0.66, pandas < 3) go with no other session.
"""

from __future__ import annotations

import contextlib
import io

import numpy as np
from deepperformer.alignment.reference import reference_of, tempo_of
from deepperformer.features.notes import DURATION, ONSET, RESOLUTION, NoteRows, Timings
from muspy_core import Audio
from numpy.typing import NDArray
from synctoolbox.dtw.mrmsdtw import sync_via_mrmsdtw
from synctoolbox.dtw.utils import compute_optimal_chroma_shift, make_path_strictly_monotonic
from synctoolbox.feature.chroma import pitch_to_chroma, quantize_chroma, quantized_chroma_to_CENS
from synctoolbox.feature.dlnco import pitch_onset_features_to_DLNCO
from synctoolbox.feature.pitch import audio_to_pitch_features
from synctoolbox.feature.pitch_onset import audio_to_pitch_onset_features
from synctoolbox.feature.utils import estimate_tuning, shift_chroma_vectors

RATE, FEATURE_RATE = 22050, 50
STEP_WEIGHTS = np.array([1.5, 1.5, 2.0])
MOST_CELLS = 10**6

Features = NDArray[np.float64]


def synctoolbox_timings(rows: NoteRows, audio: Audio, program: int) -> Timings:
    """Return start and end of each note in seconds, (n, 2), with a reference played by a programme of TimGM6mb."""
    qpm = tempo_of(rows, audio.duration)
    reference = reference_of(rows, qpm, program, None, RATE)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints dots
        (ours, our_onsets), (theirs, their_onsets) = (features(sound) for sound in (reference, audio))
        # As its examples do: both are brought into one key, by features of 1 Hz.
        cens = [quantized_chroma_to_CENS(chroma, 201, 50, FEATURE_RATE)[0] for chroma in (ours, theirs)]
        shift = compute_optimal_chroma_shift(*cens)
        path = sync_via_mrmsdtw(
            f_chroma1=ours,
            f_onset1=our_onsets,
            f_chroma2=shift_chroma_vectors(theirs, shift),
            f_onset2=shift_chroma_vectors(their_onsets, shift),
            input_feature_rate=FEATURE_RATE,
            step_weights=STEP_WEIGHTS,
            threshold_rec=MOST_CELLS,
        )
    path = make_path_strictly_monotonic(path) / FEATURE_RATE
    steps = np.stack([rows[:, ONSET], rows[:, ONSET] + rows[:, DURATION]], axis=1)
    timings: Timings = np.interp(steps * 60 / qpm / RESOLUTION, path[0], path[1])
    return timings


def features(audio: Audio) -> tuple[Features, Features]:
    """Return chroma and DLNCO features of a sound, (12, frames) each."""
    samples = audio.to_mono().resample(RATE).samples[0].astype(np.float64)
    tuning = estimate_tuning(samples, RATE)
    pitches = audio_to_pitch_features(samples, Fs=RATE, tuning_offset=tuning, feature_rate=FEATURE_RATE)
    chroma = quantize_chroma(pitch_to_chroma(pitches))
    onsets = audio_to_pitch_onset_features(samples, Fs=RATE, tuning_offset=tuning)
    return chroma, pitch_onset_features_to_DLNCO(onsets, chroma.shape[1], FEATURE_RATE)
