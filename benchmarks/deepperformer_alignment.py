"""Errors of score-recording alignment on synthetic truth: ours beside the published procedure, in one run.

    python benchmarks/deepperformer_alignment.py BACH-VIOLIN SOUNDFONT [--pieces N] [--json OUT]

Truth: real timings of movements of the Bach Violin Dataset (other pieces and another SoundFont than those of the
calibration), moved by up to 16 ms for each onset, since the released ones lie on a grid of 32 ms;
played by SOUNDFONT's violin with reverberation, and noise 30 dB below. The reference is played by TimGM6mb. The weights
of our features were chosen on `emil-telmanyi_bwv1006_mov7`, `john-garner_bwv1002_mov6` and `minji-kim_bwv1003_mov3`,
which are listed apart and do not count in the summary.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from deepperformer.alignment import Method, align
from deepperformer.alignment.metrics import onset_errors
from deepperformer.features.notes import Timings, performed_music
from deepperformer.recordings import Recording, read_bach_violin
from muspy_core import Audio, render
from muspy_core.rendering.sf2 import load_soundfont
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
METHODS: tuple[tuple[str, Method, int], ...] = (
    ("ours", "interpolated", 40),
    ("published, programme 40", "published", 40),
    ("published, programme 0", "published", 0),
)
JITTER_S, SNR_DB, RATE = 0.016, 30.0, 16000
MOST_SHARED_NAMES = 0.05


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("soundfont", type=Path)
    parser.add_argument("--pieces", type=int, default=len(PIECES), help="how many, in order")
    parser.add_argument("--tuned", action="store_true", help="the pieces that the weights were chosen on, too")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    shared = shared_names(options.soundfont, default_soundfont())
    if shared > MOST_SHARED_NAMES:
        sys.exit(f"{options.soundfont.name} shares {100 * shared:.0f} % of its samples' names with TimGM6mb's")
    recordings = {recording.name: recording for recording in read_bach_violin(options.dataset)}
    results = []
    for name in (*PIECES[: options.pieces], *(TUNED_ON if options.tuned else ())):
        true = moved(recordings[name])
        audio = played(recordings[name], true, options.soundfont)
        for title, method, program in METHODS:
            start = time.perf_counter()
            found = align(recordings[name].rows, audio, method=method, program=program)
            seconds = time.perf_counter() - start
            errors = onset_errors(found.timings, true)
            results.append({"piece": name, "method": title, "seconds": round(seconds, 1), **errors.to_dict()})
            print(
                f"{name:28s} {title:24s} median {errors.median:5.1f}  p95 {errors.p95:6.1f}  "
                f"bias {errors.bias:+6.1f} ms  > 50 ms {errors.over_50:4.1f} %  > 200 ms {errors.over_200:4.1f} %  "
                f"{seconds:5.1f} s",
                flush=True,
            )
    summarise([result for result in results if result["piece"] not in TUNED_ON])
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def shared_names(first: Path, second: Path) -> float:
    """Return the share of the first font's sample names that the second has too."""
    ours, theirs = (set(load_soundfont(str(path))._tables[b"shdr"]["name"].tolist()) for path in (first, second))
    return len(ours & theirs) / len(ours)


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
    for title, _, _ in METHODS:
        rows = [result for result in results if result["method"] == title]
        if rows:
            means = {name: np.mean([row[name] for row in rows]) for name in ("median", "p95", "over_50", "over_200")}
            figures = "  ".join(f"{name} {value:.1f}" for name, value in means.items())
            print(f"{len(rows)} pieces, {title}: {figures}")


if __name__ == "__main__":
    sys.exit(main())
