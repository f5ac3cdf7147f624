"""The console script `arranger`: fit, separate, evaluate, demo (the end of the flow: parse, call, report)."""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from muspy_core.console import (
    EXIT_OK,
    Job,
    Parser,
    add_debug_option,
    add_output_options,
    check_writable,
    plan,
    print_step,
    run_command,
    run_jobs,
)

import arranger

DESCRIPTION = """\
Split a mixture of notes into parts: soprano, alto, tenor and bass.

  arranger separate song.mid -o parts.mid --report parts.html     a file into parts, with a page to look at
  arranger demo -o demo                                           a Bach chorale, separated and compared
  arranger evaluate --mode offline                                accuracy on the test chorales
  arranger fit -c bach-lstm-onset-context                         train a model (extra: arranger[train])
"""
MODES = ("online", "offline", "causal")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["fit"]:
        return run_command(functools.partial(_fit, [a for a in given[1:] if a != "--debug"]), debug="--debug" in given)
    options = _parser().parse_args(given)
    return run_command(functools.partial(options.command, options), debug=options.debug)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="arranger", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"arranger {arranger.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)

    separate = _command(
        commands, "separate", _separate, "split files into parts", "arranger separate song.mid -o parts.mid"
    )
    separate.add_argument("files", nargs="+", type=Path, metavar="FILE", help="MIDI, MusicXML, JSON, …; or folders")
    add_output_options(separate, "file to write (its extension says how), or a folder", required=True)
    _add_model(separate)
    separate.add_argument("--report", type=Path, metavar="HTML", help="page to write: score, roll, player")
    separate.add_argument("--exclude", action="append", default=[], metavar="PART", help="a part to leave empty")
    separate.add_argument("--to", metavar="EXT", default="mid", help="format of files in a folder (default: mid)")

    evaluate = _command(
        commands, "evaluate", _evaluate, "measure a model or a baseline", "arranger evaluate --mode offline"
    )
    _add_model(evaluate, "; or most-common, zone, zone-oracle, closest, closest-mono")
    evaluate.add_argument("--dataset", default="bach", help="corpus (default: bach)")
    evaluate.add_argument("--source", type=Path, metavar="FOLDER", help="files of a corpus that was not read yet")
    evaluate.add_argument(
        "--split",
        default="grouped",
        help="paper, grouped, a draw (grouped:3), or whole: all pieces (default: grouped)",
    )
    evaluate.add_argument("--subset", default="test", help="train, valid or test (default: test)")
    evaluate.add_argument("--seed", type=int, default=0, help="of shuffled ties (default: 0)")
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON (- prints them)")
    evaluate.add_argument("--overwrite", action="store_true", help="replace a file that exists")

    demo = _command(commands, "demo", _demo, "separate a chorale that comes with the package", "arranger demo -o demo")
    demo.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write into")
    demo.add_argument("--overwrite", action="store_true", help="replace files that exist")
    demo.add_argument("--mode", choices=MODES, default="offline", help="(default: offline)")

    commands.add_parser("fit", help="train a model; the options are LightningCLI's (arranger fit --help)")
    return parser


def _command(commands: Any, name: str, function: Any, purpose: str, example: str) -> argparse.ArgumentParser:
    description = f"{purpose[0].upper()}{purpose[1:]}.\n\n  {example}\n"
    parser: argparse.ArgumentParser = commands.add_parser(name, help=purpose, description=description)
    parser.set_defaults(command=function)
    add_debug_option(parser)
    return parser


def _add_model(parser: argparse.ArgumentParser, more: str = "") -> None:
    parser.add_argument(
        "--model", default="bach-chorales", help=f"bundled name or folder{more} (default: bach-chorales)"
    )
    parser.add_argument(
        "--mode", choices=MODES, default="online", help="online: chord by chord; offline: with the whole piece in view"
    )


# --- separate --------------------------------------------------------------------------------------------------------


def _separate(options: argparse.Namespace) -> int:
    from muspy_core.io import READABLE, WRITABLE

    from arranger.checkpoint import load_checkpoint

    several = len(options.files) > 1 or options.files[0].is_dir()
    suffix = f".{options.to.lower().lstrip('.')}"
    if not several and not options.output.is_dir() and not options.output.name.lower().endswith(WRITABLE):
        raise ValueError(f"{options.output}: the extension is none of {', '.join(WRITABLE)}")
    if suffix not in WRITABLE:
        raise ValueError(f"--to {options.to}: the extension is none of {', '.join(WRITABLE)}")
    load_checkpoint(options.model, options.mode)  # an unknown model is said before anything is written
    jobs = plan(options.files, options.output, READABLE, suffix, overwrite=options.overwrite)
    if not several:
        return _separate_alone(options, jobs[0])
    if options.report is not None:
        raise ValueError("--report goes with one file; view the results by `muspy-core view FOLDER -o PAGES`")
    work = functools.partial(
        _separate_job,
        model=options.model,
        mode=options.mode,
        excluded=tuple(options.exclude),
        overwrite=options.overwrite,
    )
    return run_jobs(
        jobs,
        work,
        verb="separated",
        workers=options.jobs,
        overwrite=options.overwrite,
        as_json=options.json,
        report_folder=options.output,
        debug=options.debug,
    )


