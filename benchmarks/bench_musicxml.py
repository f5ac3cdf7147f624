"""Reading MusicXML: our time beside those of music21 and MusPy, on the same scores.

python benchmarks/bench_musicxml.py [FOLDER] [--json OUT]

Without a folder: a dozen scores from music21's wheel, from a chorale to quartet movements. With one: all .mxl,
.musicxml and .xml files in it. music21 is told not to take the scores from its cache. All of our fields are read
(voices, slurs, dynamics, texts, …) and repeats are played; MusPy plays them too, music21 reads them as written.

As a script it prints the best processor time of several readings, which other work on the machine changes less than the
time of day. All start from the path. Each reader works in a process of its own, so that none pays when the garbage
collector walks through the modules of another; the collector is on for all. Under pytest all share one process.

The column "parse" is what unpacking the file and scanning it into elements takes. The compiled parser (`_tree.c`) made
the reader about twice as fast as it is on top of lxml, which was 13.7 to 15 times the speed of music21 and 2.6 times
that of MusPy; `MUSPY_CORE_EXTENSION=0` measures that way. What is left is the rows of notes and marks, in Python, and
the tables. A page of a chorale costs mostly the tables: dozens of small NumPy arrays.

Writing is timed by pytest-benchmark only; its peer is MusPy, which writes through music21.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import multiprocessing
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pieces import time_each

# Peers are imported where they read: the processes that time the others must not carry them.
_MUSIC21 = importlib.util.find_spec("music21")
if _MUSIC21 is None or _MUSIC21.origin is None:
    pytest.skip("music21 is a peer and brings the scores", allow_module_level=True)
CORPUS = Path(_MUSIC21.origin).parent / "corpus"

SCORES = (
    "bach/bwv66.6.mxl",
    "bach/bwv253.mxl",
    "bach/bwv846.mxl",
    "beethoven/opus18no1/movement1.mxl",
    "beethoven/opus59no2/movement4.mxl",
    "handel/rinaldo/Lascia_chio_pianga.mxl",
    "haydn/opus74no1/movement1.mxl",
    "haydn/opus74no1/movement3.mxl",
    "monteverdi/madrigal.3.14.mxl",
    "mozart/k80/movement2.mxl",
    "schubert/Lindenbaum.xml",
    "schumann_robert/opus41no1/movement2.mxl",
)
CHORALES = ("bach/bwv66.6.mxl", "bach/bwv253.mxl", "bach/bwv267.mxl", "bach/bwv437.mxl")
ALL_SCORES, SMALL_SCORES = "read MusicXML, a dozen scores", "read MusicXML, chorales"
GIVES_UP = (KeyError, ValueError, TypeError, AttributeError, RuntimeError)
SUFFIXES = (".mxl", ".musicxml", ".xml")


def scores(folder: Path | None = None) -> list[Path]:
    """The scores of a folder, or those of music21's corpus that are named above."""
    if folder is not None:
        return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)
    return [path for name in SCORES if (path := CORPUS / name).exists()]


# --- work ------------------------------------------------------------------------------------------------------------


def read_ours(path: Path) -> None:
    from muspy_core.io.musicxml import read_musicxml

    read_musicxml(path)


def parse_only(path: Path) -> None:
    """The floor: the part of our work that lxml does."""
    from muspy_core.io.musicxml.source import parse_source

    parse_source(path.read_bytes(), path.name, None)


def read_muspy(path: Path) -> None:
    import muspy

    try:
        muspy.read_musicxml(path)
    except muspy.MusicXMLError as error:  # not a ValueError there
        raise ValueError(str(error)) from None


def read_music21(path: Path) -> None:
    from music21 import converter, exceptions21

    try:
        converter.parse(path, forceSource=True, storePickle=False)
    except exceptions21.Music21Exception as error:
        raise ValueError(str(error)) from None


READERS: dict[str, Callable[[Path], None]] = {"muspy-core": read_ours, "muspy": read_muspy, "music21": read_music21}
ROUNDS = {"music21": 2}  # of others 7


PEERS = ("muspy", "music21")
TIMED = {"parse": parse_only, **READERS}


@pytest.mark.parametrize("who", READERS)
@pytest.mark.parametrize("group", [ALL_SCORES, SMALL_SCORES])
def bench_read(benchmark: Any, group: str, who: str) -> None:
    if who == "muspy":
        pytest.importorskip("muspy", reason="MusPy is a peer")
    benchmark.group = group
    names = CHORALES if group == SMALL_SCORES else SCORES
    calls = [functools.partial(READERS[who], path) for name in names if (path := CORPUS / name).exists()]
    time_each(benchmark, who, calls, ROUNDS.get(who, 7), GIVES_UP)


@pytest.mark.parametrize("who", ["muspy-core", "muspy"])
def bench_write(benchmark: Any, tmp_path: Path, who: str) -> None:
    from muspy_core.io.musicxml import musicxml_bytes, read_musicxml

    muspy = pytest.importorskip("muspy", reason="MusPy is the peer")
    path = CORPUS / CHORALES[0]
    benchmark.group = f"write MusicXML {CHORALES[0]}"
    benchmark.extra_info["who"] = who
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if who == "muspy":
            theirs = muspy.read_musicxml(path)
            benchmark.pedantic(muspy.write_musicxml, args=(tmp_path / "a.xml", theirs), rounds=2)
        else:
            benchmark.pedantic(musicxml_bytes, args=(read_musicxml(path),), rounds=5, warmup_rounds=1)


# --- as a script -----------------------------------------------------------------------------------------------------


def best_of(who: str, path: Path) -> float:
    """The shortest of several times in milliseconds; NaN if the reader gives up."""
    warnings.simplefilter("ignore")
    work = TIMED[who]
    times = []
    for _ in range(ROUNDS.get(who, 7) + 1):
        start = time.process_time()
        try:
            work(path)
        except GIVES_UP:
            return float("nan")
        times.append(1e3 * (time.process_time() - start))
    return min(times[1:])  # the first one imports


def measure(paths: list[Path]) -> list[dict[str, Any]]:
    """Time everybody on every score, score by score, each in a process of its own."""
    rows = []
    with ExitStack() as stack:
        fresh = multiprocessing.get_context("spawn")
        workers = {who: stack.enter_context(ProcessPoolExecutor(1, mp_context=fresh)) for who in TIMED}
        for path in paths:
            times = {who: worker.submit(best_of, who, path).result() for who, worker in workers.items()}
            ours = times["muspy-core"]
            name = f"{path.parent.name}/{path.name}"
            rows.append({"score": name, "bytes": path.stat().st_size, "ms": times})
            peers = "".join(f" {times[peer]:10.1f} {times[peer] / ours:6.1f}x" for peer in PEERS)
            print(f"{name:<48} {path.stat().st_size / 1e3:6.0f} {ours:9.2f} {times['parse']:9.2f}{peers}", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, help="scores to read instead of the corpus")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    arguments = parser.parse_args()
    print(f"{'score':<48} {'kB':>6} {'ours ms':>9} {'parse':>9} {'muspy':>18} {'music21':>18}")
    rows = measure(scores(arguments.folder))
    totals = {}
    for peer in PEERS:
        read = [row["ms"] for row in rows if row["ms"][peer] == row["ms"][peer]]
        totals[peer] = sum(row[peer] for row in read) / sum(row["muspy-core"] for row in read)
        print(f"all {len(read)} scores that {peer} reads: {totals[peer]:.1f}x its speed")
    if arguments.json:
        arguments.json.write_text(json.dumps({"scores": rows, "ratios": totals}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
