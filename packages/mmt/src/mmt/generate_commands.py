"""The commands around `mmt generate`: what songs start from, files and pages (parse, call, report)."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muspy_core.console import (
    EXIT_OK,
    add_command,
    add_json_option,
    add_overwrite_option,
    check_writable,
    positive,
    print_step,
)
from muspy_core.pipes import add_from_option, add_pipes

from mmt.cli_options import (
    add_sampling,
    instrument_names,
    load_model,
    read_piece,
    sampling_options,
    warnings_of,
)

if TYPE_CHECKING:
    from muspy_core import Music

    from mmt.generate import Options
    from mmt.model import MMT


def add_generate(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "generate", _generate, "write songs", "mmt generate -o songs --n 4 --seed 3")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write into")
    add_pipes(parser, "continued", "infill", "accompany", extension=".mid")
    add_from_option(parser)
    parser.add_argument("--n", type=positive, default=1, metavar="N", help="number of songs (default: 1)")
    _add_prompt(parser)
    add_sampling(parser)
    parser.add_argument("--wav", action="store_true", help="write sound too (extra: muspy-core[render])")
    parser.add_argument("--report", type=Path, metavar="HTML", help="page with score, roll and player (extra: render)")
    add_overwrite_option(parser)
    add_json_option(parser)


def _add_prompt(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what the songs start from (by default from nothing)")
    group.add_argument(
        "--instruments", metavar="NAMES", help="comma-separated, such as piano,violin; with --infill: whose notes"
    )
    pieces = group.add_mutually_exclusive_group()
    pieces.add_argument("--continue", dest="continued", type=Path, metavar="FILE", help="a piece to go on with")
    pieces.add_argument("--infill", type=Path, metavar="FILE", help="a piece of which bars are written anew")
    pieces.add_argument("--accompany", type=Path, metavar="FILE", help="a piece to add --instruments to")
    group.add_argument("--beats", type=positive, default=16, metavar="N", help="beats to continue (default: 16)")
    group.add_argument("--bars", type=_bars, metavar="FIRST:LAST", help="bars to write anew (default: 1:4)")


def _bars(text: str) -> tuple[int, int]:
    first, _, last = text.partition(":")
    try:
        return int(first), int(last or first)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no range of bars such as 8:12") from None


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked for. make: writes a song. names: of the instruments that play; given: a piece whose bars change."""

    make: Callable[[MMT, Options], Music]
    prompt: str
    names: list[str]
    given: Music | None = None


def _generate(options: argparse.Namespace) -> int:
    for path in (options.continued, options.infill, options.accompany):
        if path is not None and not path.exists():  # before seconds of imports
            raise FileNotFoundError(2, "no such file", str(path))

    from mmt.output import write_song
    from mmt.report import report_files, song_page, write_report

    say = _silent if options.json else print_step
    settings = sampling_options(options)
    request = _request(options)
    outputs = _outputs(options)
    pages = [] if options.report is None else report_files(options.report, [paths["mid"] for paths in outputs])
    for path in [*(path for paths in outputs for path in paths.values()), *pages, *([options.report] if pages else [])]:
        if path.parent.is_dir():
            check_writable(path, overwrite=options.overwrite)
    start = time.perf_counter()
    checkpoint = load_model(options)
    start = _said(say, f"loaded {options.model}", start)
    warnings = warnings_of(checkpoint, request.names)
    for warning in warnings:
        print(f"note: {warning}", file=sys.stderr)
    written, shown = [], []
    for index, paths in enumerate(outputs):
        seed = options.seed + index
        music = request.make(checkpoint.model, dataclasses.replace(settings, seed=seed))
        write_song(paths, music, overwrite=options.overwrite)
        notes = sum(len(track.notes) for track in music.tracks)
        start = _said(say, f"wrote {paths['mid']}: {notes} notes, {len(music.tracks)} instruments", start)
        written.append({"files": {kind: str(path) for kind, path in paths.items()}, "notes": notes, "seed": seed})
        if pages:
            facts = {"Model": options.model, "Seed": seed, "Begins with": request.prompt}
            title = "A song" if options.n == 1 else f"Song {index + 1} of {options.n}"
            shown.append((pages[index], song_page(music, title, facts, request.given)))
            start = _said(say, f"made the page of {paths['mid'].name}", start)
    if pages:
        write_report(options.report, shown, overwrite=options.overwrite)
        _said(say, f"wrote {options.report}", start)
    if options.json:
        report = {"model": options.model, "seed": options.seed, "songs": written, "warnings": warnings}
        print(json.dumps(report | ({"report": str(options.report)} if pages else {}), indent=2))
    elif pages:
        print(f"next: open {options.report} in a browser")
    elif not options.to_pipe:
        print(f"next: muspy-core view {outputs[0]['mid']} -o song.html")
    return EXIT_OK


