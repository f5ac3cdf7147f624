"""How many notes a second go from files to files: `arranger separate FOLDER`, everything included.

    python benchmarks/arranger_throughput.py FOLDER --jobs 2 --json throughput.json

FOLDER holds MIDI files (POP909, Freedoom, …); without it, the chorales of the music21 wheel are written as MIDI files
first, which is not timed. Timed by the clock: the whole command, from its start to its end, with imports, reading,
features, network, decoding and writing. The best of `--repeat` runs counts; the load of the machine stands beside it.
Set OMP_NUM_THREADS=1, as files are shared among processes.
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

from arranger.corpus import load_corpus
from arranger.mixture import RESOLUTION
from muspy_core import Music, Note, Track
from muspy_core.io import write

MODES = ("causal", "online", "offline")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--model", default="bach-chorales")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=["online", "offline"])
    parser.add_argument("--files", type=int, default=100, help="the first so many of the folder")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        inputs = Path(scratch) / "input"
        inputs.mkdir()
        gather(options.folder, inputs, options.files)
        rows = [measure(inputs, options.model, mode, options.jobs, options.repeat) for mode in options.modes]
    for row in rows:
        print(
            f"{row['mode']:8} {row['files']} files, {row['notes']:,} notes in {row['seconds']:.1f} s: "
            f"{row['notes_per_s']:,.0f} notes/s with {row['jobs']} processes (load before: {row['load']:.1f})"
        )
    if options.json is not None:
        options.json.write_text(json.dumps({"model": options.model, "rows": rows}, indent=1) + "\n", encoding="utf-8")


def gather(folder: Path | None, inputs: Path, count: int) -> None:
    """Put the files to be separated into one folder: links, or chorales with all voices in one track."""
    if folder is not None:
        for index, file in enumerate(sorted(folder.rglob("*.mid"))[:count]):
            (inputs / f"{index:04}.mid").symlink_to(file.resolve())
        return
    for piece in load_corpus("bach")[:count]:
        columns = (piece.mixture.onset, piece.mixture.pitch, piece.mixture.duration, piece.mixture.velocity)
        notes = [Note(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]
        write(inputs / f"{Path(piece.name).stem}.mid", Music(resolution=RESOLUTION, tracks=[Track(notes=notes)]))


def measure(inputs: Path, model: str, mode: str, jobs: int, repeat: int) -> dict[str, Any]:
    """Separate the folder several times, and keep the fastest run."""
    load, best, report = os.getloadavg()[0], float("inf"), {}
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as output:
            command = [sys.executable, "-m", "arranger.cli", "separate", str(inputs), "-o", f"{output}/parts"]
            command += ["--model", model, "--mode", mode, "-j", str(jobs), "--json"]
            start = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            best = min(best, time.perf_counter() - start)
            if done.returncode:
                raise SystemExit(done.stderr)
            report = json.loads(done.stdout)
    notes = sum(file["notes"] for file in report["done"])
    row = {"mode": mode, "files": len(report["done"]), "notes": notes, "jobs": jobs, "load": load}
    return {**row, "seconds": best, "notes_per_s": notes / best}


if __name__ == "__main__":
    main()
