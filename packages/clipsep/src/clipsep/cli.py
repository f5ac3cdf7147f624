"""The console script `clipsep`: separate, remix, demo, prepare, fit, evaluate (the end: parse, call, report)."""

from __future__ import annotations

import argparse
import functools
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muspy_core.about import add_info
from muspy_core.console import (
    EXIT_OK,
    Job,
    Parser,
    add_command,
    add_json_option,
    add_overwrite_option,
    device_of,
    expand_inputs,
    positive,
    print_step,
    run_jobs,
    run_program,
)
from muspy_core.export_commands import Export, add_export
from muspy_core.media.files import SOUNDS, VIDEOS
from muspy_core.pipes import add_pipes

import clipsep
from clipsep.prepare_commands import add_prepare

if TYPE_CHECKING:
    from clipsep.evaluate import Mixture
    from clipsep.query import Query
    from clipsep.separate import Separator

DESCRIPTION = """\
Take the sound you name out of a mixture.

  clipsep demo                                                           a duet to begin with
  clipsep separate band.wav violin -o violin.wav --residual rest.wav     one sound, and the rest
  clipsep separate band.wav violin --query piano -o stems/               several, in one pass
  clipsep separate clip.mp4 --image dog.jpg -o dog.wav                   by a picture (models trained with CLIP)
  clipsep remix band.wav --gain violin:-6 --mute drums -o mix.wav        other levels
  clipsep prepare VIDEOS -o data && clipsep fit -c small-labelsep        train on your own (extra: clipsep[train])
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    return run_program(_parser, arguments, _fit)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="clipsep", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"clipsep {clipsep.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)

    separate = _command(commands, "separate", _separate, "take sounds out of a file",
                        "clipsep separate band.wav violin --query piano -o stems/ --report report.html")  # fmt: skip
    separate.add_argument("input", type=Path, metavar="FILE", help="a sound or video file, or a folder of them")
    separate.add_argument("text", nargs="?", help="what is wanted: a label or text, several joined by +, NAME:WEIGHT")
    separate.add_argument("--query", action="append", default=[], metavar="TEXT", help="one more; may be repeated")
    separate.add_argument(
        "--image", action="append", default=[], type=Path, metavar="FILE", help="ask by a picture or video"
    )
    separate.add_argument("--negative", action="append", default=[], metavar="TEXT", help="what must not be heard")
    separate.add_argument(
        "--combine",
        choices=("max", "sum", "mean"),
        default="max",
        help="texts joined by +: the greatest of their masks, the sum of them, or one mask of the mean (default: max)",
    )
    separate.add_argument(
        "-o", "--output", type=Path, required=True, metavar="PATH",
        help="one query of a file: the file to write; otherwise a folder",
    )  # fmt: skip
    separate.add_argument("--residual", type=Path, metavar="FILE", help="write what is left (of a folder: any name)")
    separate.add_argument("--report", type=Path, metavar="FILE", help="write a page with pictures and players")
    separate.add_argument(
        "--keep-noise-heads", action="store_true", help="NIT: show the masks of its noise heads on the page as well"
    )
    add_pipes(separate, "input", "image", extension=".wav")
    separate.add_argument("-j", "--jobs", type=positive, default=1, metavar="N", help="files at a time (default: 1)")
    _add_model(separate)

    remix = _command(commands, "remix", _remix, "make parts louder or softer",
                     "clipsep remix mix.wav --gain violin:-6 --gain drums:+3 -o out.wav")  # fmt: skip
    remix.add_argument("input", type=Path, metavar="FILE", help="a sound or video file")
    remix.add_argument("--gain", action="append", default=[], metavar="NAME:DB", help="level of a sound; repeatable")
    remix.add_argument("--mute", action="append", default=[], metavar="NAME", help="silence a sound")
    remix.add_argument("--solo", action="append", default=[], metavar="NAME", help="hear only such sounds")
    remix.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the file to write")
    add_pipes(remix, "input", extension=".wav")
    _add_model(remix)

    demo = _command(commands, "demo", _demo, "separate the duet that comes with the package", "clipsep demo -o demo/")
    demo.add_argument("-o", "--output", type=Path, default=Path("demo"), metavar="FOLDER", help="(default: demo)")
    _add_model(demo)

    add_prepare(commands)
    evaluate = _command(commands, "evaluate", _evaluate, "measure a model beside its baselines",
                        "clipsep evaluate test-good.csv test-no-music.csv --model FOLDER")  # fmt: skip
    evaluate.add_argument("targets", type=Path, metavar="LIST", help="manifest, or four columns: what is to be found")
    evaluate.add_argument("interferers", nargs="?", type=Path, metavar="LIST", help="what disturbs (default: targets)")
    evaluate.add_argument(
        "--query", action="append", default=[], metavar="TEXT",
        help="what is asked, {} for the label (default: {}); two are compared with each other",
    )  # fmt: skip
    evaluate.add_argument(
        "--pictures", action="store_true", help="ask by the pictures of the target (LIST is of a prepared folder)"
    )
    evaluate.add_argument("--split", metavar="NAME", help="take only this part of the lists, such as test")
    evaluate.add_argument("--model", required=True, help="bundled name, folder or hub:OWNER/NAME")
    evaluate.add_argument("--clip-weights", metavar="FILE", help="CLIP's weights, in the place of the model's own")
    evaluate.add_argument("--keep-noise-heads", action="store_true", help="NIT: add the better of its noise masks")
    evaluate.add_argument("--sources", type=positive, default=2, metavar="N", help="sounds of a mixture (default: 2)")
    evaluate.add_argument("--limit", type=positive, metavar="N", help="take the first N targets only")
    evaluate.add_argument("--fast", action="store_true", help="SNR and SI-SDR only, no filters of 512 taps")

    convert = _command(commands, "convert", _convert, "read a checkpoint of the published code",
                       "clipsep convert nit.pth -o nit --clip-weights open_clip_model.safetensors")  # fmt: skip
    convert.add_argument("input", type=Path, metavar="FILE", help="a .pth file of the published code")
    convert.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder of the model")
    convert.add_argument("--labels", type=Path, metavar="FILE", help="labels of a LabelSep, one a line, in its order")
    convert.add_argument("--clip-weights", default="openai", metavar="FILE", help="CLIP's weights (default: openai)")
    commands.add_parser("fit", help="train a model (options: clipsep fit --help)")
    add_export(commands, "clipsep export instruments -o exported", _exporter)
    add_info(commands, "clipsep")
    return parser


def _command(
    commands: Any, name: str, function: Callable[[argparse.Namespace], int], purpose: str, example: str
) -> argparse.ArgumentParser:
    parser = add_command(commands, name, function, purpose, example)
    add_json_option(parser)
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", default="instruments", help="bundled name, folder or hub:OWNER/NAME (default: instruments)"
    )
    parser.add_argument("--clip-weights", metavar="FILE", help="CLIP's weights, in the place of the model's own")
    parser.add_argument("--extend-mask", action="store_true", help="let masks act above 8 kHz as they do below")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, … (default: cpu)")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="of the network (default: fp32)")
    add_overwrite_option(parser)


# --- separate, remix -------------------------------------------------------------------------------------------------


def _separate(options: argparse.Namespace) -> int:
    if options.keep_noise_heads and options.report is None:
        raise ValueError("--keep-noise-heads shows masks on a page, and needs --report FILE")
    queries = _queries(options)
    if options.to_pipe and len(queries) != 1:
        raise ValueError(f"-o -: a pipe takes one sound, and {len(queries)} are asked for; name a folder")
    files = expand_inputs([options.input], (*SOUNDS, *VIDEOS))
    separator = _separator(options)
    names = [query.name for query in separator.encoded(queries)]
    _say_nearest(options, queries, separator)
    many = options.input.is_dir()
    jobs = [Job(file, _output(options, file, len(names), many)) for file in files]
    work = functools.partial(_separate_one, options, queries, names, separator)
    code = run_jobs(
        jobs,
        work,
        verb="separated",
        workers=options.jobs,
        overwrite=True,  # each of several files is checked by the work itself
        as_json=options.json,
        report_folder=options.output if many else None,
        debug=options.debug,
    )
    if not options.json and code == EXIT_OK and len(jobs) == 1 and options.report is None and not options.to_pipe:
        print("next: add --report report.html to see the masks")
    return code


def _say_nearest(options: argparse.Namespace, queries: list[Query], separator: Separator) -> None:
    """Print what texts are taken for by a model whose labels are known."""
    from clipsep.query import nearest_labels

    for text, (label, cosine) in nearest_labels(queries, separator.encoder).items():
        stream = sys.stderr if options.json else sys.stdout
        print(f"“{text}” is no label of this model; the nearest is {label} (similarity {cosine:.2f})", file=stream)


def _separate_one(
    options: argparse.Namespace, queries: list[Query], names: list[str], separator: Separator, job: Job
) -> dict[str, Any]:
    from clipsep.output import Targets, separate_file
    from clipsep.query import Query

    folder = job.output if len(names) > 1 or options.input.is_dir() else None
    stems = tuple(folder / f"{Query(name, ()).slug}.wav" for name in names) if folder is not None else (job.output,)
    residual, report = options.residual, options.report
    if options.input.is_dir() and folder is not None:
        residual = folder / "residual.wav" if residual is not None else None
        report = folder / "report.html" if report is not None else None
    details = separate_file(
        separator,
        job.input,
        queries,
        Targets(stems, residual, report),
        band="extend" if options.extend_mask else "cut",
        shown="queries and noise" if options.keep_noise_heads else "queries",
        overwrite=options.overwrite,
    )
    if not options.json:
        for name, level in details["presence_db"].items():
            print(f"{name}: {level:+.1f} dB beside the mixture{' (hardly there)' if level < -15 else ''}")
    return details


def _output(options: argparse.Namespace, file: Path, count: int, many: bool) -> Path:
    """The file or folder that a result goes to."""
    if many:
        return Path(options.output) / file.relative_to(options.input).with_suffix("")
    if count == 1 and options.output.is_dir():
        return Path(options.output) / f"{file.stem}-separated.wav"
    return Path(options.output)


def _queries(options: argparse.Namespace) -> list[Query]:
    from clipsep.query import Query, parse_terms

    negative = tuple(term for text in options.negative for term in parse_terms(text))
    texts = [*([options.text] if options.text is not None else []), *options.query]
    queries = [Query.of_text(text, negative=negative, combine=options.combine) for text in texts]
    return [*queries, *(Query.of_image(path, negative=negative) for path in options.image)]


def _separator(options: argparse.Namespace) -> Separator:
    from clipsep.separate import Separator

    return Separator.from_pretrained(
        options.model, clip_weights=options.clip_weights, device=device_of(options.device), precision=options.precision
    )


def _remix(options: argparse.Namespace) -> int:
    from clipsep.output import remix_file
    from clipsep.query import Query
    from clipsep.remix import Fader, mute, parse_gain

    start = time.perf_counter()
    faders = [*map(parse_gain, options.gain), *map(mute, options.mute)]
    faders += [Fader(Query.of_text(name), 0.0) for name in options.solo]
    expand_inputs([options.input], (*SOUNDS, *VIDEOS))
    separator = _separator(options)
    _say_nearest(options, [fader.query for fader in faders], separator)
    seconds = remix_file(
        separator,
        options.input,
        faders,
        options.output,
        rest_db=-math.inf if options.solo else 0.0,
        band="extend" if options.extend_mask else "cut",
        overwrite=options.overwrite,
    )
    if options.json:
        print(json.dumps({"output": str(options.output), "seconds_of_sound": round(seconds, 3)}))
    else:
        print_step(f"remixed {options.input} → {options.output}", time.perf_counter() - start)
    return EXIT_OK


def _demo(options: argparse.Namespace) -> int:
    from clipsep.demo import separate_duet

    start = time.perf_counter()
    details = separate_duet(_separator(options), options.output, overwrite=options.overwrite)
    if options.json:
        print(json.dumps(details, indent=2, ensure_ascii=False))
    else:
        names = ", ".join(details["files"])
        print_step(f"separated {details['mixture']} into {names} and a rest", time.perf_counter() - start)
        print(f"next: open {details['report']}, then clipsep separate YOUR.wav violin -o violin.wav")
    return EXIT_OK


# --- prepare, fit ----------------------------------------------------------------------------------------------------


def _convert(options: argparse.Namespace) -> int:
    from clipsep.checkpoint import Training, save_checkpoint
    from clipsep.convert import convert_file
    from clipsep.features.wordings import TEMPLATES

    start = time.perf_counter()
    labels = options.labels.read_text(encoding="utf-8").split("\n") if options.labels is not None else []
    network = convert_file(options.input, [label.strip() for label in labels if label.strip()])
    encoder: dict[str, Any] = {"kind": "labels"}
    if not network.config.labels:
        names = {"model": "ViT-B-32-quickgelu", "weights": options.clip_weights}
        encoder = {"kind": "clip", **names, "templates": list(TEMPLATES)}
    save_checkpoint(options.output, network, Training(encoder=encoder, data=f"published: {options.input.name}"))
    if options.json:
        print(json.dumps({"output": str(options.output), "model": network.config.to_dict()}))
    else:
        print_step(f"converted {options.input} → {options.output} ({network.config.kind})", time.perf_counter() - start)
    return EXIT_OK


def _evaluate(options: argparse.Namespace) -> int:
    import numpy as np

    from clipsep.evaluate import METRICS, baselines, by_model, measure, pictures_of, protocol, read_lists, table
    from clipsep.library import Library
    from clipsep.metrics import bootstrap_interval
    from clipsep.separate import Separator

    separator = Separator.from_pretrained(options.model, clip_weights=options.clip_weights)
    lists = read_lists(options.targets, options.interferers, options.split)
    mixtures = list(protocol(*lists, n=options.sources, limit=options.limit))
    if not mixtures:
        raise ValueError(f"{options.targets}: no target has sound")
    metrics = METRICS[:2] if options.fast else METRICS
    methods = baselines()
    queries = options.query or ([] if options.pictures else ["{}"])
    vectors: dict[str, Callable[[Mixture], Any]] = {
        query: functools.partial(_vector_of, separator, query) for query in queries
    }
    if options.pictures:
        vectors["pictures"] = pictures_of(Library.read(options.targets.parent))
    for query, vector in vectors.items():
        methods[query] = by_model(separator.network, vector, noise_heads=options.keep_noise_heads)
    queries = list(vectors)
    results = {name: measure(mixtures, method, metrics=metrics, what=name) for name, method in methods.items()}
    report: dict[str, Any] = {"n": len(mixtures), "methods": {name: made.to_dict() for name, made in results.items()}}
    if len(queries) == 2:
        report["difference"] = {}
        for metric in metrics:
            differences = results[queries[0]].values[metric] - results[queries[1]].values[metric]
            kept = differences[np.isfinite(differences)]
            interval = bootstrap_interval(kept, np.random.default_rng(0))
            report["difference"][metric] = {"mean": float(kept.mean()), "interval": interval, "n": len(kept)}
    if options.json:
        print(json.dumps(report, indent=2))
        return EXIT_OK
    print("decibels, mean ± standard error / median; snr is what the paper calls SDR")
    print(table(results))
    for metric, made in report.get("difference", {}).items():
        low, high = made["interval"]
        print(f"{metric}: “{queries[0]}” - “{queries[1]}” = {made['mean']:+.2f} dB (95 %: {low:+.2f} to {high:+.2f})")
    return EXIT_OK


def _vector_of(separator: Separator, query: str, mixture: Any) -> Any:
    """The vector, or index, of what a mixture's target is called."""
    if separator.encoder is None:
        return None
    vector = separator.encoder.text(query.replace("{}", mixture.label))
    return vector[0].astype("int64") if separator.network.config.kind == "labelsep" else vector


def _exporter() -> Export:
    from clipsep.exporting import export

    return export


def _fit(arguments: Sequence[str]) -> int:
    from clipsep.fit import fit

    return fit(arguments)


if __name__ == "__main__":
    sys.exit(main())
