"""The console script `mmt`: prepare, fit, generate, stream (the end of the flow: parse, call, report)."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muspy_core.console import (
    EXIT_OK,
    EXIT_SOME_FAILED,
    Parser,
    add_debug_option,
    check_writable,
    positive,
    print_step,
    run_command,
)

import mmt

if TYPE_CHECKING:
    from muspy_core import Music

    from mmt.generate import Options
    from mmt.model import MMT

DESCRIPTION = """\
Write music for several instruments at once.

  mmt generate -o songs --n 4                                    four songs, from nothing
  mmt generate -o songs --instruments piano,violin,cello         for these instruments
  mmt generate -o songs --continue song.mid --beats 16           go on from the first 16 beats of a piece
  mmt generate -o songs --infill song.mid --bars 8:12            write some bars of a piece anew
  mmt prepare FOLDER -o data && mmt fit -c small-conditional     train on your own scores (extra: mmt[train])
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["fit"]:
        return run_command(functools.partial(_fit, [a for a in given[1:] if a != "--debug"]), debug="--debug" in given)
    options = _parser().parse_args(given)
    return run_command(functools.partial(options.command, options), debug=options.debug)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="mmt", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"mmt {mmt.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)

    generate = _command(commands, "generate", _generate, "write songs", "mmt generate -o songs --n 4 --seed 3")
    generate.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write into")
    generate.add_argument("--n", type=positive, default=1, metavar="N", help="number of songs (default: 1)")
    _add_prompt(generate)
    _add_sampling(generate)
    generate.add_argument("--wav", action="store_true", help="write sound too (extra: muspy-core[render])")
    generate.add_argument("--overwrite", action="store_true", help="replace files that exist")
    generate.add_argument("--json", action="store_true", help="print a JSON report instead of lines")

    prepare = _command(
        commands, "prepare", _prepare, "prepare scores for training", "mmt prepare scores/ -o data --jobs 2"
    )
    prepare.add_argument("inputs", nargs="+", type=Path, metavar="PATH", help="files or folders: MIDI, MusicXML, …")
    prepare.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write into")
    prepare.add_argument("-j", "--jobs", type=positive, default=1, metavar="N", help="processes (default: 1)")
    prepare.add_argument("--seed", type=int, default=0, help="of the split (default: 0)")
    prepare.add_argument(
        "--group-depth", type=int, default=0, metavar="N",
        help="files that share N leading folders stay on one side of the split (default: 0, each is its own work)",
    )  # fmt: skip
    prepare.add_argument("--json", action="store_true", help="print a JSON report instead of lines")

    commands.add_parser("fit", help="train a model; the options are LightningCLI's (mmt fit --help)")
    return parser


def _command(commands: Any, name: str, function: Any, purpose: str, example: str) -> argparse.ArgumentParser:
    description = f"{purpose[0].upper()}{purpose[1:]}.\n\n  {example}\n"
    parser: argparse.ArgumentParser = commands.add_parser(name, help=purpose, description=description)
    parser.set_defaults(command=function)
    add_debug_option(parser)
    return parser


