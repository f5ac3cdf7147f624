"""`muspy-core render|engrave|plot|view`: pieces become sound, scores, figures and pages (parse, call, report)."""

from __future__ import annotations

import argparse
import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from muspy_core.console import (
    Job,
    Outcome,
    add_command,
    add_output_options,
    add_resume_option,
    positive,
)
from muspy_core.piece_commands import Reading, add_inputs, is_batch, read_piece, reading_of, run_batch, suffix_of
from muspy_core.pipes import add_pipes

SCORES = (".svg", ".png", ".pdf")
FIGURES = (".png", ".pdf", ".svg")
INDEX = "index.html"


def add_rendering_commands(commands: Any) -> None:
    """Add `render`, `engrave`, `plot` and `view` to the sub-parsers of a program."""
    render = _command(commands, "render", _render, "play into a sound file", "muspy-core render song.mid -o song.wav")
    add_output_options(render, "file to write: .wav, .mp3, .flac, .ogg; or a folder (default: FILE.wav here)")
    render.add_argument("--to", metavar="EXT", default="wav", help="format of files in a folder (default: wav)")
    _add_soundfont(render)
    render.add_argument("--renderer", choices=("numpy", "fluidsynth"), default="numpy", help="(default: numpy)")
    render.add_argument("--sample-rate", type=positive, default=44100, metavar="HZ", help="(default: 44100)")
    render.add_argument("--gain", type=float, default=1.0, metavar="X", help="factor of loudness (default: 1)")

    engrave = _command(
        commands, "engrave", _engrave, "set a score", "muspy-core engrave song.musicxml -o song.pdf --measures 1-16"
    )
    add_output_options(engrave, "file to write: .svg, .png, .pdf; or a folder (default: FILE.svg here)")
    engrave.add_argument("--to", metavar="EXT", default="svg", help="format of files in a folder (default: svg)")
    engrave.add_argument("--pages", type=positive, metavar="N", help="the first pages only")
    engrave.add_argument("--measures", type=_span, metavar="A-B", help="these only, by their numbers")
    engrave.add_argument(
        "--tracks", type=_numbers, metavar="N,N", help="these parts only, counted from 1 as `info` does"
    )
    engrave.add_argument("--pitch", choices=("written", "concert"), default="written", help="of transposing parts")
    engrave.add_argument("--layout", choices=("pages", "strip"), default="pages", help="strip: one long line")
    engrave.add_argument(
        "--paper", choices=("a4", "a4-landscape", "letter", "letter-landscape"), default="a4", help="(default: a4)"
    )
    engrave.add_argument("--scale", type=positive, default=40, metavar="PERCENT", help="size, 10-200 (default: 40)")
    engrave.add_argument("--colors", choices=("none", "tracks"), default="none", help="a colour for each part")

    plot = _command(commands, "plot", _plot, "plot a piano roll", "muspy-core plot song.mid -o roll.pdf")
    add_output_options(plot, "file to write: .png, .pdf, .svg; or a folder (default: FILE.png here)")
    plot.add_argument("--to", metavar="EXT", default="png", help="format of files in a folder (default: png)")
    plot.add_argument("--time", choices=("bars", "seconds", "steps"), help="what the axis counts")
    plot.add_argument("--rows", choices=("together", "tracks"), default="together", help="tracks: a row for each")

    view = _command(
        commands, "view", _view, "make a page that shows and plays", "muspy-core view song.mid -o song.html"
    )
    add_output_options(view, "page to write, or a folder, which gets an index.html too (default: FILE.html here)")
    _add_soundfont(view)
    view.add_argument("--title", help="heading of the page")
    view.add_argument("--score-pages", type=int, default=6, metavar="N", help="most pages of score (default: 6)")


def _command(commands: Any, name: str, function: Any, purpose: str, example: str) -> argparse.ArgumentParser:
    parser = add_command(commands, name, function, purpose, example)
    add_inputs(parser)
    add_resume_option(parser)
    add_pipes(parser, "files", extension=_piped_format)
    return parser


def _piped_format(options: argparse.Namespace) -> str:
    """Return the extension of what goes into a pipe."""
    return suffix_of(getattr(options, "to", "html"))  # `view` makes nothing else


