"""The catalogue as rows and as the page of the documentation (`python -m muspy_core.datasets.catalogue`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from muspy_core.datasets.base import Dataset
from muspy_core.datasets.catalogue import CATALOGUE
from muspy_core.datasets.catalogue.extracted import OfficialSplit
from muspy_core.datasets.catalogue.hymnal import HymnalDataset
from muspy_core.datasets.corpus import CorpusDataset
from muspy_core.datasets.remote import RemoteDataset

UNVERIFIED = "unverified"
# Songs and hours that `muspy-core dataset stats` counts in the data sets that were at hand: those inside music21 10.5.1
# and copies of the repositories of POP909 and OpenScore.
COUNTED: Mapping[str, tuple[int, float]] = {
    "airds": (1180, 13.06),
    "essen-music21": (8514, 54.72),
    "music21-jsb": (410, 3.90),
    "music21-without-bach": (229, 16.67),
    "music21": (654, 20.72),
    "oneills": (2009, 24.11),
    "openscore-lieder": (1460, 51.23),
    "openscore-quartets": (122, 50.10),
    "pop909": (909, 63.04),
    "ryans": (1059, 12.38),
}

_INTRODUCTION = """\
# Data sets by name

<!-- Made by `python -m muspy_core.datasets.catalogue > docs/muspy-core/catalogue.md`. -->

```python
import muspy_core as muspy

maestro = muspy.get_dataset("maestro")
assert maestro is muspy.MAESTRODatasetV3
assert len(muspy.list_datasets()) == {count}
```

`maestro("data/maestro", download_and_extract=True)` downloads and opens it.

`muspy-core dataset list` prints this table, `muspy-core dataset download KEY FOLDER` fetches a data set.

* Songs and hours are the published ones, those of Table 2.2 of the dissertation where it has them; "counted" is what
  `muspy-core dataset stats` counts here, repeats played, where the files were at hand.
* M: has a melody of its own; C: chord symbols; T: several tracks; 1: one voice.
* Sizes and checksums are those that MusPy publishes, and every download is checked against them. *unverified*: no
  checksum is known, so what comes is not verified, and the log says so.
* The licence is what the authors state. Where none is stated, ask before you publish anything made from the data.

"""
_HEADER = "| key | name | genre | format | songs | hours | counted songs | hours | M C T 1 | licence | source |"


def rows() -> list[dict[str, Any]]:
    """Return what is known of every data set, as values that JSON can hold, in the order of the keys."""
    return [_row(key, dataset) for key, dataset in CATALOGUE.items()]


def _row(key: str, dataset: type[Dataset]) -> dict[str, Any]:
    remotes = dataset.remotes() if issubclass(dataset, RemoteDataset) else []
    return {
        "key": key,
        "class": dataset.__name__,
        **dataclasses.asdict(dataset.info()),
        **dict(zip(("songs", "hours"), published(dataset), strict=True)),
        **dict(zip(("counted_songs", "counted_hours"), COUNTED.get(key, (None, None)), strict=True)),
        "source": source_of(dataset),
        "official_split": issubclass(dataset, OfficialSplit),
        "files": [
            {
                "filename": remote.filename,
                "url": remote.url,
                "size": remote.size,
                "sha256": remote.sha256,
                "md5": remote.md5,
                "checksum": "sha256" if remote.sha256 else "md5" if remote.md5 else UNVERIFIED,
            }
            for remote in remotes
        ],
    }


def published(dataset: type[Dataset]) -> tuple[int | None, float | None]:
    """Return the published counts of songs and hours; those of the tune books in the wheel are nobody's but ours."""
    info = dataset.info()
    return (None, None) if issubclass(dataset, CorpusDataset) and info.hours is None else (info.songs, info.hours)


def source_of(dataset: type[Dataset]) -> str:
    """Return how a data set is had: "wheel" (inside music21's), "download", "site" (piece by piece), or "by hand"."""
    if issubclass(dataset, CorpusDataset):
        return "wheel"
    if issubclass(dataset, HymnalDataset):
        return "site"
    return "download" if issubclass(dataset, RemoteDataset) else "by hand"


def markdown() -> str:
    """Return the page of the documentation: the table, and a section for each data set."""
    entries = rows()
    lines = [_HEADER, "|" + " --- |" * (_HEADER.count("|") - 1), *map(_line, entries)]
    sections = map(_section, entries)
    return _INTRODUCTION.format(count=len(entries)) + "\n".join(lines) + "\n\n" + "\n".join(sections)


def flags(row: dict[str, Any]) -> str:
    """Return "M C T 1" with a dot for what a data set does not have."""
    names = (("M", "melody"), ("C", "chords"), ("T", "multitrack"), ("1", "monophonic"))
    return " ".join(letter if row[name] else "·" for letter, name in names)


def count(value: float | None) -> str:
    """Return a published count as text, a dash if there is none."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def checksums(row: dict[str, Any]) -> str:
    """Return how the source of a data set is verified: "sha256", "md5", "unverified", or where it comes from."""
    if row["source"] == "download":
        return ", ".join(file["checksum"] for file in row["files"])
    return {"wheel": "music21 wheel", "site": f"site, {UNVERIFIED}", "by hand": f"by hand, {UNVERIFIED}"}[row["source"]]


def _line(row: dict[str, Any]) -> str:
    cells = [
        f"[`{row['key']}`](#{row['key']})",
        row["name"],
        row["genre"],
        row["format"],
        count(row["songs"]),
        count(row["hours"]),
        count(row["counted_songs"]),
        count(row["counted_hours"]),
        flags(row),
        row["license"] or "none stated",
        checksums(row),
    ]
    return "| " + " | ".join(cells) + " |"


def _section(row: dict[str, Any]) -> str:
    facts = [
        f"Class `{row['class']}`",
        f"[home page]({row['homepage']})",
        f"licence: {row['license'] or 'none stated'}",
    ]
    if row["official_split"]:
        facts.append("`official_split()`")
    lines = [
        f"## {row['key']} {{#{row['key']}}}",
        "",
        f"{row['name']}: {row['description']}.",
        "",
        "; ".join(facts) + ".",
    ]
    if row["note"]:
        lines += ["", f"Note: {row['note']}."]
    for file in row["files"]:
        size = f"{file['size']:,} bytes" if file["size"] else f"size {UNVERIFIED}"
        digest = file["sha256"] or file["md5"]
        checksum = f"{file['checksum']} `{digest}`" if digest else f"checksum {UNVERIFIED}"
        lines += ["", f"<{file['url']}> ({size}, {checksum})"]
    lines += ["", "```bibtex", row["citation"], "```", ""]
    return "\n".join(lines)
