"""Reading MusicXML: our time beside those of music21 and MusPy, on the same scores.

python benchmarks/bench_musicxml.py [FOLDER] [--json OUT]

Without a folder: a dozen scores from music21's wheel, from a chorale to quartet movements. With one: all .mxl,
.musicxml and .xml files in it. music21 is told not to take the scores from its cache. All of our fields are read
(voices, slurs, dynamics, texts, …) and repeats are played; MusPy plays them too, music21 reads them as written. As a
script it prints processor time, which other work on the machine changes less than the time of day. Writing is timed by
pytest-benchmark only; its peer is MusPy, which writes through music21.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from muspy_core.io.musicxml import musicxml_bytes, read_musicxml

music21 = pytest.importorskip("music21", reason="music21 is a peer and brings the scores")

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
QUICK = ("bach/bwv66.6.mxl", "haydn/opus74no1/movement1.mxl", "beethoven/opus59no2/movement4.mxl")
GIVES_UP = (KeyError, ValueError, TypeError, AttributeError, RuntimeError, music21.exceptions21.Music21Exception)
SUFFIXES = (".mxl", ".musicxml", ".xml")


def scores(folder: Path | None = None) -> list[Path]:
    """The scores of a folder, or those of music21's corpus that are named above."""
    if folder is not None:
        return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)
    corpus = Path(music21.__file__).parent / "corpus"
    return [path for name in SCORES if (path := corpus / name).exists()]


# --- work ------------------------------------------------------------------------------------------------------------


def read_ours(path: Path) -> None:
    read_musicxml(path)


def read_muspy(path: Path) -> None:
    import muspy

    try:
        muspy.read_musicxml(path)
    except muspy.MusicXMLError as error:  # not a ValueError there
        raise ValueError(str(error)) from None


def read_music21(path: Path) -> None:
    from music21 import converter

    converter.parse(path, forceSource=True, storePickle=False)


READERS: dict[str, Callable[[Path], None]] = {"muspy-core": read_ours, "muspy": read_muspy, "music21": read_music21}


@pytest.mark.parametrize("who", READERS)
@pytest.mark.parametrize("name", QUICK)
def bench_read(benchmark: Any, name: str, who: str) -> None:
    if who == "muspy":
        pytest.importorskip("muspy", reason="MusPy is a peer")
    path = Path(music21.__file__).parent / "corpus" / name
    benchmark.group = f"read MusicXML {name}"
    benchmark.extra_info["who"] = who
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        benchmark.pedantic(READERS[who], args=(path,), rounds=5 if who != "music21" else 2, warmup_rounds=1)


@pytest.mark.parametrize("who", ["muspy-core", "muspy"])
def bench_write(benchmark: Any, tmp_path: Path, who: str) -> None:
    muspy = pytest.importorskip("muspy", reason="MusPy is the peer")
    path = Path(music21.__file__).parent / "corpus" / QUICK[0]
    benchmark.group = f"write MusicXML {QUICK[0]}"
    benchmark.extra_info["who"] = who
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if who == "muspy":
            theirs = muspy.read_musicxml(path)
            benchmark.pedantic(muspy.write_musicxml, args=(tmp_path / "a.xml", theirs), rounds=2)
        else:
            benchmark.pedantic(musicxml_bytes, args=(read_musicxml(path),), rounds=5, warmup_rounds=1)


# --- as a script -----------------------------------------------------------------------------------------------------


def best_of(work: Callable[[Path], None], path: Path, rounds: int) -> float:
    """The shortest of several times in milliseconds; NaN if the reader gives up."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        try:
            work(path)
        except GIVES_UP:
            return float("nan")
        times.append(1e3 * (time.process_time() - start))
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, help="scores to read instead of the corpus")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    arguments = parser.parse_args()
    rows = []
    warnings.simplefilter("ignore")
    print(f"{'score':<58} {'kB':>6} {'ours ms':>9} {'muspy':>18} {'music21':>18}")
    for path in scores(arguments.folder):
        times = {who: best_of(work, path, 2 if who == "music21" else 5) for who, work in READERS.items()}
        ours = times["muspy-core"]
        rows.append({"score": f"{path.parent.name}/{path.name}", "bytes": path.stat().st_size, "ms": times})
        peers = "".join(f" {times[peer]:10.1f} {times[peer] / ours:6.1f}x" for peer in ("muspy", "music21"))
        print(f"{rows[-1]['score']:<58} {path.stat().st_size / 1e3:6.0f} {ours:9.2f}{peers}")
    totals = {}
    for peer in ("muspy", "music21"):
        read = [row["ms"] for row in rows if row["ms"][peer] == row["ms"][peer]]
        totals[peer] = sum(row[peer] for row in read) / sum(row["muspy-core"] for row in read)
        print(f"all {len(read)} scores that {peer} reads: {totals[peer]:.1f}x its speed")
    if arguments.json:
        arguments.json.write_text(json.dumps({"scores": rows, "ratios": totals}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