def _add_soundfont(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--soundfont", type=Path, metavar="FILE", help=".sf2 or .sf3 (default: TimGM6mb)")


def _target(options: argparse.Namespace, allowed: Sequence[str]) -> str:
    """Return the extension of files in a folder, after a look at the one that counts here."""
    suffix = suffix_of(options.to)
    named = None if is_batch(options) or options.output is None or options.output.is_dir() else options.output
    if (named.suffix.lower() if named is not None else suffix) not in allowed:
        raise ValueError(f"{named or options.to}: the extension is none of {', '.join(allowed)}")
    return suffix


# --- render ----------------------------------------------------------------------------------------------------------


def _render(options: argparse.Namespace) -> int:
    from muspy_core.audio import FORMATS

    settings = {
        "soundfont": options.soundfont,
        "renderer": options.renderer,
        "sample_rate": options.sample_rate,
        "gain": options.gain,
    }
    work = functools.partial(_render_one, reading=reading_of(options), overwrite=options.overwrite, settings=settings)
    return run_batch(options, _target(options, tuple(FORMATS)), work, "rendered", "muspy-core view {input}")


def _render_one(job: Job, *, reading: Reading, overwrite: bool, settings: dict[str, Any]) -> dict[str, Any]:
    from muspy_core.rendering import render

    audio = render(read_piece(job.input, reading), **settings)
    if not audio.frames:
        raise ValueError(f"{job.input}: there is no note to play")
    audio.write(job.output, overwrite=overwrite)
    return {"audio_seconds": round(audio.duration, 3), "renderer": settings["renderer"]}


# --- engrave, plot ---------------------------------------------------------------------------------------------------


def _engrave(options: argparse.Namespace) -> int:
    settings: dict[str, Any] = {
        name: getattr(options, name) for name in ("pages", "measures", "pitch", "layout", "paper", "scale")
    }
    settings["tracks"] = [number - 1 for number in options.tracks] if options.tracks else None
    settings["header"] = "titles"
    work = functools.partial(
        _engrave_one,
        reading=reading_of(options),
        overwrite=options.overwrite,
        settings=settings,
        colors=options.colors,
    )
    suffix = _target(options, SCORES)
    return run_batch(options, suffix, work, "engraved", "muspy-core view {input}", is_done=_is_engraved)


def _engrave_one(
    job: Job, *, reading: Reading, overwrite: bool, settings: dict[str, Any], colors: str
) -> dict[str, Any]:
    from muspy_core.rendering import engrave
    from muspy_core.rendering.palette import color_of

    score = engrave(read_piece(job.input, reading), **settings)
    if colors == "tracks":
        score = score.colored({note: color_of(int(note[1:].split("-")[0])) for note in score.times})
    files = score.save(job.output, overwrite=overwrite)
    return {"pages": score.total_pages, "files": [str(file) for file in files]}


def _is_engraved(job: Job) -> bool:
    # Several pages have numbers behind their name, and the last one is written last.
    return job.output.exists() or job.output.with_stem(f"{job.output.stem}-1").exists()


def _plot(options: argparse.Namespace) -> int:
    work = functools.partial(
        _plot_one, reading=reading_of(options), overwrite=options.overwrite, time=options.time, rows=options.rows
    )
    return run_batch(options, _target(options, FIGURES), work, "plotted", "muspy-core view {input}")


def _plot_one(job: Job, *, reading: Reading, overwrite: bool, time: Any, rows: str) -> None:
    from muspy_core.io.files import write_atomically
    from muspy_core.rendering.pianoroll import _pyplot, show_pianoroll, show_tracks

    _pyplot().switch_backend("Agg")  # a window is not wanted here, and may not be had
    music = read_piece(job.input, reading)
    axes = show_tracks(music, time=time)[0] if rows == "tracks" else show_pianoroll(music, time=time)
    figure: Any = axes.figure  # a Figure, not a SubFigure
    try:
        with write_atomically(job.output, overwrite) as temporary:
            figure.savefig(temporary, dpi=200)
    finally:
        _pyplot().close(figure)


def _span(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    if found is None or (found[2] and int(found[2]) < int(found[1])):
        raise argparse.ArgumentTypeError(f"{text} is no span of measures, such as 1-16 or 7")
    return int(found[1]), int(found[2] or found[1])


def _numbers(text: str) -> list[int]:
    try:
        return [positive(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no list of numbers, such as 1,3") from None


# --- view ------------------------------------------------------------------------------------------------------------


def _view(options: argparse.Namespace) -> int:
    settings = {"soundfont": options.soundfont, "title": options.title, "score_pages": max(options.score_pages, 0)}
    work = functools.partial(_view_one, reading=reading_of(options), overwrite=options.overwrite, settings=settings)
    if not is_batch(options):
        return run_batch(options, ".html", work, "made a page:", "open {output} in a browser")
    finish = functools.partial(_write_index, options.output)
    next_step = f"open {options.output and options.output / INDEX} in a browser"
    return run_batch(options, ".html", work, "made a page:", next_step, finish=finish)


def _view_one(job: Job, *, reading: Reading, overwrite: bool, settings: dict[str, Any]) -> None:
    from muspy_core.rendering import view

    view(read_piece(job.input, reading), job.output, overwrite=overwrite, **settings)


def _write_index(folder: Path, outcomes: Sequence[Outcome], kept: Sequence[Job]) -> None:
    """Write the page that leads to the others; an index of our own is replaced, no other file is."""
    from muspy_core.rendering.index import write_index

    jobs = [outcome.job for outcome in outcomes if outcome.error is None]
    failed = [(str(outcome.job.input), outcome.error) for outcome in outcomes if outcome.error is not None]
    if not any(job.output == folder / INDEX for job in [*jobs, *kept]):
        write_index(folder / INDEX, sorted(job.output for job in [*jobs, *kept]), failed)
