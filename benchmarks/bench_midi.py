"""How fast MIDI files are read and written, beside symusic, mido, MusPy and pretty_midi on the same files.

python benchmarks/bench_midi.py [FOLDER] [--json OUT]

FOLDER holds MIDI files; by default the Freedoom corpus beside the checkout, and where that is missing, files made from
a seed. Times are sums over files of the best processor time of several reads.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from muspy_core import Music, Note, Tempo, Track
from muspy_core.io.midi import backend, midi_bytes, read_midi, write_midi
from pieces import CHECKOUT, best_ms, time_each

LARGE = 30_000  # bytes
LARGE_FILES, ALL_FILES = "read MIDI, files of 30 kB and more", "read MIDI, all files"
TWIN, WRITE, DENSE = "read MIDI without the compiled parser", "write MIDI, all files", "read 10 MB of dense notes"
# Group, peer, how many times slower than we the peer must be.
TARGETS = {(LARGE_FILES, "symusic"): 1, (ALL_FILES, "MusPy"): 100, (TWIN, "mido"): 10, (WRITE, "MusPy"): 20}
REPEATS = {"muspy-core": 15, "symusic": 15}  # others: 2; they take seconds
DENSE_BYTES, DENSE_SECONDS, DENSE_MB = 10_000_000, 1.0, 200

DENSE_PROGRAM = """
import sys, time
from pathlib import Path
from muspy_core.io.midi import read_midi
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1e3 for line in status if line.startswith("VmHWM"))
def memory():
    try:
        return peak()
    except OSError:
        return float("nan")
