"""Music → an engraved score: SVG by verovio, PNG by resvg (MusicXML → page).

verovio is fed only with MusicXML that our own writer made, in a child process with a time limit. Its text is set in
Liberation Serif, which is read from verovio's own wheel when it is needed.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import html
import importlib
import importlib.util
import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from muspy_core.errors import RenderError
from muspy_core.io.files import write_atomically
from muspy_core.music import Music, Track
from muspy_core.rendering.summary import bar_times, first_bar_number

FONT_FAMILY = "Liberation Serif"
MUSIC_FONT = "Leipzig"  # verovio's own; in text it draws the note of a metronome mark
DEFAULT_TIMEOUT = 60.0
PITCHES = ("written", "concert")
LAYOUTS = ("pages", "strip")
HEADERS = ("none", "titles")
PAPERS = {"a4": (1000, 1414), "a4-landscape": (1414, 1000), "letter": (1000, 1294), "letter-landscape": (1294, 1000)}
_PDF_ZOOM = 3.0
_PDF_DOTS = 121.0  # units of the SVG in an inch: 1,000 are the width of A4
_NOTE_ID = re.compile(r'(data-id=")n(\d+)-')
_NOTE_GROUP = re.compile(r'<g data-id="(n\d+-\d+(?:\.\d+)?)"')
_COLOR = re.compile(r"[a-zA-Z]+|#[0-9a-fA-F]{3}|#[0-9a-fA-F]{6}")
_TAG = re.compile(r"<(?:style.*?</style|[^>]*)>", re.DOTALL)
_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_EMBEDDED = re.compile(r"url\(['\"]?data:[^;,]*;[^,]*base64,([A-Za-z0-9+/=\s]+)['\"]?\)")


@dataclasses.dataclass(frozen=True)
class Engraving:
    """A laid-out score.

    pages: SVG documents, in which every note carries its id, "n<track>-<note>" with the indices of the music, as
    `data-id`; a note tied to it has ".2", ".3", … behind. total_pages: pages of the whole score, of which the first are
    in `pages`. times: id → (onset, end) in seconds, repeats as they stand.
    """

    pages: tuple[str, ...]
    total_pages: int
    times: dict[str, tuple[float, float]] = dataclasses.field(repr=False)

    def __repr__(self) -> str:
        return f"Engraving(pages={len(self.pages)} of {self.total_pages}, notes={len(self.times)})"

    def renumbered(self, tracks: Sequence[int]) -> Engraving:
        """Return the score with track number i in the note ids replaced by tracks[i]."""

        def name(found: re.Match[str]) -> str:
            return f"{found[1]}n{tracks[int(found[2])]}-"

        pages = tuple(_NOTE_ID.sub(name, page) for page in self.pages)
        times = {re.sub(r"()n(\d+)-", name, note, count=1): span for note, span in self.times.items()}
        return Engraving(pages, self.total_pages, times)

    def colored(self, colors: Mapping[str, str]) -> Engraving:
        """Return the score with notes in colours of their own: id ("n<track>-<note>") → CSS colour.

        What a note is tied to takes its colour. Raises RenderError for ids that are not in the score, or for what is no
        colour.
        """
        names = {_first_id(name) for name in self.times}
        for note, color in colors.items():
            if _first_id(note) not in names:
                raise RenderError(f"the score holds no note {note!r}")
            if not _COLOR.fullmatch(color):
                raise RenderError(f'a colour is a name or like "#1f77b4", got {color!r} for {note}')

        def paint(found: re.Match[str]) -> str:
            color = colors.get(found[1]) or colors.get(_first_id(found[1]))
            return f'{found[0]} fill="{color}" color="{color}"' if color else found[0]

        pages = tuple(_NOTE_GROUP.sub(paint, page) for page in self.pages)
        return dataclasses.replace(self, pages=pages)

    def to_pdf(self, *, zoom: float = _PDF_ZOOM) -> bytes:
        """Return all pages as a PDF of images, zoom pixels for each unit of the SVG. Needs Pillow and resvg-py."""
        images = [
            _import("PIL.Image").open(io.BytesIO(self.to_png(page, zoom=zoom))) for page in range(len(self.pages))
        ]
        buffer = io.BytesIO()
        first, *others = [image.convert("L" if _is_grey(image) else "RGB") for image in images]
        first.save(buffer, "PDF", save_all=True, append_images=others, resolution=_PDF_DOTS * zoom)
        return buffer.getvalue()

    def to_png(self, page: int = 0, *, zoom: float = 2.0) -> bytes:
        """Return a page as a PNG image on white; zoom: pixels per unit of the SVG. Needs resvg-py."""
        resvg = _import("resvg_py")
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for index, data in enumerate(_true_type()):
                file = Path(folder, f"{index}.ttf")
                file.write_bytes(data)
                files.append(str(file))
            image = resvg.svg_to_bytes(
                svg_string=_standalone(self.pages[page]),
                font_files=files,
                serif_family=FONT_FAMILY,
                font_family=FONT_FAMILY,
                skip_system_fonts=True,
                background="white",
                zoom=max(round(zoom), 1),
            )
        return bytes(image)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> list[Path]:
        """Write the pages as SVG or PNG files, or as one PDF document; return the paths.

        One page gets the name itself, several get "-1", "-2", … before the extension; a PDF holds all. Raises
        RenderError for another extension, FileExistsError if a file exists and `overwrite` is false.
        """
        target = Path(path)
        if target.suffix.lower() not in (".svg", ".png", ".pdf"):
            raise RenderError(f"{target.name}: a score is saved as .svg, .png or .pdf, not {target.suffix!r}")
        if target.suffix.lower() == ".pdf":
            with write_atomically(target, overwrite) as temporary:
                temporary.write_bytes(self.to_pdf())
            return [target]
        names = [target]
        if len(self.pages) > 1:
            names = [target.with_stem(f"{target.stem}-{number}") for number in range(1, len(self.pages) + 1)]
        for index, name in enumerate(names):
            with write_atomically(name, overwrite) as temporary:
                if target.suffix.lower() == ".png":
                    temporary.write_bytes(self.to_png(index))
                else:
                    temporary.write_text(_standalone(self.pages[index]), encoding="utf-8")
        return names

    def _repr_html_(self) -> str:
        """The pages one below the other."""
        return "".join(f'<div style="background:white;color:black;max-width:60em">{page}</div>' for page in self.pages)


def engrave(
    music: Music | Track | str | os.PathLike[str],
    *,
    pages: int | None = None,
    measures: tuple[int, int] | None = None,
    tracks: Sequence[int] | None = None,
    pitch: Literal["written", "concert"] = "written",
    layout: Literal["pages", "strip"] = "pages",
    header: Literal["none", "titles"] = "none",
    measure_numbers: int = 0,
    paper: Literal["a4", "a4-landscape", "letter", "letter-landscape"] | None = None,
    scale: int = 40,
    width: int = 1000,
    height: int = 1414,
    timeout: float = DEFAULT_TIMEOUT,
) -> Engraving:
    """Set music as a score.

    Args:
        music: The music, or a file that `muspy_core.read` reads.
        pages: The most pages to draw, from the first one; None for all.
        measures: The first and the last measure to draw, by the numbers they bear (an upbeat is number 0).
        tracks: Which tracks to draw, by index; None for all. Note ids keep the indices of the music.
        pitch: "written": transposing parts as players read them; "concert": as they sound.
        layout: "pages", or "strip": one long system.
        header: "titles": the heading of the score above the first system.
        measure_numbers: Number every so many measures; 0: the first of each system.
        paper: Page of this shape, instead of width and height.
        scale: Size of the notation in percent.
        width, height: Size of a page in pixels of the screen; the last page shrinks to its content.
        timeout: Seconds after which the attempt is given up.

    Raises RenderError for a value that cannot be, or if the score cannot be set in time; ImportError without verovio.
    """
    if not isinstance(music, (Music, Track)):
        from muspy_core.io import read

        music = read(music)
    if isinstance(music, Track):
        music = Music(tracks=[music])
    for name, value, known in (("pitch", pitch, PITCHES), ("layout", layout, LAYOUTS), ("header", header, HEADERS)):
        if value not in known:
            raise RenderError(f"{name} is one of {', '.join(known)}, got {value!r}")
    if pages is not None and pages < 1:
        raise RenderError(f"pages must be at least 1, got {pages}")
    if paper is not None and paper not in PAPERS:
        raise RenderError(f"paper is one of {', '.join(PAPERS)}, got {paper!r}")
    width, height = PAPERS[paper] if paper is not None else (width, height)
    if not 10 <= scale <= 200 or width < 200 or height < 200:
        raise RenderError(f"scale must be 10-200 and a page at least 200 × 200, got {scale} and {width} × {height}")
    if not 0 <= measure_numbers <= 64:
        raise RenderError(f"measures are numbered every 1-64, or 0 for each system, got {measure_numbers}")
    _import("verovio")
    options = {
        "adjustPageHeight": True,
        "adjustPageWidth": layout == "strip",
        "breaks": "auto" if layout == "pages" else "none",
        "footer": "none",
        "header": "auto" if header == "titles" else "none",
        "mnumInterval": measure_numbers,
        "pageHeight": height * 100 // scale,
        "pageWidth": width * 100 // scale,
        "scale": scale,
        "smuflTextFont": "none",
        "svgFormatRaw": True,
        "svgHtml5": True,
        "svgViewBox": True,
        "xmlIdSeed": 1,
    }
    drawn, indices = _chosen(music, tracks, pitch)
    request = {"xml": _xml(drawn), "pages": pages, "options": options, "measures": _range(music, measures)}
    answer = _in_child_process(request, timeout)
    made = Engraving(tuple(answer["pages"]), answer["total"], _note_times(answer["timemap"]))
    return made if indices is None else made.renumbered(indices)


def _chosen(music: Music, tracks: Sequence[int] | None, pitch: str) -> tuple[Music, list[int] | None]:
    """Return the music with the chosen tracks, at the chosen pitch, and the indices that the tracks had."""
    if tracks is None and pitch == "written":
        return music, None
    indices = list(range(len(music.tracks))) if tracks is None else [int(index) for index in tracks]
    unknown = [index for index in indices if not 0 <= index < len(music.tracks)]
    if unknown or not indices or len(set(indices)) < len(indices):
        last = len(music.tracks) - 1
        raise RenderError(f"tracks are different indices from 0 to {last}, at least one, got {indices}")
    drawn = music.copy()
    drawn.tracks = [music.tracks[index] for index in indices]
    if pitch == "concert":
        drawn.tracks = [_at_concert_pitch(track) for track in drawn.tracks]
    return drawn, indices


def _at_concert_pitch(track: Track) -> Track:
    """Return a track that is written as it sounds; notes are stored at the pitch that sounds."""
    if track.transposition is None:
        return track
    sounding = track.copy()
    sounding.transposition = sounding.diatonic_transposition = None
    return sounding


def _range(music: Music, measures: tuple[int, int] | None) -> str | None:
    """Return the places of the measures, from 1, as verovio wants them."""
    if measures is None:
        return None
    start, count = first_bar_number(music), len(bar_times(music))
    first, last = (int(number) - start + 1 for number in measures)
    if not 1 <= first <= last or first > max(count, 1):
        raise RenderError(f"there are no measures {measures[0]}-{measures[1]}; they are {start}-{start + count - 1}")
    return f"{first}-{min(last, max(count, 1))}"


def _xml(music: Music) -> str:
    from muspy_core.io.musicxml import musicxml_bytes

    return musicxml_bytes(music).decode("utf-8")


def _in_child_process(request: dict[str, Any], timeout: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "muspy_core.rendering._engraver"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(
            command,
            input=json.dumps(request),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RenderError(f"the score was not set within {timeout:g} s; try fewer bars, or allow more time") from None
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise RenderError(f"verovio could not set the score: {reason[0]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "error" in answer:
        raise RenderError(f"the score could not be set: {answer['error']}")
    return answer


def _note_times(timemap: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Turn verovio's list of moments, with what begins and ends at each, into note id → (onset, end) in seconds."""
    begun: dict[str, float] = {}
    times: dict[str, tuple[float, float]] = {}
    for moment in timemap:
        seconds = moment["tstamp"] / 1000
        for name in moment.get("off", ()):
            times[name] = (begun.get(name, seconds), seconds)
        for name in moment.get("on", ()):
            begun[name] = seconds
    return times


