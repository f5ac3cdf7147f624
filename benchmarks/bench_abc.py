"""Reading ABC: our time beside music21's, and whether both read the same notes from the tune books in music21's wheel.

    python benchmarks/bench_abc.py [--every N] [--json OUT]

Notes are compared as (onset, pitch, duration) in written order, tied notes joined, grace notes left out, time steps of
1/5040 of a quarter note. music21 is told that the books follow ABC 2.1 (`%abc-2.1`), since otherwise it does not let an
accidental last to the end of its measure. A tune on which the two differ is read again by music21 after rewritings that
leave the notes as the standard defines them as they are; the first one after which both agree names the cause.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
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


# --- rewritings that do not touch the notes --------------------------------------------------------------------------

_MARKS = re.compile(r'(?P<keep>\[[A-Za-z]:[^\]]*\]|\(\d)|"[^"]*"|![^!\s|]*!|\{[^}]*\}|[()`]|[~HLMOPSTuv]|\.(?![|(-])')
_FIELD = re.compile(r"[A-Za-z+]:(?![|:])")


def _in_music(text: str, rewrite: Callable[[str], str]) -> str:
    lines = text.split("\n")
    return "\n".join(line if _FIELD.match(line) or line.startswith("%") else rewrite(line) or "%" for line in lines)


def without_marks(text: str) -> str:
    """Remove decorations, slurs, grace notes, chord symbols and texts."""
    return _in_music(text, lambda line: _MARKS.sub(lambda match: match.group("keep") or "", line))


def with_spaced_colons(text: str) -> str:
    """Put a space between a note and a repeat sign, so that "E::" at the end of a line is no field."""
    return _in_music(without_marks(text), lambda line: re.sub(r"([A-Ga-gz0-9/]):", r"\1 :", line))


def with_plain_rests(text: str) -> str:
    """Write invisible rests as visible ones, and drop tie signs between a note and its broken rhythm."""
    rewritten = _in_music(with_spaced_colons(text), lambda line: re.sub(r"-(?=[<>])|(?<=[<>])-", "", line))
    return _in_music(rewritten, lambda line: line.replace("x", "z"))


def without_ties(text: str) -> str:
    return _in_music(with_plain_rests(text), lambda line: line.replace("-", ""))


def without_voices(text: str) -> str:
    """Keep the first of several voices."""
    return _in_music(with_plain_rests(text), lambda line: "%" if re.match(r"\s*\[V:(?!1\])", line) else line)


# name of the cause → (rewriting, whether we must read the rewritten text as well: it changes the notes)
CAUSES = {
    "marks beside notes": (without_marks, False),
    "note and colon": (with_spaced_colons, False),
    "invisible rests": (with_plain_rests, False),
    "ties": (without_ties, True),
    "inline voices": (without_voices, True),
}


def cause_of(text: str) -> str:
    """Return after which rewriting music21 reads the notes that we read."""
    for name, (rewrite, is_shared) in CAUSES.items():
        rewritten = rewrite(text)
        try:
            theirs = notes_of_music21(read_music21(rewritten))
        except Exception:  # noqa: BLE001 - music21 may fail in any way; then this rewriting explains nothing
            continue
        if theirs == notes_of_ours(read_ours(rewritten if is_shared else text)):
            return name
    return "other"


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


def compare(corpus: str, every: int) -> dict[str, Any]:
    """Read a corpus with both and return counts, times and the differing tunes."""
    seconds = dict.fromkeys(READERS, 0.0)
    causes: Counter[str] = Counter()
    others: list[str] = []
    found = tunes(corpus, every)
    for name, text in found:
        start = time.perf_counter()
        music = read_ours(text)
        middle = time.perf_counter()
        score = read_music21(text)
        seconds["muspy-core"] += middle - start
        seconds["music21"] += time.perf_counter() - middle
        if notes_of_ours(music) == notes_of_music21(score):
            causes["equal"] += 1
            continue
        cause = cause_of(text)
        causes[cause] += 1
        if cause == "other":
            others.append(name)
    return {"corpus": corpus, "tunes": len(found), **causes, "others": others, "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description="agreement with music21 on its ABC tune books, and time")
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="take every N-th tune; default: all (~10 min)"
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    arguments = parser.parse_args()
    rows = []
    columns = ("tunes", "equal", *CAUSES, "other")
    print(
        f"{'corpus':<15}"
        + "".join(f"{column:>19}" for column in columns)
        + f"{'ours s':>9}{'music21 s':>11}{'ratio':>8}"
    )
    for corpus in CORPORA:
        row = compare(corpus, arguments.every)
        rows.append(row)
        ours, theirs = row["seconds"]["muspy-core"], row["seconds"]["music21"]
        counts = "".join(f"{row.get(column, 0):>19}" for column in columns)
        print(f"{corpus:<15}{counts}{ours:>9.2f}{theirs:>11.1f}{theirs / ours:>7.1f}x", flush=True)
    for row in rows:
        for name in row["others"]:
            print(f"other: {row['corpus']}, {name}")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