read_midi(sys.argv[2])
before, start = memory(), time.perf_counter()
music = read_midi(sys.argv[1])
print(time.perf_counter() - start, memory() - before, len(music.tracks[0].notes))
"""


# --- files ---------------------------------------------------------------------------------------------------------


def midi_files(folder: Path | None = None) -> list[Path]:
    """The files of a folder, of the corpus, or made from a seed."""
    shared = Path(os.environ.get("MUSPY_SHARED_DATA") or CHECKOUT.parent / "shared/data") / "freedoom-midi"
    if folder is None and not shared.is_dir():
        return made_files()
    return sorted(path for path in (folder or shared).rglob("*.mid") if path.is_file())


@functools.cache
def made_files(count: int = 24) -> list[Path]:
    """Files of 12 tracks with chords, uneven times and velocities: half of them over 30 kB."""
    folder = Path(tempfile.mkdtemp(prefix="muspy-core-bench-"))
    rng = np.random.default_rng(0)
    for i in range(count):
        music = Music(resolution=480, tempos=[Tempo(0, 120), Tempo(9600, 90)])
        for program in range(12):
            times = np.sort(rng.integers(0, 200_000, 600 if i % 2 else 100))
            values = zip(times.tolist(), rng.integers(30, 90, len(times)).tolist(), strict=True)
            notes = [Note(t, pitch, int(rng.integers(10, 900)), int(rng.integers(1, 128))) for t, pitch in values]
            music.tracks.append(Track(program, program == 9, f"part {program}", notes))
        write_midi(folder / f"{i:02}.mid", music)
    return sorted(folder.glob("*.mid"))


def dense_file(path: Path) -> Path:
    """Write a file of 10 MB of notes of one channel with running status: three bytes a message."""
    n = DENSE_BYTES // 6
    body = np.zeros((n, 6), np.uint8)
    body[:, 1] = body[:, 4] = np.arange(n) % 128
    body[:, 2], body[:, 3] = 64, 1
    track = b"\x00\x90\x00\x40\x00\x00\x00" + body.tobytes() + b"\x00\xff\x2f\x00"
    path.write_bytes(b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x01\xe0MTrk" + len(track).to_bytes(4, "big") + track)
    return path


# --- work ----------------------------------------------------------------------------------------------------------


def read_symusic(path: Path) -> None:
    """Read a file and take its tables as NumPy arrays, which is what our columns are."""
    import symusic

    score = symusic.Score(path)
    for track in score.tracks:
        track.notes.numpy()
        track.controls.numpy()
        track.pitch_bends.numpy()
    score.tempos.numpy()
    score.time_signatures.numpy()


def read_mido(path: Path) -> None:
    import mido

    mido.MidiFile(path)


def read_muspy(path: Path) -> None:
    import muspy

    muspy.read_midi(path)


def read_pretty_midi(path: Path) -> None:
    import pretty_midi

    pretty_midi.PrettyMIDI(str(path))


def read_twin(path: Path) -> None:
    """Read with the twin of the compiled parser."""
    before = os.environ.get("MUSPY_CORE_EXTENSION")
    os.environ["MUSPY_CORE_EXTENSION"] = "0"
    try:
        read_midi(path)
    finally:
        del os.environ["MUSPY_CORE_EXTENSION"]
        if before is not None:
            os.environ["MUSPY_CORE_EXTENSION"] = before


@functools.cache
def _read_once(path: Path, by_muspy: bool) -> Any:
    if not by_muspy:
        return read_midi(path)
    import muspy

    return muspy.read_midi(path)


def write_ours(path: Path) -> None:
    midi_bytes(_read_once(path, by_muspy=False))


def write_muspy(path: Path) -> None:
    import muspy

    muspy.to_mido(_read_once(path, by_muspy=True)).save(file=open(os.devnull, "wb"))  # noqa: SIM115 - devnull


def muspy_can_write(path: Path) -> bool:
    """MusPy fails on keys such as B flat major."""
    try:
        write_muspy(path)
    except ValueError:
        return False
    return True


PEERS = {
    LARGE_FILES: {"muspy-core": read_midi, "symusic": read_symusic},
    ALL_FILES: {
        "muspy-core": read_midi,
        "symusic": read_symusic,
        "mido": read_mido,
        "MusPy": read_muspy,
        "pretty_midi": read_pretty_midi,
    },
    TWIN: {"muspy-core": read_twin, "mido": read_mido},
    WRITE: {"muspy-core": write_ours, "MusPy": write_muspy},
}
MODULES = {"MusPy": "muspy"}


def is_installed(who: str) -> bool:
    return who == "muspy-core" or importlib.util.find_spec(MODULES.get(who, who)) is not None


def files_of(group: str, paths: list[Path]) -> list[Path]:
    if group == LARGE_FILES:
        return [path for path in paths if path.stat().st_size >= LARGE]
    if group == WRITE and is_installed("MusPy"):
        return [path for path in paths if muspy_can_write(path)]
    return paths


def read_dense() -> tuple[float, float, int]:
    """Read the dense file in a fresh interpreter. Returns seconds, MB above the memory before, notes."""
    with tempfile.TemporaryDirectory() as folder:
        path, small = dense_file(Path(folder) / "dense.mid"), Path(folder) / "small.mid"
        write_midi(small, Music(tracks=[Track(notes=[Note(0, 60, 1)])]))
        command = [sys.executable, "-c", DENSE_PROGRAM, str(path), str(small)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, megabytes, notes = done.stdout.split()
    return float(seconds), float(megabytes), int(notes)


# --- pytest-benchmark ----------------------------------------------------------------------------------------------

CASES = [(group, who) for group, peers in PEERS.items() for who in peers if is_installed(who)]


@pytest.mark.parametrize(("group", "who"), CASES)
def bench_midi(benchmark: Any, group: str, who: str) -> None:
    benchmark.group = group
    calls = [functools.partial(PEERS[group][who], path) for path in files_of(group, midi_files())]
    time_each(benchmark, who, calls, 3 if group == TWIN else REPEATS.get(who, 2))


def bench_dense(benchmark: Any) -> None:
    benchmark.group = DENSE
    benchmark.extra_info["who"] = "muspy-core"
    seconds, megabytes, _ = benchmark.pedantic(read_dense, rounds=3)
    benchmark.extra_info["figures"] = {"s": seconds, "MB": megabytes}


# --- script --------------------------------------------------------------------------------------------------------


def rows(paths: list[Path]) -> list[dict[str, Any]]:
    """One row for each group and peer."""
    table = []
    for group, peers in PEERS.items():
        chosen = files_of(group, paths)
        times = {}
        for who, work in peers.items():
            if is_installed(who):
                repeats = 3 if group == TWIN else REPEATS.get(who, 2)
                times[who] = sum(best_ms(functools.partial(work, path), repeats) or 0 for path in chosen)
        for who, milliseconds in times.items():
            target = TARGETS.get((group, who))
            ratio = milliseconds / times["muspy-core"]
            table.append(dict(group=group, files=len(chosen), who=who, ms=milliseconds, ratio=ratio, target=target))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description="time reading and writing MIDI beside the peers")
    parser.add_argument("folder", nargs="?", type=Path, help="MIDI files to use")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # the peers warn of odd files and old names
    paths = midi_files(arguments.folder)
    print(f"{len(paths)} files, {sum(path.stat().st_size for path in paths) / 1e6:.1f} MB; parser: {backend()}")
    table = rows(paths)
    print(f"{'what':<38} {'files':>5}  {'who':<12} {'ms':>9} {'ratio':>9}  target")
    for row in table:
        target = "" if row["target"] is None else f"at least {row['target']}x"
        print(f"{row['group']:<38} {row['files']:>5}  {row['who']:<12} {row['ms']:9.1f} {row['ratio']:8.2f}x  {target}")
    seconds, megabytes, notes = read_dense()
    print(
        f"{DENSE}: {notes:,} notes, {seconds:.2f} s (at most {DENSE_SECONDS}), {megabytes:.0f} MB (at most {DENSE_MB})"
    )
    if arguments.json:
        table.append(dict(group=DENSE, who="muspy-core", ms=1e3 * seconds, mb=megabytes, notes=notes))
        arguments.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