def _first_id(note: str) -> str:
    """The id of the note that one is tied to."""
    return note.split(".")[0]


def _is_grey(image: Any) -> bool:
    red, green, blue = (image.getchannel(band).tobytes() for band in "RGB")
    return bool(red == green == blue)


def _standalone(svg: str) -> str:
    """Turn a page for HTML into a document of its own."""
    return svg.replace("data-id=", "id=").replace("data-class=", "data-kind=")


def font_css(pages: Iterable[str]) -> str:
    """Return a style sheet that brings the fonts of SVG pages, cut down to the characters in use; "" without text."""
    text = "".join(html.unescape(_TAG.sub("", page)) for page in pages if "<text" in page)
    if not text:
        return ""
    fonttools = logging.getLogger("fontTools")
    before = fonttools.level
    fonttools.setLevel(logging.WARNING)  # it reports every table at the level INFO
    try:
        return _subset_faces(text)
    finally:
        fonttools.setLevel(before)


def _subset_faces(text: str) -> str:
    from fontTools import subset, ttLib

    options = subset.Options(drop_tables=["FFTM", "DSIG"], layout_features=["kern"], hinting=False, notdef_outline=True)
    rules = []
    for family, style, weight, data in _faces():
        font = ttLib.TTFont(io.BytesIO(data))
        wanted = {ord(character) for character in text} & set(font.getBestCmap())
        if not wanted:
            continue
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=wanted | {0x20})
        subsetter.subset(font)
        buffer = io.BytesIO()
        font.save(buffer)
        encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
        rules.append(
            f"@font-face{{font-family:'{family}';font-style:{style};font-weight:{weight};"
            f"src:url(data:font/woff2;base64,{encoded})}}"
        )
    return "\n".join(rules)


