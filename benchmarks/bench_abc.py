"""Reading ABC: our time beside music21's, and whether both read the same notes from the tune books in music21's wheel.

    python benchmarks/bench_abc.py [--every N] [--corpus NAME] [--json OUT]

Notes are compared as (onset, pitch, duration) in written order, tied notes joined, grace notes left out, time steps of
1/5040 of a quarter note. music21 is told that the books follow ABC 2.1 (`%abc-2.1`), since otherwise it does not let an
accidental last to the end of its measure. Where the two differ, the cause is found by imitation (abc_misreadings.py):
we read the tune after it was rewritten as music21 misreads it, and must then read what music21 reads.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from abc_misreadings import explain, verdict_of
from muspy_core import Music, read_abc_string
from muspy_core.io.abc import split_tunes

music21 = pytest.importorskip("music21", reason="music21 is the peer and brings the tunes")

CORPORA = {
    "Essen": "essenFolksong",
    "O'Neill": "oneills1850",
    "Ryan's Mammoth": "ryansMammoth",
    "Airds": "airdsAirs",
}
RESOLUTION = 5040  # divides by 2 to 10, so that all usual onsets are exact
VERSION = "%abc-2.1\n"
SAMPLE = 20  # tunes of each corpus that pytest-benchmark times

Notes = list[tuple[int, int, int]]


def tunes(corpus: str, every: int = 1) -> list[tuple[str, str]]:
    """Return (name, text) of every n-th tune of a corpus."""
    folder = Path(music21.__file__).parent / "corpus" / CORPORA[corpus]
    found = []
    for path in sorted(folder.glob("*.abc")):
        book = split_tunes(path.read_text(encoding="utf-8", errors="replace"))
        found += [(f"{path.name} X:{number}", text) for number, text in book]
    return found[::every]


# --- the two readers -------------------------------------------------------------------------------------------------


def read_ours(text: str) -> Music:
    return read_abc_string(text, resolution=RESOLUTION, expand_repeats=False)


def read_music21(text: str) -> Any:
    """Return a music21 score, as `music21.converter.parse` makes it from one tune."""
    from music21 import abcFormat

    return abcFormat.translate.abcToStreamScore(abcFormat.ABCFile().readstr(VERSION + text))


def notes_of_ours(music: Music) -> Notes:
    rows: Notes = []
    for track in music.tracks:
        table = track.notes.array
        table = table[table["grace"] == 0]
        rows += zip(table["time"].tolist(), table["pitch"].tolist(), table["duration"].tolist(), strict=True)
    return sorted(rows)


def notes_of_music21(score: Any) -> Notes:
    """Return the notes of all parts, tied ones joined if the next note of the same pitch follows at once."""
    joined: Notes = []
    for part in score.parts:
        rows: list[list[Any]] = []
        for item in part.flatten().notes:
            if item.duration.isGrace or isinstance(item, music21.harmony.ChordSymbol):
                continue
            onset, duration = round(float(item.offset) * RESOLUTION), round(float(item.quarterLength) * RESOLUTION)
            for note in item.notes if item.isChord else [item]:
                tie = note.tie or item.tie
                rows.append([onset, note.pitch.midi, duration, tie is not None and tie.type in ("start", "continue")])
        places = {(row[0], row[1]): row for row in rows}
        for row in sorted((row for row in rows if row[3]), key=lambda row: -row[0]):
            following = places.get((row[0] + row[2], row[1]))
            if following is not None and following is not row and following[2] >= 0:
                row[2] += following[2]
                following[2] = -1
        joined += [(onset, pitch, duration) for onset, pitch, duration, _ in rows if duration >= 0]
    return sorted(joined)


# --- timing ----------------------------------------------------------------------------------------------------------

READERS: dict[str, Callable[[str], Any]] = {"muspy-core": read_ours, "music21": read_music21}


@pytest.mark.parametrize("who", list(READERS))
@pytest.mark.parametrize("corpus", list(CORPORA))
def bench_read(benchmark: Any, corpus: str, who: str) -> None:
    found = tunes(corpus)
    texts = [text for _, text in found[:: len(found) // SAMPLE]]
    benchmark.group = f"read ABC, {len(texts)} tunes of {corpus}"
    benchmark.extra_info["who"] = who
    benchmark.pedantic(lambda: [READERS[who](text) for text in texts], rounds=3, warmup_rounds=1)


def compare(corpus: str, every: int = 1) -> dict[str, Any]:
    """Read a corpus with both; return counts by verdict, the differing tunes by cause, and the times."""
    seconds = dict.fromkeys(READERS, 0.0)
    verdicts: Counter[str] = Counter()
    causes: dict[str, list[str]] = {}
    found = tunes(corpus, every)
    for name, text in found:
        start = time.perf_counter()
        music = read_ours(text)
        middle = time.perf_counter()
        score = read_music21(text)
        seconds["muspy-core"] += middle - start
        seconds["music21"] += time.perf_counter() - middle
        theirs = notes_of_music21(score)
        if notes_of_ours(music) == theirs:
            verdicts["equal"] += 1
            continue
        names = explain(text, theirs, lambda rewritten: notes_of_ours(read_ours(rewritten)))
        verdict = verdict_of(corpus, name, names)
        verdicts[verdict] += 1
        causes.setdefault(" + ".join(names) or verdict, []).append(name)
    return {"corpus": corpus, "tunes": len(found), "verdicts": verdicts, "causes": causes, "seconds": seconds}


VERDICTS = ("equal", "music21 wrong", "standard silent", "tune broken", "unexplained")


def main() -> None:
    """Compare the collections and print a table of verdicts and one of causes."""
    parser = argparse.ArgumentParser(description="agreement with music21 on its ABC tune books, and time")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every N-th tune; default: all (~10 min)")
    parser.add_argument(
        "--corpus", choices=list(CORPORA), action="append", help="only this collection; may be repeated"
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    arguments = parser.parse_args()
    rows = []
    print(f"{'collection':<15}{'tunes':>7}" + "".join(f"{verdict:>17}" for verdict in VERDICTS) + f"{'faster':>9}")
    for corpus in arguments.corpus or CORPORA:
        row = compare(corpus, arguments.every)
        rows.append(row)
        counts = "".join(f"{row['verdicts'].get(verdict, 0):>17}" for verdict in VERDICTS)
        ratio = row["seconds"]["music21"] / row["seconds"]["muspy-core"]
        print(f"{corpus:<15}{row['tunes']:>7}{counts}{ratio:>8.1f}x", flush=True)
    print()
    for row in rows:
        for cause, names in sorted(row["causes"].items(), key=lambda item: -len(item[1])):
            print(f"{row['corpus']:<15}{len(names):>6}  {cause}: {', '.join(names[:3])}")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
