"""Generated songs → pages that show and play them (the extra `render`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from muspy_core import Music, Track
from numpy.typing import NDArray

if TYPE_CHECKING:
    from muspy_core.rendering.page import Page

MARK = "written anew"


def report_files(report: Path, songs: Sequence[Path]) -> list[Path]:
    """Return the page of each song: the report itself if there is one, else files in a folder of its name beside it."""
    if len(songs) == 1:
        return [report]
    return [report.with_suffix("") / f"{song.stem}.html" for song in songs]


def write_report(report: Path, pages: Sequence[tuple[Path, Page]], *, overwrite: bool = False) -> None:
    """Write the pages of songs, and where there are several the report as an index that leads to them."""
    from muspy_core.rendering import write_index

    for path, page in pages:
        path.parent.mkdir(parents=True, exist_ok=True)
        page.write(path, overwrite=overwrite)
    if [path for path, _ in pages] != [report]:
        write_index(report, [path for path, _ in pages], title="Songs written by mmt")


def song_page(music: Music, title: str, facts: Mapping[str, object], given: Music | None = None) -> Page:
    """Return a page with the score, piano roll and sound of a song.

    facts: how it was made, shown beside its length, key and the like. given: the piece that it was before some of its
    notes were written anew; those are marked. Raises ImportError without the extra `render`.
    """
    from muspy_core.rendering import Facts, Roll, page_of

    page = page_of(music, title=title)
    sections = []
    for section in page.sections:
        if isinstance(section, Facts):
            section = Facts({**section.values, **facts})
        elif isinstance(section, Roll) and given is not None:
            section = Roll.from_music(music, marked=marks(music, given), mark_label=MARK)
        sections.append(section)
    return dataclasses.replace(page, sections=sections, footer="Made with mmt and muspy-core.")


def marks(music: Music, given: Music) -> list[NDArray[np.bool_]]:
    """Return for each track which of its notes are not in the same track of the piece that was given, (notes,)."""
    result = []
    for index, track in enumerate(music.tracks):
        before = set(_notes(given.tracks[index])) if index < len(given.tracks) else set()
        result.append(np.array([note not in before for note in _notes(track)], bool))
    return result


def _notes(track: Track) -> list[tuple[int, int, int, int]]:
    table = track.notes.array
    columns = [table[name].tolist() for name in ("time", "pitch", "duration", "velocity")]
    return list(zip(*columns, strict=True))
