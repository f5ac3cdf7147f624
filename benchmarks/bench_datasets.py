"""How fast a corpus of MIDI files is converted to Arrow, and how fast songs and windows of them come out again.

python benchmarks/bench_datasets.py [FOLDER] [--copies N] [--json OUT]

FOLDER holds MIDI files; by default the Freedoom corpus beside the checkout, and where that is missing, pieces made from
a seed. They are converted N times over, as links. Wall-clock time counts other work on the machine as well, so the time
that our processes had a processor stands beside it. The peer does the same with MusPy: MIDI read and saved as JSON, a
song loaded from JSON, windows of piano rolls from a folder of JSON files.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib.util
import json
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from muspy_core import Music, Note, Track, read_arrow, write_midi
from muspy_core.datasets.catalogue.sources import AnyFolder, source_of
from muspy_core.datasets.conversion import ARROW_NAME, convert
from muspy_core.datasets.windows import RandomWindows
from muspy_core.io.midi_tables import parse_midi

CHECKOUT = Path(__file__).resolve().parents[1]
COPIES = 20
MANY_TRACKS = 10
WINDOW = 1024  # steps
PEER_SONGS = 16


def has_muspy() -> bool:
    return importlib.util.find_spec("muspy") is not None and importlib.util.find_spec("torch") is not None


@functools.cache
def muspy() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import muspy

        return muspy


def corpus(folder: Path | None, scratch: Path) -> list[Path]:
    """The MIDI files to convert."""
    shared = Path(os.environ.get("MUSPY_SHARED_DATA") or CHECKOUT.parent / "shared/data") / "freedoom-midi"
    if folder is not None or shared.is_dir():
        return sorted((folder or shared).rglob("*.mid"))
    rng = np.random.default_rng(0)
    for number in range(16):
        tracks = [
            Track(program, notes=[Note(int(t), int(p), 60) for t, p in rng.integers((0, 36), (9**5, 84), (300, 2))])
            for program in range(12)
        ]
        write_midi(scratch / f"{number}.mid", Music(resolution=480, tracks=tracks))
    return sorted(scratch.glob("*.mid"))


def linked(files: list[Path], copies: int, folder: Path) -> Path:
    """A folder that holds the files several times."""
    for copy in range(copies):
        (folder / f"{copy:04d}").mkdir(parents=True)
        for number, path in enumerate(files):
            (folder / f"{copy:04d}" / f"{number:04d}.mid").symlink_to(path)
    return folder


def busy_s() -> float:
    """Seconds that this process and its children, once they have ended, had a processor."""
    return sum(os.times()[:4])


# --- conversion ------------------------------------------------------------------------------------------------------


def time_conversion(folder: Path, output: Path, jobs: int) -> dict[str, float]:
    """Files a second and milliseconds of processor a file; workers are started and have imported everything before."""
    source = source_of(AnyFolder(folder, use_converted=False))
    if jobs > 1:
        joblib.Parallel(jobs)(joblib.delayed(convert_once)(folder) for _ in range(4 * jobs))
    else:
        convert_once(folder)
    shutil.rmtree(output, ignore_errors=True)
    before, start = busy_s() + children_s(), time.perf_counter()
    converted = len(convert(source, output, "arrow", jobs, progress=False).names)
    seconds = time.perf_counter() - start
    busy = busy_s() + children_s() - before
    return {"files": converted, "files_per_s": converted / seconds, "cpu_ms": 1e3 * busy / converted}


def convert_once(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as output:
        part = source_of(AnyFolder(folder, use_converted=False)).part(range(8))  # type: ignore[attr-defined] # RawFiles
        convert(part, output, "arrow", progress=False)


def children_s() -> float:
    """Seconds that worker processes, which live on, had a processor; 0 where the system does not say."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == os.getpid():
                total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def time_parsing(files: list[Path]) -> float:
    """Milliseconds of processor that reading and parsing a file take, without which no conversion can do."""
    start = time.process_time()
    for path in files:
        parse_midi(path.read_bytes(), path.name, "fifo", False)
    return 1e3 * (time.process_time() - start) / len(files)


def time_muspy_conversion(files: list[Path], folder: Path) -> dict[str, float]:
    start, busy = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, path in enumerate(files):
            muspy().read_midi(path).save_json(folder / f"{number}.json")
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    return {"files": len(files), "files_per_s": len(files) / seconds, "cpu_ms": 1e3 * busy / len(files)}


# --- random access ---------------------------------------------------------------------------------------------------


def touch(music: Music) -> int:
    """Look at the notes of every track."""
    return sum(len(track.notes.array) for track in music.tracks)


def time_access(arrow: Path, rounds: int = 5) -> dict[str, float]:
    """Microseconds a song of many tracks, in random order: the first time, out of the cache of the file, and later."""
    chosen = [i for i, music in enumerate(read_arrow(arrow)) if len(music.tracks) >= MANY_TRACKS]
    order = np.random.default_rng(0).permutation(chosen).tolist()
    with open(arrow, "rb") as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    pieces = read_arrow(arrow)
    wall, cpu = [], []
    for _ in range(1 + rounds):
        start, busy = time.perf_counter(), time.process_time()
        for index in order:
            touch(pieces[index])
        wall.append(1e6 * (time.perf_counter() - start) / len(order))
        cpu.append(1e6 * (time.process_time() - busy) / len(order))
    return {
        "songs": len(order),
        "cold_us": wall[0],
        "warm_us": min(wall[1:]),
        "warm_cpu_us": min(cpu[1:]),
        "fastest_us": fastest(pieces, order),
    }


