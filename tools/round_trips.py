"""Every score in a folder of corpora → written and read again, in its own format and in JSON, YAML and Arrow.

    python tools/round_trips.py --data ../shared/data --rows rows.jsonl \\
        --json docs/muspy-core/round-trips.json --page docs/muspy-core/round-trips.md

A row a piece is appended to ROWS as it is finished, so that a run that was stopped goes on where it ended (remove the
file to begin anew). From the rows the summary is made, and from the summary the table in the page; without --data only
these two are.
What must be equal is defined in packages/muspy-core/tests/comparisons.py, which the tests use as well.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from muspy_core import Music, read_midi, read_musicxml
from muspy_core.io.abc import read_abc_string, split_tunes
from tqdm.auto import tqdm

TESTS = Path(__file__).resolve().parents[1] / "packages/muspy-core/tests"
sys.path.insert(0, str(TESTS))

import comparisons  # noqa: E402 - found beside the tests

MARKS = ("<!-- table: begin -->", "<!-- table: end -->")
YAML_EVERY = 20  # YAML is parsed slowly; the content is that of JSON

# collection → (format, files)
COLLECTIONS = {
    "Nottingham, cleaned": ("ABC", "nottingham/ABC_cleaned/*.abc"),
    "Nottingham, original": ("ABC", "nottingham/ABC_original/*.abc"),
    "Bach, violin solo": ("MusicXML", "bach-violin/**/*.mxl"),
    "OpenScore Lieder": ("MusicXML", "openscore-lieder/**/*.mxl"),
    "OpenScore quartets": ("MusicXML", "openscore-quartets/**/*.mxl"),
    "POP909": ("MIDI", "pop909/**/*.mid"),
    "Freedoom": ("MIDI", "freedoom-midi/**/*.mid"),
}
ERRORS = (ValueError, OSError, TypeError, KeyError, IndexError, AssertionError, AttributeError, RecursionError)


class Piece(NamedTuple):
    """A piece to send around. text: of the tune, for ABC, whose files are books of many."""

    collection: str
    format: str
    name: str
    path: Path
    text: str = ""


def pieces(data: Path) -> Iterator[Piece]:
    """Iterate over the pieces of all collections that are there."""
    for collection, (format_, pattern) in COLLECTIONS.items():
        for path in sorted(data.glob(pattern)):
            name = path.relative_to(data).as_posix()
            if format_ != "ABC":
                yield Piece(collection, format_, name, path)
                continue
            for index, (number, text) in enumerate(split_tunes(path.read_text(encoding="utf-8", errors="replace"))):
                yield Piece(collection, format_, f"{name}#{index} X:{number}", path, text)


def trips_of(piece: Piece, with_yaml: bool) -> dict[str, list[str]]:
    """Return what differs after each round trip of a piece; an error counts as a difference."""
    trips: dict[str, list[str]] = {}
    music: list[Music] = []
    trips["read"] = _differences(lambda: music.append(_read(piece)) or [])
    if not music:
        return trips
    own: dict[str, Callable[[], list[str]]] = {
        "MIDI": lambda: comparisons.midi_differences(piece.path.read_bytes()),
        "MusicXML": lambda: comparisons.musicxml_differences(music[0]),
        "ABC": lambda: comparisons.abc_differences(music[0]),
    }
    trips[piece.format] = _differences(own[piece.format])
    trips["JSON"] = _differences(lambda: comparisons.saved_differences(music[0], "json"))
    trips["Arrow"] = _differences(lambda: comparisons.arrow_differences(music[0]))
    if with_yaml:
        trips["YAML"] = _differences(lambda: comparisons.saved_differences(music[0], "yaml"))
    return trips


def _read(piece: Piece) -> Music:
    if piece.format == "MIDI":
        return read_midi(piece.path)
    if piece.format == "MusicXML":
        return read_musicxml(piece.path, expand_repeats=False)
    tune = read_abc_string(piece.text, expand_repeats=False)
    assert isinstance(tune, Music)
    return tune


def _differences(trip: Callable[[], list[str]]) -> list[str]:
    try:
        return trip()
    except ERRORS as error:
        return [f"{type(error).__name__}: {error}"[:200]]


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Count, per collection and trip, the pieces that made it, those that did not, and what differed."""
    collections: dict[str, Any] = {}
    for row in rows:
        entry = collections.setdefault(row["collection"], {"format": row["format"], "pieces": 0, "trips": {}})
        entry["pieces"] += 1
        for trip, differing in row["trips"].items():
            counts = entry["trips"].setdefault(trip, {"tried": 0, "equal": 0, "differing": Counter(), "pieces": []})
            counts["tried"] += 1
            counts["equal"] += not differing
            counts["differing"].update(differing)
            if differing:
                counts["pieces"].append(row["name"])
    return {"collections": {name: collections[name] for name in COLLECTIONS if name in collections}}


def render(summary: dict[str, Any]) -> str:
    """Return the summary as a table in Markdown: how many pieces came back equal, and what differed in the others."""
    lines = ["| collection | pieces | own format | JSON | Arrow | YAML | what differs in the others |"]
    lines.append("|---|---|---|---|---|---|---|")
    for name, entry in summary["collections"].items():
        own = entry["trips"].get(entry["format"], {"equal": 0, "tried": 0, "differing": {}})
        cells = [f"{entry['format']}: {_share(own)}"]
        cells += [_share(entry["trips"].get(trip)) for trip in ("JSON", "Arrow", "YAML")]
        differing = ", ".join(f"`{field}` {count}" for field, count in sorted(own["differing"].items()))
        lines.append(f"| {name} | {entry['pieces']:,} | {' | '.join(cells)} | {differing or '–'} |")
    return "\n".join(lines)


def _share(counts: dict[str, Any] | None) -> str:
    return "–" if counts is None else f"{counts['equal']:,} of {counts['tried']:,}"


def put_table(page: Path, table: str) -> None:
    """Replace what stands between the two marks of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    page.write_text(f"{before}{MARKS[0]}\n\n{table}\n\n{MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    """Send every piece around that has no row yet, then write and print the summary."""
    parser = argparse.ArgumentParser(description="round trips of every score in a folder of corpora")
    parser.add_argument("--data", type=Path, help="folder of the corpora")
    parser.add_argument(
        "--rows", type=Path, required=True, help="JSON lines, one a piece; those there are not repeated"
    )
    parser.add_argument("--json", type=Path, help="write the summary there")
    parser.add_argument("--page", type=Path, help="put the table there")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every N-th piece")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # of mido
    lines = arguments.rows.read_text(encoding="utf-8").splitlines() if arguments.rows.exists() else []
    rows = [json.loads(line) for line in lines]
    done = {row["name"] for row in rows}
    chosen = list(pieces(arguments.data))[:: arguments.every] if arguments.data else []
    with arguments.rows.open("a", encoding="utf-8") as file:
        for number, piece in enumerate(tqdm(chosen, desc="round trips", disable=None)):
            if piece.name in done:
                continue
            trips = trips_of(piece, with_yaml=number % YAML_EVERY == 0)
            row = {"collection": piece.collection, "format": piece.format, "name": piece.name, "trips": trips}
            file.write(json.dumps(row) + "\n")
            file.flush()
            rows.append(row)
    summary = summarise(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if arguments.page:
        put_table(arguments.page, render(summary))
    for collection, entry in summary["collections"].items():
        counts = ", ".join(f"{trip} {c['equal']}/{c['tried']}" for trip, c in entry["trips"].items())
        print(f"{collection}: {entry['pieces']} pieces: {counts}")


if __name__ == "__main__":
    main()
