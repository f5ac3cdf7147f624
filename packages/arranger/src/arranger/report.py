"""Separation → a page with score, piano roll in part colours, player and tables (the extra `render`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arranger.separate import DOUBTFUL, Separation

if TYPE_CHECKING:
    from muspy_core.audio import Audio
    from muspy_core.rendering.page import Page, Section

_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def part_rows(separation: Separation) -> list[dict[str, Any]]:
    """Return for each part its name, notes, lowest and highest pitch, mean confidence, and doubtful notes."""
    rows = []
    for part, chosen in zip(separation.parts.parts, separation.part_rows, strict=True):
        pitch = separation.mixture.pitch[chosen]
        rows.append(
            {
                "part": part.name,
                "notes": len(chosen),
                "lowest": int(pitch.min()) if len(chosen) else None,
                "highest": int(pitch.max()) if len(chosen) else None,
                "confidence": round(float(separation.confidence[chosen].mean()), 4) if len(chosen) else None,
                "doubtful": int(separation.doubtful[chosen].sum()),
            }
        )
    return rows


def pitch_name(pitch: int | None) -> str:
    """Return a pitch as people write it, C4 being middle C."""
    return "" if pitch is None else f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def separation_page(
    separation: Separation,
    title: str,
    *,
    subtitle: str = "",
    audio: Audio | None = None,
    extra: Sequence[Section] = (),
    wrong: NDArray[np.bool_] | None = None,
) -> Page:
    """Return a page that shows and plays a separation.

    audio: what the player plays; rendered where it is None. extra: sections after the table of parts. wrong: (n,) notes
    to mark; by default those whose part is doubtful. Raises ImportError without the extra `render`.
    """
    from muspy_core.rendering import Facts, Page, Player, Roll, Score, Table, Text, render
    from muspy_core.rendering.html import playable, try_to_engrave

    music = separation.music
    marked = separation.doubtful if wrong is None else wrong
    others = [None] * (len(music.tracks) - len(separation.part_rows))
    sections: list[Any] = [
        Facts(
            {
                "Notes": f"{len(separation.mixture):,}",
                "Parts": len(separation.parts),
                "Doubtful": f"{int(separation.doubtful.sum()):,}",
            }
        )
    ]
    engraving = try_to_engrave(music)
    if engraving is not None:
        sections.append(Score(engraving, colored=True))
    sections.append(
        Roll.from_music(
            music,
            confidence=[*(separation.confidence[rows] for rows in separation.part_rows), *others],
            marked=[*(marked[rows] for rows in separation.part_rows), *others],
            mark_label="doubtful part" if wrong is None else "not the composer's part",
        )
    )
    sections.append(Player(playable(render(music)) if audio is None else playable(audio)))
    rows = [
        [
            row["part"],
            row["notes"],
            f"{pitch_name(row['lowest'])}–{pitch_name(row['highest'])}" if row["notes"] else "",
            "" if row["confidence"] is None else f"{100 * row['confidence']:.1f} %",
            row["doubtful"],
        ]
        for row in part_rows(separation)
    ]
    sections.append(
        Table(
            ("Part", "Notes", "Range", "Confidence", "Doubtful"),
            rows,
            heading="Parts",
            caption=f"Confidence: mean probability of the chosen part. Doubtful: notes below {DOUBTFUL:.0%}.",
        )
    )
    sections += extra
    if separation.warnings:
        sections.append(Text([f"{warning[0].upper()}{warning[1:]}." for warning in separation.warnings], "Warnings"))
    return Page(title, sections, subtitle=subtitle, footer="Made with arranger and muspy-core.")
