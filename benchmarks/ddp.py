"""What a second process brings and costs in training: `mmt fit` with the same model, and the same batch in all.

    python benchmarks/ddp.py --steps 80 --repeats 2 --json ddp.json

`small-conditional` without dropout, on random tunes; each process has one thread, and one and two processes take turns.
Given are steps a second on the clock, which other work on the machine changes, and processor seconds of all processes
for a step, which it changes little: what two processes take above one is the cost of their agreement (gradients, and
work that both do). Counted is from step 20 on. Needs muspy-mmt[train].
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
from mmt.prepare import prepare
from muspy_core import Music, Note, Tempo, Track

FIRST = 20  # step from which on is counted
FOLDER = "MUSPY_DDP_FIGURES"


class Clock(L.Callback):
    """Writes the seconds and processor seconds of a process's steps into a folder, a file for each rank."""

    def __init__(self) -> None:
        self._begun = (0.0, 0.0)

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        now = (time.perf_counter(), time.process_time())
        if trainer.global_step == FIRST:
            self._begun = now
        elif trainer.global_step == trainer.max_steps:
            seconds, processor = (end - begin for begin, end in zip(self._begun, now, strict=True))
            figures = {"steps": trainer.max_steps - FIRST, "seconds": seconds, "processor": processor}
            path = Path(os.environ[FOLDER]) / f"{trainer.global_rank}.json"
            path.write_text(json.dumps(figures), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=80, help="of each training")
    parser.add_argument("--repeats", type=int, default=2, help="trainings of each kind, in turns")
    parser.add_argument("--batch-size", type=int, default=8, help="of all processes together")
    parser.add_argument("--length", type=int, default=256, help="events of a song")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as temporary:
        data = write_data(Path(temporary))
        for _ in range(options.repeats):
            for processes, results in found.items():
                results.append(train(processes, data, options))
    report: dict[str, Any] = {"runs": found, "load": os.getloadavg()[0], "cores": os.cpu_count()}
    for processes, results in found.items():
        rates = [result["rate"] for result in results]
        costs = [result["processor"] for result in results]
        print(f"{processes} process(es): {np.mean(rates):.2f} steps/s, {np.mean(costs):.3f} processor seconds a step")
        report[f"rate_{processes}"], report[f"processor_{processes}"] = float(np.mean(rates)), float(np.mean(costs))
    report["efficiency"] = report["rate_2"] / (2 * report["rate_1"])
    report["efficiency_by_processor"] = report["processor_1"] / report["processor_2"]
    print(f"efficiency on the clock: {report['efficiency']:.0%}, by processor time: "
          f"{report['efficiency_by_processor']:.0%}; load {report['load']:.1f} on {report['cores']} cores")  # fmt: skip
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def train(processes: int, data: Path, options: argparse.Namespace) -> dict[str, float]:
    """Train in so many processes; return steps a second, and processor seconds of all of them a step."""
    with tempfile.TemporaryDirectory() as temporary:
        command = [
            *(sys.executable, "-m", "mmt.cli", "fit", "-c", "small-conditional", "--data.folder", str(data)),
            *("--data.batch_size", str(options.batch_size // processes), "--trainer.max_steps", str(options.steps)),
            *("--model.config.max_length", str(options.length), "--model.config.dropout", "0"),
            *("--trainer.devices", str(processes), "--trainer.strategy", "ddp" if processes > 1 else "auto"),
            *("--trainer.callbacks+", "ddp.Clock", "--trainer.limit_val_batches", "0"),
            *("--trainer.val_check_interval", "null", "--trainer.num_sanity_val_steps", "0"),
            *("--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"),
        ]
        path = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path, FOLDER: temporary}
        subprocess.run(command, check=True, cwd=temporary, env=environment, capture_output=True)
        ranks = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(Path(temporary).glob("?.json"))]
    if len(ranks) != processes:
        raise RuntimeError(f"{processes} processes were asked for, and {len(ranks)} trained")
    steps = ranks[0]["steps"]
    return {"rate": steps / max(rank["seconds"] for rank in ranks),
            "processor": sum(rank["processor"] for rank in ranks) / steps}  # fmt: skip


def write_data(folder: Path) -> Path:
    """Write 64 random tunes for two instruments, long enough to fill every window, and prepare them."""
    rng = np.random.default_rng(0)
    for number in range(64):
        tracks = [
            Track(program=program, notes=[Note(6 * place, int(pitch), 6) for place, pitch in enumerate(pitches)])
            for program, pitches in zip((0, 40), rng.integers(40, 90, (2, 400)), strict=True)
        ]
        path = folder / "songs" / f"{number:02d}.mid"
        path.parent.mkdir(exist_ok=True)
        Music(resolution=12, tempos=[Tempo(0, 120.0)], tracks=tracks).write(path)
    (folder / "data").mkdir()
    prepare([folder / "songs"], folder / "data", progress=False)
    return folder / "data"


if __name__ == "__main__":
    main()
