"""The console script `arranger`: separate, rearrange, compare, live, evaluate, fit, demo (parse, call, report)."""

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

from muspy_core.about import add_info
from muspy_core.console import (
    EXIT_OK,
    Job,
    Parser,
    add_command,
    add_json_option,
    add_output_options,
    add_overwrite_option,
    check_writable,
    plan,
    print_step,
    run_jobs,
    run_program,
)
from muspy_core.errors import needed
from muspy_core.export_commands import Export, add_export
from muspy_core.pipes import add_from_option, add_pipes

import arranger
from arranger.cli_options import MODES, add_demands, add_locks, add_model, control_of_options
from arranger.live_commands import add_live

DESCRIPTION = """\
Split a mixture of notes into parts: soprano, alto, tenor and bass.

  arranger separate song.mid -o parts.mid --report parts.html     a file into parts, with a page to look at
  arranger rearrange song.mid -o quartet.musicxml                 all instruments of a song into parts
  arranger compare chorale.mid -o compare.html                    mixture, original and result under each other
  arranger live --input PORT --output PORT --tempo 96             what you play, split among channels
  arranger demo -o demo                                           a Bach chorale, separated and compared
  arranger evaluate --mode offline                                accuracy on the test chorales
  arranger fit -c bach-lstm-onset-context                         train a model (extra: train)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    return run_program(_parser, arguments, _fit)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="arranger", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"arranger {arranger.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)

    separate = add_command(
        commands, "separate", _separate, "split files into parts", "arranger separate song.mid -o parts.mid"
    )
    _add_files(separate)
    add_model(separate)
    separate.set_defaults(flow=False)

    rearrange = add_command(
        commands,
        "rearrange",
        _separate,
        "give all notes of a song to other parts",
        "arranger rearrange song.mid -o quartet.musicxml --parts violin,violin,viola,cello",
    )
    _add_files(rearrange)
    add_model(rearrange, mode="offline")
    rearrange.set_defaults(flow=True)

    compare = add_command(
        commands,
        "compare",
        _compare,
        "show mixture, original and result",
        "arranger compare chorale.mid -o compare.html",
    )
    compare.add_argument("file", type=Path, metavar="FILE", help="MIDI, MusicXML, JSON, …")
    compare.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=".html, .png, .svg or .pdf")
    compare.add_argument(
        "--model", default="bach-chorales", help="bundled name, folder or hub:OWNER/NAME (default: bach-chorales)"
    )
    compare.add_argument("--modes", default="online,offline", help="separated by commas (default: online,offline)")
    compare.add_argument("--span", nargs=2, type=float, metavar="SECOND", help="first and last second drawn")
    add_demands(compare)
    add_overwrite_option(compare)
    add_json_option(compare)

    add_live(commands)

    evaluate = add_command(
        commands, "evaluate", _evaluate, "measure a model or a baseline", "arranger evaluate --mode offline"
    )
    add_model(evaluate, "; or most-common, zone, zone-oracle, closest, closest-mono")
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
    add_overwrite_option(evaluate)

    demo = add_command(
        commands, "demo", _demo, "separate a chorale that comes with the package", "arranger demo -o demo"
    )
    demo.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write into")
    add_overwrite_option(demo)
    demo.add_argument("--mode", choices=MODES, default="offline", help="(default: offline)")
    add_json_option(demo)

    commands.add_parser("fit", help="train a model (options: arranger fit --help)")
    add_export(commands, "arranger export bach-chorales -o exported", _exporter)
    add_info(commands, "arranger")
    return parser


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="MIDI, MusicXML, JSON, …; or folders")
    add_output_options(parser, "file to write (its extension says how), or a folder", required=True)
    parser.add_argument("--to", metavar="EXT", default="mid", help="format of files in a folder (default: mid)")
    parser.add_argument("--report", type=Path, metavar="HTML", help="page to write: score, roll, player")
    add_demands(parser)
    add_locks(parser)
    add_from_option(parser)
    add_pipes(parser, "files", extension=lambda options: f".{options.to.lower().lstrip('.')}")


# --- separate --------------------------------------------------------------------------------------------------------


def _separate(options: argparse.Namespace) -> int:
    from muspy_core.io import READABLE, WRITABLE

    several = len(options.files) > 1 or options.files[0].is_dir()
    suffix = f".{options.to.lower().lstrip('.')}"
    if not several and not options.output.is_dir() and not options.output.name.lower().endswith(WRITABLE):
        raise ValueError(f"{options.output}: the extension is none of {', '.join(WRITABLE)}")
    if suffix not in WRITABLE:
        raise ValueError(f"--to {options.to}: the extension is none of {', '.join(WRITABLE)}")
    control = control_of_options(options)  # an unknown model is said before anything is written
    jobs = plan(options.files, options.output, READABLE, suffix, overwrite=options.overwrite)
    if not several:
        return _separate_alone(options, jobs[0], control)
    if options.report is not None:
        raise ValueError("--report goes with one file; view the results by `muspy-core view FOLDER -o PAGES`")
    work = functools.partial(
        _separate_job,
        model=options.model,
        mode=options.mode,
        control=control,
        unisons=options.unisons,
        flow=options.flow,
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


def _separate_alone(options: argparse.Namespace, job: Job, control: Any) -> int:
    if options.report is not None:
        check_writable(options.report, overwrite=options.overwrite)
    say = _silent if options.json else print_step
    details = _separate_job(
        job,
        model=options.model,
        mode=options.mode,
        control=control,
        unisons=options.unisons,
        flow=options.flow,
        overwrite=options.overwrite,
        report=options.report,
        say=say,
    )
    if options.json:
        print(json.dumps({"input": str(job.input), "output": str(job.output), **details}, indent=2, ensure_ascii=False))
        return EXIT_OK
    for warning in details["warnings"]:
        print(f"note: {warning}")
    if options.to_pipe:
        return EXIT_OK
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
    control: Any,
    unisons: Any,
    flow: bool,
    overwrite: bool,
    report: Path | None = None,
    say: Any = None,
) -> dict[str, Any]:
    """Separate one file, and return what a JSON report says of it."""
    from muspy_core.io import read, write
    from muspy_core.io.files import write_atomically

    from arranger.rearrange import rearrangement
    from arranger.report import part_rows, separation_page
    from arranger.separate import separate

    say = say or _silent
    start = time.perf_counter()
    music = read(job.input)
    if isinstance(music, list):
        raise ValueError(f"{job.input}: {len(music)} tunes; take one out by `muspy-core convert --tune N`")
    start = _said(say, f"read {job.input}", start)
    separation = separate(music, model, mode, control=control, unisons=unisons)
    counts = ", ".join(f"{row['part']} {row['notes']}" for row in part_rows(separation))
    start = _said(say, f"separated {len(separation.mixture):,} notes by {model} ({mode}): {counts}", start)
    moved = rearrangement(music, separation)
    for line in moved.lines() if flow else ():
        start = _said(say, line, start)
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
        "doubled": len(separation.doubled),
        "parts": part_rows(separation),
        "tracks": moved.to_dict(),
        "warnings": list(separation.warnings),
    }


def _said(say: Any, line: str, start: float) -> float:
    """Say what was done since `start`, and return the time now."""
    now = time.perf_counter()
    say(line, now - start)
    return now


def _silent(line: str, seconds: float) -> None:
    pass


# --- compare


def _compare(options: argparse.Namespace) -> int:
    from muspy_core.io import read

    from arranger.compare import FIGURES, PAGES, compare, write_comparison

    modes = [mode.strip() for mode in options.modes.split(",") if mode.strip()]
    unknown = [mode for mode in modes if mode not in MODES]
    if unknown or not modes:
        raise ValueError(f"--modes {options.modes}: there are {', '.join(MODES)}")
    if options.output.suffix.lower() not in (*PAGES, *FIGURES):
        raise ValueError(f"{options.output}: the extension is none of {', '.join((*PAGES, *FIGURES))}")
    check_writable(options.output, overwrite=options.overwrite)
    control = control_of_options(options, modes[0])
    music = read(options.file)
    if isinstance(music, list):
        raise ValueError(f"{options.file}: {len(music)} tunes; take one out by `muspy-core convert --tune N`")
    title = music.metadata.title or options.file.stem
    comparison = compare(music, options.model, modes, title=title, control=control)
    write_comparison(comparison, options.output, options.span, overwrite=options.overwrite)
    if options.json:
        print(json.dumps({"input": str(options.file), "output": str(options.output), **comparison.to_dict()}, indent=2))
        return EXIT_OK
    for mode in modes:
        accuracy = comparison.accuracy(mode)
        print(
            f"{mode}: " + ("the tracks are not named after the parts" if accuracy is None else f"{accuracy:.1%} right")
        )
    print(f"wrote {options.output}")
    return EXIT_OK


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

    if options.json:
        scores = make_demo(options.output, mode=options.mode, overwrite=options.overwrite)
        page = str(options.output / "index.html")
        print(json.dumps({"page": page, "mode": options.mode, "accuracy": scores.accuracy}, indent=2))
        return EXIT_OK
    make_demo(options.output, mode=options.mode, overwrite=options.overwrite, say=print_step)
    print(f"next: open {options.output / 'index.html'} in a browser, or try your own file: "
          f"arranger separate song.mid -o parts.mid --report parts.html")  # fmt: skip
    return EXIT_OK


def _exporter() -> Export:
    with needed("arranger", "onnx", "exporting"):
        from arranger.exporting import export

    return export


def _fit(arguments: Sequence[str]) -> int:
    from arranger.fit import fit

    return fit(arguments)


if __name__ == "__main__":
    sys.exit(main())
