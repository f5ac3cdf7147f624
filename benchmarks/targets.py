"""The figures we aim at, and the table of those that were reached (benchmarks/README.md).

python benchmarks/targets.py

writes the table anew from results.json, which `run.py --publish` makes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
RESULTS, README = HERE / "results.json", HERE / "README.md"
BEGIN, END = "<!-- table of targets -->", "<!-- end of the table -->"


class Target(NamedTuple):
    """How many times as fast as a peer some work should be. group: of the suite. suite: its name for run.py."""

    work: str
    group: str
    peer: str
    ratio: float
    suite: str


class Limit(NamedTuple):
    """What some work may cost at most, in a unit that its suite measures."""

    work: str
    group: str
    unit: str
    most: float
    suite: str


TARGETS = (
    Target("read MIDI, files of 30 kB and more", "read MIDI, files of 30 kB and more", "symusic", 1, "midi"),
    Target("read MIDI, all files", "read MIDI, all files", "MusPy", 100, "midi"),
    Target("read MIDI without a compiler", "read MIDI without the compiled parser", "mido", 10, "midi"),
    Target("write MIDI", "write MIDI, all files", "MusPy", 20, "midi"),
    Target("read MusicXML", "read MusicXML, a dozen scores", "music21", 20, "musicxml"),
    Target("read MusicXML", "read MusicXML, a dozen scores", "muspy", 2.5, "musicxml"),
    Target("read MusicXML, one page", "read MusicXML, chorales", "muspy", 1, "musicxml"),
    Target("`polyphony`, long pieces", "polyphony, long pieces", "MusPy", 1000, "metrics"),
    Target("`polyphony_rate`, long pieces", "polyphony_rate, long pieces", "MusPy", 1000, "metrics"),
    Target("encode piano rolls", "encode pianoroll", "MusPy", 50, "representations"),
    Target("encode events", "encode event", "MusPy", 10, "representations"),
    Target("encode notes", "encode note", "MusPy", 5, "representations"),
    Target("load JSON", "load JSON", "MusPy", 5, "json"),
    Target("save JSON", "save JSON", "MusPy", 5, "json"),
    Target("windows of piano rolls", "windows of piano rolls", "MusPy", 30, "datasets"),
)
LIMITS = (
    Limit("read 10 MB of dense MIDI notes", "read 10 MB of dense notes", "s", 1, "midi"),
    Limit("read 10 MB of dense MIDI notes", "read 10 MB of dense notes", "MB", 200, "midi"),
    Limit("`import muspy_core`", "import in a fresh interpreter", "s", 0.4, "import"),
    Limit("`import muspy_core`", "import in a fresh interpreter", "MB", 60, "import"),
)


def publish(results: dict[str, Any]) -> None:
    """Keep the results and write the table of targets into the README."""
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n{table(results)}{END}{after}", encoding="utf-8")


def table(results: dict[str, Any]) -> str:
    """Return the table of targets in Markdown, with what was not measured left open."""
    rows = {(row["group"], row["peer"]): row for row in results["rows"]}
    lines = ["| work | peer | target | reached | median of the pieces | command |", "|---|---|---|---|---|---|"]
    for target in TARGETS:
        row = rows.get((target.group, target.peer))
        reached = "not measured" if row is None else f"{_number(row['ratio'])}×"
        median = "" if row is None or row.get("calls", 2) < 2 else f"{_number(row['median'])}×"
        peer = "MusPy" if target.peer == "muspy" else target.peer
        lines.append(
            f"| {target.work} | {peer} | {target.ratio:g}× | {reached} | {median} | `nox -s bench -- {target.suite}` |"
        )
    for limit in LIMITS:
        value = results["figures"].get(limit.group, {}).get(limit.unit)
        reached = "not measured" if value is None else f"{value:.3g} {limit.unit}"
        lines.append(
            f"| {limit.work} | | ≤ {limit.most:g} {limit.unit} | {reached} | | `nox -s bench -- {limit.suite}` |"
        )
    return "\n".join(lines) + "\n"


def _number(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 2 else f"{ratio:.1f}" if ratio < 20 else f"{ratio:,.0f}"


if __name__ == "__main__":
    publish(json.loads(RESULTS.read_text(encoding="utf-8")))
