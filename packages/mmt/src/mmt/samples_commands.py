"""`mmt samples`: a page of songs of every mode, from one model and one piece (parse, call, report)."""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muspy_core.console import EXIT_OK, add_command, add_json_option, add_overwrite_option, check_writable, print_step

from mmt.cli_options import add_sampling, read_piece, sampling_options

if TYPE_CHECKING:
    from muspy_core import Music

    from mmt.generate import Options
    from mmt.model import MMT

ENSEMBLE = ("violin", "viola", "cello")
BEATS = 16  # of the piece that are gone on with
BARS = (3, 4)  # of the piece that are written anew
HARMONY = ("piano",)  # what accompanies the melody of the piece


@dataclasses.dataclass(frozen=True)
class Sample:
    """A song of one mode. name: of its files. given: the piece that it was before some notes were written."""

    name: str
    title: str
    music: Music
    given: Music | None = None


def add_samples(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "samples", _samples, "write a page of songs of every mode", "mmt samples -o samples")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write into")
    parser.add_argument(
        "--piece",
        type=Path,
        metavar="FILE",
        help="piece to go on with, fill in and accompany (default: the first song)",
    )
    add_overwrite_option(parser)
    add_json_option(parser)
    add_sampling(parser)


def samples(model: MMT, settings: Options, piece: Music | None = None) -> Iterator[Sample]:
    """Write a song of every mode that a model knows, one after the other.

    piece: what is gone on with, filled in and accompanied; None: the first song that the model writes.
    """
    from mmt.editing import add_instruments, continue_piece, fill_in
    from mmt.encoding import decode_music
    from mmt.generate import generate, instrument_informed, unconditioned

    first = decode_music(generate(model, [unconditioned()], settings)[0])
    yield Sample("nothing", "From nothing", first)
    ensemble = decode_music(generate(model, [instrument_informed(ENSEMBLE)], settings)[0])
    yield Sample("instruments", f"For {', '.join(ENSEMBLE)}", ensemble)
    piece = piece or first
    if not piece.tracks:
        return
    yield Sample("piece", "The piece that the following start from", piece)
    yield Sample("continued", f"Going on after {BEATS} beats", continue_piece(model, piece, BEATS, settings), piece)
    if not model.config.tasks:
        return
    span = _span(piece)
    if span is not None:
        filled = fill_in(model, piece, *span, settings)
        yield Sample("filled-in", f"Bars {BARS[0]} to {BARS[1]} written anew", filled, piece)
    melody = _melody(piece)
    harmonised = add_instruments(model, melody, HARMONY, settings)
    yield Sample("harmonised", f"A lead sheet harmonised: its melody, with {', '.join(HARMONY)}", harmonised, melody)


def _span(piece: Music) -> tuple[int, int] | None:
    """The beats of the bars that are written anew; None if the piece has not so many bars."""
    from mmt.editing import beats_of_bars
    from mmt.notes import EncodingError

    try:
        return beats_of_bars(piece, *BARS)
    except EncodingError:
        return None


def _melody(piece: Music) -> Music:
    """The piece with no other track than the one that lies highest on average, drums left out."""
    melody = piece.deepcopy()
    pitched = [track for track in melody.tracks if not track.is_drum and len(track.notes)]
    melody.tracks = [max(pitched, key=lambda track: float(track.notes.array["pitch"].mean()))]
    return melody


def _samples(options: argparse.Namespace) -> int:
    from mmt.checkpoint import load_checkpoint
    from mmt.output import write_song
    from mmt.report import song_page, write_report

    settings = sampling_options(options)
    piece = None if options.piece is None else read_piece(options.piece)
    index = options.output / "index.html"
    options.output.mkdir(parents=True, exist_ok=True)
    check_writable(index, overwrite=options.overwrite)
    model = load_checkpoint(options.model).model
    pages, written = [], []
    start = time.perf_counter()
    for number, sample in enumerate(samples(model, settings, piece), start=1):
        path = options.output / f"{number:02}-{sample.name}.mid"
        write_song({"mid": path}, sample.music, overwrite=options.overwrite)
        facts = {"Model": options.model, "Seed": options.seed}
        pages.append((path.with_suffix(".html"), song_page(sample.music, sample.title, facts, sample.given)))
        written.append({"title": sample.title, "file": str(path)})
        if not options.json:
            now = time.perf_counter()
            print_step(f"wrote {path}: {sample.title}", now - start)
            start = now
    write_report(index, pages, overwrite=options.overwrite)
    if options.json:
        print(
            json.dumps({"model": options.model, "seed": options.seed, "songs": written, "page": str(index)}, indent=2)
        )
    else:
        print(f"next: open {index} in a browser")
    return EXIT_OK