def _separate_alone(options: argparse.Namespace, job: Job) -> int:
    if options.report is not None:
        check_writable(options.report, overwrite=options.overwrite)
    say = _silent if options.json else print_step
    details = _separate_job(
        job,
        model=options.model,
        mode=options.mode,
        excluded=tuple(options.exclude),
        overwrite=options.overwrite,
        report=options.report,
        say=say,
    )
    if options.json:
        print(json.dumps({"input": str(job.input), "output": str(job.output), **details}, indent=2, ensure_ascii=False))
        return EXIT_OK
    for warning in details["warnings"]:
        print(f"note: {warning}")
    if options.report is not None:
        print(f"next: open {options.report} in a browser")
    elif options.mode != "offline":
        print(f"next: add --mode offline, which reads the whole piece first, or --report {job.output.stem}.html")
    else:
        print(f"next: muspy-core view {job.output}")
    return EXIT_OK


def _separate_job(
    job: Job,
    *,
    model: str,
    mode: str,
    excluded: Sequence[str],
    overwrite: bool,
    report: Path | None = None,
    say: Any = None,
) -> dict[str, Any]:
    """Separate one file, and return what a JSON report says of it."""
    from muspy_core.io import read, write
    from muspy_core.io.files import write_atomically

    from arranger.report import part_rows, separation_page
    from arranger.separate import separate

    say = say or _silent
    start = time.perf_counter()
    music = read(job.input)
    if isinstance(music, list):
        raise ValueError(f"{job.input}: {len(music)} tunes; take one out by `muspy-core convert --tune N`")
    start = _said(say, f"read {job.input}", start)
    separation = separate(music, model, mode, excluded_parts=excluded)
    counts = ", ".join(f"{row['part']} {row['notes']}" for row in part_rows(separation))
    start = _said(say, f"separated {len(separation.mixture):,} notes by {model} ({mode}): {counts}", start)
    agreement = separation.agreement(music)
    if agreement is not None:
        start = _said(say, f"compared with the parts of the input, by their names: {agreement:.1%} agree", start)
    with write_atomically(job.output, overwrite) as temporary:
        write(temporary, separation.music)
    start = _said(say, f"wrote {job.output}", start)
    if report is not None:
        title = music.metadata.title or job.input.stem
        page = separation_page(separation, title, subtitle=f"Separated by {model} ({mode})")
        page.write(report, overwrite=overwrite)
        _said(say, f"wrote {report}", start)
    return {
        "model": model,
        "mode": mode,
        "notes": len(separation.mixture),
        "doubtful": int(separation.doubtful.sum()),
        "agreement": agreement,
        "parts": part_rows(separation),
        "warnings": list(separation.warnings),
    }


def _said(say: Any, line: str, start: float) -> float:
    """Say what was done since `start`, and return the time now."""
    now = time.perf_counter()
    say(line, now - start)
    return now


def _silent(line: str, seconds: float) -> None:
    pass


# --- evaluate, demo, fit ---------------------------------------------------------------------------------------------


def _evaluate(options: argparse.Namespace) -> int:
    from muspy_core.io.files import write_atomically

    from arranger.evaluate import evaluate

    prints_json = options.json is not None and os.fspath(options.json) == "-"
    if options.json is not None and not prints_json:
        check_writable(options.json, overwrite=options.overwrite)
    result = evaluate(
        options.model,
        options.mode,
        dataset=options.dataset,
        split=options.split,
        subset=options.subset,
        source=options.source,
        seed=options.seed,
    )
    text = json.dumps(result.to_dict(), indent=2)
    if prints_json:
        print(text)
        return EXIT_OK
    print("\n".join(result.lines()))
    if options.json is not None:
        with write_atomically(options.json, options.overwrite) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
        print(f"wrote {options.json}")
    return EXIT_OK


def _demo(options: argparse.Namespace) -> int:
    from arranger.demo import make_demo

    make_demo(options.output, mode=options.mode, overwrite=options.overwrite, say=print_step)
    print(f"next: open {options.output / 'index.html'} in a browser, or try your own file: "
          f"arranger separate song.mid -o parts.mid --report parts.html")  # fmt: skip
    return EXIT_OK


def _fit(arguments: Sequence[str]) -> int:
    from arranger.fit import fit

    return fit(arguments)


if __name__ == "__main__":
    sys.exit(main())
