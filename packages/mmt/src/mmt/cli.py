"""The console script `mmt`: prepare, fit, generate, stream (the end of the flow: parse, call, report)."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from muspy_core.about import add_info
from muspy_core.console import (
    EXIT_OK,
    EXIT_SOME_FAILED,
    Parser,
    add_command,
    add_json_option,
    positive,
    print_step,
    run_program,
)
from muspy_core.export_commands import Export, add_export

import mmt
from mmt.corpora import RECIPES
from mmt.evaluate_commands import add_evaluate
from mmt.generate_commands import add_generate
from mmt.samples_commands import add_samples
from mmt.stream_commands import add_stream

DESCRIPTION = """\
Write music for several instruments at once.

  mmt generate -o songs --n 4                                    four songs, from nothing
  mmt generate -o songs --instruments piano,violin,cello         for these instruments
  mmt generate -o songs --continue song.mid --beats 16           go on from the first 16 beats of a piece
  mmt generate -o songs --infill song.mid --bars 8:12            write some bars of a piece anew
  mmt stream -o virtual --instruments piano,violin               play music while it is written (extra: live)
  mmt prepare FOLDER -o data && mmt fit -c small-conditional     train on your own scores (extra: train)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    return run_program(_parser, arguments, _fit)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="mmt", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"mmt {mmt.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)

    add_generate(commands)
    add_stream(commands)

    prepare = add_command(
        commands, "prepare", _prepare, "prepare scores for training", "mmt prepare scores/ -o data --jobs 2"
    )
    prepare.add_argument("inputs", nargs="+", type=Path, metavar="PATH", help="files or folders: MIDI, MusicXML, …")
    prepare.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write into")
    prepare.add_argument("-j", "--jobs", type=positive, default=1, metavar="N", help="processes (default: 1)")
    prepare.add_argument("--seed", type=int, default=0, help="of the split (default: 0)")
    prepare.add_argument(
        "--group-depth", type=int, metavar="N",
        help="files that share N leading folders stay on one side of the split (default: the corpus's, else 0)",
    )  # fmt: skip
    prepare.add_argument("--corpus", metavar="NAME", help="take the songs of: " + ", ".join(RECIPES))
    prepare.add_argument("--lists", type=Path, metavar="FOLDER", help="split by train-, valid- and test-names.txt")
    add_json_option(prepare)

    extend = add_command(
        commands, "extend", _extend, "add velocity, tempo, time signature and drums to prepared songs",
        "mmt extend data -o data-extended && mmt fit -c small-extended",
    )  # fmt: skip
    extend.add_argument("input", type=Path, metavar="FOLDER", help="what `mmt prepare` wrote")
    extend.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write into")
    add_json_option(extend)

    commands.add_parser("fit", help="train a model (options: mmt fit --help)")
    add_export(commands, "mmt export default -o exported", _exporter)
    add_info(commands, "mmt")
    add_evaluate(commands)
    add_samples(commands)
    return parser


def _prepare(options: argparse.Namespace) -> int:
    from mmt.prepare import prepare

    start = time.perf_counter()
    options.output.mkdir(parents=True, exist_ok=True)
    prepared = prepare(
        options.inputs, options.output, jobs=options.jobs, seed=options.seed, group_depth=options.group_depth,
        corpus=options.corpus, lists=options.lists,
    )  # fmt: skip
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


def _extend(options: argparse.Namespace) -> int:
    from mmt.extending import extend

    start = time.perf_counter()
    songs = extend(options.input, options.output)
    if options.json:
        print(json.dumps({"output": str(options.output), "songs": len(songs), "notes": len(songs.rows)}, indent=2))
    else:
        print_step(f"extended {len(songs)} songs, {len(songs.rows)} notes", time.perf_counter() - start)
        print(f"next: mmt fit -c small-extended --data.folder {options.output}")
    return EXIT_OK


def _exporter() -> Export:
    from mmt.exporting import export

    return export


def _fit(arguments: Sequence[str]) -> int:
    from mmt.fit import fit

    return fit(arguments)


if __name__ == "__main__":
    sys.exit(main())