@functools.lru_cache(maxsize=1)
def _faces() -> tuple[tuple[str, str, str, bytes], ...]:
    """Read (family, style, weight, WOFF2 bytes) of the text faces and the music font from verovio's wheel."""
    found = importlib.util.find_spec("verovio")
    folder = Path(found.origin).parent / "data" if found is not None and found.origin else Path()
    faces = []
    for name, family in (("Liberation.css", FONT_FAMILY), (f"{MUSIC_FONT}.css", MUSIC_FONT)):
        if not (folder / name).is_file():
            raise RenderError(f"the font data/{name} is not where verovio's wheel has it")
        for rule in _FACE.findall((folder / name).read_text(encoding="utf-8")):
            source = _EMBEDDED.search(rule)
            if source is not None:
                described = rule[: source.start()] + rule[source.end() :]
                style = "italic" if "italic" in described else "normal"
                weight = "bold" if re.search(r"font-weight:\s*(bold|[6-9]00)", described) else "normal"
                faces.append((family, style, weight, base64.b64decode(source.group(1))))
    if not faces:
        raise RenderError("the fonts in verovio's wheel cannot be read")
    return tuple(faces)


@functools.lru_cache(maxsize=1)
def _true_type() -> tuple[bytes, ...]:
    """The faces as TrueType files."""
    from fontTools import ttLib

    decoded = []
    for _, _, _, data in _faces():
        font = ttLib.TTFont(io.BytesIO(data))
        font.flavor = None
        buffer = io.BytesIO()
        font.save(buffer)
        decoded.append(buffer.getvalue())
    return tuple(decoded)


def _import(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"engraving needs the package {module}: pip install 'muspy-core[render]' ({error})"
        raise ImportError(message, name=module) from None
