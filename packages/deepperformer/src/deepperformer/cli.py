"""The console script `deepperformer`: perform, align, prepare, fit, evaluate, export (parse, call, report)."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from muspy_core.about import add_info
from muspy_core.console import (
    EXIT_OK,
    Parser,
    add_command,
    add_json_option,
    add_overwrite_option,
    check_writable,
    print_step,
    run_program,
)
from muspy_core.export_commands import add_export
from muspy_core.pipes import add_from_option, add_pipes

import deepperformer
from deepperformer import model_commands

if TYPE_CHECKING:
    from muspy_core import Music

DESCRIPTION = """\
Perform a score as audio, and align scores with recordings.

  deepperformer perform score.musicxml -o out.wav                              a whole piece
  deepperformer align score.mxl recording.wav -o alignment.csv                  when each note is played
  deepperformer prepare RECORDINGS -o data && deepperformer fit -c small-full   train (extra: deepperformer[train])
"""
PIPED = {"align": ".csv", "mel": ".npy"}  # what goes into a pipe after a stage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    return run_program(_parser, arguments, _fit)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="deepperformer", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"deepperformer {deepperformer.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)

    perform = add_command(commands, "perform", _perform, "play a score", "deepperformer perform score.mxl -o out.wav")
    perform.add_argument("score", nargs="?", type=Path, metavar="SCORE", help="MusicXML, MIDI, ABC, …")
    perform.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="sound, .csv/.mid or .npy")
    add_from_option(perform)
    add_pipes(perform, "score", "mel", extension=lambda options: PIPED.get(options.stop_after, ".wav"))
    _add_playing(perform)
    _add_stages(perform)
    _add_writing(perform)

    align = add_command(
        commands, "align", _align, "find when the notes of a score are played in a recording",
        "deepperformer align score.mxl recording.wav -o alignment.csv",
    )  # fmt: skip
    align.add_argument("score", type=Path, metavar="SCORE", help="MusicXML, MIDI, ABC, …, or a CSV of note rows")
    add_from_option(align)
    add_pipes(align, "score", "recording", extension=".csv")
    align.add_argument("recording", type=Path, metavar="RECORDING", help="sound or video file")
    align.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=".csv, .mid or .json")
    align.add_argument(
        "--method", choices=("interpolated", "published"), default="interpolated", help="default: interpolated"
    )
    align.add_argument("--part", metavar="PART", help="name or number of the only part that is played")
    align.add_argument("--program", type=int, default=40, metavar="N", help="of the reference (default: 40, violin)")
    align.add_argument("--soundfont", type=Path, metavar="FILE", help="of the reference (default: TimGM6mb)")
    _add_writing(align)

    prepare = add_command(
        commands, "prepare", _prepare, "prepare recordings for training", "deepperformer prepare bach-violin -o data"
    )
    prepare.add_argument("folder", type=Path, metavar="FOLDER", help="Bach Violin Dataset, MAESTRO, or scores + sound")
    prepare.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write into")
    prepare.add_argument("--render", type=Path, nargs="*", metavar="SOUNDFONT", help="play the timings instead of "
                         "reading sound; several fonts are several performers (none: TimGM6mb)")  # fmt: skip
    prepare.add_argument("--program", type=int, default=40, metavar="N", help="of --render (default: 40, violin)")
    prepare.add_argument("--performers", choices=("soundfonts", "players"), default="soundfonts", help="of --render: "
                         "the SoundFonts, or those whose timings they play (default: soundfonts)")  # fmt: skip
    prepare.add_argument("--only", metavar="TEXT", help="only recordings whose name has this text")
    add_json_option(prepare)

    evaluate = add_command(
        commands, "evaluate", model_commands.evaluate, "measure models on held-out recordings",
        "deepperformer evaluate violin --data data --figures figures",
    )  # fmt: skip
    model_commands.add_evaluate_options(evaluate)
    add_export(commands, "deepperformer export violin -o exported", lambda: model_commands.export_models)

    commands.add_parser("fit", help="train a model (options: deepperformer fit --help)")
    add_info(commands, "deepperformer")
    return parser


def _add_playing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it is played")
    group.add_argument("--model", default="violin", help="bundled name, folder or hub:OWNER/NAME (default: violin)")
    group.add_argument("--performer", default="0", metavar="NAME", help="number or name (default: 0)")
    group.add_argument("--timing", metavar="NAME", help="whose timing, where that comes from others (number or name)")
    group.add_argument("--qpm", type=float, metavar="QPM", help="constant tempo (default: the score's)")
    group.add_argument("--humanise", type=float, default=1.0, metavar="0..1", help="0: exactly the tempo (default: 1)")
    group.add_argument("--part", metavar="PART", help="name or number of the only part to play")
    group.add_argument("--ornaments", choices=("written", "played"), default="written", help="trills, mordents and "
                       "turns as one note or as many (default: written)")  # fmt: skip
    group.add_argument("--condition", default="0", metavar="NAME", help="recording condition, where the model knows "
                       "some (number or name)")  # fmt: skip
    group.add_argument("--seed", type=int, default=0, help="of Griffin-Lim, where that is the inverter (default: 0)")


def _add_stages(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("stages (written, edited, and taken up again)")
    group.add_argument("--stop-after", choices=("align", "mel"), help="write timings (.csv, .mid) or the mel (.npy)")
    sources = group.add_mutually_exclusive_group()
    sources.add_argument("--alignment", type=Path, metavar="FILE", help="timings (.csv, .mid) instead of the model's")
    sources.add_argument("--mel", type=Path, metavar="FILE", help="a mel spectrogram (.npy) to make sound of")
    sources.add_argument("--from-midi", action="store_true", help="the score is played MIDI: keep its times")
    group.add_argument("--report", type=Path, metavar="FILE", help="a page (.html) with timing, notes, mel and player")


def _add_writing(parser: argparse.ArgumentParser) -> None:
    add_overwrite_option(parser)
    add_json_option(parser)


# --- perform ---------------------------------------------------------------------------------------------------------


def _perform(options: argparse.Namespace) -> int:
    from deepperformer.output import Request, write_performance

    request = Request(
        score=options.score,
        output=options.output,
        performer=options.performer,
        timing=options.timing,
        qpm=options.qpm,
        humanise=options.humanise,
        part=options.part,
        ornaments=options.ornaments,
        condition=options.condition,
        stop_after=options.stop_after,
        alignment=options.alignment,
        mel=options.mel,
        from_midi=options.from_midi,
        report=options.report,
        overwrite=options.overwrite,
    )
    request.check()
    from deepperformer.perform import Performer

    say = _silent if options.json else print_step
    start = time.perf_counter()
    performer = Performer.from_pretrained(options.model, options.seed)
    say(f"loaded {options.model}", time.perf_counter() - start)
    start = time.perf_counter()
    facts = write_performance(performer, request)
    seconds = time.perf_counter() - start
    if options.json:
        print(json.dumps({**facts, "seconds": round(seconds, 3)}, indent=2, ensure_ascii=False))
    else:
        described = ", ".join(f"{name} {value}" for name, value in facts.items() if name not in ("output", "report"))
        say(f"wrote {options.output}: {described}", seconds)
        if options.report:
            print(f"wrote {options.report}")
    return EXIT_OK


def _silent(line: str, seconds: float) -> None:
    pass


# --- align -----------------------------------------------------------------------------------------------------------


def _align(options: argparse.Namespace) -> int:
    from muspy_core.io.files import write_atomically
    from muspy_core.media import read_audio

    from deepperformer.alignment import align
    from deepperformer.features.notes import read_rows, rows_of, write_alignment

    check_writable(options.output, overwrite=options.overwrite)
    if options.score.suffix.lower() == ".csv":
        rows = read_rows(options.score)
    else:
        rows = rows_of(_read(options.score), "score", options.part)
    start = time.perf_counter()
    audio = read_audio(options.recording, channels=1)
    found = align(rows, audio, method=options.method, program=options.program, soundfont=options.soundfont)
    if options.output.suffix.lower() == ".json":
        with write_atomically(options.output, options.overwrite) as temporary:
            temporary.write_text(json.dumps(found.to_dict(), indent=1) + "\n", encoding="utf-8")
    else:
        write_alignment(options.output, rows, found.timings, options.overwrite)
    quality = found.quality.to_dict()
    if options.json:
        print(json.dumps({"output": str(options.output), "qpm": found.qpm, **quality}, indent=2))
    else:
        shares = f"{len(rows)} notes, {found.qpm:.1f} qpm, distance {quality['distance']:.2f} of random, "
        shares += f"{len(quality['suspicious'])} notes at leaps of the tempo"
        print_step(
            f"aligned {options.score} with {options.recording} → {options.output}: {shares}",
            time.perf_counter() - start,
        )
    for warning in quality["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    return EXIT_OK


def _read(path: Path) -> Music:
    from deepperformer.output import read_score

    return read_score(path)


# --- prepare, fit ----------------------------------------------------------------------------------------------------


def _prepare(options: argparse.Namespace) -> int:
    from deepperformer.errors import DataError
    from deepperformer.features.spectrogram import MelDefinition
    from deepperformer.prepare import aligned, prepare, rendered
    from deepperformer.recordings import read_recordings

    start = time.perf_counter()
    recordings = [r for r in read_recordings(options.folder) if not options.only or options.only in r.name]
    if not recordings:
        raise DataError(f"{options.folder}: no recording has {options.only!r} in its name")
    options.output.mkdir(parents=True, exist_ok=True)
    sound = None
    if options.render is not None:
        fonts, definition = options.render or [None], MelDefinition()
        recordings, sound = rendered(recordings, fonts, options.program, definition, options.performers)
    data = prepare(recordings, options.output, sound=sound, align=aligned)
    facts = {
        "recordings": len(data),
        "with_sound": sum(data.sounding),
        "performers": sorted(set(data.performers)),
        "conditions": sorted(set(data.conditions)),
        "marked_notes": sum(int(marks.any(1).sum()) for marks in data.marks),
        "works": len(set(data.works)),
        "notes": sum(map(len, data.rows)),
    }
    if options.json:
        print(json.dumps({"output": str(options.output), **facts}, indent=2, ensure_ascii=False))
    else:
        line = f"prepared {facts['recordings']} recordings, {facts['with_sound']} with sound, {facts['notes']:,} notes"
        print_step(line, time.perf_counter() - start)
        print(f"next: deepperformer fit -c paper-alignment --data.folder {options.output}")
    return EXIT_OK


def _fit(arguments: Sequence[str]) -> int:
    from deepperformer.fit import fit

    return fit(arguments)


if __name__ == "__main__":
    sys.exit(main())
