"""`Page`: one self-contained HTML file made of sections (score, piano roll, player, table, text, …).

A page opens from a file, needs no network, and allows none: its content security policy forbids everything but what
lies in the file. All sections follow one clock, in seconds: the player drives the cursor of the piano roll and the
coloured noteheads of the score. Other packages put their results on such a page:

    Page("Chorale", [Facts({"Accuracy": "97.3 %"}), Score(engraving), Roll(parts), Player(audio)]).write("index.html")
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import html
import json
import os
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from muspy_core.audio import Audio
from muspy_core.io.files import write_atomically
from muspy_core.music import Music
from muspy_core.rendering import palette
from muspy_core.rendering.score import Engraving, font_css
from muspy_core.rendering.summary import bar_times, first_bar_number


@dataclasses.dataclass(frozen=True)
class Facts:
    """A row of labelled figures, such as length, tempo and key."""

    values: Mapping[str, object]


@dataclasses.dataclass(frozen=True)
class Text:
    """A heading (or none) and paragraphs."""

    paragraphs: Sequence[str]
    heading: str | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A table; columns whose values are all numbers are set flush right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    heading: str | None = None
    caption: str | None = None


@dataclasses.dataclass(frozen=True)
class Link:
    """A link to another page. address: relative, percent-encoded. note: a line below the text."""

    address: str
    text: str
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Links:
    """A list of links."""

    links: Sequence[Link]
    heading: str | None = None


@dataclasses.dataclass(frozen=True)
class Picture:
    """An image, embedded; alt says what it shows to those who do not see it."""

    data: bytes
    alt: str
    media_type: str = "image/png"
    heading: str | None = None
    caption: str | None = None


@dataclasses.dataclass(frozen=True)
class Player:
    """Sound with a play button and a time bar, which stays in sight; a page has at most one.

    format: "mp3" (plays everywhere, small), "wav" or "flac".
    """

    audio: Audio
    format: str = "mp3"


@dataclasses.dataclass(frozen=True)
class Sound:
    """Sound with the browser's own controls; a page may have many. name: what it is, shown beside it."""

    audio: Audio
    name: str
    format: str = "mp3"


@dataclasses.dataclass(frozen=True)
class Score:
    """An engraved score; noteheads take the colours of the parts while they sound, or always with `colored`.

    The note ids of the engraving ("n<track>-<note>") refer to the parts of the `Roll` on the same page, in order. Notes
    that the roll marks are marked here too.
    """

    engraving: Engraving
    heading: str | None = "Score"
    colored: bool = False


@dataclasses.dataclass(frozen=True)
class RollPart:
    """The notes of one part.

    onsets, durations: (notes,) seconds. pitches: (notes,) 0-127. confidence: (notes,) 0-1, paler where it is lower, or
    None. marked: (notes,) bool, notes with a sign that `Roll.mark_label` explains, or None. The order of the notes is
    the one that note ids count in.
    """

    name: str
    onsets: ArrayLike
    durations: ArrayLike
    pitches: ArrayLike
    confidence: ArrayLike | None = None
    marked: ArrayLike | None = None


@dataclasses.dataclass(frozen=True)
class Roll:
    """A piano roll that can be zoomed and scrolled, with a legend that shows and hides parts.

    barlines: (bars,) seconds; first_bar: number of the first of them. mark_label: what a marked note means.
    """

    parts: Sequence[RollPart]
    barlines: ArrayLike = ()
    first_bar: int = 1
    heading: str | None = "Piano roll"
    mark_label: str = "marked note"

    @classmethod
    def from_music(
        cls,
        music: Music,
        *,
        confidence: Sequence[ArrayLike | None] | None = None,
        marked: Sequence[ArrayLike | None] | None = None,
        **options: Any,
    ) -> Roll:
        """Make the roll of a piece: one part for each track, in order.

        confidence, marked: one array (or None) for each track, as in `RollPart`. options: the other fields of `Roll`.
        """
        parts = []
        tempo_map = music.tempo_map
        for index, track in enumerate(music.tracks):
            table = track.notes.array
            onsets = tempo_map.seconds(table["time"])
            parts.append(
                RollPart(
                    track.name or f"Track {index + 1}",
                    onsets,
                    tempo_map.seconds(table["time"] + table["duration"]) - onsets,
                    table["pitch"],
                    None if confidence is None else confidence[index],
                    None if marked is None else marked[index],
                )
            )
        options.setdefault("barlines", tempo_map.seconds(bar_times(music)))
        options.setdefault("first_bar", first_bar_number(music))
        return cls(parts, **options)


Section: TypeAlias = Facts | Text | Table | Links | Picture | Sound | Player | Score | Roll


