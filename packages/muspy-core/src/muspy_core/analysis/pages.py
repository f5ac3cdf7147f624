"""Statistics of data sets → the tables of a page, put where the page marks them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from muspy_core.analysis.chords import ChordRecall
from muspy_core.analysis.keys import RELATIONS
from muspy_core.analysis.summary import Statistics
from muspy_core.errors import MuspyError
from muspy_core.io.files import write_atomically

# What MIREX gives for each relation of an estimated key to the true one.
MIREX_WEIGHTS = {"same": 1.0, "fifth": 0.5, "relative": 0.3, "parallel": 0.2, "other": 0.0}


class PageError(MuspyError):
    """A page without the marks between which a table belongs."""


def replace_section(page: Path, name: str, text: str) -> None:
    """Put a text between the lines `<!-- begin NAME -->` and `<!-- end NAME -->` of a page.

    Raises PageError if the page lacks them.
    """
    content = page.read_text(encoding="utf-8")
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    before, found, rest = content.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise PageError(f"{page}: has no lines {begin.strip()} and {end}")
    with write_atomically(page) as temporary:
        temporary.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}", encoding="utf-8")


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], numeric_from: int = 1) -> str:
    """Return a Markdown table; columns from `numeric_from` on are set flush right."""
    rule = ["---" if column < numeric_from else "---:" for column in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def analysis_tables(statistics: Sequence[Statistics]) -> dict[str, str]:
    """Return the tables of the page on data sets by name: lengths, tempos, keys, key-agreement, key-truth."""
    return {
        "lengths": _lengths(statistics),
        "tempos": _tempos(statistics),
        "keys": _keys(statistics),
        "key-agreement": _agreements(statistics),
        "key-truth": _truth(statistics),
    }


def chord_table(recall: ChordRecall) -> str:
    """Return the table of chords."""
    low, high = recall.quartiles
    row = (recall.name, f"{recall.songs:,}", percent(recall.recall), percent(recall.median))
    head = ("data set", "songs", "recall", "median song", "IQR over songs")
    return markdown_table(head, [(*row, f"{percent(low)}–{percent(high)}")])


def percent(part: float, whole: float | None = None) -> str:
    """Return a share in per cent, "–" where there is nothing to share."""
    share = part if whole is None else (part / whole if whole else math.nan)
    return "–" if math.isnan(share) else f"{100 * share:.1f} %"


def _lengths(statistics: Sequence[Statistics]) -> str:
    rows = []
    for item in statistics:
        first, third = item.lengths.quartiles
        row = (f"{item.songs:,}", str(item.failed), f"{item.hours:.2f}", f"{item.notes:,}")
        rows.append((item.name, *row, f"{item.lengths.median:.1f}", f"{first:.1f}–{third:.1f}"))
    return markdown_table(("data set", "songs", "unreadable", "hours", "notes", "median (s)", "IQR (s)"), rows)


def _tempos(statistics: Sequence[Statistics]) -> str:
    rows = []
    for item in statistics:
        n = item.tempos.n
        missing = percent(item.tempos.missing, item.songs)
        if not n:
            rows.append((item.name, "0", missing, "–", "–", "–"))
            continue
        first, third = item.tempos.quartiles
        default = percent(item.at_default_tempo, n)
        rows.append((item.name, f"{n:,}", missing, f"{item.tempos.median:.0f}", f"{first:.0f}–{third:.0f}", default))
    return markdown_table(("data set", "n", "missing", "median (qpm)", "IQR (qpm)", "exactly 120"), rows)


def _keys(statistics: Sequence[Statistics]) -> str:
    head = ("data set", "n", "missing", "no mode", "other modes", "C major", "minor", "minor by the notes", "its n")
    rows = []
    for item in statistics:
        n = sum(item.declared)
        shares = [percent(part, item.songs) for part in (item.no_signature, item.no_mode, item.other_modes)]
        default = percent(item.declared[0], n)
        minor = [percent(item.minor_share), percent(item.estimated_minor_share)]
        rows.append((item.name, f"{n:,}", *shares, default, *minor, f"{sum(item.estimated):,}"))
    return markdown_table(head, rows)


def _agreements(statistics: Sequence[Statistics]) -> str:
    rows: list[tuple[str, ...]] = []
    for item in statistics:
        same, of = item.same_signature
        signature = percent(same, of)
        if not item.estimated_with_declared:
            rows.append((item.name, "0", *("–" * 6), f"{signature} of {of:,}"))
            continue
        counts = item.estimated_with_declared["temperley"]
        total = sum(counts.values())
        shares = [percent(counts[name], total) for name in RELATIONS]
        krumhansl = percent(item.estimated_with_declared["krumhansl"]["same"], total)
        rows.append((item.name, f"{total:,}", *shares, krumhansl, f"{signature} of {of:,}"))
    return markdown_table(("data set", "n", *RELATIONS, "same, krumhansl", "same signature"), rows)


def _truth(statistics: Sequence[Statistics]) -> str:
    rows = []
    for item in statistics:
        if not item.estimated_with_annotated:
            continue
        compared: dict[str, Mapping[str, int]] = {
            f"estimated, {profile}": counts for profile, counts in item.estimated_with_annotated.items()
        }
        if item.declared_with_annotated:
            compared["declared in the file"] = item.declared_with_annotated
        for what, counts in compared.items():
            total = sum(counts.values())
            score = sum(MIREX_WEIGHTS[name] * counts[name] for name in RELATIONS) / total
            shares = [percent(counts[name], total) for name in RELATIONS]
            rows.append((item.name, what, f"{total:,}", *shares, f"{score:.3f}"))
    return markdown_table(("data set", "key", "n", *RELATIONS, "MIREX score"), rows, numeric_from=2)
