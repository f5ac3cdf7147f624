"""Music → a page with score, piano roll and player: `view` (music → sound, roll and score → page)."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from muspy_core.audio import Audio
from muspy_core.errors import MuspyError
from muspy_core.music import Music
from muspy_core.rendering.page import Facts, Page, Player, Roll, Score, Section
from muspy_core.rendering.score import Engraving, engrave
from muspy_core.rendering.soundfont import render
from muspy_core.rendering.summary import bar_times, summarize

logger = logging.getLogger(__name__)

SCORE_PAGES = 6
_BARS_A_PAGE = 40  # more than fit on a page, so that the cut is never seen on the pages shown
_PEAK_DECIBELS = -1.5

__all__ = ["Page", "page_of", "view"]


def view(
    music: Music,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    soundfont: str | os.PathLike[str] | None = None,
    score_pages: int = SCORE_PAGES,
    overwrite: bool = True,
) -> Path:
    """Write one self-contained HTML page that shows and plays music; return its path.

    Args:
        music: The music.
        path: The file to write, .html.
        title: Heading of the page; by default the title of the music, else the name of its source file.
        soundfont: SoundFont to play it with.
        score_pages: The most pages of score to show; 0 for none.
        overwrite: Whether an existing file may be replaced.

    Raises RenderError if the music cannot be played. A score that cannot be set is left out, and the log says why.
    """
    return page_of(music, title=title, soundfont=soundfont, score_pages=score_pages).write(path, overwrite=overwrite)


def page_of(
    music: Music,
    *,
    title: str | None = None,
    soundfont: str | os.PathLike[str] | None = None,
    score_pages: int = SCORE_PAGES,
) -> Page:
    """Return the page that `view` writes, to add sections to or to look at."""
    summary = summarize(music)
    sections: list[Section] = [Facts(summary.facts())]
    engraving = try_to_engrave(music, score_pages) if score_pages and summary.notes else None
    if engraving is not None:
        sections.append(Score(engraving))
    sections.append(Roll.from_music(music))
    if summary.notes:
        sections.append(Player(playable(render(music, soundfont=soundfont))))
    source = music.metadata.source_filename
    heading = title or summary.title or (Path(source).stem if source else "") or "Untitled"
    creators = ", ".join(music.metadata.creators or ())
    return Page(heading, sections, subtitle=creators, footer="Made with muspy-core.")


def playable(audio: Audio) -> Audio:
    """Return the sound at a comfortable level for a page: its peak just below full scale."""
    return audio.normalize_peak(_PEAK_DECIBELS)


def try_to_engrave(music: Music, pages: int = SCORE_PAGES) -> Engraving | None:
    """Set the first pages of a score; None, with a line in the log, if it cannot be set.

    Tracks without notes get no staff. Of long music only the bars that can reach these pages are set, which keeps the
    time short. Note ids are those of the whole music.
    """
    sounding = [index for index, track in enumerate(music.tracks) if len(track.notes) or len(track.chords)]
    beginning = music.copy()
    beginning.tracks = [music.tracks[index] for index in sounding]
    bars = bar_times(music)
    most = pages * _BARS_A_PAGE
    if len(bars) > most:
        beginning = beginning.deepcopy().trim(int(bars[most]))
    try:
        return engrave(beginning, pages=pages).renumbered(sounding)
    except MuspyError as error:
        logger.warning("no score on the page: %s", error)
        return None