@dataclasses.dataclass(frozen=True)
class Page:
    """An HTML page.

    title, subtitle: its heading. sections: from top to bottom (the player is always at the bottom edge). footer: a last
    line. language: of the text, as in HTML.
    """

    title: str
    sections: Sequence[Section]
    subtitle: str = ""
    footer: str = ""
    language: str = "en"

    def to_html(self) -> str:
        """Return the page as text."""
        script, style = _asset("page.js"), _asset("page.css")
        pages = [page for section in self.sections if isinstance(section, Score) for page in section.engraving.pages]
        if pages:
            style += font_css(pages)
        style += _palette_css()
        digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
        policy = (
            f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
            "img-src data:; font-src data:; media-src data: blob:; base-uri 'none'; form-action 'none'"
        )
        roll = next((section for section in self.sections if isinstance(section, Roll)), None)
        body = "\n".join(_section_html(section) for section in self.sections if not isinstance(section, Player))
        player = next((_player(section) for section in self.sections if isinstance(section, Player)), "")
        subtitle = f'<p class="subtitle">{html.escape(self.subtitle)}</p>' if self.subtitle else ""
        footer = f"<footer>{html.escape(self.footer)}</footer>" if self.footer else ""
        return f"""<!DOCTYPE html>
<html lang="{html.escape(self.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(self.title)}</title>
<link rel="icon" href="data:,">
<style>
{style}
</style>
</head>
<body>
<header><h1>{html.escape(self.title)}</h1>{subtitle}</header>
<main>
{body}
</main>
{footer}
{player}
<script type="application/json" id="notes">{_notes_json(roll)}</script>
<script>{script}</script>
</body>
</html>
"""

    def write(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> Path:
        """Write the page to a file; return its path. Raises FileExistsError if it exists and `overwrite` is false."""
        content = self.to_html()
        with write_atomically(path, overwrite) as temporary:
            temporary.write_text(content, encoding="utf-8")
        return Path(path)


# --- sections → HTML -----------------------------------------------------------------------------------------------


def _section_html(section: Section) -> str:
    if isinstance(section, Facts):
        items = "".join(
            f"<div><dt>{html.escape(label)}</dt><dd>{html.escape(str(value))}</dd></div>"
            for label, value in section.values.items()
        )
        return f'<dl class="facts">{items}</dl>'
    if isinstance(section, Text):
        return _framed("text", section.heading, "".join(f"<p>{html.escape(p)}</p>" for p in section.paragraphs))
    if isinstance(section, Table):
        return _framed("table", section.heading, _table(section))
    if isinstance(section, Picture):
        encoded = base64.b64encode(section.data).decode("ascii")
        image = f'<img alt="{html.escape(section.alt)}" src="data:{section.media_type};base64,{encoded}">'
        caption = f"<figcaption>{html.escape(section.caption)}</figcaption>" if section.caption else ""
        return _framed("picture", section.heading, f"<figure>{image}{caption}</figure>")
    if isinstance(section, Sound):
        source, name = section.audio.to_data_uri(section.format), html.escape(section.name)
        figure = f'<figcaption>{name}</figcaption><audio controls aria-label="{name}" src="{source}"></audio>'
        return _framed("sound", None, f"<figure>{figure}</figure>")
    if isinstance(section, Links):
        items = "".join(
            f'<li><a href="{html.escape(link.address)}">{html.escape(link.text)}</a>'
            f'<span class="note">{html.escape(link.note)}</span></li>'
            for link in section.links
        )
        return _framed("links", section.heading, f"<ul>{items}</ul>")
    if isinstance(section, Score):
        return _score(section)
    if isinstance(section, Roll):
        return _roll(section)
    raise TypeError(f"a page cannot show a {type(section).__name__}")


def _framed(kind: str, heading: str | None, content: str, note: str = "") -> str:
    title = f"<h2>{html.escape(heading)}</h2>" if heading else ""
    label = f' aria-label="{html.escape(heading)}"' if heading else ""
    return f'<section class="{kind}"{label}><div class="bar">{title}{note}</div>{content}</section>'


def _table(table: Table) -> str:
    numeric = [
        all(isinstance(row[column], (int, float, np.number)) for row in table.rows)
        for column in range(len(table.columns))
    ]
    kinds = [' class="number"' if is_number else "" for is_number in numeric]
    head = "".join(
        f'<th scope="col"{kind}>{html.escape(name)}</th>' for name, kind in zip(table.columns, kinds, strict=True)
    )
    rows = "".join(
        "<tr>" + "".join(f"<td{kind}>{html.escape(str(v))}</td>" for v, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in table.rows
    )
    caption = f'<p class="note">{html.escape(table.caption)}</p>' if table.caption else ""
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{caption}'


def _score(score: Score) -> str:
    engraving = score.engraving
    note = ""
    if len(engraving.pages) < engraving.total_pages:
        note = f'<p class="note">pages 1–{len(engraving.pages)} of {engraving.total_pages}</p>'
    pages = "".join(f'<div class="sheet">{page}</div>' for page in engraving.pages)
    colored = " colored" if score.colored else ""
    return _framed("score", score.heading, f'<div class="sheets{colored}" id="score">{pages}</div>', note)


def _roll(roll: Roll) -> str:
    total = sum(np.size(part.onsets) for part in roll.parts)
    legend = "".join(
        f'<button type="button" aria-pressed="true" data-part="{index}">'
        f'<span class="swatch part-{index % len(palette.LIGHT)}"></span>{html.escape(part.name)}</button>'
        for index, part in enumerate(roll.parts)
        if np.size(part.onsets)
    )
    if any(part.marked is not None and np.any(part.marked) for part in roll.parts):
        legend += (
            f'<span class="mark"><span class="sign" aria-hidden="true">◆</span>{html.escape(roll.mark_label)}</span>'
        )
    tools = (
        '<div class="tools"><button type="button" id="zoom-out" aria-label="Zoom out" title="Zoom out (−)">−</button>'
        '<button type="button" id="zoom-all" title="Show all (0)">all</button>'
        '<button type="button" id="zoom-in" aria-label="Zoom in" title="Zoom in (+)">+</button></div>'
    )
    names = [part.name for part in roll.parts if np.size(part.onsets)]
    label = f"Piano roll of {total} notes in {len(names)} parts: {', '.join(names)}. Arrows scroll, + and − zoom."
    attributes = f'id="roll" tabindex="0" role="img" aria-label="{html.escape(label)}"'
    canvas = (
        f'<div class="legend" role="group" aria-label="Parts shown">{legend}</div>'
        f'<div class="canvas"><canvas {attributes}></canvas></div>'
    )
    return _framed("roll", roll.heading, canvas, tools)


def _player(player: Player) -> str:
    source, seconds = player.audio.to_data_uri(player.format), player.audio.duration
    return f"""<div class="player" role="region" aria-label="Player">
<button type="button" id="play" aria-label="Play" title="Play or pause (space)">
<svg viewBox="0 0 24 24" aria-hidden="true"><path class="go" d="M7 4.5v15l12.5-7.5z"/>
<path class="stop" d="M6 4.5h4.2v15H6zM13.8 4.5H18v15h-4.2z"/></svg></button>
<output id="clock">0:00</output>
<input id="seek" type="range" min="0" max="{seconds:.3f}" step="0.01" value="0" aria-label="Position in seconds">
<output id="length">{int(seconds // 60)}:{int(seconds % 60):02d}</output>
<audio id="audio" preload="auto" src="{source}"></audio>
</div>"""


def _notes_json(roll: Roll | None) -> str:
    """The notes as JSON: columns in milliseconds, for each part in the order of its note ids."""
    if roll is None:
        return "null"
    parts = []
    for part in roll.parts:
        onsets = np.asarray(part.onsets, np.float64)
        columns: dict[str, Any] = {
            "name": part.name,
            "on": np.round(onsets * 1000).astype(int).tolist(),
            "off": np.round((onsets + np.asarray(part.durations, np.float64)) * 1000).astype(int).tolist(),
            "pitch": np.asarray(part.pitches).astype(int).tolist(),
        }
        if part.confidence is not None:
            columns["sure"] = np.round(np.asarray(part.confidence, np.float64), 2).tolist()
        if part.marked is not None:
            columns["marked"] = np.flatnonzero(np.asarray(part.marked)).tolist()
        parts.append(columns)
    bars = np.round(np.asarray(roll.barlines, np.float64) * 1000).astype(int).tolist()
    text = json.dumps({"parts": parts, "bars": bars, "firstBar": roll.first_bar}, separators=(",", ":"))
    return re.sub(r"[<>&]", lambda found: f"\\u{ord(found.group()):04x}", text)


def _palette_css() -> str:
    def rules(colors: Sequence[str]) -> str:
        return "".join(f"--part-{index}:{color};" for index, color in enumerate(colors))

    swatches = "".join(f".part-{index}{{--color:var(--part-{index})}}" for index in range(len(palette.LIGHT)))
    dark = f"@media (prefers-color-scheme: dark){{:root{{{rules(palette.DARK)}}}}}"
    return f":root{{{rules(palette.LIGHT)}}}{dark}{swatches}"


def _asset(name: str) -> str:
    return (resources.files("muspy_core.rendering") / "assets" / name).read_text(encoding="utf-8")