def _outputs(options: argparse.Namespace) -> list[dict[str, Path]]:
    """Return the files of each song, by their kind; their folder is made."""
    from mmt.output import song_files

    if options.to_pipe:
        if options.n > 1 or options.wav:
            raise ValueError("-o -: a pipe takes one song, as MIDI; leave out --n and --wav, or name a folder")
        return [{"mid": options.output}]
    options.output.mkdir(parents=True, exist_ok=True)
    return [song_files(options.output, index, options.n, wav=options.wav) for index in range(options.n)]


def _request(options: argparse.Namespace) -> Request:
    """Read and check what the songs start from."""
    from mmt.editing import add_instruments, beats_of_bars, continue_piece, fill_in
    from mmt.extended import DRUMS
    from mmt.infilling import players_of, rewritten_players
    from mmt.instruments import NAMES, codes_of_names
    from mmt.notes import notes_of

    names = instrument_names(options.instruments)
    pitched = [name for name in names or () if options.infill or options.accompany or name.lower() != DRUMS]
    asked = [NAMES[code - 1] for code in codes_of_names(pitched)]
    path = options.infill or options.accompany or options.continued
    if path is None:
        if names is not None and not names:
            raise ValueError("--instruments: no instrument is named")
        return Request(lambda model, settings: _write(model, names, settings), ", ".join(names or ["nothing"]), asked)
    piece = read_piece(path)
    there = [NAMES[code - 1] for code in players_of(notes_of(piece))]
    if options.infill is not None:
        first, last = options.bars or (1, 4)
        beats = beats_of_bars(piece, first, last)
        rewritten_players(notes_of(piece), names)
        text = f"{path.name}, bars {first} to {last} written anew" + (f" for {', '.join(asked)}" if asked else "")
        return Request(
            lambda model, settings: fill_in(model, piece, *beats, settings, names), text, asked or there, piece
        )
    if options.accompany is not None:
        if not names:
            raise ValueError("--accompany needs --instruments, the instruments to add")
        text = f"{path.name}, to which {', '.join(asked)} is added"
        return Request(lambda model, settings: add_instruments(model, piece, names, settings), text, asked)
    if names is not None:
        raise ValueError("--instruments does not go with --continue: the piece says what plays")
    text = f"the first {options.beats} beats of {path.name}"
    return Request(lambda model, settings: continue_piece(model, piece, options.beats, settings), text, there)


def _write(model: MMT, names: list[str] | None, settings: Options) -> Music:
    """Write a song from nothing or for instruments, in the encoding that the model knows."""
    from mmt.formats import format_of
    from mmt.generate import generate

    form = format_of(model)
    return form.music_of(form.decode(generate(model, [form.prompt(names)], settings)[0]))


def _said(say: Callable[[str, float], None], line: str, start: float) -> float:
    """Say what was done since `start`, and return the time now."""
    now = time.perf_counter()
    say(line, now - start)
    return now


def _silent(line: str, seconds: float) -> None:
    pass
