"""`clipsonic evaluate`: figures of a model beside real sounds, at one guidance or at several (parse, call, report)."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from muspy_core.console import EXIT_OK, add_debug_option, check_writable, positive, print_step

SHOWN = (
    "fd_aisfx",
    "fd_aisfx_real_halves",
    "accuracy",
    "accuracy_real",
    "accuracy_shuffled",
    "diversity",
    "clap_score",
)


def add_evaluate(commands: Any) -> None:
    """Add `evaluate` to the sub-parsers of the program."""
    description = """\
Make sounds for the labels of test clips, and compare them with the clips.

  clipsonic evaluate --model runs/small-labels/export --data data --n 64 --guidance 1,1.5,3

FD-aisfx needs the weights in the wheel aisfx: pip install --no-deps aisfx==0.1.2
"""
    evaluate = commands.add_parser("evaluate", help="measure a model beside real sounds", description=description)
    evaluate.set_defaults(command=_evaluate)
    evaluate.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="prepared clips, with test clips")
    evaluate.add_argument("--model", default="instruments", help="bundled name, folder or hub:OWNER/NAME")
    evaluate.add_argument("--vocoder", metavar="FOLDER", help="a vocoder, or griffin-lim (default: the model's own)")
    evaluate.add_argument("--prior", metavar="FOLDER", help="from vectors of texts to vectors of images")
    evaluate.add_argument("--aisfx", type=Path, metavar="FILE", help="checkpoint.pth (default: of the installed wheel)")
    evaluate.add_argument("--clap", type=Path, metavar="FOLDER", help="CLAP's weights, for the CLAP score")
    evaluate.add_argument("--n", type=positive, default=512, metavar="N", help="sounds at most (default: 512)")
    evaluate.add_argument("--seconds", type=float, default=2.048, metavar="S", help="of each sound (default: 2.048)")
    evaluate.add_argument("--steps", type=positive, default=25, metavar="N", help="of the sampler (default: 25)")
    evaluate.add_argument("--guidance", type=_weights, default=(1.5,), metavar="W[,W…]", help="weights (default: 1.5)")
    evaluate.add_argument(
        "--seed", type=int, default=0, metavar="N", help="sound i is drawn from SEED + i (default: 0)"
    )
    evaluate.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the figures as JSON")
    evaluate.add_argument("--figure", type=Path, metavar="FILE", help="draw the guidance sweep (.svg)")
    evaluate.add_argument("--overwrite", action="store_true", help="replace files that exist")
    evaluate.add_argument("--json", action="store_true", help="print a JSON report instead of lines")
    add_debug_option(evaluate)


def _weights(text: str) -> tuple[float, ...]:
    """Parse weights for argparse."""
    return tuple(float(part) for part in text.split(","))


def _evaluate(options: argparse.Namespace) -> int:
    from muspy_core.io.files import write_atomically

    from clipsonic.aisfx import load_aisfx
    from clipsonic.clips import Clips
    from clipsonic.evaluate import generate_for, guidance_sweep, reference_of
    from clipsonic.experiments.drawing import curves
    from clipsonic.features.queries import ClapQueries
    from clipsonic.generate import Settings, Synthesizer
    from clipsonic.sampling import Sampling

    for path in (options.output, options.figure):
        if path is not None:
            check_writable(path, overwrite=options.overwrite)
    if options.figure is not None and len(options.guidance) < 2:
        raise ValueError("--figure draws a sweep: give several weights, --guidance 1,1.5,3")
    clips = Clips.load(options.data)
    synthesizer = Synthesizer.from_pretrained(options.model, vocoder=options.vocoder, prior=options.prior)
    start = time.perf_counter()
    mel = synthesizer.network.mel
    reference = reference_of(clips, load_aisfx(options.aisfx), mel, options.seconds, options.n, seed=options.seed)
    queries = [synthesizer.text(label, seed=options.seed + i) for i, label in enumerate(reference.labels)]

    def make(weight: float) -> Any:
        settings = Settings(options.seconds, Sampling(options.steps), weight)
        return generate_for(synthesizer, queries, settings, seed=options.seed)

    clap = None if options.clap is None else ClapQueries(options.clap)
    found = guidance_sweep(make, reference.labels, reference, options.guidance, clap=clap)
    report = {"model": options.model, "data": str(options.data), "seed": options.seed, "steps": options.steps,
              "figures": [{"guidance": weight, **values} for weight, values in found.items()]}  # fmt: skip
    text = json.dumps(report, indent=1)
    if options.output is not None:
        with write_atomically(options.output, options.overwrite) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    if options.figure is not None:
        lines = [(name, [values[name] for values in found.values()]) for name in ("fd_aisfx", "accuracy")]
        with write_atomically(options.figure, options.overwrite) as temporary:
            temporary.write_text(curves(list(found), lines, "weight of the guidance"), encoding="utf-8")
    if options.json:
        print(text)
        return EXIT_OK
    for weight, values in found.items():
        shown = ", ".join(f"{name} {values[name]:.3f}" for name in SHOWN if name in values)
        print_step(f"w = {weight:g}, n = {values['n']}: {shown}", time.perf_counter() - start)
    return EXIT_OK
