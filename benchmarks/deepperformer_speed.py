"""How fast deepperformer performs: each stage for one thread, and a score of five minutes from notes to a file.

    OMP_NUM_THREADS=1 python benchmarks/deepperformer_speed.py [--model violin] [--threads 2] [--json OUT]

Timed by the clock, the best of three: a window of 5 s of the synthesis model, and 10 s of mel by each inverter (sizes
of `small-phase`, `istft`, HiFi-GAN v2, and Griffin-Lim with 60 iterations), in seconds of computing for a second of
sound. The first block of a stream, 4 s of a tune of five minutes, is timed in seconds, warm, for one thread: by the
clock and by the processor. The whole is `deepperformer perform` on that tune in a process of its own, loading included;
its memory is the largest resident set. Weights do not matter to the time: without a bundle of that name, untrained
models are timed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from deepperformer.checkpoint import bundled, save_checkpoint
from deepperformer.config import AlignmentConfig, ISTFTConfig, PhaseConfig, SynthesisConfig
from deepperformer.features.notes import music_of
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.model import AlignmentModel, SynthesisModel
from deepperformer.perform import Performance, Performer
from deepperformer.vocoder.griffin_lim import GriffinLim
from deepperformer.vocoder.hifigan import HiFiGAN
from deepperformer.vocoder.istft import ISTFTInverter
from deepperformer.vocoder.phase import PhaseInverter

MORE = (("processor_s", 2, "s of the processor"), ("mb", 0, "MB"))  # of a row, with digits and unit
REPEAT, MEL_S, WINDOW_S, MINUTES = 3, 10.0, 4.992, 5
PROGRAM = """
import resource, sys, time
start = time.perf_counter()
from deepperformer.cli import main
code = main(sys.argv[1:])
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)
sys.exit(code)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="violin")
    parser.add_argument("--threads", type=int, default=2, help="of the whole performance; stages have one")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model = options.model
        if model not in bundled() and not Path(model).is_dir():
            model = str(untrained(folder / "model"))
        performer = Performer.from_pretrained(model)
        rows = [*stages(performer), first_block(performer), whole(model, folder, options.threads)]
    for row in rows:
        rate = f"{row['rtf']:.4f} s a second" if "rtf" in row else f"{row['seconds']:.2f} s"
        more = [f"{row[key]:.{digits}f} {unit}" for key, digits, unit in MORE if key in row]
        print(", ".join([f"{row['what']:42} {rate}", *more]))
    if options.json is not None:
        options.json.write_text(
            json.dumps({"load": os.getloadavg()[0], "rows": rows}, indent=1) + "\n", encoding="utf-8"
        )


def untrained(folder: Path) -> Path:
    """Models of the shipped sizes that have learned nothing."""
    mel = MelDefinition()
    synthesis = SynthesisModel(SynthesisConfig(ffn=256))
    synthesis.start_from_mean(torch.full((80,), -5.0))
    alignment = AlignmentModel(AlignmentConfig(target="deviation"))
    for name, model in (("synthesis", synthesis), ("alignment", alignment), ("inverter", PhaseInverter())):
        save_checkpoint(folder / name, model, mel)
    return folder


def tune(seconds: float) -> np.ndarray:
    """Notes of a quarter of a second, with a double stop every fourth."""
    rng = np.random.default_rng(0)
    count = round(seconds * 4)
    rows = np.stack(
        [12 * np.arange(count), np.full(count, 12), rng.integers(60, 90, count), np.full(count, 64)], axis=1
    )
    stops = rows[::4] - [0, 0, 7, 0]
    both = np.concatenate([rows, stops])
    return both[np.lexsort((both[:, 2], both[:, 0]))]


def stages(performer: Performer) -> list[dict[str, Any]]:
    """Seconds of computing for a second of sound, of each stage by itself."""
    rows = tune(WINDOW_S)
    timings = np.stack([rows[:, 0] / 48, (rows[:, 0] + rows[:, 1]) / 48], axis=1)
    performance = Performance(rows, timings)
    mel = torch.from_numpy(performer.mel(performance))
    long = mel.repeat(-(-round(MEL_S / 0.016) // len(mel)), 1)[: round(MEL_S / 0.016)][None]
    inverters = {
        "inverter of phase changes": PhaseInverter(PhaseConfig()).eval(),
        "iSTFT inverter": ISTFTInverter(ISTFTConfig()).eval(),
        "HiFi-GAN v2": HiFiGAN().fold().eval(),
        "Griffin-Lim, 60 iterations": GriffinLim(),
    }
    window = best(lambda: performer._window(performance, 0, 0, 0)) / WINDOW_S
    timed = [{"what": "synthesis model, a window of 5 s", "threads": 1, "rtf": window}]
    for name, inverter in inverters.items():
        with torch.inference_mode():
            seconds = best(lambda made=inverter: made(long))
        timed.append({"what": name, "threads": 1, "rtf": seconds / MEL_S})
    return timed


def first_block(performer: Performer) -> dict[str, Any]:
    """Seconds from a score of five minutes to the first block of its sound, the timing of all its notes included."""
    music = music_of(tune(60 * MINUTES), qpm=120)

    def call() -> None:
        next(performer.stream(music))

    title = "first block of a stream, five minutes"
    return {"what": title, "threads": 1, "seconds": best(call), "processor_s": best(call, time.process_time)}


def best(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    call()
    times = []
    for _ in range(REPEAT):
        start = clock()
        call()
        times.append(clock() - start)
    return min(times)


def whole(model: str, folder: Path, threads: int) -> dict[str, Any]:
    """The command on a score of five minutes."""
    score = folder / "score.mid"
    music_of(tune(60 * MINUTES), qpm=120).write(score)
    command = [sys.executable, "-c", PROGRAM, "perform", str(score), "-o", str(folder / "out.wav"), "--model", model]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        sys.exit(done.stderr)
    seconds, megabytes = map(float, done.stderr.split()[-2:])
    return {
        "what": "whole: five minutes, from file to file",
        "threads": threads,
        "rtf": seconds / (60 * MINUTES),
        "seconds": seconds,
        "mb": megabytes,
    }


if __name__ == "__main__":
    main()
