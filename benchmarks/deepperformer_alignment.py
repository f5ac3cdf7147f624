"""Errors of alignment on synthetic truth: ours beside the published procedure and synctoolbox, in one run.

    python benchmarks/deepperformer_alignment.py BACH-VIOLIN SOUNDFONT [--pieces N] [--json OUT]

Truth: real timings of movements of the Bach Violin Dataset (other pieces and another SoundFont than those of the
calibration), moved by up to 16 ms for each onset, since the released ones lie on a grid of 32 ms;
played by SOUNDFONT's violin with reverberation, and noise 30 dB below. The reference is played by TimGM6mb. The weights
of our features were chosen on `emil-telmanyi_bwv1006_mov7`, `john-garner_bwv1002_mov6` and `minji-kim_bwv1003_mov3`,
which are listed apart and do not count in the summary. Without synctoolbox, which `nox -s bench-align` installs, its
lines are missing.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from deepperformer.alignment import Method, align
from deepperformer.alignment.metrics import onset_errors
from deepperformer.errors import DataError
from deepperformer.features.notes import NoteRows, Timings, performed_music
from deepperformer.recordings import Recording, read_bach_violin
from deepperformer.soundfonts import check_different
from muspy_core import Audio, render
from muspy_core.rendering.soundfont import default_soundfont

TUNED_ON = ("john-garner_bwv1002_mov6", "minji-kim_bwv1003_mov3", "emil-telmanyi_bwv1006_mov7")
PIECES = (
    "john-garner_bwv1002_mov2",
    "emil-telmanyi_bwv1003_mov3",
    "emil-telmanyi_bwv1004_mov3",
    "emil-telmanyi_bwv1006_mov3",
    "john-garner_bwv1002_mov8",
    "minji-kim_bwv1003_mov4",
    "emil-telmanyi_bwv1001_mov3",
    "emil-telmanyi_bwv1002_mov4",
    "emil-telmanyi_bwv1005_mov3",
    "emil-telmanyi_bwv1006_mov5",
    "ko-donghwi_bwv1001_mov4",
)
PROGRAMS = (40, 0)  # violin and piano, that play the reference
JITTER_S, SNR_DB, RATE = 0.016, 30.0, 16000
FIGURES = ("median", "p95", "over_50", "over_200")

Aligner = Callable[[NoteRows, Audio], Timings]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("soundfont", type=Path)
    parser.add_argument("--pieces", type=int, default=len(PIECES), help="how many, in order")
    parser.add_argument("--tuned", action="store_true", help="the pieces that the weights were chosen on, too")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    try:
        check_different([options.soundfont, Path(default_soundfont())])
    except DataError as error:
        sys.exit(str(error))
    methods = aligners()
    recordings = {recording.name: recording for recording in read_bach_violin(options.dataset)}
    results = []
    for name in (*PIECES[: options.pieces], *(TUNED_ON if options.tuned else ())):
        true = moved(recordings[name])
        audio = played(recordings[name], true, options.soundfont)
        for title, aligner in methods.items():
            start = time.perf_counter()
            timings = aligner(recordings[name].rows, audio)
            seconds = time.perf_counter() - start
            errors = onset_errors(timings, true)
            results.append({"piece": name, "method": title, "seconds": round(seconds, 1), **errors.to_dict()})
            print(
                f"{name:28s} {title:26s} median {errors.median:5.1f}  p95 {errors.p95:6.1f}  "
                f"bias {errors.bias:+6.1f} ms  > 50 ms {errors.over_50:4.1f} %  > 200 ms {errors.over_200:4.1f} %  "
                f"{seconds:5.1f} s",
                flush=True,
            )
        if options.json:  # after each piece, so that a run that is cut off has what it measured
            options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    summarise([result for result in results if result["piece"] not in TUNED_ON])
    return 0


def aligners() -> dict[str, Aligner]:
    """Return the methods by name, those of synctoolbox if it is there."""
    found: dict[str, Aligner] = {"ours": by("interpolated", PROGRAMS[0])}
    found |= {f"published, programme {program}": by("published", program) for program in PROGRAMS}
    try:
        from deepperformer_synctoolbox import synctoolbox_timings
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "synctoolbox":
            raise
        print("synctoolbox is not installed: `nox -s bench-align` compares with it, too", file=sys.stderr)
        return found
    # On the calibration piece of double stops its median is 29 ms with programme 40 and 202 ms with programme 0.
    found["synctoolbox, programme 40"] = functools.partial(synctoolbox_timings, program=PROGRAMS[0])
    return found


def by(method: Method, program: int) -> Aligner:
    return lambda rows, audio: align(rows, audio, method=method, program=program).timings


def moved(recording: Recording) -> Timings:
    """Return a recording's timings, each onset moved a little."""
    assert recording.timings is not None
    onsets, index = np.unique(recording.rows[:, 0], return_inverse=True)
    shift = np.random.default_rng(0).uniform(-JITTER_S, JITTER_S, len(onsets))[index]
    starts = np.maximum(recording.timings[:, 0] + shift, 0)
    return np.stack([starts, np.maximum(recording.timings[:, 1] + shift, starts + 0.032)], axis=1)


def played(recording: Recording, timings: Timings, soundfont: Path) -> Audio:
    music = performed_music(recording.rows, timings)
    sound = render(music, soundfont=soundfont, sample_rate=RATE, reverb=2.0).to_mono()
    level = sound.rms * 10 ** (-SNR_DB / 20)
    return Audio(sound.samples + np.random.default_rng(1).normal(0, level, sound.samples.shape), RATE)


def summarise(results: list[dict[str, float]]) -> None:
    """Print the means over pieces of each method's figures."""
    for title in dict.fromkeys(str(result["method"]) for result in results):
        rows = [result for result in results if result["method"] == title]
        if rows:
            means = {name: np.mean([row[name] for row in rows]) for name in FIGURES}
            figures = "  ".join(f"{name} {value:.1f}" for name, value in means.items())
            print(f"{len(rows)} pieces, {title}: {figures}")


if __name__ == "__main__":
    sys.exit(main())