def _add_prompt(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what the songs start from (by default from nothing)")
    group.add_argument("--instruments", metavar="NAMES", help="comma-separated, such as piano,violin,cello")
    pieces = group.add_mutually_exclusive_group()
    pieces.add_argument("--continue", dest="continued", type=Path, metavar="FILE", help="a piece to go on with")
    pieces.add_argument("--infill", type=Path, metavar="FILE", help="a piece of which bars are written anew")
    pieces.add_argument("--accompany", type=Path, metavar="FILE", help="a piece to add --instruments to")
    group.add_argument("--beats", type=positive, default=16, metavar="N", help="beats to continue (default: 16)")
    group.add_argument("--bars", type=_bars, metavar="FIRST:LAST", help="bars to write anew (default: 1:4)")


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how they are drawn")
    group.add_argument("--model", default="default", help="bundled name, folder or hub:OWNER/NAME (default: default)")
    group.add_argument("--length", type=positive, default=512, metavar="N", help="events at most (default: 512)")
    group.add_argument("--temperature", type=float, default=1.0, metavar="T", help="above 0 (default: 1)")
    group.add_argument("--top-p", type=float, default=0.95, metavar="P", help="mass of codes kept (default: 0.95)")
    group.add_argument("--paper", action="store_true", help="the paper's filter and rules instead of ours")
    group.add_argument("--seed", type=int, default=0, help="song i is drawn from SEED + i (default: 0)")
    group.add_argument("--lowest", type=int, default=0, metavar="PITCH", help="lowest MIDI pitch (default: 0)")
    group.add_argument("--highest", type=int, default=127, metavar="PITCH", help="highest MIDI pitch (default: 127)")
    group.add_argument("--polyphony", type=positive, metavar="N", help="most notes that may start together")
    group.add_argument("--max-beats", type=positive, metavar="N", help="beats after which a song ends")


# --- generate --------------------------------------------------------------------------------------------------------


def _generate(options: argparse.Namespace) -> int:
    from mmt.checkpoint import load_checkpoint
    from mmt.output import song_files, write_song

    say = _silent if options.json else print_step
    settings = _options(options)
    make = _maker(options)
    outputs = [song_files(options.output, index, options.n, wav=options.wav) for index in range(options.n)]
    options.output.mkdir(parents=True, exist_ok=True)
    for paths in outputs:
        for path in paths.values():
            check_writable(path, overwrite=options.overwrite)
    start = time.perf_counter()
    model = load_checkpoint(options.model).model
    start = _said(say, f"loaded {options.model}", start)
    written = []
    for index, paths in enumerate(outputs):
        music = make(model, dataclasses.replace(settings, seed=options.seed + index))
        write_song(paths, music, overwrite=options.overwrite)
        notes = sum(len(track.notes) for track in music.tracks)
        start = _said(say, f"wrote {paths['mid']}: {notes} notes, {len(music.tracks)} instruments", start)
        written.append({"files": {kind: str(path) for kind, path in paths.items()}, "notes": notes})
    if options.json:
        print(json.dumps({"model": options.model, "seed": options.seed, "songs": written}, indent=2))
    else:
        print(f"next: muspy-core view {outputs[0]['mid']} -o song.html")
    return EXIT_OK


def _options(options: argparse.Namespace) -> Options:
    from mmt.generate import Options
    from mmt.grammar import Bans
    from mmt.sampling import PAPER, Sampling

    return Options(
        length=options.length,
        sampling=PAPER if options.paper else Sampling(options.temperature, "top-p", options.top_p),
        rules="published" if options.paper else "grammar",
        bans=Bans((options.lowest, options.highest), options.polyphony, options.max_beats),
        seed=options.seed,
    )


def _maker(options: argparse.Namespace) -> Callable[[MMT, Options], Music]:
    """Return the function that makes a song of a model and settings; what it starts from is read and checked first."""
    from mmt.editing import add_instruments, beats_of_bars, fill_in
    from mmt.encoding import decode_music, encode
    from mmt.generate import continuation, generate, instrument_informed, unconditioned
    from mmt.instruments import codes_of_names
    from mmt.notes import notes_of

    names = [name for name in (options.instruments or "").split(",") if name.strip()]
    if options.infill is not None:
        piece = _read(options.infill)
        first, last = options.bars or (1, 4)
        beats = beats_of_bars(piece, first, last)
        return lambda model, settings: fill_in(model, piece, *beats, settings)
    if options.accompany is not None:
        piece = _read(options.accompany)
        codes_of_names(names)
        if not names:
            raise ValueError("--accompany needs --instruments, the instruments to add")
        return lambda model, settings: add_instruments(model, piece, names, settings)
    if options.continued is not None:
        prompt = continuation(encode(notes_of(_read(options.continued))), options.beats)
    else:
        prompt = unconditioned() if options.instruments is None else instrument_informed(names)
    return lambda model, settings: decode_music(generate(model, [prompt], settings)[0])


def _read(path: Path) -> Music:
    from muspy_core import read

    from mmt.notes import EncodingError, notes_of

    music: Music | list[Music] = read(path)
    if isinstance(music, list):
        raise ValueError(f"{path}: {len(music)} tunes; take one out by `muspy-core convert --tune N`")
    if not len(notes_of(music)):
        raise EncodingError(f"{path}: has no note of an instrument that the model knows (drums are left out)")
    return music


def _bars(text: str) -> tuple[int, int]:
    """Parse FIRST:LAST for argparse."""
    first, _, last = text.partition(":")
    return int(first), int(last or first)


def _said(say: Any, line: str, start: float) -> float:
    """Say what was done since `start`, and return the time now."""
    now = time.perf_counter()
    say(line, now - start)
    return now


def _silent(line: str, seconds: float) -> None:
    pass


# --- prepare, fit ----------------------------------------------------------------------------------------------------


def _prepare(options: argparse.Namespace) -> int:
    from mmt.prepare import prepare

    start = time.perf_counter()
    options.output.mkdir(parents=True, exist_ok=True)
    prepared = prepare(
        options.inputs, options.output, jobs=options.jobs, seed=options.seed, group_depth=options.group_depth
    )
    counts = {subset: len(names) for subset, names in prepared.split.items()}
    if options.json:
        report = {"songs": len(prepared.songs), "notes": len(prepared.songs.rows), "split": counts,
                  "failed": prepared.failed, "left_out": prepared.left_out}  # fmt: skip
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        shares = ", ".join(f"{subset} {count}" for subset, count in counts.items())
        print_step(f"prepared {len(prepared.songs)} songs: {shares}", time.perf_counter() - start)
        print(f"left out {len(prepared.left_out)} that are too short or too long")
        print(f"next: mmt fit -c small-conditional --data.folder {options.output}")
    for name, reason in prepared.failed:
        print(f"failed: {name}: {reason}", file=sys.stderr)
    return EXIT_SOME_FAILED if prepared.failed else EXIT_OK


def _fit(arguments: Sequence[str]) -> int:
    from mmt.fit import fit

    return fit(arguments)


if __name__ == "__main__":
    sys.exit(main())
