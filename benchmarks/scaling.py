"""Time and memory of conversion and inference when the work grows (docs/scaling.md).

    python benchmarks/scaling.py --files 10000 --json scaling.json
    python benchmarks/scaling.py --only arranger mmt render

Every row is the command of a console script in a fork of this process: its processor time, and its peak of memory above
what was there when it began. Needs a system with fork, muspy-core[arrow,render], arranger and mmt.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from muspy_core import Music, Note, Tempo, Track

KINDS = ("convert", "arranger", "mmt", "render")
NOTES = (400, 1600, 6400, 25600)
EVENTS = (128, 512)


def measured(program: str, arguments: Sequence[object]) -> dict[str, float]:
    """Run a console script in a fork; return processor seconds, and MiB above the beginning."""
    main = importlib.import_module(f"{program.replace('-', '_')}.cli").main
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            code = main([str(argument) for argument in arguments])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        unit = 1024 if sys.platform != "darwin" else 1024**2  # kilobytes on Linux, bytes on macOS
        figures = {"exit_code": code, "seconds": time.process_time() - start, "mib": (peak - before) / unit}
        os.write(writing, json.dumps(figures).encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as stream:
        found: dict[str, float] = json.loads(stream.read())
    os.waitpid(child, 0)
    return found


def write_songs(folder: Path, count: int) -> None:
    """Write small files: a track of 100 notes each, 1,000 in a folder."""
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number // 1000:03d}" / f"{number:06d}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        notes = [Note(12 * place, int(pitch), 12) for place, pitch in enumerate(rng.integers(40, 90, 100))]
        Music(resolution=24, tempos=[Tempo(0, 120.0)], tracks=[Track(program=0, notes=notes)]).write(path)


def write_piece(path: Path, notes: int) -> None:
    """Write a piece for four parts, a chord a beat, at 120 beats a minute."""
    rng = np.random.default_rng(1)
    tracks = [
        Track(program=40, notes=[Note(24 * beat, int(low + rng.integers(12)), 24) for beat in range(notes // 4)])
        for low in (72, 62, 52, 42)
    ]
    Music(resolution=24, tempos=[Tempo(0, 120.0)], tracks=tracks).write(path)


def rows(kinds: Sequence[str], files: int, folder: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the name and the figures of each row."""
    for notes in NOTES if {"arranger", "render"} & set(kinds) else ():
        write_piece(folder / f"{notes}.mid", notes)
    if "convert" in kinds:
        write_songs(folder / "songs", files)
        yield (
            f"convert {files} files",
            measured("muspy-core", ["dataset", "convert", folder / "songs", "-o", folder / "c"]),
        )
    if "arranger" in kinds:
        for notes in NOTES:
            target = ["-o", folder / "parts.mid", "--overwrite"]
            given = ["separate", folder / f"{notes}.mid", *target, "--mode", "offline"]
            yield f"arranger separate, {notes} notes", measured("arranger", given)
    if "mmt" in kinds:
        for events in EVENTS:
            given = ["generate", "-o", folder / "songs-of-mmt", "--length", events, "--seed", 1, "--overwrite"]
            yield f"mmt generate, {events} events", measured("mmt", given)
    if "render" in kinds:
        for notes in NOTES[:-1]:
            target = ["-o", folder / "piece.wav", "--overwrite", "--sample-rate", 22050]
            given = ["render", folder / f"{notes}.mid", *target]
            yield f"muspy-core render, {notes // 8} s", measured("muspy-core", given)


def main() -> None:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description="Time and memory when the work grows.")
    parser.add_argument("--files", type=int, default=10_000, help="to convert (default: 10,000)")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, help="some of the rows")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures")
    options = parser.parse_args()
    if "mmt" in options.only:
        importlib.import_module("mmt.model")  # torch, before any fork
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, figures in rows(options.only, options.files, Path(folder)):
            found[name] = figures
            print(f"{name:<34} {figures['seconds']:7.2f} s  {figures['mib']:6.0f} MiB", flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
