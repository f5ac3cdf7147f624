"""The catalogue as rows and as the page of the documentation (`python -m muspy_core.datasets.catalogue`)."""

from __future__ import annotations

import dataclasses
from typing import Any

from muspy_core.datasets.base import Dataset
from muspy_core.datasets.catalogue import CATALOGUE
from muspy_core.datasets.catalogue.extracted import OfficialSplit
from muspy_core.datasets.catalogue.hymnal import HymnalDataset
from muspy_core.datasets.corpus import CorpusDataset
from muspy_core.datasets.remote import RemoteDataset

UNVERIFIED = "unverified"

_INTRODUCTION = """\
# Data sets by name

<!-- Made by `python -m muspy_core.datasets.catalogue > docs/muspy-core/catalogue.md`. -->

<!-- skip: next -->

```python
import muspy_core as muspy

lmd = muspy.get_dataset("lmd")("data/lmd", download_and_extract=True)
```

`muspy-core dataset list` prints this table, `muspy-core dataset download KEY FOLDER` fetches a data set.

* Songs and hours are the published ones, those of Table 2.2 of the dissertation where it has them.
* M: has a melody of its own; C: chord symbols; T: several tracks; 1: one voice.
* Sizes and checksums are those that MusPy publishes, and every download is checked against them. *unverified*: no
  checksum is known, so what comes is not verified, and the log says so.
* The licence is what the authors state. Where none is stated, ask before you publish anything made from the data.

"""
_HEADER = "| key | name | genre | format | songs | hours | M C T 1 | licence | source |"


def rows() -> list[dict[str, Any]]:
    """Return what is known of every data set, as values that JSON can hold, in the order of the keys."""
    return [_row(key, dataset) for key, dataset in CATALOGUE.items()]


def _row(key: str, dataset: type[Dataset]) -> dict[str, Any]:
    remotes = dataset.remotes() if issubclass(dataset, RemoteDataset) else []
    return {
        "key": key,
        "class": dataset.__name__,
        **dataclasses.asdict(dataset.info()),
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
    return _INTRODUCTION + "\n".join(lines) + "\n\n" + "\n".join(map(_section, entries))


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