def fastest(pieces: Any, order: list[int], tries: int = 5) -> float:
    """The mean over songs of the best of several tries, in microseconds: what other work disturbs least."""
    best = []
    for index in order[:500]:
        times = []
        for _ in range(tries):
            start = time.perf_counter()
            touch(pieces[index])
            times.append(time.perf_counter() - start)
        best.append(min(times))
    return 1e6 * float(np.mean(best))


def time_muspy_access(folder: Path) -> float:
    paths = sorted(folder.glob("*.json"))
    start = time.perf_counter()
    for path in paths:
        muspy().load_json(path)
    return 1e6 * (time.perf_counter() - start) / len(paths)


# --- windows ---------------------------------------------------------------------------------------------------------


def our_windows(arrow: Path) -> Any:
    return RandomWindows(read_arrow(arrow), WINDOW, seed=0)


def muspy_windows(folder: Path) -> Any:
    rng = np.random.default_rng(0)

    def crop(music: Any) -> Any:
        roll = music.to_pianoroll_representation()
        start = rng.integers(0, max(len(roll) - WINDOW, 0) + 1)
        window = roll[start : start + WINDOW]
        return np.pad(window, ((0, WINDOW - len(window)), (0, 0)))

    return muspy().MusicDataset(folder, "json").to_pytorch_dataset(factory=crop)


def time_windows(view: Any) -> float:
    """Samples a second through a DataLoader that reads in this process."""
    from torch.utils.data import DataLoader

    start = time.perf_counter()
    count = sum(len(batch) for batch in DataLoader(view, batch_size=8, shuffle=True))
    return count / (time.perf_counter() - start)


# --- pytest-benchmark ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    scratch = tmp_path_factory.mktemp("datasets")
    files = corpus(None, scratch)[:: 7 if has_muspy() else 1]
    folder = linked(files, 1, scratch / "midi")
    convert(source_of(AnyFolder(folder, use_converted=False)), scratch / "arrow", "arrow", progress=False)
    (scratch / "json").mkdir()
    time_muspy_conversion(files, scratch / "json")
    return {"midi": folder, "arrow": scratch / "arrow" / ARROW_NAME, "json": scratch / "json", "out": scratch / "out"}


@pytest.mark.skipif(not has_muspy(), reason="MusPy is the peer of this suite")
@pytest.mark.parametrize("who", ["muspy-core", "MusPy"])
@pytest.mark.parametrize("work", ["convert to Arrow / JSON", "load every song", "windows of piano rolls"])
def bench_datasets(benchmark: Any, data: dict[str, Path], work: str, who: str) -> None:
    benchmark.group = work
    benchmark.extra_info["who"] = who
    ours = who == "muspy-core"
    benchmark.pedantic(works(data)[work][0 if ours else 1], rounds=7 if ours else 1, warmup_rounds=1 if ours else 0)


def works(data: dict[str, Path]) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    def ours() -> None:
        shutil.rmtree(data["out"], ignore_errors=True)
        convert(source_of(AnyFolder(data["midi"], use_converted=False)), data["out"], "arrow", progress=False)

    return {
        "convert to Arrow / JSON": (
            ours,
            lambda: time_muspy_conversion(sorted(data["midi"].rglob("*.mid")), data["json"]),
        ),
        "load every song": (
            lambda: [touch(music) for music in read_arrow(data["arrow"])],
            lambda: time_muspy_access(data["json"]),
        ),
        "windows of piano rolls": (
            lambda: time_windows(our_windows(data["arrow"])),
            lambda: time_windows(muspy_windows(data["json"])),
        ),
    }


# --- script ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def figures(folder: Path | None, copies: int) -> dict[str, Any]:
    with workspace() as scratch:
        files = corpus(folder, scratch)
        midi = linked(files, copies, scratch / "midi")
        found: dict[str, Any] = {"kB_a_file": sum(path.stat().st_size for path in files) / len(files) / 1e3}
        time_parsing(files)
        found["parse"] = {"cpu_ms": time_parsing(files)}
        for jobs in (1, 2):
            found[f"convert, {jobs} process{'es' * (jobs > 1)}"] = time_conversion(midi, scratch / "arrow", jobs)
        found["parse again"] = {"cpu_ms": time_parsing(files)}
        arrow = scratch / "arrow" / ARROW_NAME
        found["random access"] = time_access(arrow)
        ours = {"samples_per_s": time_windows(our_windows(arrow))}
        if has_muspy():
            (scratch / "json").mkdir()
            chosen = files[:: max(len(files) // PEER_SONGS, 1)]
            found["convert, MusPy to JSON"] = time_muspy_conversion(chosen, scratch / "json")
            found["random access"]["muspy_us"] = time_muspy_access(scratch / "json")
            ours["muspy_samples_per_s"] = time_windows(muspy_windows(scratch / "json"))
            ours["ratio"] = ours["samples_per_s"] / ours["muspy_samples_per_s"]
        found["windows of piano rolls"] = ours
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description="time conversion, random access and windows")
    parser.add_argument("folder", nargs="?", type=Path, help="MIDI files to use")
    parser.add_argument("--copies", type=int, default=COPIES, metavar="N", help=f"(default: {COPIES})")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    arguments = parser.parse_args()
    found = figures(arguments.folder, arguments.copies)
    for name, values in found.items():
        shown = values if isinstance(values, dict) else {"": values}
        print(f"{name:<24} " + "  ".join(f"{key} {value:,.3f}" for key, value in shown.items()))
    print("targets: 3,000 files/s on 2 processes; 100 µs a warm song of 10 tracks and more; 30x the windows of MusPy")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
